"""How to ask again, and whom to cite for what was used."""

from collections.abc import Iterator

from slfac_sim.analysis.answer_result import Answer
from slfac_sim.analysis.report.again import cited
from slfac_sim.analysis.report.blocks import Block, Code, Text
from slfac_sim.foundation.program import COMMAND
from slfac_sim.foundation.units import exact
from slfac_sim.ledger.folder import SCENARIO

TITLE = "Reproduce and cite"
_TIME_TO = "time_to_"


def blocks(answer: Answer) -> Iterator[Block]:
    """Yield the command, then the references, as text and as BibTeX."""
    if (answer.folder / SCENARIO).is_file():
        yield Text(f"With {SCENARIO}, which stands above and lies in the folder.")
        yield Code(_command(answer))
    yield from cited(answer.folder)


def _command(answer: Answer) -> str:
    facts = answer.summary
    low, high = facts["between"]
    seeds = [seed["learning"] for seed in facts["seeds"]]
    many = [f"--seeds {len(seeds)}"] if len(seeds) > 1 else []
    asked = f'ask {SCENARIO} "{facts["question"]}"' if "question" in facts else _sides(answer)
    words = [asked, f"--vary {facts['vary']}", f"--between {exact(low)},{exact(high)}", *many]
    return " ".join([COMMAND, *words])


def _sides(answer: Answer) -> str:
    facts = answer.summary
    metric, _, value = facts["measure"].removeprefix(_TIME_TO).removesuffix(")").partition("(")
    target = value if metric == "accuracy" else f"{metric}={value}"
    return f'crossover {SCENARIO} "{facts["a"]}" "{facts["b"]}" --target {target}'
