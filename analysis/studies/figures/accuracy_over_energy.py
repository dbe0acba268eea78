"""Accuracy against the energy that all devices together drew, with a band over seeds; as over time."""

from slfac_sim.analysis.studies.bands import Bands, bands, draw, table
from slfac_sim.analysis.studies.study import JOULES, StudyPoints

__all__ = ["data", "draw", "table"]


def data(study: StudyPoints) -> Bands | None:
    """Return the curves over kilojoules; None where no point tells of them."""
    return bands(study, JOULES, "J", "energy drawn by all devices", column=("devices_kj", 1e3))
