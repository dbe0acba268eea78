"""Sections with every kind of block, for pages of tests; a page as a browser reads it; a browser."""

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest

from slfac_sim.analysis.report.blocks import (
    Block,
    Cell,
    Chart,
    Code,
    Crowd,
    Facts,
    Items,
    Lane,
    Section,
    Table,
    Text,
    Timeline,
)

if TYPE_CHECKING:
    from playwright.sync_api import Browser

COMPUTES, SENDS = range(2)
LOOKS = (("computing", "var(--series-0)"), ("sending", "var(--up)"))


def table(rows: int, title: str = "Devices", folded: bool = False) -> Table:
    """Return a table of a name, a number of which every fifth lacks, and a sentence."""
    cells = [
        (Cell(f"d{i:03d}"), Cell("not seen") if i % 5 == 4 else Cell(f"{i * 7 % 50} m", i * 7 % 50))
        for i in range(rows)
    ]
    said = Cell("a sentence that is longer than most, as those of tables sometimes are, so that it wraps")
    return Table(title, ("device", "distance", "what is said"), [(*row, said) for row in cells], folded)


def chart(lines: int = 1) -> Chart:
    """Return a chart of `lines`, the band of the first, and the table behind it."""
    traces: list[dict[str, Any]] = [
        {
            "type": "scatter",
            "name": f"line {i}",
            "x": [0, 1],
            "y": [0, i],
            "line": {"color": f"var(--series-{i})"},
        }
        for i in range(lines)
    ]
    band = "color-mix(in srgb, var(--series-0) 25%, transparent)"
    traces.append(
        {
            "type": "scatter",
            "x": [0, 1, 1],
            "y": [0, 1, 2],
            "fill": "toself",
            "fillcolor": band,
            "name": "band",
        }
    )
    layout = {"xaxis": {"title": {"text": "simulated time (s)"}}, "yaxis": {"tickformat": ".0%"}}
    return Chart("Accuracy over time", "It rises.", traces, layout, table(3, "What is drawn"))


def timeline(lanes: int, crowds: Sequence[Crowd] = ()) -> Timeline:
    """Return a timeline of 10 s: each of `lanes` computes for 4 s, and sends for 2 s after a second."""
    made = [Lane(f"d{i:03d}", [(0.0, 4.0, COMPUTES), (5.0, 7.0, SENDS)]) for i in range(lanes)]
    return Timeline(f"What {lanes} do", "They compute, then send.", LOOKS, made, 0.0, 10.0, crowds)


CROWD = Crowd("1,000 devices", 1000, [(0.75, 0.25)] * 5 + [(0.0, 0.5)] * 5)
EVERY_KIND: tuple[Block, ...] = (
    Text("97 % is reached after 95.2 s.", lead=True),
    Facts([("simulated time", "171.6 s"), ("devices", "100")], key=True),
    Text("A paragraph."),
    Items(["one", "two"]),
    Facts([("model", "ResNet-18")]),
    Code("slfac-sim report runs/latest"),
    Code("a: 1\n" * 60, "scenario.yaml", folded=True),
    chart(6),
    table(5),
    table(60, "Sixty devices"),
    table(12, "Folded devices", folded=True),
    timeline(4),
    timeline(300, [CROWD]),
)
SECTIONS = (
    Section("answer", "The answer", EVERY_KIND[:3]),
    Section("rest", "All the rest", EVERY_KIND[3:]),
    Section("broken", "Energy", [Text("So far.")], "ledger.sqlite: no table 'energy'"),
)


class Read(HTMLParser):
    """A page as a browser reads it: its elements with their attributes, its texts, its scripts."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.scripts: list[tuple[str, str]] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        tag, attributes = self.elements[-1] if self.elements else ("", {})
        if self.cdata_elem == "script" and tag == "script":
            self.scripts.append((attributes.get("type") or "", data))
        else:
            self.texts.append(data)

    @property
    def tags(self) -> list[str]:
        return [tag for tag, _ in self.elements]

    @property
    def values(self) -> list[Any]:
        """What the scripts of charts and timelines hold."""
        return [json.loads(text) for kind, text in self.scripts if kind == "application/json"]


def chromium() -> str | None:
    """Return the browser that is there: `CHROMIUM`, or what the system has."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)


@contextmanager
def browser() -> "Iterator[Browser]":
    """Give a headless browser; tests are skipped, and say so, where there is none."""
    playwright = pytest.importorskip("playwright.sync_api", reason="the extra `browser` is not installed")
    path = chromium()
    if path is None:
        pytest.skip("no chromium is installed (apt-get install chromium)")
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield opened
        opened.close()
