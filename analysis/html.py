"""What a notebook shows of a result: one small table. Every text is escaped."""

from collections.abc import Sequence
from html import escape

_CELL = "text-align: left; vertical-align: top; padding: 0.1em 1em 0.1em 0"


def table_html(title: str, lines: Sequence[tuple[str, str]]) -> str:
    """Return a table of two columns under its title, as HTML."""
    rows = "".join(
        f'<tr><th style="{_CELL}; font-weight: normal; opacity: 0.7">{escape(name)}</th>'
        f'<td style="{_CELL}">{escape(text)}</td></tr>'
        for name, text in lines
    )
    return f'<div style="font-weight: bold">{escape(title)}</div><table>{rows}</table>'
