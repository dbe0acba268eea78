"""What was asked, and what came of it."""

from collections.abc import Iterator

from slfac_sim.analysis.format import count, fixed_percent, one_decimal
from slfac_sim.analysis.report.blocks import Block, Text
from slfac_sim.ledger.folder import Run

TITLE = "The answer"


def blocks(run: Run) -> Iterator[Block]:
    """Yield the answer in a sentence."""
    final = run.summary["accuracy"]["final"]
    reached = "no accuracy was measured" if final is None else f"{fixed_percent(final, 2)} test accuracy"
    rounds = count(run.summary["rounds"], "round")
    yield Text(f"{reached} after {one_decimal(run.summary['simulated_s'])} simulated s in {rounds}.", True)
