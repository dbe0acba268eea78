"""Accuracy against payload bytes sent, with a band over seeds; one panel where x changes no bytes."""

from typing import Any

from matplotlib.figure import Figure

from slfac_sim.analysis.studies.answers import BYTES
from slfac_sim.analysis.studies.figures._bands import Bands, bands, draw_bands, row_table
from slfac_sim.analysis.studies.study import StudyResult


def data(study: StudyResult) -> Bands | None:
    """Return the curves over megabytes (10^6 bytes) of payload."""
    return bands(study, BYTES, "B", "payload sent, all directions")


def table(curves: Bands) -> list[dict[str, Any]]:
    """Return one row for each place of each line."""
    return row_table(curves, "payload_mb", 1e6)


def draw(curves: Bands) -> Figure:
    """Return the figure."""
    return draw_bands(curves)
