"""Accuracy against simulated time with a band over seeds, at the lowest and the highest x of the study."""

from typing import Any

from matplotlib.figure import Figure

from slfac_sim.analysis.studies.answers import SECONDS
from slfac_sim.analysis.studies.figures._bands import Bands, bands, draw_bands, row_table
from slfac_sim.analysis.studies.study import StudyResult


def data(study: StudyResult) -> Bands | None:
    """Return the curves over simulated seconds."""
    return bands(study, SECONDS, "s", "simulated time")


def table(curves: Bands) -> list[dict[str, Any]]:
    """Return one row for each place of each line."""
    return row_table(curves, "simulated_s")


def draw(curves: Bands) -> Figure:
    """Return the figure."""
    return draw_bands(curves)
