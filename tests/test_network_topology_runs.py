"""Trainings over a topology: every protocol of one server keeps the laws, and a run is the same twice."""

from pathlib import Path
from typing import Any

import pytest
from worlds import scenario, table

from slfac_sim.foundation.errors import BadInput
from slfac_sim.runs.replay import prepare_replay, replay
from slfac_sim.runs.run import prepare, run
from slfac_sim.scenario.fingerprint import point_key
from slfac_sim.scenario.schema import Scenario

SITE = """network={kind: topology,
access: {campus: {network: {kind: cell, bandwidth: 5 MHz}, devices: 2},
         home: {network: {kind: wifi}, devices: [d003, d004]},
         lab: {network: {kind: multi_cell, stations: 2, fading: block}, devices: 1}},
links: {core: {between: [campus, sw], capacity: 3 Mbit/s, latency: 2 ms},
        dsl: {between: [home, sw], capacity: 2 Mbit/s, back_capacity: 4 Mbit/s, latency: 8 ms},
        lan: {between: [lab, sw], capacity: 1 Gbit/s, latency: 0.1 ms},
        metro: {between: [sw, server], capacity: 2 Mbit/s, latency: 1 ms, duplex: half}}}""".replace(
    "\n", " "
)


def site(*overrides: str) -> Scenario:
    return scenario(SITE, *overrides)


@pytest.mark.parametrize("protocol", ["sequential", "parallel", "splitfed_v1", "fedavg"])
def test_a_training_over_a_topology_keeps_the_laws(protocol: str, tmp_path: Path) -> None:
    summary = run(prepare(site(f"protocol={protocol}"), tmp_path / "r", threads=1), strict=True)
    assert summary["status"] == "finished", summary["reason"]
    assert summary["invariants"]["violated"] == 0
    assert summary["invariants"]["checked"]["link bits"] > 0
    ledger = tmp_path / "r" / "ledger.sqlite"
    sent = table(ledger, "transfers")
    assert {row["outcome"] for row in sent} == {"delivered"}
    use: dict[str, dict[str, Any]] = {row["link"]: row for row in table(ledger, "link_use")}
    lanes = ("campus/up", "home/air", "lab/s0/up", "lab/s1/up")
    assert sum(use[lane]["carried_bits"] for lane in lanes) > 0.0
    # `home/air` carries both ways, and the wire both ways of all: a multicast is one copy of it
    assert use["metro"]["carried_bits"] <= sum(8.0 * row["wire_bytes"] for row in sent) * (1.0 + 1e-9)
    assert use["metro"]["limited_s"] > 0.0


def test_the_same_run_twice_is_the_same_and_a_replay_is_exact(tmp_path: Path) -> None:
    first, again = (run(prepare(site(), tmp_path / name, threads=1)) for name in "ab")
    assert first["digest"] == again["digest"]
    wide = "network.links.metro.capacity=1 Gbit/s"
    learnt = run(prepare(site(wide), tmp_path / "c", threads=1))
    replayed = replay(prepare_replay(tmp_path / "a", (wide,), out=tmp_path / "d"), strict=True)
    assert learnt["digest"] == replayed["digest"] != first["digest"]
    assert learnt["simulated_s"] < first["simulated_s"]


def test_settings_by_name_are_overridden_and_make_another_point() -> None:
    wider = site("network.links.core.capacity=5 Mbit/s", "network.access.campus.network.bandwidth=10 MHz")
    assert wider.network.links["core"].capacity == 5e6
    assert wider.network.access["campus"].network.bandwidth == 10e6
    assert wider.network.links["metro"] == site().network.links["metro"]
    assert point_key(wider) != point_key(site())
    assert point_key(site("network.access.home.network=ideal")) != point_key(site())


def test_the_file_of_a_graph_is_in_the_identity_of_a_run(tmp_path: Path) -> None:
    file = tmp_path / "site.graphml"
    access = "access: {a: {network: ideal, devices: 5}}"
    node = f"network={{kind: topology, {access}, graph: {{file: {file}}}}}"
    keys = []
    for capacity in (1e6, 2e6):
        write_graph(file, capacity)
        keys.append(point_key(scenario(node)))
    assert keys[0] != keys[1]
    write_graph(file, 1e6)
    assert point_key(scenario(node)) == keys[0]


def write_graph(file: Path, capacity: float) -> None:
    import networkx as nx

    graph = nx.Graph()
    graph.add_edge("a", "server", capacity=capacity, latency=0.01)
    nx.write_graphml(graph, file)


def test_a_run_is_refused_before_it_begins(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"^network\.links: no route from home to server$"):
        prepare(site("network.links.dsl.between=[campus, sw]"), tmp_path / "r", threads=1)
