"""Accuracy against the energy that all devices together drew, with a band over seeds; as over time."""

from typing import Any

from matplotlib.figure import Figure

from slfac_sim.analysis.studies.answers import JOULES
from slfac_sim.analysis.studies.figures._bands import Bands, bands, draw_bands, row_table
from slfac_sim.analysis.studies.study import StudyResult


def data(study: StudyResult) -> Bands | None:
    """Return the curves over kilojoules; None where no point tells of them."""
    return bands(study, JOULES, "J", "energy drawn by all devices")


def table(curves: Bands) -> list[dict[str, Any]]:
    """Return one row for each place of each line."""
    return row_table(curves, "devices_kj", 1e3)


def draw(curves: Bands) -> Figure:
    """Return the figure."""
    return draw_bands(curves)
