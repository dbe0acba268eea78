"""Accuracy against payload bytes sent, with a band over seeds; one panel where x changes no bytes."""

from slfac_sim.analysis.studies.bands import over_bytes as data
from slfac_sim.analysis.studies.bands import table
from slfac_sim.analysis.studies.drawn_bands import draw

__all__ = ["data", "draw", "table"]
