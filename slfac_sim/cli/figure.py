"""`figure`: the figures of runs or of a study, as `python -m slfac_sim.analysis` draws them."""

from slfac_sim.analysis.cli import add_arguments
from slfac_sim.analysis.cli import perform as main

__all__ = ["add_arguments", "main"]
