"""How intervals, bounds and budgets of a study are to be read."""

from collections.abc import Iterator

from slfac_sim.analysis.report.blocks import Block, Items
from slfac_sim.analysis.studies.guide import how_to_read
from slfac_sim.analysis.studies.study import StudyPoints

TITLE = "How to read it"


def blocks(study: StudyPoints) -> Iterator[Block]:
    """Yield the sentences that `report.md` has too."""
    yield Items(how_to_read(study))
