"""Time to the target against the x axis of the study, with intervals over seeds; censoring is marked."""

from slfac_sim.analysis.studies.against_axis import draw
from slfac_sim.analysis.studies.estimates import table
from slfac_sim.analysis.studies.to_target import times_to_target as data

__all__ = ["data", "draw", "table"]
