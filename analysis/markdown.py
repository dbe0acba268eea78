"""Markdown of reports: tables that also read as text, and names that are shown letter by letter."""

import re
from collections.abc import Mapping, Sequence

# What would be markup and can be escaped; `_` within a word and `[` without a link are none.
_MARKUP = re.compile(r"[\\`*|<$]|(?<!\w)_|_(?!\w)|&(?=#?\w+;)|\](?=[(\[])")


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
