"""The laws of handovers: row by row, where each kind of lie breaks one, and over runs that keep them."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import simpy
from test_strict import FAIR, lying, strict
from worlds import scenario, table

from slfac_sim.simulation.invariants import Violated
from slfac_sim.simulation.invariants.handovers import HandoverLaws
from slfac_sim.simulation.invariants.laws import Watch

WALK = "{walk: {kind: random_waypoint, speed: [60 m/s, 90 m/s], area: [300 m, 300 m]}}"
CELLS = "kind: multi_cell, stations: 3, spacing: 150 m, radius: 100 m, bandwidth: 400 kHz, header_bytes: 6000"
DRIVE = f"network={{{CELLS}, change: {WALK}}}"
TREE = f"""network={{kind: topology, access: {{a: {{network: {{{CELLS}}}}}}}, change: {WALK},
    links: {{l0: {{between: [a/s0, mast], capacity: 300 kbit/s, latency: 1 ms}},
             l1: {{between: [a/s1, mast], capacity: 400 kbit/s, latency: 2 ms}},
             l2: {{between: [a/s2, mast], capacity: 90 kbit/s, latency: 3 ms, loss: 0.1}},
             core: {{between: [mast, server], capacity: 1 Mbit/s, latency: 5 ms}}}}}}"""
SENT = {
    "seq": 0,
    "task": "",
    "src": "d000",
    "dst": "server",
    "asked_s": 1.0,
    "start_s": 1.0,
    "last_bit_s": 3.0,
    "airtime_s": 0.9,
    "wire_bytes": 100_000,
}
GONE = {
    "device": "d000",
    "at_s": 2.0,
    "source": "s0",
    "target": "s1",
    "interruption_s": 0.2,
    "is_ping_pong": 0,
    "carried_bits": 4e5,
}
BACK = GONE | {"at_s": 2.5, "source": "s1", "target": "s0", "is_ping_pong": 1, "carried_bits": 2e5}
SEEN = [
    {"device": "d000", "at_s": at_s, "station": station}
    for at_s, station in ((0.0, "s0"), (2.2, "s1"), (3.0, "s0"))
]


def held(sent: dict[str, Any], moves: list[dict[str, Any]], seen: list[dict[str, Any]]) -> int:
    """Return how often the law was checked over a run of 4 s with one upload and these handovers."""
    checked: Counter[str] = Counter()
    laws = HandoverLaws(scenario(DRIVE), Watch(simpy.Environment(initial_time=4.0)), checked)
    laws.row("air", {"access": "", "up_share": 0.5, "down_share": 0.5})
    laws.row("links", {"device": "d000", "access": "", "station": "s0"})
    laws.row("transfers", sent)
    for row in moves:
        laws.row("handovers", row)
    for row in seen:
        laws.row("trajectories", row)
    laws.close()
    return checked["handovers"]


def test_what_is_so_keeps_them() -> None:
    assert held(SENT | {"airtime_s": 0.8}, [GONE, BACK], SEEN) == 4 + 4 + 3 + 1
    on = BACK | {"at_s": 2.3, "target": "s2", "is_ping_pong": 0}
    assert held(SENT | {"airtime_s": 0.7}, [GONE, on, BACK | {"at_s": 2.8, "source": "s2"}], []) == 12 + 1


LIES: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = {
    "0.81 s of airtime within 1.59999": ({"airtime_s": 0.81}, {}, {}),
    "from s2 to s0, but it was at s1": ({}, {"source": "s2"}, {}),
    "from s1 to s1, but it was at s1": ({}, {"target": "s1"}, {}),
    "after 2.0 s, at 4.0 s": ({}, {"at_s": 1.5}, {}),
    "is_ping_pong 0": ({}, {"is_ping_pong": 0}, {}),
    "is_ping_pong 1": ({"airtime_s": 0.1}, {"at_s": 3.0}, {}),
    "900000.0 bits carried of 800000.0 under way": ({}, {"carried_bits": 9e5}, {}),
    "-1.0 bits carried of 800000.0 under way": ({}, {"carried_bits": -1.0}, {}),
    "200000.0 bits carried of 0 under way": ({"last_bit_s": 2.4, "airtime_s": 0.1}, {}, {}),
    "at s1, by its handovers at s0": ({}, {}, {"station": "s1"}),
}


@pytest.mark.parametrize("told", LIES)
def test_each_lie_breaks_one(told: str) -> None:
    of_sent, of_back, of_seen = LIES[told]
    with pytest.raises(Violated) as error:
        held(SENT | {"airtime_s": 0.8} | of_sent, [GONE, BACK | of_back], [SEEN[0], SEEN[2] | of_seen])
    assert "strict: the law of handovers is broken at " in str(error.value)
    assert told in str(error.value)


@pytest.mark.parametrize("network", [DRIVE, TREE])
def test_a_run_with_handovers_keeps_all_laws(network: str, tmp_path: Path) -> None:
    summary = strict(tmp_path / "r", network)
    assert summary["status"] == "finished"
    rows = table(tmp_path / "r" / "ledger.sqlite", "handovers")
    assert any(row["carried_bits"] > 0.0 for row in rows)
    assert summary["invariants"]["checked"]["handovers"] > 4 * len(rows)


@pytest.mark.matrix
@pytest.mark.parametrize("transport", ["fluid", "{kind: tcp, loss: 0.1, tries: 3}", "{kind: udp, loss: 0.1}"])
@pytest.mark.parametrize("medium", FAIR)
def test_every_medium_and_transport_keeps_them(medium: str, transport: str, tmp_path: Path) -> None:
    summary = strict(tmp_path / "r", DRIVE, medium, f"network.transport={transport}")
    assert summary["status"] == "finished"
    assert summary["invariants"]["checked"]["handovers"]


@pytest.mark.parametrize(
    ("name", "column", "lie"),
    [
        ("handovers", "carried_bits", lambda bits: bits + 1e9),
        ("handovers", "source", lambda station: "s9"),
        ("trajectories", "station", lambda station: "s9"),
    ],
)
def test_a_ledger_that_lies_is_found(
    name: str, column: str, lie: Callable[[Any], Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lying(monkeypatch, name, column, lie)
    reason = strict(tmp_path / "r", DRIVE)["reason"]
    assert reason.startswith("strict: the law of handovers is broken at ")
