"""Message sequence charts: the Mermaid of our pages as SVG, drawn when the site is built, without scripts.

It knows what our charts have: participants, messages, notes over one of them, and `par` with `and`.
"""

import re
from dataclasses import dataclass, field
from html import escape
from textwrap import wrap

WIDE, ROW, LINE, HEAD = 190, 34, 15, 44  # px: a lane, a message, a line of a note, the participants
_NOTE_LETTERS = 27


@dataclass
class Chart:
    """What is drawn so far: shapes, and how far down they reach."""

    lanes: list[str]
    shapes: list[str] = field(default_factory=list)
    down: float = HEAD

    @property
    def width(self) -> int:
        """Pixels from side to side."""
        return WIDE * len(self.lanes)

    def middle(self, lane: str) -> float:
        """Return where the line of a participant is."""
        return WIDE * (self.lanes.index(lane) + 0.5)

    def message(self, sender: str, receiver: str, text: str) -> None:
        """Draw an arrow with its text above."""
        begin, end = self.middle(sender), self.middle(receiver)
        self.down += ROW
        way = 6 if end > begin else -6
        self.shapes += [
            _text((begin + end) / 2, self.down - 6, text, "said"),
            f'<path class="way" d="M{begin} {self.down}H{end - way}"/>',
            f'<path class="tip" d="M{end} {self.down}l{-1.5 * way} -4v8z"/>',
        ]

    def note(self, lane: str, text: str) -> None:
        """Draw a box with a text on the line of a participant."""
        lines = wrap(text, _NOTE_LETTERS)
        tall, middle = LINE * len(lines) + 9, self.middle(lane)
        self.down += 10
        box = f'x="{middle - WIDE * 0.47:g}" y="{self.down:g}" width="{WIDE * 0.94:g}" height="{tall}"'
        self.shapes.append(f'<rect class="note" {box} rx="3"/>')
        for number, line in enumerate(lines):
            self.shapes.append(_text(middle, self.down + LINE * (number + 1), line, "did"))
        self.down += tall

    def begin(self) -> float:
        """Leave room above what happens at once; return where that begins."""
        self.down += 22
        return self.down - 10

    def part(self) -> None:
        """Draw the line between two things that happen at once."""
        self.down += 12
        self.shapes.append(f'<path class="part" d="M4 {self.down}H{self.width - 4}"/>')

    def end(self, top: float) -> None:
        """Draw the frame around what happens at once, from `top` down to here."""
        self.down += 10
        box = f'x="4" y="{top}" width="{self.width - 8}" height="{self.down - top}" rx="4"'
        self.shapes.append(f'<rect class="par" {box}/><text class="at" x="10" y="{top + 13}">at once</text>')


def svg_of(mermaid: str) -> str:
    """Return the chart as SVG, with its steps as a description for those who do not see it.

    Raises `ValueError` for a line that is none of ours.
    """
    lines = [line.strip() for line in mermaid.splitlines() if line.strip()]
    chart = Chart([line.split()[1] for line in lines if line.startswith("participant ")])
    opened: list[float] = []
    for line in lines:
        _draw(line, chart, opened)
    tall = chart.down + 14
    said = escape("; ".join(_in_words(lines)), quote=True)
    lanes = "".join(_lane(chart, name, tall) for name in chart.lanes)
    size = f'viewBox="0 0 {chart.width} {tall:g}" style="max-width:{chart.width}px"'
    return f'<svg class="chart" role="img" aria-label="{said}" {size}>{lanes}{"".join(chart.shapes)}</svg>'


def _draw(line: str, chart: Chart, opened: list[float]) -> None:
    """Draw one line; `opened` are the frames that are not yet closed."""
    if message := re.fullmatch(r"(\w+)->>(\w+): (.+)", line):
        chart.message(*message.groups())
    elif note := re.fullmatch(r"Note over (\w+): (.+)", line):
        chart.note(*note.groups())
    elif line.split()[0] == "par":
        opened.append(chart.begin())
    elif line.split()[0] == "and":
        chart.part()
    elif line == "end":
        chart.end(opened.pop())
    elif line != "sequenceDiagram" and not line.startswith("participant "):
        raise ValueError(f"a chart has a line {line!r}, which is not drawn")


def _in_words(lines: list[str]) -> list[str]:
    said = (re.sub(r"(\w+)->>(\w+): ", r"\1 to \2: ", line.removeprefix("Note over ")) for line in lines)
    return [words for words in said if ": " in words]


def _lane(chart: Chart, name: str, tall: float) -> str:
    middle = chart.middle(name)
    box = f'<rect class="who" x="{middle - 50}" y="6" width="100" height="26" rx="4"/>'
    return f'<path class="line" d="M{middle} 32V{tall:g}"/>{box}{_text(middle, 24, name, "name")}'


def _text(x: float, y: float, text: str, kind: str) -> str:
    return f'<text class="{kind}" x="{x:g}" y="{y:g}">{escape(text)}</text>'
