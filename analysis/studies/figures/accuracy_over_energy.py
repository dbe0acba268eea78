"""Accuracy against the energy that all devices together drew, with a band over seeds; as over time."""

from slfac_sim.analysis.studies.bands import over_energy as data
from slfac_sim.analysis.studies.bands import table
from slfac_sim.analysis.studies.drawn_bands import draw

__all__ = ["data", "draw", "table"]
