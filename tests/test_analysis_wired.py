"""What has crossed each wire until given times, and a device's day at an edge, from rows alone."""

import math
from pathlib import Path

import pytest
from worlds import live_run, table

from slfac_sim.analysis.attribution import attribute
from slfac_sim.analysis.device_days import device_days
from slfac_sim.analysis.wired import wired_bytes
from slfac_sim.ledger.tables import TABLES

EDGES = (
    "protocol={kind: hierarchical, rounds: 3, steps: 2, cloud_every: 2}",
    "server=null",
    "servers={edge1: 1 GFLOP/s, edge2: 1 GFLOP/s, cloud: 1 GFLOP/s}",
    "network={kind: topology, access: {"
    "near: {network: {kind: ideal, up_rate: 3 Mbit/s}, devices: 3, server: edge1},"
    " far: {network: ideal, devices: 2, server: edge2}}, links: {"
    "a: {between: [near, edge1], capacity: 1 Gbit/s, latency: 1 ms},"
    "b: {between: [far, edge2], capacity: 1 Gbit/s, latency: 1 ms},"
    "c: {between: [edge1, hub], capacity: 100 Mbit/s, latency: 1 ms},"
    "d: {between: [edge2, hub], capacity: 100 Mbit/s, latency: 1 ms},"
    "core: {between: [hub, cloud], capacity: 100 Mbit/s, latency: 1 ms}}}",
)


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, object]]]:
    path: Path = tmp_path_factory.mktemp("run") / "ledger.sqlite"
    live_run(path, *EDGES)
    return {name: table(path, name) for name in TABLES}


def test_at_the_end_it_is_what_the_network_says_of_each_link(tables) -> None:  # type: ignore[no-untyped-def]
    """Both ways together; without headers, and a multicast once."""
    found = wired_bytes(tables, [math.inf])
    carried = dict.fromkeys(found, 0.0)
    for row in tables["link_use"]:
        wire = row["link"].partition(" ")[0]
        if wire in carried:
            carried[wire] += row["carried_bits"] / 8.0
    assert {wire: nbytes for wire, (nbytes,) in found.items()} == pytest.approx(carried)
    assert found["core"][0] == found["c"][0] + found["d"][0] > 0


def test_it_grows_from_nothing_with_the_evaluations(tables) -> None:  # type: ignore[no-untyped-def]
    """Before the first average of the cloud, after round 2, nothing has crossed the core."""
    at_s = [row["at_s"] for row in tables["evals"]]
    found = wired_bytes(tables, at_s)
    assert found["a"] == sorted(found["a"])
    assert found["a"][0] == 0 < found["a"][1]
    core = found["core"]
    assert core[:2] == [0, 0]
    assert 0 < core[2] < core[3]


def test_without_wires_there_are_none(tmp_path: Path) -> None:
    live_run(tmp_path / "ledger.sqlite", "network=ideal", "protocol.rounds=1")
    assert wired_bytes({name: table(tmp_path / "ledger.sqlite", name) for name in TABLES}, [1.0]) == {}


def test_a_device_of_an_edge_has_a_day_without_gaps_and_the_edge_is_waited_for(tables) -> None:  # type: ignore[no-untyped-def]
    end_s = attribute(tables).until_s
    days = device_days(tables)
    for device, day in days.items():
        assert sum(segment.to_s - segment.from_s for segment in day) == pytest.approx(end_s)
        own = [
            segment
            for segment in day
            if segment.part in ("device compute", "codec") and segment.host == device
        ]
        spent_s = sum(row["end_s"] - row["start_s"] for row in tables["computes"] if row["host"] == device)
        assert sum(segment.to_s - segment.from_s for segment in own) == pytest.approx(spent_s)
    stragglers = set(attribute(tables).straggler)
    assert stragglers & {"edge1", "edge2"}
    assert stragglers <= {"edge1", "edge2", *days}
