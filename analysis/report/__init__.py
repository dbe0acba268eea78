"""One page in HTML that says what a run, or a study, has found: a file without a network, for a browser.

A section is a file in `run/` or `study/`, in `answer/`, of what `ask` or `crossover` found, or in `runs/`,
of several runs; it has the members of `SectionModule`, in the order of `ORDER` there. It says what it shows
as blocks (`blocks.py`): plain texts, tables, charts; how they look is said once, in `assets/`. A section that
cannot be made of a damaged folder says so in its place.
"""

from collections.abc import Iterable
from typing import Protocol, TypeVar

from slfac_sim.analysis.report.blocks import Block

Of = TypeVar("Of", contravariant=True)  # a `Run`, a `StudyPoints`, an `Answer`, a sequence of runs


class SectionModule(Protocol[Of]):
    """What the module of a section has."""

    TITLE: str

    def blocks(self, of: Of, /) -> Iterable[Block]:
        """Return what there is to show, nothing where there is nothing. Raises `BadInput`."""
