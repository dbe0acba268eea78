"""The page of a report: every kind of block, texts as they are, its policy, sections by their contract."""

import base64
import hashlib
import importlib
import inspect
import pkgutil
import re
from collections import Counter
from dataclasses import fields, is_dataclass, replace
from itertools import pairwise
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from report_pages import CROWD, EVERY_KIND, SECTIONS, Read, table, timeline

from slfac_sim.analysis import report
from slfac_sim.analysis.report.blocks import Block, Cell, Chart, Lane, Section, Table, Text, Timeline
from slfac_sim.analysis.report.crowd import crowd_of
from slfac_sim.analysis.report.page import page, sections
from slfac_sim.analysis.report.spans import packed

ROOMS = [
    module.name
    for module in pkgutil.iter_modules(report.__path__, f"{report.__name__}.")
    if module.ispkg and hasattr(importlib.import_module(module.name), "ORDER")
]
IN_ROOMS = [
    (room, module.name)
    for room in ROOMS
    for module in pkgutil.iter_modules(importlib.import_module(room).__path__)
]


@pytest.fixture(scope="module")
def whole() -> Read:
    return Read(page("a run", SECTIONS, "what it is of"))


def test_the_examples_have_every_kind_of_block() -> None:
    assert {type(block) for block in EVERY_KIND} == set(get_args(Block))


@pytest.mark.parametrize("block", EVERY_KIND, ids=lambda block: type(block).__name__)
def test_a_block_shows_all_its_texts(block: Block) -> None:
    shown = Read(page("a run", [Section("s", "S", [block])]))
    there = [*shown.texts, *map(str, _leaves(shown.values))]
    assert [text for text in _texts(block) if not any(text in each for each in there)] == []


def _texts(value: Any) -> list[str]:
    """Return all texts in a block, those of its traces and layout too."""
    if is_dataclass(value):
        value = [getattr(value, field.name) for field in fields(value)]
    return [leaf for leaf in _leaves(value) if isinstance(leaf, str)]


def _leaves(value: Any) -> list[Any]:
    if is_dataclass(value):
        return _texts(value)
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        return [leaf for inner in value for leaf in _leaves(inner)]
    return [value]


def _with(value: Any, text: str) -> Any:
    """Return a block with `text` in the place of each of its texts."""
    if isinstance(value, str):
        return text
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{each.name: _with(getattr(value, each.name), text) for each in fields(value)})
    if isinstance(value, dict):
        return {key: _with(inner, text) for key, inner in value.items()}
    return [_with(inner, text) for inner in value] if isinstance(value, list | tuple) else value


HOSTILE = st.sampled_from(
    (
        "</script><script>x()</script>",
        "<!--<script>",
        '" onload="x()',
        "]]>",
        "{{ 7 * 7 }}",
        "&lt;b&gt;",
        "'<b>",
    )
) | st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=30)


@settings(max_examples=40)
@given(HOSTILE)
def test_no_text_is_taken_for_the_page_itself(text: str) -> None:
    blocks = [*EVERY_KIND[:7], table(2), timeline(2, [CROWD])]  # no chart, whose page carries plotly.js
    plain, hostile = (
        Read(page(said, [Section("s", said, [_with(block, said) for block in blocks], said)], said))
        for said in ("plain", text)
    )
    assert hostile.tags == plain.tags
    assert "".join(hostile.texts).count(text) >= "".join(plain.texts).count("plain")
    assert [names for _, names in hostile.elements if "onload" in names] == []


def test_what_a_chart_holds_is_one_script_whatever_its_texts_are() -> None:
    text = "</script><script>x()</script><!--<script>"
    charts = [_with(block, text) for block in EVERY_KIND if isinstance(block, Chart)]
    shown = Read(page("a run", [Section("s", "S", charts)]))
    assert [value["data"][0]["name"] for value in shown.values] == [text] * len(charts)


def test_every_script_is_one_that_the_policy_allows(whole: Read) -> None:
    (policy,) = [
        names["content"]
        for _, names in whole.elements
        if names.get("http-equiv") == "Content-Security-Policy"
    ]
    run = [text.encode() for kind, text in whole.scripts if not kind]
    hashes = {f"'sha256-{base64.b64encode(hashlib.sha256(text).digest()).decode()}'" for text in run}
    directives = dict(each.strip().split(" ", 1) for each in str(policy).split(";"))
    assert len(run) == 4
    assert set(directives["script-src"].split()) == hashes
    assert directives["default-src"] == "'none'"
    assert not re.search(r"https?:|\*", str(policy))


def test_nothing_that_the_page_names_lies_elsewhere(whole: Read) -> None:
    named = [names[key] or "" for _, names in whole.elements for key in ("src", "href") if key in names]
    assert [target for target in named if not target.startswith(("#", "data:"))] == []


def test_each_identifier_stands_once_and_all_references_meet_one(whole: Read) -> None:
    there = Counter(names["id"] for _, names in whole.elements if "id" in names)
    referring = ("aria-labelledby", "aria-describedby")
    meant = {names[key] for _, names in whole.elements for key in referring if key in names}
    meant |= {str(names["href"])[1:] for tag, names in whole.elements if tag == "a"}
    assert [name for name, count in there.items() if count > 1] == []
    assert meant <= there.keys()


