"""`network`: transfers over links and media, as `python -m slfac_sim.network` times them."""

from slfac_sim.network.case.command import add_arguments
from slfac_sim.network.case.command import perform as main

__all__ = ["add_arguments", "main"]
