"""What sections are made of: texts, facts, tables, charts. Every text is plain; the page escapes it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Text:
    """A paragraph; a `lead` is the answer, set large."""

    text: str
    lead: bool = False


@dataclass(frozen=True)
class Items:
    """A list of sentences."""

    lines: Sequence[str]


@dataclass(frozen=True)
class Facts:
    """Names with a text each; with `key` they are set large: the few figures that a page is looked at for."""

    rows: Sequence[tuple[str, str]]
    key: bool = False


@dataclass(frozen=True)
class Code:
    """What is to be typed, or kept letter by letter; it can be copied.

    A long one has a `title`, and is `folded` until it is asked for.
    """

    text: str
    title: str = ""
    folded: bool = False


@dataclass(frozen=True)
class Cell:
    """A cell of a table: what is shown, and the number it is sorted by (None: by its text)."""

    text: str
    number: float | None = None


@dataclass(frozen=True)
class Table:
    """A table that can be sorted by each column; `rows` have a cell for each name of `head`.

    A column is set to the right where it has numbers. `folded` hides it until it is asked for.
    """

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    folded: bool = False


@dataclass(frozen=True)
class Chart:
    """A chart that can be zoomed and hovered, of `traces` and a `layout` as plotly.js has them.

    `summary` says in a sentence or two what there is to see, for those who do not see it; it stands below the
    chart for all. Colours are names of the page, which has them light and dark: ``var(--series-0)`` to
    ``var(--series-9)``, ``var(--up)``, ``var(--down)``, ``var(--ink)``, ``var(--faint)``, and bands of them
    ``color-mix(in srgb, var(--series-0) 25%, transparent)``; fonts, margins, grids, backgrounds, the legend's
    place are the page's. Without traces of WebGL. `table` has the numbers, at most some hundred rows, folded.
    """

    title: str
    summary: str
    traces: Sequence[Mapping[str, Any]]
    layout: Mapping[str, Any]
    table: Table | None = None
    height_px: int = 360


@dataclass(frozen=True)
class Lane:
    """A row of a timeline: `spans` are (from_s, to_s, what), what an entry of the timeline's `looks`."""

    name: str
    spans: Sequence[tuple[float, float, int]]


@dataclass(frozen=True)
class Crowd:
    """How many of `count` hosts do what, over time: `shares` has, for each bin, a share for each of `looks`.

    Bins are of equal length, from the timeline's `from_s` to its `to_s`. `crowd.crowd_of` makes one of lanes.
    """

    name: str
    count: int
    shares: Sequence[Sequence[float]]


@dataclass(frozen=True)
class Timeline:
    """Who did what when, to be scrubbed: `looks` are (name, colour) of what can be done.

    Beside the cursor stands in words what all lanes do at that instant. Of more than some hundred hosts there
    is a `Crowd`, with lanes of single ones: the fastest, the median, the slowest.
    """

    title: str
    summary: str
    looks: Sequence[tuple[str, str]]
    lanes: Sequence[Lane]
    from_s: float
    to_s: float
    crowds: Sequence[Crowd] = ()


Block = Text | Items | Facts | Code | Table | Chart | Timeline


@dataclass(frozen=True)
class Section:
    """A part of the page: `damage` says why it lacks blocks, where it does."""

    name: str
    title: str
    blocks: Sequence[Block]
    damage: str = ""
