"""Where the runs lie, and whom to cite for what they used."""

from collections.abc import Iterator, Sequence

from slfac_sim.analysis.report.again import aligned, cited, place_of
from slfac_sim.analysis.report.blocks import Block, Code
from slfac_sim.ledger.folder import Run

TITLE = "Reproduce and cite"


def blocks(runs: Sequence[Run]) -> Iterator[Block]:
    """Yield the commands, then the references of all runs, as text and as BibTeX."""
    places = " ".join(dict.fromkeys(place_of(run.folder) for run in runs))
    commands = [(f"report {place_of(run.folder)}", "all about this one") for run in runs]
    yield Code(aligned([*commands, (f"figure {places}", "figures of all on one axis")]))
    yield from cited(*(run.folder for run in runs))
