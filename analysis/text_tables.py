"""Tables as text of any width, as Markdown and as CSV: no number is ever cut, no name is markup."""

import csv
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

_GAP = "  "
# Where a text may go on in the next line: between words, but for a number and its unit, and parts of a path.
_BREAKS = re.compile(r"(?<![\d\s])\s+|(?<!\s)\s+(?=\d)|(?<=[^\W\d]/)(?=\w\w)")
# What would be markup and can be escaped; `_` within a word and `[` without a link are none.
_MARKUP = re.compile(r"[\\`*|<$]|(?<!\w)_|_(?!\w)|&(?=#?\w+;)|\](?=[(\[])")

Lines = Sequence[Sequence[str]]


def aligned(lines: Lines, texts: int | str = 1, width: int | None = None) -> str:
    """Return `lines` of equally many cells as columns, no longer than `width` (None: as long as they are).

    `texts` says by a letter for each column which are texts, ``lrr``, or how many the first ones are. Texts
    stand to the left and are wrapped between words; all others stand to the right and are never wrapped.
    Columns that have no room go below, each block with the first column. A word that is wider than `width`
    is not cut.
    """
    if not lines:
        return ""
    count = len(lines[0])
    sides = "l" * texts + "r" * (count - texts) if isinstance(texts, int) else texts
    columns = list(zip(*lines, strict=True))
    widths = [_wanted(place, columns, sides, width) for place in range(count)]
    blocks = _blocks(widths, width)
    return "\n\n".join(
        _block([columns[p] for p in b], [widths[p] for p in b], [sides[p] for p in b]) for b in blocks
    )


def _wanted(place: int, columns: Lines, sides: str, width: int | None) -> int:
    """Return the width of a column: its own, or of a text what is left of `width` beside the first."""
    own = max(map(len, columns[place]))
    if width is None or sides[place] == "r":
        return own
    room = width // 2 if place == 0 and len(columns) > 1 else width
    if place:
        room -= _wanted(0, columns, sides, width) + len(_GAP)
    longest_word = max(len(word) for cell in columns[place] for word in _BREAKS.split(cell))
    return min(own, max(room, longest_word))


def _blocks(widths: Sequence[int], width: int | None) -> list[list[int]]:
    """Return the columns of each block, the first of all in every one."""
    blocks = [[0]]
    for place in range(1, len(widths)):
        needed = sum(widths[p] for p in (*blocks[-1], place)) + len(_GAP) * len(blocks[-1])
        if width is not None and needed > width and len(blocks[-1]) > 1:
            blocks.append([0])
        blocks[-1].append(place)
    return blocks


def _block(columns: Lines, widths: Sequence[int], sides: Sequence[str]) -> str:
    lines = []
    for row in zip(*columns, strict=True):
        cells = [wrapped(cell, width) for cell, width in zip(row, widths, strict=True)]
        for i in range(max(map(len, cells))):
            parts = (cell[i] if i < len(cell) else "" for cell in cells)
            placed = [
                part.ljust(width) if side == "l" else part.rjust(width)
                for part, width, side in zip(parts, widths, sides, strict=True)
            ]
            lines.append(_GAP.join(placed).rstrip())
    return "\n".join(lines)


def wrapped(cell: str, width: int) -> list[str]:
    """Return `cell` as lines of at most `width`, broken between words and after slashes only."""
    if len(cell) <= width:
        return [cell]
    lines, before = [""], 0
    for word, start in _words(cell):
        space = cell[before:start] if lines[-1] else ""
        if len(lines[-1]) + len(space) + len(word) > width and lines[-1]:
            lines.append(word)
        else:
            lines[-1] += space + word
        before = start + len(word)
    return lines


def _words(cell: str) -> Iterator[tuple[str, int]]:
    """Yield each unbreakable word of `cell` and where it begins."""
    start = 0
    for gap in _BREAKS.finditer(cell):
        if gap.start() > start:
            yield cell[start : gap.start()], start
        start = gap.end()
    if start < len(cell):
        yield cell[start:], start


def markdown(table: Sequence[Mapping[str, str]]) -> list[str]:
    """Return the lines of a table in Markdown, aligned so that it also reads as text."""
    head = list(table[0])
    lines = [
        [as_markdown(name) for name in head],
        *([as_markdown(row[name]) for name in head] for row in table),
    ]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    rule = ["-" * width for width in widths]
    return [f"| {' | '.join(map(str.ljust, line, widths))} |" for line in (lines[0], rule, *lines[1:])]


def as_markdown(text: str) -> str:
    """Return `text` so that Markdown shows it letter by letter: what would be markup is escaped."""
    return _MARKUP.sub(lambda match: f"\\{match[0]}", text)


def write_csv(rows: Iterable[Mapping[str, Any]], path: Path) -> Path:
    """Write `rows` as CSV, columns in the order of their first appearance; NaN and None are empty cells."""
    kept = list(rows)
    names = list(dict.fromkeys(name for row in kept for name in row))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows({name: _cell(value) for name, value in row.items()} for row in kept)
    return path


def _cell(value: Any) -> Any:
    if isinstance(value, float):  # numpy's floats are such as well, and would be written with their type
        return "" if math.isnan(value) else float(value)
    return value
