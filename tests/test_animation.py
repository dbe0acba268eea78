"""The moving picture of a run: what it shows is in the ledger, it is small, and it can stand still."""

import re
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from faults import settings_of
from run_folders import fake_run
from timelines import compute, play, several_rounds, worked_by_hand
from worlds import live_run, table, with_servers

from slfac_sim.analysis.animation.keyframes import MOVING, Loop, frames
from slfac_sim.analysis.animation.picture import Picture, svg
from slfac_sim.analysis.animation.scene import NEEDED, OFFERED, WORK, Packet, Scene, scene
from slfac_sim.cli import main
from slfac_sim.effects import Task
from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.plugins import kinds

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def by_hand() -> Scene:
    """The round of docs/design.md: three devices, one step."""
    return scene("by hand", worked_by_hand())


def percents(told: str) -> list[float]:
    return [float(at) for at in re.findall(r"([\d.]+)%\{", told)]


def assert_whole(text: str) -> None:
    """It is XML without scripts and addresses, and every animation has its frames, in their order."""
    root = ElementTree.fromstring(text)
    assert {node.tag.removeprefix(SVG) for node in root.iter()} <= {
        *("svg", "title", "style", "clipPath", "rect", "circle", "text", "g", "path", "polyline")
    }
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "")
    assert re.search(r"(nan|inf|None)\b", text) is None
    assert len(text.encode()) < 200_000
    told = dict(re.findall(r"@keyframes (\w+)\{(.*)\}", text))
    assert {*told} == {*re.findall(r"animation-name:(\w+)", text)}
    for name in told.keys() - {"cursor", "veil", "clock"}:
        assert percents(told[name]) == sorted(set(percents(told[name]))), name


def test_packets_leave_and_arrive_when_the_ledger_says(by_hand: Scene) -> None:
    up = [packet for packet in by_hand.packets if (packet.way, packet.model) == ("up", False)]
    assert [(p.src, p.dst, p.start_s, p.end_s) for p in up] == [
        ("d002", "server", 0.25, pytest.approx(1.01)),
        ("d001", "server", 0.5, pytest.approx(1.51)),
        ("d000", "server", 1.0, pytest.approx(1.76)),
    ]
    assert by_hand.until_s == pytest.approx(4.79, abs=1e-6)
    begun, arrived = re.findall(r"([\d.]+)%\{opacity:1", Loop(by_hand.until_s).travel(up[0], "none"))
    assert float(begun) == pytest.approx(MOVING * 0.25 / 4.79, abs=0.01)
    assert float(arrived) == pytest.approx(MOVING * 1.01 / 4.79, abs=0.01)


def test_a_multicast_goes_to_every_device(by_hand: Scene) -> None:
    given = [packet for packet in by_hand.packets if packet.model and packet.way == "down"]
    assert [packet.dst for packet in given] == ["d000", "d001", "d002"]
    assert len({(packet.start_s, packet.payload_bytes) for packet in given}) == 1


def test_work_that_touches_is_one_stretch_and_codecs_are_told_apart() -> None:
    shown = scene("rounds", several_rounds(2, 2))
    for work in shown.work.values():
        for codec in (True, False):
            own = [stretch for stretch in work if stretch.codec == codec]
            assert all(one.to_s < other.from_s for one, other in pairwise(own))
    assert {stretch.codec for stretch in shown.work["d000"]} == {True, False}
    worked_s = sum(stretch.to_s - stretch.from_s for stretch in shown.work["d000"])
    busy = [row for row in several_rounds(2, 2)["computes"] if row["host"] == "d000"]
    assert worked_s == pytest.approx(sum(row["end_s"] - row["start_s"] for row in busy))


def test_the_still_picture_shows_an_instant_with_the_most_packets_on_their_way(by_hand: Scene) -> None:
    def under_way(at_s: float) -> int:
        return sum(p.start_s < at_s < p.end_s for p in by_hand.packets)

    instants = [0.5 * (p.start_s + q.start_s) for p in by_hand.packets for q in by_hand.packets]
    assert under_way(by_hand.still_s) == max(map(under_way, instants)) == 3
    moved = [moved for group in Picture(by_hand, Loop(1.0)).packets().values() for moved in group]
    assert sum(not one.hidden for one in moved) == 3


def test_equal_runs_give_equal_bytes(by_hand: Scene) -> None:
    assert svg(by_hand) == svg(scene("by hand", worked_by_hand()))
    assert_whole(svg(by_hand))


