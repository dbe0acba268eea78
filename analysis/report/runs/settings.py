"""In which settings the runs differ."""

from collections.abc import Iterator, Sequence

from slfac_sim.analysis.differences import differences, settings_of
from slfac_sim.analysis.report.blocks import Block, Text
from slfac_sim.analysis.report.text_rows import table_of
from slfac_sim.analysis.run_table import apart
from slfac_sim.ledger.folder import Run

TITLE = "Settings that differ"


def blocks(runs: Sequence[Run]) -> Iterator[Block]:
    """Yield a row for each setting that is not the same in all runs; quantities without a unit are in SI."""
    for run in runs:
        if not settings_of(run):
            yield Text(f"The settings of {run.folder} cannot be read.")
    found = differences(runs)
    if not found:
        yield Text("The runs have the same settings.")
        return
    rows = [
        dict(zip(("setting", *apart(runs)), (path, *values), strict=True)) for path, values in found.items()
    ]
    yield table_of("Settings that differ (without a unit: in SI)", rows)
