"""Handovers, outages, deadlines and background at once: every protocol and transport keeps the laws."""

from collections.abc import Callable
from functools import cache
from math import fsum
from pathlib import Path

import pytest
from test_handover_laws import CELLS
from test_resume import rows
from worlds import scenario, table

from slfac_sim.foundation.plugins import find, kinds
from slfac_sim.runs.replay import prepare_replay, replay
from slfac_sim.runs.run import prepare, run
from slfac_sim.scenario.steering import steered

WIRE = "capacity: 400 kbit/s, latency: 2 ms"
CORE = "core: {between: [mast, server], capacity: 1 Mbit/s, latency: 5 ms}"


def wires(to: str) -> str:
    """Return a wire to each station of the access network `a`, one of them half duplex."""
    return f"""l0: {{between: [a/s0, {to}], {WIRE}}}, l1: {{between: [a/s1, {to}], {WIRE}}},
        l2: {{between: [a/s2, {to}], {WIRE}, duplex: half}}"""


ALONE = CELLS
TREE = f"kind: topology, access: {{a: {{network: {{{CELLS}}}}}}}, links: {{{wires('mast')}, {CORE}}}"
EDGES = f"""kind: topology, links: {{{wires("edge1")}, lb: {{between: [b, edge2], {WIRE}}},
        ca: {{between: [edge1, cloud], {WIRE}}}, cb: {{between: [edge2, cloud], {WIRE}}}}},
    access: {{a: {{network: {{{CELLS}}}, devices: 3, server: edge1}},
              b: {{network: {{kind: cell, bandwidth: 400 kHz}}, devices: 2, server: edge2}}}}"""
SERVERS = ["server=null", "servers={edge1: 1 GFLOP/s, edge2: 1 GFLOP/s, cloud: 1 GFLOP/s}"]

SHORT = ("protocol.rounds=1", "protocol.steps=1")
TRANSPORTS = {
    "fluid": "fluid",
    "tcp": "{kind: tcp, loss: 0.1}",
    "gives up": "{kind: tcp, loss: 0.3, tries: 2}",
    "udp": "{kind: udp, loss: 0.1, tries: null}",
}
WALK = "network.change.walk={kind: random_waypoint, speed: [60 m/s, 90 m/s], area: [300 m, 300 m]}"
FACTOR = "time_s,factor\n0,1\n0.4,0.5\n0.7,0\n0.9,2\n1.3,1\n"
CHANGES = {
    "outages": "network.change.cut={kind: outages, devices: all, mean_on: 400 ms, mean_off: 100 ms}",
    "background": "network.change.others={kind: background, on: CELL, rate: 30 kbit/s, size: 1 kB}",
    "factor": "network.change.slow={kind: trace, on: CELL, file: factor.csv}",
}
DOWN = ["devices.availability={kind: on_off, mean_on: 4 s, mean_off: 300 ms}"]
DEADLINE = ["protocol.participation={deadline: 2 s}"]


def still(protocol: str, place: str) -> list[str]:
    """Return the overrides of a run on a network on which nothing changes."""
    edges = find("slfac_sim.protocols", protocol).servers == "edges"
    network = ALONE if place == "alone" else EDGES if edges else TREE
    return [f"protocol={protocol}", *(SERVERS if edges else []), f"network={{{network}}}"]


def changed(protocol: str, place: str, change: str, transport: str) -> list[str]:
    """Return the overrides of walks and `change`, or of all with a deadline and devices that are down."""
    told = [CHANGES[change]] if change in CHANGES else [*CHANGES.values(), *DOWN]
    if change == "at once" and "participation" in vars(find("slfac_sim.protocols", protocol)()):
        told += DEADLINE
    on = "s0" if place == "alone" else "a/s0"
    texts = [f"network.transport={TRANSPORTS[transport]}", WALK, *told]
    return [text.replace("CELL", on) for text in texts]


CASES = [
    (protocol, place, change, transport)
    for protocol in kinds("slfac_sim.protocols")
    for place in ("alone", "wired")
    if place == "wired" or find("slfac_sim.protocols", protocol).servers == "one"
    for change in (*CHANGES, "at once")
    for transport in TRANSPORTS
]


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Path]:
    """Return, by protocol and place, a run on a network that stands still."""
    root = tmp_path_factory.mktemp("records")

    @cache
    def record(protocol: str, place: str) -> Path:
        where = root / f"{protocol}-{place}"
        run(prepare(scenario(*SHORT, *still(protocol, place)), where, threads=1))
        return where

    return record


@pytest.mark.matrix(large=True)
@pytest.mark.parametrize(("protocol", "place", "change", "transport"), CASES)
def test_every_protocol_keeps_the_laws(
    protocol: str,
    place: str,
    change: str,
    transport: str,
    records: Callable[[str, str], Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """And, where timing steers nothing, the replay of a run on a network that stands still is that run."""
    monkeypatch.chdir(tmp_path)
    Path("factor.csv").write_text(FACTOR)
    changes = changed(protocol, place, change, transport)
    chosen = scenario(*SHORT, *still(protocol, place), *changes)
    summary = run(prepare(chosen, Path("live"), threads=1), checkpoint_every=0, strict=True)
    assert summary["status"] == "finished", summary["reason"]
    assert summary["invariants"]["violated"] == 0
    conserved(Path("live", "ledger.sqlite"))
    if steered(chosen) is None:
        replay(prepare_replay(records(protocol, place), changes, out=Path("replay")), strict=True)
        assert rows(Path("replay")) == rows(Path("live"))


def conserved(ledger: Path) -> None:
    """Assert that each receiver has had all that it was sent, and that each link tells where its bits are."""
    sent, use = table(ledger, "transfers"), table(ledger, "link_use")
    way = {row["device"]: [(0.0, row["station"])] for row in table(ledger, "links")}
    for row in table(ledger, "handovers"):
        way[row["device"]].append((row["at_s"], row["target"]))
    for row in sent:
        if way.keys().isdisjoint((row["src"], row["dst"])) and row["dst"] != "*":
            continue  # between servers: no air
        bits = row["rate_bps"] * row["airtime_s"]
        assert bits <= 8.0 * row["wire_bytes"] * (1.0 + 1e-9)
        if row["outcome"] == "delivered":
            copies = 1
            if row["receivers"] == len(way):  # then they are known: a copy for each station
                copies = len({[s for at_s, s in own if at_s <= row["asked_s"]][-1] for own in way.values()})
            assert bits >= 8.0 * copies * row["payload_bytes"] * (1.0 - 1e-9)
    for row in use:
        parts = (row["carried_bits"], row["lost_bits"], row["in_flight_bits"])
        assert row["offered_bits"] == pytest.approx(fsum(parts), rel=1e-9, abs=1e-3), row["link"]
