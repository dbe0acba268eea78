"""Accuracy against payload bytes sent, with a band over seeds; one panel where x changes no bytes."""

from slfac_sim.analysis.studies.bands import Bands, bands, draw, table
from slfac_sim.analysis.studies.study import BYTES, StudyPoints

__all__ = ["data", "draw", "table"]


def data(study: StudyPoints) -> Bands | None:
    """Return the curves over megabytes (10^6 bytes) of payload."""
    return bands(study, BYTES, "B", "payload sent, all directions", column=("payload_mb", 1e6))
