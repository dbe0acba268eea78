"""One page in HTML that says what a run, or a study, has found: a file without a network, for a browser.

A section is a file in `run/` or `study/`, in `answer/`, of what `ask` or `crossover` found, or in `runs/`,
of several runs; it has the members of `RunSection`, `StudySection`, `AnswerSection` or `RunsSection`, in the
order of `ORDER` there. It says what it shows as blocks (`blocks.py`): plain texts, tables, charts; how they
look is said once, in `assets/`. A section that cannot be made of a damaged folder says so in its place.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Protocol

from slfac_sim.analysis.report.blocks import Block

if TYPE_CHECKING:
    from slfac_sim.analysis.answer_result import Answer
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


class AnswerSection(Protocol):
    """What the module of a section of an answer has."""

    TITLE: str

    def blocks(self, answer: "Answer") -> Iterable[Block]:
        """Return what there is to show of `answer`, nothing where there is nothing. Raises `BadInput`."""


class RunsSection(Protocol):
    """What the module of a section of several runs has."""

    TITLE: str

    def blocks(self, runs: "Sequence[Run]") -> Iterable[Block]:
        """Return what there is to show of `runs`, nothing where there is nothing. Raises `BadInput`."""
