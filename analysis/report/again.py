"""How a folder is named in commands, and whom to cite for what lies in it."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from slfac_sim.analysis.report.blocks import Block, Code, Items, Text
from slfac_sim.analysis.told import about_in
from slfac_sim.foundation.citing import Reference, reference
from slfac_sim.foundation.program import COMMAND
from slfac_sim.ledger.places import RUNS


def place_of(folder: Path) -> str:
    """Return how the folder is named from where runs lie; elsewhere by its own name."""
    folder = folder.resolve()
    above = [place for place in folder.parents if place.name == str(RUNS)]
    return str(folder.relative_to(above[0].parent)) if above else folder.name


def aligned(commands: Iterable[tuple[str, str]]) -> str:
    """Return `commands`, each with what it does, a line each."""
    lines = [(f"{COMMAND} {command}", what) for command, what in commands]
    wide = max(len(command) for command, _ in lines)
    return "\n".join(f"{command:{wide}}  # {what}" for command, what in lines)


def cited(*folders: Path) -> Iterator[Block]:
    """Yield whom to cite for what was used in `folders`: as text, and as BibTeX."""
    said = [about_in(folder) for folder in folders]
    known = [each for each in said if each is not None]
    if len(known) < len(said):
        places = " ".join(dict.fromkeys(map(place_of, folders)))
        yield Text(f"Whom to cite for what was used says: {COMMAND} cite {places}")
        return
    parts = {row["bibtex"]: row["part"] for each in reversed(known) for row in reversed(each.references)}
    yield from _references([(part, reference(bibtex)) for bibtex, part in reversed(parts.items())])


def _references(entries: Sequence[tuple[str, Reference]]) -> Iterator[Block]:
    yield Text("Please cite, for what this used:")
    yield Items([f"{part}: {entry.text()}" for part, entry in entries])
    yield Code("\n\n".join(entry.bibtex for _, entry in entries), "The same as BibTeX", folded=True)
