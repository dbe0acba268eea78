"""The timeline's form, as trace viewers want it, and that it says what the ledger says."""

import gzip
import json
from collections import Counter, defaultdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from timelines import compute, play, send, several_rounds
from worlds import live_run, table

from slfac_sim.analysis.trace import FIRST_DEVICE_PID, NEEDED, SERVER_PID, WAY_PIDS, events, write_trace
from slfac_sim.cli import main
from slfac_sim.effects import Task, Together

Events = list[dict[str, Any]]
NEEDS = {
    "M": {"name", "pid", "tid", "args"},
    "X": {"name", "cat", "pid", "tid", "ts", "dur", "args"},
    "b": {"name", "cat", "id2", "pid", "tid", "ts", "args"},
    "e": {"name", "cat", "id2", "pid", "tid", "ts"},
    "s": {"name", "cat", "id", "pid", "tid", "ts"},
    "f": {"name", "cat", "id", "pid", "tid", "ts", "bp"},
    "C": {"name", "pid", "tid", "ts", "args"},
    "i": {"name", "pid", "tid", "ts", "s"},
}


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    path = tmp_path_factory.mktemp("run") / "ledger.sqlite"
    live_run(path)
    return {name: table(path, name) for name in NEEDED}


@pytest.fixture(scope="module")
def found(tables: dict[str, Any]) -> Events:
    return list(events(tables))


def of_phase(found: Events, phase: str) -> Events:
    return [event for event in found if event["ph"] == phase]


def assert_no_overlap(found: Events) -> None:
    tracks: dict[tuple[int, int], Events] = defaultdict(list)
    for event in of_phase(found, "X"):
        tracks[event["pid"], event["tid"]].append(event)
    for track in tracks.values():
        for one, other in pairwise(track):
            assert round(1e3 * (one["ts"] + one["dur"])) <= round(1e3 * other["ts"])


def test_every_event_has_the_keys_of_its_phase_and_no_other(found: Events) -> None:
    assert {event["ph"] for event in found} == set(NEEDS)
    for event in found:
        assert event.keys() == NEEDS[event["ph"]] | {"ph"}
        assert event.get("ts", 0.0) >= 0.0
        assert event.get("dur", 0.0) >= 0.0


def test_every_track_with_slices_has_a_name(found: Events) -> None:
    named = {(event["pid"], event["tid"]) for event in found if event["name"] == "thread_name"}
    assert {(event["pid"], event["tid"]) for event in of_phase(found, "X")} == named
    processes = {event["pid"]: event["args"]["name"] for event in found if event["name"] == "process_name"}
    devices = {FIRST_DEVICE_PID + place: f"d00{place}" for place in range(5)}
    assert processes == {SERVER_PID: "server", 2: "air, uplink", 3: "air, downlink", **devices}


def test_a_track_does_one_thing_at_a_time(found: Events) -> None:
    assert_no_overlap(found)


def test_there_is_a_slice_for_every_compute_and_for_every_end_of_a_transfer(
    tables: dict[str, Any], found: Events
) -> None:
    slices = of_phase(found, "X")
    multicasts = sum(row["dst"] == "*" for row in tables["transfers"])
    assert multicasts == 2
    assert Counter(event["cat"] == "transfer" for event in slices) == {
        False: len(tables["computes"]),
        True: len(tables["transfers"]) + (5 - 1) * multicasts,
    }
    row = next(row for row in tables["computes"] if row["what"] == "train")
    (event,) = [
        one for one in slices if one["name"] == "train" and one["ts"] == round(1e9 * row["start_s"]) / 1e3
    ]
    assert event["pid"] == SERVER_PID
    assert event["dur"] == pytest.approx(1e6 * (row["end_s"] - row["start_s"]), abs=1e-3)


def test_spans_on_the_air_are_paired(tables: dict[str, Any], found: Events) -> None:
    begun = {(event["pid"], event["id2"]["local"]): event for event in of_phase(found, "b")}
    ended = {(event["pid"], event["id2"]["local"]): event for event in of_phase(found, "e")}
    assert len(begun) == len(ended) == len(tables["transfers"])
    assert begun.keys() == ended.keys()
    assert all(begun[key]["ts"] <= ended[key]["ts"] for key in begun)
    assert all(begun[key]["cat"] == ended[key]["cat"] for key in begun)
    assert {event["pid"] for event in begun.values()} == set(WAY_PIDS.values())


