"""How to have it again, and whom to cite for what it used."""

from collections.abc import Iterator, Sequence

from slfac_sim import __version__
from slfac_sim.analysis.report.blocks import Block, Code, Items, Text
from slfac_sim.analysis.told import about
from slfac_sim.foundation.citing import Reference, reference
from slfac_sim.foundation.program import COMMAND
from slfac_sim.ledger.folder import LEDGER, SCENARIO, Run

TITLE = "Reproduce and cite"


def blocks(run: Run) -> Iterator[Block]:
    """Yield the commands, then the references, as text and as BibTeX."""
    yield Text(
        f"With slfac_sim {__version__} and {SCENARIO} of this run (it stands above, and in its folder). Equal"
        " scenario, versions, threads and kind of processor give an equal digest."
    )
    yield Code("\n".join(_commands(run)))
    said = about(run)
    if said is None:
        yield Text(f"Whom to cite for what this run used says: {COMMAND} cite {_place(run)}")
        return
    cited = {part["bibtex"]: part["part"] for part in reversed(said.references)}
    entries = [(part, reference(bibtex)) for bibtex, part in reversed(cited.items())]
    yield from references(entries)


def references(cited: Sequence[tuple[str, Reference]]) -> Iterator[Block]:
    """Yield whom to cite, each for a part: as text, and folded as BibTeX."""
    yield Text("Please cite, for what this used:")
    yield Items([f"{part}: {entry.text()}" for part, entry in cited])
    yield Code("\n\n".join(entry.bibtex for _, entry in cited), "The same as BibTeX", folded=True)


def _commands(run: Run) -> Iterator[str]:
    if run.summary["data"].get("real"):
        yield f"{COMMAND} data where      # where data sets are looked for, and what is there"
    threads = run.summary.get("host", {}).get("threads")
    yield f"{COMMAND} {SCENARIO}" + (f" --threads {threads}" if threads else "")
    place = _place(run)
    yield f"{COMMAND} verify {place}      # run it again and compare every row"
    yield f"{COMMAND} figure {place}      # its figures, and a table behind each"
    yield f"{COMMAND} export {place} --format csv      # all tables of {LEDGER}"


def _place(run: Run) -> str:
    """Return how the folder is named from where runs lie; elsewhere by its own name."""
    parts = run.folder.parts
    return "/".join(parts[-3:]) if parts[-3:-2] == ("runs",) else run.folder.name
