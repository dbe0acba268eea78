"""Accuracy against simulated time with a band over seeds, at the lowest and the highest x of the study."""

from slfac_sim.analysis.studies.bands import Bands, bands, draw, table
from slfac_sim.analysis.studies.study import SECONDS, StudyPoints

__all__ = ["data", "draw", "table"]


def data(study: StudyPoints) -> Bands | None:
    """Return the curves over simulated seconds."""
    return bands(study, SECONDS, "s", "simulated time", column=("simulated_s", 1.0))