def test_arrows_are_paired_start_and_end_in_a_slice_and_go_forward(
    tables: dict[str, Any], found: Events
) -> None:
    begun = {event["id"]: event for event in of_phase(found, "s")}
    ended = {event["id"]: event for event in of_phase(found, "f")}
    assert begun.keys() == ended.keys()
    assert len(begun) == len(of_phase(found, "s")) == len(of_phase(found, "f"))
    starts = {
        (event["pid"], event["tid"], event["ts"]): event for event in of_phase(found, "X") if event["dur"]
    }
    kinds = Counter()
    for number, start in begun.items():
        one, other = (starts[event["pid"], event["tid"], event["ts"]] for event in (start, ended[number]))
        assert one["ts"] + one["dur"] <= other["ts"] + 1e-3
        kinds[one["name"], other["name"]] += 1
    steps = 5 * 2 * 3
    assert kinds == {
        ("smashed_up + labels", "decode"): steps,
        ("encode", "smashed_down"): steps,
        ("model_up", "decode_model"): 5 * 2,
        ("encode_model", "model_down"): 5 * 2,
    }


def test_counters_begin_and_end_with_an_idle_system(tables: dict[str, Any], found: Events) -> None:
    counters: dict[str, list[Any]] = defaultdict(list)
    for event in of_phase(found, "C"):
        counters[event["name"]].append(event["args"])
    for way, is_up in (("uplink", True), ("downlink", False)):
        assert counters[way][-1] == {"transfers": 0, "busy": 0}
        rows = [row for row in tables["transfers"] if (row["dst"] == "server") == is_up]
        most = max(sum(one["start_s"] <= row["start_s"] < one["last_bit_s"] for one in rows) for row in rows)
        assert max(values["transfers"] for values in counters[way]) == most > 1
        assert {values["busy"] for values in counters[way]} == {0, 1}
    assert counters["queue"][-1] == {"waiting": 0}
    assert min(values["waiting"] for values in counters["queue"]) == 0
    assert [values["with codec"] for values in counters["accuracy"]] == [
        row["accuracy"] for row in tables["evals"]
    ]


def test_work_that_overlaps_on_a_device_gets_further_lanes() -> None:
    def child(nbytes: int) -> Task:
        yield compute("d000", 0.1)
        yield send("d000", "server", nbytes)

    def protocol() -> Task:
        yield Together([child(1_000_000), child(1_000_000)])

    found = list(events(play(protocol(), {"d000": 1e9, "server": 1e9})))
    assert_no_overlap(found)
    names = [event["args"]["name"] for event in found if event["name"] == "thread_name"]
    assert names == ["computes", "sends", "sends (2)"]
    assert not of_phase(found, "s")  # nothing at the server's end to lead to


def test_equal_runs_give_equal_bytes_that_any_reader_of_json_takes(tmp_path: Path) -> None:
    one = write_trace(several_rounds(2, 2), tmp_path / "one.json.gz").read_bytes()
    other = write_trace(several_rounds(2, 2), tmp_path / "other.json.gz").read_bytes()
    assert one == other
    whole = json.loads(gzip.decompress(one))
    assert whole["displayTimeUnit"] == "ms"
    assert whole["traceEvents"] == json.loads(json.dumps(list(events(several_rounds(2, 2)))))


def test_a_run_without_rows_is_an_empty_timeline(tmp_path: Path) -> None:
    empty: dict[str, list[Any]] = {name: [] for name in NEEDED}
    found = json.loads(gzip.decompress(write_trace(empty, tmp_path / "t.json.gz").read_bytes()))
    assert {event["ph"] for event in found["traceEvents"]} == {"M"}


def test_the_command_writes_beside_the_run_and_says_where(
    finished_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["trace", str(finished_run), "-o", str(tmp_path / "t.gz")]) == 0
    assert capsys.readouterr().out == f"{tmp_path}/t.gz\n"
    assert gzip.decompress((tmp_path / "t.gz").read_bytes()).startswith(b'{"displayTimeUnit"')
    assert main(["trace", str(finished_run)]) == 0
    assert capsys.readouterr().out == f"{finished_run.resolve()}/trace.json.gz\n"
    assert main(["trace", str(finished_run), "-o", str(tmp_path)]) == 2
    assert capsys.readouterr().err == f"{tmp_path}: cannot write the timeline (Is a directory)\n"


@pytest.fixture(scope="module")
def finished_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from run_folders import fake_run

    return fake_run(tmp_path_factory.mktemp("runs") / "run")
