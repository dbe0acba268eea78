"""How to have it again, and whom to cite for what it used."""

from collections.abc import Iterator

from slfac_sim.analysis.report.again import aligned, cited, place_of
from slfac_sim.analysis.report.blocks import Block, Code, Text
from slfac_sim.ledger.folder import LEDGER, SCENARIO, Run

TITLE = "Reproduce and cite"


def blocks(run: Run) -> Iterator[Block]:
    """Yield the commands, then the references, as text and as BibTeX."""
    yield Text(
        f"With {SCENARIO} of this run (it stands above, and in its folder) and the versions above. Equal"
        " scenario, versions, threads and kind of processor give an equal digest."
    )
    yield Code(aligned(_commands(run)))
    yield from cited(run.folder)


def _commands(run: Run) -> Iterator[tuple[str, str]]:
    """Yield what is to be typed, and what it does."""
    place, threads = place_of(run.folder), run.summary.get("host", {}).get("threads")
    if run.summary["data"].get("real"):
        yield "data where", "where data sets are looked for, and what is there"
    yield f"{SCENARIO}{f' --threads {threads}' if threads else ''}", "the same run, in a folder of its own"
    yield f"verify {place}", "run it again and compare every row"
    yield f"figure {place}", "its figures, and a table behind each"
    yield f"explain {place}", "where its time went"
    yield f"export {place} --format csv", f"all tables of {LEDGER}"
