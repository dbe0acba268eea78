"""What was asked, and the answer, over all seeds and for each."""

from collections.abc import Iterator

from slfac_sim.analysis.answer_result import Answer
from slfac_sim.analysis.report.blocks import Block, Items, Text

TITLE = "The answer"


def blocks(answer: Answer) -> Iterator[Block]:
    """Yield the answer over all seeds, then what leads to it."""
    *before, last = answer.lines
    yield Text(f"{last[:1].upper()}{last[1:]}.", lead=True)
    if before:
        yield Items(before)
