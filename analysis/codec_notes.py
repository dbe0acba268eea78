"""What codecs noted of their bodies, as lines over the rounds; it knows no codec and draws nothing."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from slfac_sim.analysis.format import ACROSS

Lines = dict[tuple[str, str], list[tuple[int, float]]]


def bits_in(notes: Sequence[Mapping[str, Any]]) -> Lines:
    """Return bits a value, by round, of each note that begins with ``bits_`` and each direction."""
    return lines_of(notes, lambda name: name.startswith("bits_"))


def shares_in(notes: Sequence[Mapping[str, Any]]) -> Lines:
    """Return parts of the values, by round, of each note that ends with ``_fraction`` and each direction."""
    return lines_of(notes, lambda name: name.endswith("_fraction"))


def lines_of(notes: Sequence[Mapping[str, Any]], shown: Callable[[str], bool]) -> Lines:
    """Return (round, mean) by the name of a note and the direction, of notes of what crosses the cut."""
    lines: Lines = {}
    for row in notes:
        if row["kind"] in ACROSS and shown(row["name"]):
            lines.setdefault((row["name"], ACROSS[row["kind"]]), []).append((row["round"], row["mean"]))
    ways = list(ACROSS.values())
    return dict(sorted(lines.items(), key=lambda line: (line[0][0], ways.index(line[0][1]))))
