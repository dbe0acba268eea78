"""Handovers and trajectories in a run's ledger, its summary, and after replay, resume and verification."""

import json
import re
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_resume import killed, resumed, rows, undisturbed

from slfac_sim.analysis.critical_path import Segment
from slfac_sim.analysis.interruptions import HandedOver, common_s, handed_over
from slfac_sim.cli import main
from slfac_sim.ledger.reader import LedgerReader
from slfac_sim.ledger.tables import MOVES
from slfac_sim.simulation.networks import instants_s

TINY = str(Path(__file__).with_name("tiny.yaml"))
ROAMING = "network={kind: foreign.roaming, speed: 5000}"


@pytest.fixture(autouse=True)
def a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def table(folder: str, name: str) -> list[dict[str, Any]]:
    names = list(MOVES[name])
    tuples = LedgerReader(Path(folder) / "ledger.sqlite").tuples(name, names)
    return [dict(zip(names, row, strict=True)) for row in tuples]


def run(folder: str, *settings: str) -> dict[str, Any]:
    assert main(["run", TINY, *settings, "--quiet", "--draw", "none", "--out", folder]) == 0
    summary: dict[str, Any] = json.loads((Path(folder) / "summary.json").read_text())
    return summary


@given(st.floats(1e-3, 1e6), st.integers(1, 5000))
def test_instants_are_few_and_go_from_the_beginning_to_the_end(end_s: float, moving: int) -> None:
    times_s = instants_s(end_s, moving)
    assert (times_s[0], times_s[-1]) == (0.0, pytest.approx(end_s))
    assert times_s == sorted(set(times_s))
    assert len(times_s) <= 241
    assert len(times_s) == 25 or moving * (len(times_s) - 1) <= 16_000


def test_nobody_who_stands_still_is_looked_for() -> None:
    assert (instants_s(3.0, 0), instants_s(0.0, 4)) == ([], [0.0])


def test_who_moves_is_in_the_ledger_and_in_the_summary() -> None:
    summary = run("moving", ROAMING, "--strict")
    handovers, seen = table("moving", "handovers"), table("moving", "trajectories")
    assert {row["device"] for row in seen} == {"d001", "d002", "d003", "d004"}
    assert len(seen) == 4 * 241
    assert seen[0]["at_s"] == 0.0
    assert seen[-1]["at_s"] == pytest.approx(summary["simulated_s"])
    assert handovers == sorted(handovers, key=lambda row: row["at_s"])
    for row in handovers:
        after = next(one for one in seen if one["device"] == row["device"] and one["at_s"] >= row["at_s"])
        assert after["station"] == row["target"]
    assert summary["handovers"] == {
        "count": len(handovers),
        "ping_pongs": sum(row["is_ping_pong"] for row in handovers),
        "devices": 4,
        "interruption_s": pytest.approx(0.05 * len(handovers)),
    }


def test_a_run_closes_with_its_handovers(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", TINY, ROAMING, "--draw", "none", "--out", "moving"]) == 0
    count = len(table("moving", "handovers"))
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("handovers ")]
    told = f"{count} by 4 devices, 4 ping-pongs; interruptions of {50 * count} ms"
    assert line.split(maxsplit=1)[1] == told


def test_where_nobody_moves_there_is_nothing_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", TINY, "--draw", "none", "--out", "still"]) == 0
    assert table("still", "handovers") == table("still", "trajectories") == []
    assert "handover" not in capsys.readouterr().out


