"""Accuracy against simulated time with a band over seeds, at the lowest and the highest x of the study."""

from slfac_sim.analysis.studies.bands import over_time as data
from slfac_sim.analysis.studies.bands import table
from slfac_sim.analysis.studies.drawn_bands import draw

__all__ = ["data", "draw", "table"]
