"""How to have it again, and whom to cite for what it used."""

from collections.abc import Iterator, Sequence

from slfac_sim.analysis.report.blocks import Block, Code, Items, Text
from slfac_sim.analysis.told import about
from slfac_sim.foundation.citing import Reference, reference
from slfac_sim.foundation.program import COMMAND
from slfac_sim.ledger.folder import LEDGER, SCENARIO, Run

TITLE = "Reproduce and cite"


def blocks(run: Run) -> Iterator[Block]:
    """Yield the commands, then the references, as text and as BibTeX."""
    yield Text(
        f"With {SCENARIO} of this run (it stands above, and in its folder) and the versions above. Equal"
        " scenario, versions, threads and kind of processor give an equal digest."
    )
    yield Code(_aligned(_commands(run)))
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


def _commands(run: Run) -> Iterator[tuple[str, str]]:
    """Yield what is to be typed, and what it does."""
    place, threads = _place(run), run.summary.get("host", {}).get("threads")
    if run.summary["data"].get("real"):
        yield "data where", "where data sets are looked for, and what is there"
    yield f"{SCENARIO}{f' --threads {threads}' if threads else ''}", "the same run, in a folder of its own"
    yield f"verify {place}", "run it again and compare every row"
    yield f"figure {place}", "its figures, and a table behind each"
    yield f"explain {place}", "where its time went"
    yield f"export {place} --format csv", f"all tables of {LEDGER}"


def _aligned(commands: Iterator[tuple[str, str]]) -> str:
    lines = [(f"{COMMAND} {command}", what) for command, what in commands]
    wide = max(len(command) for command, _ in lines)
    return "\n".join(f"{command:{wide}}  # {what}" for command, what in lines)


def _place(run: Run) -> str:
    """Return how the folder is named from where runs lie; elsewhere by its own name."""
    parts = run.folder.parts
    return "/".join(parts[-3:]) if parts[-3:-2] == ("runs",) else run.folder.name