def test_it_moves_only_where_motion_is_welcome(by_hand: Scene) -> None:
    text = svg(by_hand)
    moving = text[text.index("@media screen and (prefers-reduced-motion:no-preference){") :]
    assert moving.count("@keyframes") == text.count("@keyframes") > 10
    assert "animation:" not in text[: -len(moving)]
    assert "prefers-color-scheme:dark" in text


@pytest.mark.matrix
@pytest.mark.parametrize("kind", kinds("slfac_sim.protocols"))
def test_every_protocol_can_be_shown(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    live_run(path, *with_servers(settings_of(kind)))
    tables = {name: table(path, name) for name in (*NEEDED, *OFFERED)}
    shown = scene(kind, tables)
    assert_whole(svg(shown))
    sent = {(row["asked_s"], row["end_s"], row["payload_bytes"]) for row in tables["transfers"]}
    assert {(p.asked_s, p.end_s, p.payload_bytes) for p in shown.packets} <= sent
    assert bool(shown.packets) == bool(sent)
    assert shown.accuracy == [(row["at_s"], row["accuracy"]) for row in tables["evals"]]


def test_of_many_devices_the_fastest_the_slowest_and_some_between_are_shown() -> None:
    shown = scene("many", several_rounds(30, 2, devices=40))
    (names,) = shown.devices.values()
    assert (names[0], names[-1], len(names), shown.of) == ("d000", "d039", 6, 40)
    assert shown.until_s in [at_s for at_s, _ in shown.accuracy]
    assert len(shown.accuracy) < 31
    assert_whole(svg(shown))
    assert "6 of 40 devices" in svg(shown)


def test_much_work_without_packets_stays_small() -> None:
    def busy() -> Task:
        for _ in range(3000):
            yield compute("d000", 0.5)
            yield compute("d000", 0.5, "encode")

    shown = scene("busy", play(busy(), {"d000": 1e9, "server": 1e9}))
    assert shown.until_s == pytest.approx(3000.0)
    assert 0 < len(shown.work["d000"]) <= WORK
    assert_whole(svg(shown))


def test_a_lost_packet_goes_half_the_way_and_one_that_waits_is_pale() -> None:
    lost = Packet("d000", "server", "up", False, 1000, 1.0, 2.0, 4.0, lost=True)
    of = Scene("lost", {"server": ["d000"]}, {"d000": "", "server": ""}, 1, [lost], {}, [], 8.0, 1.5)
    ((moved,),) = Picture(of, Loop(8.0)).packets().values()
    assert moved.look == "up lost"
    assert "translate(163px,0px)" in moved.frames
    assert "11.62%{opacity:.5" in moved.frames
    assert [lost.part(at_s) for at_s in (0.5, 1.5, 3.0, 4.0)] == [None, 0.0, 0.5, None]
    assert_whole(svg(of))


def test_of_frames_at_one_place_the_last_counts_and_none_is_outside_the_loop() -> None:
    assert frames([(-0.1, "a"), (0.0, "b"), (0.0, "c"), (100.01, "d")]) == "0%{c}"


def test_a_run_in_which_nothing_happened_is_refused() -> None:
    empty: dict[str, list[Any]] = {name: [] for name in NEEDED}
    with pytest.raises(BadInput, match="nothing happened in this run"):
        scene("empty", empty)


def test_the_command_writes_it_and_says_where(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run, picture = fake_run(tmp_path / "run"), tmp_path / "run.svg"
    assert main(["trace", str(run), "--svg", str(picture)]) == 0
    assert capsys.readouterr().out == f"{picture}\n"
    assert_whole(picture.read_text(encoding="utf-8"))
    assert not (run / "trace.json.gz").exists()
    assert main(["trace", str(run), "--svg", str(tmp_path)]) == 2
    assert capsys.readouterr().err == f"{tmp_path}: cannot write the picture (Is a directory)\n"
    with pytest.raises(SystemExit, match="2"):
        main(["trace", str(run), "--svg", str(picture), "-o", str(tmp_path / "t.gz")])
    assert "not allowed with argument" in capsys.readouterr().err


def test_the_picture_of_the_readme_is_such_a_picture() -> None:
    text = (Path(__file__).parents[1] / "docs" / "images" / "idea.svg").read_text(encoding="utf-8")
    assert_whole(text)
    assert len(re.findall('class="p a', text)) > 100