def test_headings_leave_no_level_out(whole: Read) -> None:
    levels = [int(tag[1]) for tag in whole.tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(next_ <= level + 1 for level, next_ in pairwise(levels))


def test_what_is_damaged_is_told_on_top_and_in_its_place(whole: Read) -> None:
    text = " ".join(whole.texts)
    assert text.index("1 part of this page could not be made whole") < text.index("97 % is reached")
    assert "could not be made whole: ledger.sqlite: no table 'energy'" in text


def test_a_page_without_charts_is_without_the_library_that_draws_them() -> None:
    small = page("a run", [Section("s", "S", [table(3)])])
    assert len(small) < 60_000 < 4_000_000 < len(page("a run", SECTIONS))


def test_one_page_is_made_of_one_content() -> None:
    assert page("a run", SECTIONS) == page("a run", SECTIONS)


def test_numbers_stand_on_the_right_and_lists_of_texts_on_the_left() -> None:
    cells = [(Cell("d1"), Cell("5 m", 5.0)), (Cell("d2"), Cell("not seen"))]
    shown = Read(page("a run", [Section("s", "S", [Table("t", ("device", "distance"), cells)])]))
    heads = [names for tag, names in shown.elements if tag == "th" and names.get("scope") == "col"]
    assert [names.get("class") for names in heads] == [None, "number"]
    assert [names["data-number"] for _, names in shown.elements if "data-number" in names] == ["5.0"]


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_puts_each_of_its_sections_in_order_once(room: str) -> None:
    order = importlib.import_module(room).ORDER
    assert sorted(order) == sorted(name for of, name in IN_ROOMS if of == room and not name.startswith("_"))


@pytest.mark.parametrize(("room", "name"), [each for each in IN_ROOMS if not each[1].startswith("_")])
def test_a_section_has_the_members_of_its_contract(room: str, name: str) -> None:
    module = importlib.import_module(f"{room}.{name}")
    assert isinstance(module.TITLE, str)
    assert module.TITLE
    assert module.__doc__
    assert len(inspect.signature(module.blocks).parameters) == 1


def test_a_section_that_fails_half_way_shows_its_first_half(monkeypatch: pytest.MonkeyPatch) -> None:
    from slfac_sim.analysis.report import answer
    from slfac_sim.analysis.report.answer import answer as section

    def blocks(_: Any) -> Any:
        yield Text("a beginning")
        raise KeyError("energy_j")

    monkeypatch.setattr(answer, "ORDER", ("answer",))
    monkeypatch.setattr(section, "blocks", blocks)
    (made,) = sections(answer.__name__, None)
    assert made.blocks == [Text("a beginning")]
    assert "KeyError: 'energy_j'" in made.damage


TIMES = st.floats(0.0, 10.0, allow_nan=False)
SPANS = st.lists(st.tuples(TIMES, TIMES, st.integers(0, 1)), max_size=6)


def _laid_out(drawn: list[tuple[float, float, int]]) -> list[tuple[float, float, int]]:
    """Return spans one after the other, of what was drawn."""
    edges = sorted(edge for begun, ended, _ in drawn for edge in (begun, ended))
    return [
        (*pair, what)
        for pair, (*_, what) in zip(zip(edges[::2], edges[1::2], strict=True), drawn, strict=True)
    ]


@given(st.lists(SPANS.map(_laid_out), min_size=1, max_size=5), st.integers(1, 9))
def test_a_crowd_has_the_share_that_its_lanes_have(
    lanes: list[list[tuple[float, float, int]]], bins: int
) -> None:
    crowd = crowd_of("all", [Lane(str(i), spans) for i, spans in enumerate(lanes)], 2, 0.0, 10.0, bins)
    width_s = 10.0 / bins
    for place, shares in enumerate(crowd.shares):
        first, last = place * width_s, (place + 1) * width_s
        covered = [
            sum(
                max(0.0, min(last, end) - max(first, begun))
                for spans in lanes
                for begun, end, of in spans
                if of == w
            )
            for w in range(2)
        ]
        assert np.allclose(shares, np.asarray(covered) / width_s / len(lanes), atol=2e-4)


@given(SPANS.map(_laid_out))
def test_a_lane_that_was_packed_does_the_same_at_every_instant(spans: list[tuple[float, float, int]]) -> None:
    made = packed(Timeline("t", "s", (("a", "red"), ("b", "blue")), [Lane("d", spans)], 0.0, 10.0))
    numbers = iter(made["lanes"][0]["spans"])
    at, unpacked = 0, []
    for gap, length, what in zip(numbers, numbers, numbers, strict=True):
        assert gap >= 0
        assert length > 0
        unpacked.append(((at + gap) * made["unit_s"], (at + gap + length) * made["unit_s"], what))
        at += gap + length
    assert at <= 1_000_000
    for instant in np.linspace(0.0, 10.0, 41):
        near = any(abs(edge - instant) < 1e-4 for begun, ended, _ in spans for edge in (begun, ended))
        assert near or _doing(spans, instant) == _doing(unpacked, instant)


def _doing(spans: list[tuple[float, float, int]], at: float) -> int | None:
    return next((what for begun, ended, what in spans if begun <= at < ended), None)


def test_spans_that_touch_and_are_of_one_kind_are_one() -> None:
    lane = Lane("d", [(0.0, 1.0, 0), (1.0, 2.5, 0), (2.5, 5.0, 1)])
    made = packed(Timeline("t", "s", (), [lane], 0.0, 10.0))
    assert made["lanes"][0]["spans"] == [0, 250_000, 0, 0, 250_000, 1]


def test_a_timeline_without_a_length_is_shown() -> None:
    assert "They compute" in page("a run", [Section("s", "S", [replace(timeline(2), to_s=0.0)])])
