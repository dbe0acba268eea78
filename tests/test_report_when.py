"""What the report of a run says of time and of devices: in blocks of the page, from runs that are known."""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from faults import played, settings_of
from hypothesis import given
from hypothesis import strategies as st
from test_analysis_run_figures import run_of
from timelines import several_rounds, worked_by_hand

from slfac_sim.analysis.air import busy
from slfac_sim.analysis.attribution import attribute
from slfac_sim.analysis.days import LANES
from slfac_sim.analysis.report.blocks import Block, Cell, Chart, Items, Lane, Table, Text, Timeline
from slfac_sim.analysis.report.lanes import FEW, MOST_SPANS, chosen, thinned
from slfac_sim.analysis.report.run import devices as devices_section
from slfac_sim.analysis.report.run import round as round_section
from slfac_sim.analysis.report.run import time as time_section
from slfac_sim.analysis.report.run import timeline as timeline_section
from slfac_sim.analysis.rows import forget
from slfac_sim.analysis.structure import is_server
from slfac_sim.foundation.plugins import kinds
from slfac_sim.ledger.folder import load
from slfac_sim.ledger.tables import TABLES


def shown(module: Any, folder: Path) -> list[Block]:
    forget()
    return list(module.blocks(load(folder)))


def of_kind(blocks: Sequence[Block], kind: type, title: str = "") -> Any:
    """Return the one block of a kind whose title begins so."""
    (found,) = (
        one for one in blocks if isinstance(one, kind) and getattr(one, "title", "").startswith(title)
    )
    return found


def texts(cells: Sequence[Cell]) -> list[str]:
    return [cell.text for cell in cells]


def numbers(table: Table, column: str) -> list[float | None]:
    return [row[list(table.head).index(column)].number for row in table.rows]


