"""What was asked about: the scenario, its parts, its settings that differ from defaults."""

from collections.abc import Iterator

from slfac_sim.analysis.answer_result import Answer
from slfac_sim.analysis.report.blocks import Block, Code, Facts
from slfac_sim.analysis.report.scenario_tables import differing, parts
from slfac_sim.analysis.told import about_in, text_of
from slfac_sim.ledger.folder import SCENARIO

TITLE = "What was asked about"


def blocks(answer: Answer) -> Iterator[Block]:
    """Yield the question, then the parts and settings of the scenario and all of it, where it is kept."""
    facts = answer.summary
    yield Facts([("question", answer.question), ("varied", facts["vary"]), ("measured", facts["measure"])])
    said = about_in(answer.folder)
    if said is not None:
        yield parts(said)
        yield differing(said)
        whole = text_of(answer.folder / SCENARIO)
        yield Code(whole, "The whole scenario, every default written out", folded=True)
