"""One page in HTML that says what a run, or a study, has found: a file without a network, for a browser.

A section is a file in `run/` or `study/`, with the members of `RunSection` or `StudySection`, in the order of
`ORDER` there. It says what it shows as blocks (`blocks.py`): plain texts, tables, charts; how they look is
said once, in `assets/`. A section that cannot be made of a damaged folder says so in its place.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

from slfac_sim.analysis.report.blocks import Block

if TYPE_CHECKING:
    from slfac_sim.analysis.studies.study import StudyPoints
    from slfac_sim.ledger.folder import Run


class RunSection(Protocol):
    """What the module of a section of a run has."""

    TITLE: str

    def blocks(self, run: "Run") -> Iterable[Block]:
        """Return what there is to show of `run`, nothing where there is nothing. Raises `BadInput`."""


class StudySection(Protocol):
    """What the module of a section of a study has."""

    TITLE: str

    def blocks(self, study: "StudyPoints") -> Iterable[Block]:
        """Return what there is to show of `study`, nothing where there is nothing. Raises `BadInput`."""
