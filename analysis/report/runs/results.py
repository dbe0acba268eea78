"""What came of each run, side by side."""

from collections.abc import Iterator, Sequence

from slfac_sim.analysis.report.blocks import Block
from slfac_sim.analysis.report.text_rows import table_of
from slfac_sim.analysis.run_table import as_rows
from slfac_sim.ledger.folder import Run

TITLE = "Results"


def blocks(runs: Sequence[Run]) -> Iterator[Block]:
    """Yield the table of results."""
    yield table_of("What came of each run", as_rows(runs))
