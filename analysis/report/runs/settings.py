"""In which settings the runs differ."""

from collections.abc import Iterator, Sequence

from slfac_sim.analysis.report.blocks import Block, Cell, Table, Text
from slfac_sim.analysis.run_table import differing, names_of, setting_text, settings_of
from slfac_sim.ledger.folder import Run

TITLE = "Settings that differ"


def blocks(runs: Sequence[Run]) -> Iterator[Block]:
    """Yield a row for each setting that is not the same in all runs; quantities are in SI."""
    settings = [settings_of(run) for run in runs]
    paths = differing(settings)
    for run, own in zip(runs, settings, strict=True):
        if not own:
            yield Text(f"The settings of {run.folder} cannot be read.")
    if not paths:
        yield Text("The runs have the same settings.")
        return
    rows = [(Cell(path), *(Cell(setting_text(own.get(path, "-"))) for own in settings)) for path in paths]
    yield Table("Settings that differ; quantities in SI", ("setting", *names_of(runs)), rows)
