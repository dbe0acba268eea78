"""Figures: one file, one plug-in, found by its file name; they know arrays and no files.

A new figure is one new file here with the members of `RunFigure`, and every command that draws finds it.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from slfac_sim.ledger.folder import Run


class RunFigure(Protocol):
    """What the module of a figure has.

    `MAIN` figures answer what a run is for, and are drawn after each; the others on demand. `ONE_RUN` says
    that the figure shows a single run, and is left out when there are several.
    """

    MAIN: bool
    ONE_RUN: bool

    def data(self, run: "Run") -> Any:
        """Return what is shown of `run`, a dataclass with a field `label`; None if there is nothing."""

    def draw(self, series: Sequence[Any]) -> "Figure":
        """Return the figure of one or several runs; it is called inside `house_style`."""

    def table(self, series: Sequence[Any]) -> Iterable[Mapping[str, Any]]:
        """Return the same as rows ({column: value}), which are written beside it as CSV."""
