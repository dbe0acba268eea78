"""What holds where in the range, for each pair of seeds."""

from collections.abc import Iterator, Sequence

from slfac_sim.analysis.answer_result import Answer
from slfac_sim.analysis.format import three_digits
from slfac_sim.analysis.report.blocks import Block, Cell, Table

TITLE = "By seed"


def blocks(answer: Answer) -> Iterator[Block]:
    """Yield where it holds, and between which values the answer lies."""
    seeds = answer.summary.get("seeds") or []
    title, factor = answer.summary["drawn"]["x"]
    head = ("seed of learning", "seed of air", f"holds from, to: {title}", f"changes between: {title}")
    rows = [
        (
            Cell(str(seed["learning"]), seed["learning"]),
            Cell(str(seed["air"]), seed["air"]),
            _cell(seed["holds"], factor),
            _cell([(edge["low"], edge["high"]) for edge in seed["edges"]], factor),
        )
        for seed in seeds
    ]
    if rows:
        yield Table("What holds where", head, rows)


def _cell(stretches: Sequence[Sequence[float]], factor: float) -> Cell:
    if not stretches:
        return Cell("nowhere")
    told = [" to ".join(three_digits(end / factor) for end in ends) for ends in stretches]
    return Cell(" and ".join(told), stretches[0][0])
