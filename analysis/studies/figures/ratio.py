"""How many times sooner than the baseline each variant is at the target, against the x axis of the study."""

from slfac_sim.analysis.studies.against_axis import draw
from slfac_sim.analysis.studies.estimates import table
from slfac_sim.analysis.studies.to_target import ratios_to_target as data

__all__ = ["data", "draw", "table"]
