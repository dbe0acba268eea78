"""Tables for LaTeX, with the rules of the package booktabs; it knows no data."""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

_ESCAPED = {
    **{letter: f"\\{letter}" for letter in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "\N{HORIZONTAL ELLIPSIS}": r"\dots{}",
    "\N{MICRO SIGN}": r"\textmu{}",
    "\N{MULTIPLICATION SIGN}": r"$\times$",
    "\N{MIDDLE DOT}": r"$\cdot$",
}
_UNIT = re.compile(r"_(s|bytes|bits|bps|hz|db|dbm|m|w|j|flops)$")
_UNITS = {"bps": "bit/s", "hz": "Hz", "db": "dB", "dbm": "dBm", "w": "W", "j": "J", "flops": "FLOPs"}
_NUMBER = re.compile(r"[-+]?[\d,]*\.?\d+(e[-+]?\d+)?( %)?|-|")


def tex(text: str) -> str:
    """Return `text` so that LaTeX shows it letter by letter.

    >>> tex("SL-FAC 97 %, x_1")
    'SL-FAC 97 \\\\%, x\\\\_1'
    """
    return "".join(_ESCAPED.get(letter, letter) for letter in text)


def write_booktabs(rows: Iterable[Mapping[str, Any]], path: Path) -> Path:
    """Write `rows` as a `tabular` into `path`, numbers to the right and with four digits; return the path.

    Columns in which there is nothing, or nothing but zeros, are left out: a page is narrow.
    """
    kept = list(rows)
    every = list(dict.fromkeys(name for row in kept for name in row))
    names = [name for name in every if any(_tells(row.get(name)) for row in kept)] or every
    lines = [[_cell(row.get(name)) for name in names] for row in kept]
    text = "\n".join(["% \\usepackage{booktabs}", *_tabular([*map(_heading, names)], lines)])
    path.write_text(text + "\n", encoding="utf-8")
    return path


def _tabular(head: Sequence[str], lines: Sequence[Sequence[str]]) -> list[str]:
    sides = "".join(
        "r" if all(map(_NUMBER.fullmatch, column)) else "l" for column in zip(*lines, strict=True)
    )
    rows = [" & ".join(map(tex, line)) + r" \\" for line in (head, *lines)]
    begin = rf"\begin{{tabular}}{{{sides or 'l' * len(head)}}}"
    return [begin, r"\toprule", rows[0], r"\midrule", *rows[1:], r"\bottomrule", r"\end{tabular}"]


def _heading(name: str) -> str:
    """Return ``simulated (s)`` for `simulated_s`; a heading in words stays what it is."""
    if " " in name:
        return name
    return _UNIT.sub(lambda unit: f" ({_UNITS.get(unit[1], unit[1])})", name).replace("_", " ")


def _tells(value: Any) -> bool:
    return value == value and value is not None and value != "" and (isinstance(value, bool) or value != 0)


def _cell(value: Any) -> str:
    if value is None or value != value:
        return ""
    if isinstance(value, bool) or not isinstance(value, float):
        return str(value)
    return f"{value:.4g}" if abs(value) < 1e4 or abs(value) >= 1e15 else f"{value:.0f}"