@pytest.fixture(scope="module")
def hand(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The round worked by hand."""
    return run_of(tmp_path_factory.mktemp("run") / "hand", worked_by_hand())


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two rounds of 30 devices."""
    return run_of(tmp_path_factory.mktemp("run") / "crowd", several_rounds(rounds=2, steps=2, devices=30))


def test_the_bottleneck_and_who_was_waited_for_are_said_first(hand: Path) -> None:
    first = shown(time_section, hand)[0]
    assert isinstance(first, Items)
    assert first.lines == [
        "Bottleneck: devices, 42 % of the time (downlink air 33 %, uplink air 18 %, server 6 %).",
        "Last at each step's barrier, over all rounds (2 on the path): d000 (2).",
    ]


def test_the_parts_of_a_round_add_up_to_its_time(hand: Path) -> None:
    blocks = shown(time_section, hand)
    chart = of_kind(blocks, Chart)
    assert sum(trace["y"][0] for trace in chart.traces) == pytest.approx(4.68, rel=1e-3)
    (first, after) = chart.table.rows
    assert texts(first)[:3] == ["1", "4.68 s", "4.68 s"]
    assert texts(after)[0] == "after the last"
    assert texts(first)[-1] == "d000"
    assert "round 1 took longest, 4.68 s" in chart.summary


def test_the_table_of_parts_adds_up(hand: Path) -> None:
    blocks, tables = shown(time_section, hand), worked_by_hand()
    parts = of_kind(blocks, Table, "The critical path")
    *each, whole = numbers(parts, "end")
    assert whole == pytest.approx(4.79) == sum(each)
    expected = [seconds for part, seconds in attribute(tables).parts_s.items() if part not in _SELDOM]
    assert each == pytest.approx(expected)


_SELDOM = ("set-up", "waiting for wires")


def test_a_round_is_drawn_without_gap_or_overlap(crowd: Path) -> None:
    chart = of_kind(shown(round_section, crowd), Chart)
    assert chart.title == "Round 2: who did what when"
    from_s, to_s = chart.layout["xaxis"]["range"]
    bars = [
        (name, base, base + x)
        for trace in chart.traces
        if trace["type"] == "bar"
        for name, base, x in zip(trace["y"], trace["base"], trace["x"], strict=True)
    ]
    devices = [name for name in chart.layout["yaxis"]["categoryarray"] if name != "server"]
    assert len(devices) == FEW
    assert devices[0] == "d029"  # the fastest
    assert devices[-1] == "d000"
    for device in devices:
        spans = sorted((begun, ended) for name, begun, ended in bars if name == device)
        assert (spans[0][0], spans[-1][1]) == pytest.approx((from_s, to_s), abs=2e-6)
        assert all(one[1] == pytest.approx(other[0], abs=4e-6) for one, other in pairwise(spans))


def test_the_critical_path_goes_through_the_round_from_end_to_end(crowd: Path) -> None:
    blocks = shown(round_section, crowd)
    chart = of_kind(blocks, Chart)
    thread, thick = chart.traces[-2:]
    assert thread["name"] == thick["name"] == "critical path"
    assert [at_s for at_s in thick["x"] if at_s is not None] == thread["x"]
    assert thread["x"] == sorted(thread["x"])
    assert [thread["x"][0], thread["x"][-1]] == pytest.approx(chart.layout["xaxis"]["range"], abs=2e-6)
    assert set(thread["y"]) <= set(chart.layout["yaxis"]["categoryarray"])
    assert "server" in thread["y"]
    took = sum(numbers(chart.table, "took"))
    assert took == pytest.approx(thread["x"][-1] - thread["x"][0], abs=1e-5)
    each = of_kind(blocks, Table, "Round 2, device by device")
    assert [len(each.rows), each.head[-1]] == [30, "critical path"]
    for row in each.rows:
        assert sum(cell.number for cell in row[1:-1]) == pytest.approx(took)


def test_a_round_of_very_much_is_drawn_in_part_and_says_so(
    crowd: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(round_section, "_MOST_BARS", 100)
    chart = of_kind(shown(round_section, crowd), Chart)
    assert sum(len(trace["x"]) for trace in chart.traces if trace["type"] == "bar") <= 100
    assert " Drawn are its first " in chart.summary


def test_of_many_devices_there_are_shares_and_some_single_ones(crowd: Path) -> None:
    timeline = of_kind(shown(timeline_section, crowd), Timeline, "What devices")
    (all_,) = timeline.crowds
    assert all_.count == 30
    assert all(sum(shares) == pytest.approx(1.0, abs=1e-3) for shares in all_.shares)
    assert [lane.name for lane in timeline.lanes][:2] == ["server", "d029"]
    assert len(timeline.lanes) == 1 + FEW
    assert "24 of 30 devices, the fastest on top, among them the median, the slowest and" in timeline.summary


def test_few_devices_are_all_there_with_what_they_did(hand: Path) -> None:
    timeline = of_kind(shown(timeline_section, hand), Timeline, "What devices")
    assert timeline.crowds == ()
    assert [lane.name for lane in timeline.lanes] == ["server", "d002", "d001", "d000"]
    slowest = timeline.lanes[-1].spans
    assert slowest[0] == (0.0, 1.0, LANES.index("compute"))
    assert slowest[-1][1] == timeline.to_s == pytest.approx(4.79)


def test_links_are_in_use_when_something_is_on_the_air(hand: Path) -> None:
    blocks = shown(timeline_section, hand)
    timeline = of_kind(blocks, Timeline, "When links")
    assert [name for name, _ in timeline.looks] == ["busy, up", "busy, down"]
    for lane in timeline.lanes:
        there = busy(worked_by_hand()["transfers"], lane.name.removesuffix("link"))
        assert [span[:2] for span in lane.spans] == list(zip(there.from_s, there.to_s, strict=True))
    chart = of_kind(blocks, Chart)
    assert [trace["name"] for trace in chart.traces] == ["up", "down"]
    assert "up 38 %, down 33 %" in chart.summary


def test_a_run_in_which_nothing_happened_has_no_time(tmp_path: Path) -> None:
    tables = {
        name: [] for name in ("transfers", "payloads", "computes", "offers", "steps", "rounds", "evals")
    }
    folder = run_of(tmp_path / "run", tables)
    for module in (time_section, round_section, timeline_section, devices_section):
        assert shown(module, folder) == []


@given(st.integers(1, 300), st.lists(st.integers(0, 299), max_size=40), st.integers(5, 40))
def test_those_chosen_of_many_are_in_order_and_have_the_ends(
    number: int, wanted: list[int], most: int
) -> None:
    devices = [f"d{place:03}" for place in range(number)]
    taken = chosen(devices, [f"d{place:03}" for place in wanted], most)
    assert taken == sorted(set(taken))
    assert len(taken) == min(number, most)
    assert {devices[0], devices[-1], devices[(number - 1) // 2]} <= set(taken)
    if wanted and wanted[0] < number:
        assert f"d{wanted[0]:03}" in taken


@given(st.integers(1, 3 * MOST_SPANS))
def test_a_lane_of_too_many_spans_keeps_what_took_most_time(number: int) -> None:
    """Three quarters of each stretch are of one kind: that one stays, however many there are."""
    spans = [(place + begin, place + end, what) for place in range(number) for begin, end, what in _STRETCH]
    lane = thinned(Lane("d000", spans), 2, float(number))
    assert len(lane.spans) <= MOST_SPANS
    if 2 * number > MOST_SPANS:
        lengths_s = [sum(to_s - from_s for from_s, to_s, what in lane.spans if what == own) for own in (0, 1)]
        assert lengths_s[0] >= 0.7 * number
        assert sum(lengths_s) == pytest.approx(number)


_STRETCH = ((0.0, 0.75, 0), (0.75, 1.0, 1))


def test_a_device_spends_the_whole_run_with_something(crowd: Path) -> None:
    blocks = shown(devices_section, crowd)
    chart = of_kind(blocks, Chart, "How each device spent the run")
    assert [trace["name"] for trace in chart.traces] == list(LANES)
    assert chart.traces[0]["x"][:2] == ["d029", "d028"]  # the fastest first
    whole = [sum(lengths) for lengths in zip(*(trace["y"] for trace in chart.traces), strict=True)]
    assert whole == pytest.approx([max(whole)] * 30, abs=1e-3)
    table = of_kind(blocks, Table, "How devices spent the run")
    assert len(table.rows) == 30
    assert numbers(table, "speed") == pytest.approx([(30.0 - place) * 1e9 for place in range(30)])
    assert numbers(table, "steps") == [4] * 30


def test_devices_beyond_sixty_stand_in_groups_of_like_speed(
    crowd: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = of_kind(shown(devices_section, crowd), Chart, "How each device")
    monkeypatch.setattr(devices_section, "_MOST_BARS", 7)
    chart = of_kind(shown(devices_section, crowd), Chart, "How each device")
    assert chart.traces[0]["x"][0] == "d029 to d025"
    assert chart.traces[0]["y"][0] == pytest.approx(sum(alone.traces[0]["y"][:5]) / 5, abs=1e-3)
    assert chart.summary.endswith("30 devices stand in groups of like speed.")


def test_accuracy_of_devices_has_its_interval_and_the_worst_is_named(tmp_path: Path) -> None:
    counts = [(f"d{place:03}", 10, place) for place in range(11)]
    rows = [
        {"round": 1, "device": device, "samples": samples, "correct": correct}
        for device, samples, correct in counts
    ]
    tables = {**worked_by_hand(), "test_shares": rows, "evals": [_EVALUATION]}
    blocks = shown(devices_section, run_of(tmp_path / "run", tables))
    over_time = of_kind(blocks, Chart, "Accuracy of devices on their own share")
    told = "mean of devices 50.00 %, worst tenth 5.00 %, worst device 0.00 %, best 100.00 %"
    assert over_time.summary == f"In the end: {told}."
    ends = of_kind(blocks, Chart, "Accuracy of devices in the end")
    assert ends.summary.startswith("From d000, the worst, to d010;")
    table = of_kind(blocks, Table, "Accuracy of devices")
    half = next(row for row in table.rows if row[0].text == "d005")
    assert texts(half) == ["d005", "10", "23.66 %", "76.34 %", "50.00 %"]  # Wilson's, of 5 in 10


_EVALUATION = dict(
    zip(TABLES["evals"], ("", 0, 4.68, 1, 0.5, 1.0, None, 0), strict=True),
)


def test_who_missed_rounds_and_why_is_told_by_round_and_by_device(tmp_path: Path) -> None:
    tables = several_rounds(rounds=2, steps=1)
    row = {"task": "", "seq": 0, "at_s": 0.0}
    misses = [(1, "d000", "deadline"), (2, "d000", "d000 is down: off"), (2, "d001", "deadline")]
    tables["misses"] = [{**row, "round": number, "device": who, "reason": why} for number, who, why in misses]
    end_s = tables["rounds"][0]["at_s"]
    tables["outages"] = [{"host": "d000", "down_s": 0.5 * end_s, "up_s": end_s, "reason": "off"}]
    blocks = shown(devices_section, run_of(tmp_path / "run", tables))
    chart = of_kind(blocks, Chart, "Devices that missed the round")
    assert {trace["name"]: trace["y"] for trace in chart.traces} == {"deadline": [1, 1], "down: off": [0, 1]}
    assert chart.summary == "3 times a device missed a round: deadline 2, down: off 1."
    table = of_kind(blocks, Table, "Rounds that devices missed")
    assert table.head == ("device", "deadline", "down: off", "all")
    assert {row[0].text: row[-1].number for row in table.rows} == {"d000": 2, "d001": 1, "d002": 0}
    down = of_kind(blocks, Chart, "Hosts that were down")
    assert down.traces[0]["y"] == pytest.approx([0.5, 0.0])
    assert down.summary == "Most hosts were down in round 1: 0.5 in the mean."


def test_staleness_is_told_by_how_far_behind(tmp_path: Path) -> None:
    row = {"task": "", "seq": 0, "at_s": 1.0, "device": "d000", "kind": "mix"}
    taken = [{**row, "staleness": behind, "weight": 1.0 / (1 + behind)} for behind in (0, 0, 1, 100)]
    blocks = shown(devices_section, run_of(tmp_path / "run", {**worked_by_hand(), "staleness": taken}))
    chart = of_kind(blocks, Chart, "Staleness of mixings")
    assert chart.summary == "Mixings: 4; median 0, 95 % up to 100, most 100."
    assert chart.traces[0]["x"][:2] == ["0 to 2", "3 to 5"]
    assert (chart.traces[0]["y"][0], chart.traces[0]["y"][-1]) == (0.75, 0.25)
    assert numbers(chart.table, "times") == [3, 1]
    assert numbers(chart.table, "mean weight") == pytest.approx([2.5 / 3, 1 / 101])


def test_handovers_are_told_by_device(tmp_path: Path) -> None:
    tables = several_rounds(rounds=1, steps=1)
    row = {"source": "a", "target": "b", "source_dbm": -90.0, "target_dbm": -80.0, "carried_bits": 8e3}
    tables["handovers"] = [
        {"device": "d001", "at_s": at_s, **row, "interruption_s": 0.05, "is_ping_pong": back}
        for at_s, back in ((0.1, 0), (0.6, 1))
    ]
    tables["handovers"] = [{name: one[name] for name in TABLES["handovers"]} for one in tables["handovers"]]
    blocks = shown(devices_section, run_of(tmp_path / "run", tables))
    assert of_kind(blocks, Text).text == "Handovers: 2 by 1 device, 1 ping-pong; interruptions of 100 ms."
    (only,) = of_kind(blocks, Table, "Who was handed over").rows
    assert texts(only)[:3] == ["d001", "1", "0.1 s"]
    assert texts(only)[-2:] == ["2 kB", "2"]


@pytest.mark.matrix
@pytest.mark.parametrize("kind", kinds("slfac_sim.protocols"))
def test_every_protocol_fills_the_time_of_its_devices(tmp_path: Path, kind: str) -> None:
    """Whatever the protocol: parts add up, days have no gap, and what is on the page lies within the run."""
    rows = played(*settings_of(kind))
    folder = run_of(tmp_path / "run", {name: rows.rows(name) for name in TABLES})
    times, chart = shown(time_section, folder), of_kind(shown(round_section, folder), Chart)
    *parts, whole = numbers(of_kind(times, Table, "The critical path"), "end")
    assert sum(parts) == pytest.approx(whole)
    from_s, to_s = chart.layout["xaxis"]["range"]
    assert 0.0 <= from_s < to_s <= whole
    lengths_s: Counter[str] = Counter()
    for trace in chart.traces:
        if trace["type"] == "bar":
            assert all(x > 0.0 for x in trace["x"])
            for name, length_s in zip(trace["y"], trace["x"], strict=True):
                lengths_s[name] += length_s
    spent = [lengths_s[name] for name in lengths_s if not is_server(name)]
    assert spent == pytest.approx([to_s - from_s] * len(spent), rel=1e-3)
    for block in shown(timeline_section, folder):
        if isinstance(block, Timeline):
            assert block.to_s == pytest.approx(whole)
            spans = [span for lane in block.lanes for span in lane.spans]
            assert all(0.0 <= begun <= ended <= block.to_s for begun, ended, _ in spans)
            assert all(look < len(block.looks) for *_, look in spans)
    days = [one.title for one in shown(devices_section, folder) if isinstance(one, Chart)]
    assert (days[:1] == ["How each device spent the run"]) == bool(spent)