def test_check_tells_how_devices_will_move(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", TINY, ROAMING, "--figures", "drawn"]) == 0
    lines = capsys.readouterr().out.splitlines()
    said = dict(line.split(maxsplit=1) for line in lines if line.startswith("handovers"))
    assert "devices that move              4" in lines
    assert re.fullmatch(
        r"\d+ by 4 devices, 4 ping-pongs; interruptions of .*, in 0\.\d+ s", said["handovers"]
    )
    for name in ("cell_map", "trajectories", "serving_cell"):
        assert (Path("drawn") / f"{name}.png").is_file()
    assert main(["check", TINY, ROAMING, "--json"]) == 0
    moves = json.loads(capsys.readouterr().out)["moves"]
    assert moves["devices"] == 4
    assert [row["at_s"] for row in moves["handovers"]] == sorted(row["at_s"] for row in moves["handovers"])
    run("moving", ROAMING)
    foreseen = [row for row in table("moving", "handovers") if row["at_s"] <= moves["until_s"]]
    assert foreseen == moves["handovers"][: len(foreseen)]


def test_check_says_nothing_of_moves_where_nobody_moves(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", TINY, "--json"]) == 0
    assert "moves" not in json.loads(capsys.readouterr().out)


def test_explain_tells_who_was_handed_over_and_what_it_cost(capsys: pytest.CaptureFixture[str]) -> None:
    run("moving", ROAMING)
    capsys.readouterr()
    assert main(["explain", "moving"]) == 0
    shown = capsys.readouterr().out
    assert "who was handed over, most first" in shown
    assert main(["explain", "moving", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["handed_over"]
    handovers = table("moving", "handovers")
    assert {row["device"]: row["handovers"] for row in rows} == Counter(row["device"] for row in handovers)
    assert all(0.0 <= row["on_path_s"] <= row["under_way_s"] <= row["interruption_s"] for row in rows)
    told = (
        f"handovers: {len(handovers)} by 4 devices, 4 ping-pongs; interruptions of {50 * len(handovers)} ms;"
    )
    assert told in shown
    run("still")
    capsys.readouterr()
    assert main(["explain", "still", "--json"]) == 0
    assert "handed_over" not in json.loads(capsys.readouterr().out)


def test_what_an_interruption_costs_by_hand() -> None:
    def sent(src: str, dst: str, from_s: float, to_s: float, receivers: int = 1) -> dict[str, Any]:
        return {"src": src, "dst": dst, "receivers": receivers, "start_s": from_s, "last_bit_s": to_s}

    def handover(device: str, at_s: float, back: int = 0) -> dict[str, Any]:
        return {
            "device": device,
            "at_s": at_s,
            "interruption_s": 1.0,
            "is_ping_pong": back,
            "carried_bits": 8.0,
        }

    tables = {
        "links": [{"device": "d000"}, {"device": "d001"}, {"device": "d001"}],
        "handovers": [handover("d001", 1.0), handover("d000", 2.0), handover("d001", 5.0, back=1)],
        "transfers": [
            sent("d001", "server", 0.0, 1.25),
            sent("server", "d001", 1.125, 1.5),
            sent("server", "*", 5.5, 9.0, receivers=2),
            sent("server", "*", 2.0, 3.0, receivers=1),
        ],
    }
    path = [
        Segment("airtime", 1.0, 1.25, "d001", "up", "0", 0),
        Segment("server compute", 1.25, 2.0, "server", "train", "0", 1),
        Segment("waiting for air", 1.75, 3.0, "d001", "down", "0", 2),
    ]
    first, second = handed_over(tables, path)
    assert first == HandedOver("d001", 2, 1, 2.0, pytest.approx(1.0), pytest.approx(0.5), 16.0)
    assert second == HandedOver("d000", 1, 0, 1.0, 0.0, 0.0, 8.0)


_SPANS = st.lists(st.integers(0, 40), max_size=12, unique=True).map(sorted).map(
    lambda ends: [(float(a), float(b)) for a, b in zip(ends[::2], ends[1::2], strict=False)]
)  # fmt: skip


@given(_SPANS, _SPANS)
def test_what_two_lists_of_spans_have_in_common(one: list[Any], other: list[Any]) -> None:
    def is_in(at_s: float, spans: list[Any]) -> bool:
        return any(from_s <= at_s < to_s for from_s, to_s in spans)

    assert common_s(one, other) == sum(is_in(t + 0.5, one) and is_in(t + 0.5, other) for t in range(40))


def test_a_replay_and_a_resumed_run_have_the_same() -> None:
    undisturbed(Path("whole"), ROAMING)
    killed(Path("cut"), 30, ROAMING)
    resumed(Path("cut"))
    assert main(["replay", "whole", "--quiet", "--draw", "none", "--out", "replay"]) == 0
    assert table("whole", "handovers")
    assert rows(Path("cut")) == rows(Path("whole")) == rows(Path("replay"))


@pytest.fixture
def verified(capsys: pytest.CaptureFixture[str]) -> None:
    run("run", ROAMING)
    capsys.readouterr()


@pytest.mark.parametrize(("name", "column"), [("handovers", "target_dbm"), ("trajectories", "x_m")])
def test_verification_finds_a_move_that_was_edited(
    name: str, column: str, verified: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", "run"]) == 0
    with closing(sqlite3.connect("run/ledger.sqlite")) as db, db:
        db.execute(f"UPDATE {name} SET {column} = 0.5 WHERE rowid = 2")
    capsys.readouterr()
    assert main(["verify", "run"]) == 1
    assert f"table {name}, row 1, column {column}: 0.5 on record" in "".join(capsys.readouterr())
