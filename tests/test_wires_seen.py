"""What people see of wires: the ledger, check, explain, the trace and the figures of a small topology."""

import gzip
import importlib
import itertools
import json
import math
import re
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from matplotlib.text import Text
from worlds import scenario, table

from slfac_sim.analysis.air import Offered
from slfac_sim.analysis.attribution import attribute
from slfac_sim.analysis.device_days import device_days
from slfac_sim.analysis.explanation import explained
from slfac_sim.analysis.graph import graph_of, links_of, text_of
from slfac_sim.analysis.links import WIRED, Crossed, Load, limits, loads_over_time
from slfac_sim.analysis.placing import columns_of, places_of
from slfac_sim.analysis.propagation import propagation_s
from slfac_sim.analysis.rows import recorded, rows_if_there, rows_of
from slfac_sim.analysis.structure import direction
from slfac_sim.analysis.style import house_style
from slfac_sim.cli import main
from slfac_sim.ledger.folder import load
from slfac_sim.runs.run import prepare, run

TINY = str(Path(__file__).with_name("tiny.yaml"))
WIRES = (
    "{kind: topology, access: {campus: {network: {kind: cell}, devices: 3},"
    " home: {network: {kind: wifi, radius: 20 m}, devices: 2}}, links: {"
    "core: {between: [campus, hub], capacity: 30 Mbit/s, latency: 2 ms},"
    "dsl: {between: [home, hub], capacity: 5 Mbit/s, back_capacity: 20 Mbit/s, latency: 8 ms},"
    "metro: {between: [hub, server], capacity: 6 Mbit/s, latency: 5 ms}}}"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of the topology, its laws checked."""
    folder = tmp_path_factory.mktemp("wires") / "run"
    summary = run(prepare(scenario(f"network={WIRES}"), folder, threads=1), strict=True)
    assert summary["status"] == "finished", summary["reason"]
    assert summary["invariants"]["checked"]["link bits"] > 0
    return folder


def rows(folder: Path, name: str) -> list[dict[str, Any]]:
    return table(folder / "ledger.sqlite", name)


def test_the_ledger_has_a_row_for_each_access_network_device_wire_and_hop(folder: Path) -> None:
    assert [(row["access"], row["medium"]) for row in rows(folder, "air")] == [
        ("campus", "fair"),
        ("home", "csma"),
    ]
    homes = [(row["device"], row["access"], row["server"]) for row in rows(folder, "links")]
    assert homes == [(f"d{i:03d}", "campus" if i < 3 else "home", "server") for i in range(5)]
    assert {row["name"]: (row["capacity_bps"], row["back_bps"]) for row in rows(folder, "wires")} == {
        "core": (30e6, 30e6),
        "dsl": (5e6, 20e6),
        "metro": (6e6, 6e6),
    }
    hops = [row["link"] for row in rows(folder, "routes") if (row["src"], row["dst"]) == ("home", "server")]
    assert hops == ["home/air", "dsl home->hub", "metro hub->server"]


def test_what_limits_transfers_adds_up_to_what_links_limited(folder: Path) -> None:
    sums: Counter[str] = Counter()
    for row in rows(folder, "bottlenecks"):
        sums[row["link"]] += row["limited_s"]
    used = {row["link"]: row["limited_s"] for row in rows(folder, "link_use")}
    assert sums
    assert {link: pytest.approx(used[link]) for link in sums} == sums


def test_a_wire_carries_at_least_the_payloads_that_crossed_it(folder: Path) -> None:
    tables = rows_if_there(load(folder), WIRED) | rows_of(load(folder), ("transfers",))
    crossed, bits = Crossed(tables), Counter[str]()
    for transfer in tables["transfers"]:
        for link in crossed.links(transfer):
            bits[link] += 8 * transfer["payload_bytes"]
    carried = {row["link"]: row["carried_bits"] for row in tables["link_use"]}
    assert bits.keys() == carried.keys()
    assert all(carried[link] >= bits[link] for link in bits)


def test_time_that_wires_bound_is_waiting_for_wires(folder: Path) -> None:
    """Of one transfer: its waiting, split as its limiting time is; of a run without the rows: for air."""
    tables = recorded(load(folder))
    parts_s = attribute(tables).parts_s
    without = attribute({**tables, "bottlenecks": []}).parts_s
    assert parts_s["waiting for wires"] > 0.0 == without["waiting for wires"]
    waits = ("waiting for air", "waiting for wires")
    assert sum(parts_s[part] for part in waits) == pytest.approx(without["waiting for air"])


def test_an_interrupted_run_tells_what_its_links_carried(tmp_path: Path) -> None:
    """What was given up on the way is no longer in flight; every link's bits are whole."""

    def interrupt(table: str, row: Any) -> None:
        if table == "steps" and row["round"] == 2:
            raise KeyboardInterrupt

    prepared = prepare(scenario(f"network={WIRES}"), tmp_path / "run", threads=1)
    assert run(prepared, interrupt)["status"] == "interrupted"
    use = {row["link"]: row for row in rows(tmp_path / "run", "link_use")}
    assert use["metro hub->server"]["carried_bits"] > 0.0
    for row in use.values():
        parts = (row["carried_bits"], row["lost_bits"], row["in_flight_bits"])
        assert row["offered_bits"] == pytest.approx(sum(parts))
    assert main(["explain", str(tmp_path / "run")]) == 0


def test_explain_tells_which_link_limited_which_transfers(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", str(folder)]) == 0
    told = capsys.readouterr().out
    assert re.search(r"^smashed_up \+ labels +30 +\d.* s  metro hub->server \d+ %", told, re.MULTILINE)
    assert re.search(
        r"^metro hub->server +6 Mbit/s +[\d.]+ kB +[\d.]+ % +[\d.]+ s +5 ms +[\d.]+ s$", told, re.MULTILINE
    )
    assert re.search(r"^waiting for wires +\d", told, re.MULTILINE)
    most = explained(load(folder)).bottleneck
    assert re.match(r"metro server->hub \d+ %, metro hub->server \d+ %", most.wires)
    wired = replace(most, shares={"wires": 1.0}).sentence
    assert wired == f"bottleneck: wires, 100 % of the time: {most.wires}"
    assert main(["explain", str(folder), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    found = {one["kind"]: one for one in facts["limits"]}
    assert sum(one["transfers"] for one in found.values()) == len(rows(folder, "transfers"))
    up = found["smashed_up + labels"]
    assert 0.0 < sum(up["limited_s"].values()) <= up["way_s"] * (1 + 1e-9)
    assert {one["link"] for one in facts["links"]} == {row["link"] for row in rows(folder, "link_use")}


def test_explain_tells_whose_latency_the_propagation_is(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The wires and the air of a transfer's route have what their latencies are, together all of it."""
    assert main(["explain", str(folder), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    latency_s = {one["link"]: one["latency_s"] for one in facts["links"]}
    assert (latency_s["dsl home->hub"], latency_s["metro hub->server"]) == (0.008, 0.005)
    own_s = facts["propagation_s"]
    assert sum(own_s.values()) == pytest.approx(facts["critical_path_s"]["end"]["propagation"])
    assert own_s["transport and jitter"] == 0.0
    for link in ("metro hub->server", "metro server->hub"):
        assert own_s[link] / 0.005 == pytest.approx(round(own_s[link] / 0.005))  # so many transfers
    assert main(["explain", str(folder)]) == 0
    told = capsys.readouterr().out
    shares = re.findall(r"(metro|dsl|core|air of \w+) (\d+) %", told.rpartition("of propagation")[2])
    assert 95 <= sum(int(part) for _, part in shares) <= 101


def test_packets_have_what_no_link_has_of_propagation(tmp_path: Path) -> None:
    words = [TINY, f"network={WIRES}", "network.transport=tcp", "protocol.rounds=1"]
    assert main(["run", *words, "--out", str(tmp_path / "run"), "--quiet", "--draw", "none"]) == 0
    run_ = load(tmp_path / "run")
    path = attribute(recorded(run_))
    found = propagation_s(rows_if_there(run_, WIRED) | rows_of(run_, ("air", "transfers")), path.path)
    assert found["transport and jitter"] > 0.0
    assert sum(found.values()) == pytest.approx(path.parts_s["propagation"])


def test_check_draws_the_graph_and_names_what_limits_all_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", TINY, f"network={WIRES}"]) == 0
    told = capsys.readouterr().out
    for line in (
        "server",
        "└── hub (metro: 6 Mbit/s, 5 ms)",
        "├── campus: 3 devices (core: 30 Mbit/s, 2 ms)",
        "└── home: 2 devices (dsl: home->hub 5 Mbit/s, hub->home 20 Mbit/s, 8 ms)",
    ):
        assert re.search(f"^.* {re.escape(line)}$", told, re.MULTILINE), line
    assert re.search(
        r"up: metro hub->server \d+ %.* of the time \(6 Mbit/s for air that could carry .*\)", told
    )
    routes = r"^routes +campus -> server: core, metro, 7 ms\n +home -> server: dsl, metro, 13 ms$"
    assert re.search(routes, told, re.MULTILINE)
    assert re.search(r"^medium +campus: fair, tdd: .*\n +home: csma, half duplex", told, re.MULTILINE)
    assert main(["check", TINY, f"network={WIRES}", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    metro = next(wire for wire in facts["wires"] if wire["link"] == "metro hub->server")
    leads = [
        wire["air_bps"] for wire in facts["wires"] if wire["link"] in ("core campus->hub", "dsl home->hub")
    ]
    assert metro["air_bps"] == pytest.approx(sum(leads))
    assert (
        max(facts["together"]["up"]["limited_s"], key=facts["together"]["up"]["limited_s"].get)
        == metro["link"]
    )


def test_without_wires_nothing_is_said_of_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", TINY]) == 0
    told = capsys.readouterr().out
    assert "graph" not in told
    assert "limits" not in told


def test_the_trace_has_the_load_of_each_link(folder: Path, tmp_path: Path) -> None:
    assert main(["trace", str(folder), "--out", str(tmp_path / "t.json.gz")]) == 0
    events = json.loads(gzip.decompress((tmp_path / "t.json.gz").read_bytes()))["traceEvents"]
    (pid,) = (event["pid"] for event in events if event.get("args", {}).get("name") == "links")
    counters = {event["name"] for event in events if event["pid"] == pid and event["ph"] == "C"}
    assert counters == {row["link"] for row in rows(folder, "link_use")}
    last = {event["name"]: event["args"] for event in events if event["pid"] == pid and event["ph"] == "C"}
    assert all(value == 0.0 for args in last.values() for value in args.values())


def test_loads_over_time_are_the_bits_of_the_transfers(folder: Path) -> None:
    tables = rows_if_there(load(folder), WIRED) | rows_of(load(folder), ("transfers",))
    changes = [(at_s, bps) for link, at_s, bps in loads_over_time(tables) if link == "dsl home->hub"]
    bits = math.fsum(bps * (after_s - at_s) for (at_s, bps), (after_s, _) in itertools.pairwise(changes))
    sent = [row for row in tables["transfers"] if row["src"] in ("d003", "d004")]
    assert bits == pytest.approx(8 * sum(row["wire_bytes"] for row in sent))


def test_a_wire_carries_one_copy_of_a_multicast(folder: Path) -> None:
    """The load of the shared wire is that of one branch, as the network's own account has it."""
    tables = rows_if_there(load(folder), WIRED) | rows_of(load(folder), ("transfers",))
    down = [row for row in tables["transfers"] if row["dst"] == "*"]
    assert down
    changes = [(s, bps) for link, s, bps in loads_over_time(tables) if link == "metro server->hub"]
    bits = math.fsum(bps * (after_s - at_s) for (at_s, bps), (after_s, _) in itertools.pairwise(changes))
    (carried,) = (row["carried_bits"] for row in tables["link_use"] if row["link"] == "metro server->hub")
    assert bits == pytest.approx(carried, rel=0.01)  # 802.11 tells its wire of payload alone


def test_the_figures_show_the_bottleneck(folder: Path) -> None:
    for name, said in (
        ("topology", "the link that limited most: metro server->hub"),
        ("link_load", "metro server->hub"),
    ):
        module = importlib.import_module(f"slfac_sim.analysis.figures.{name}")
        drawn = module.draw([module.data(load(folder))])
        texts = [text.get_text() for text in drawn.findobj(Text)]
        assert any(said in text for text in texts), texts


def test_a_run_without_wires_has_neither_figure(tmp_path: Path) -> None:
    run(prepare(scenario("protocol.rounds=1"), tmp_path / "run", threads=1))
    for name in ("topology", "link_load"):
        assert (
            importlib.import_module(f"slfac_sim.analysis.figures.{name}").data(load(tmp_path / "run")) is None
        )


def test_a_run_from_before_there_were_access_networks_is_read_as_far_as_it_goes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its tables of the air lack columns, others are not there: it is explained, the map says why."""
    run(prepare(scenario("protocol.rounds=1"), tmp_path / "run", threads=1))
    with closing(sqlite3.connect(tmp_path / "run" / "ledger.sqlite")) as ledger, ledger:
        ledger.execute("ALTER TABLE air DROP COLUMN access")
        for column in ("access", "server", "latency_s"):
            ledger.execute(f"ALTER TABLE links DROP COLUMN {column}")
        for name in ("wires", "routes", "bottlenecks", "link_use"):
            ledger.execute(f"DROP TABLE {name}")
    for verb in ("explain", "trace"):
        assert main([verb, str(tmp_path / "run")]) == 0
    assert "no contention: at least" in capsys.readouterr().out
    module = importlib.import_module("slfac_sim.analysis.figures.cell_map")
    drawn = module.draw([module.data(load(tmp_path / "run"))])
    assert any("did not write down" in text.get_text().replace("\n", " ") for text in drawn.findobj(Text))


def wire(name: str, src: str, dst: str, half_duplex: int = 0) -> dict[str, Any]:
    rates = {"capacity_bps": 1e9, "back_bps": 1e8, "latency_s": 0.002, "half_duplex": half_duplex}
    return {"name": name, "src": src, "dst": dst, **rates}


def edges(cells: int) -> Offered:
    """Cells in turn on two edges below a cloud, which a spare wire joins."""
    at = [("campus", i, f"edge{1 + i % 2}") for i in range(cells)]
    return Offered(
        "edges",
        air=[{"access": "campus", "medium": "fair"}],
        stations=[],
        links=[
            {"device": f"d{i:03d}", "access": name, "station": f"{name}/s{i}", "server": edge}
            for name, i, edge in at
        ],
        wires=[
            *(wire(f"port_{i}", f"campus/s{i}", edge) for _, i, edge in at),
            wire("metro", "edge1", "cloud"),
            wire("ring", "cloud", "edge2"),
            wire("spare", "edge1", "edge2", half_duplex=1),
        ],
        routes=[{"src": "edge1", "dst": "cloud", "hop": 0, "link": "metro edge1->cloud"}],
    )


def test_the_cloud_is_on_top_and_wires_between_branches_come_last() -> None:
    graph = graph_of(edges(2))
    assert graph.level == {"cloud": 0, "edge1": 1, "edge2": 1, "campus/s0": 2, "campus/s1": 2}
    assert [node.kind for node in graph.nodes.values()] == ["access", "server", "access", "server", "server"]
    assert list(text_of(graph)) == [
        "cloud",
        "├── edge1 (metro: edge1->cloud 1 Gbit/s, cloud->edge1 100 Mbit/s, 2 ms)",
        "│   └── campus/s0: 1 device (port_0: campus/s0->edge1 1 Gbit/s, edge1->campus/s0 100 Mbit/s, 2 ms)",
        "└── edge2 (ring: cloud->edge2 1 Gbit/s, edge2->cloud 100 Mbit/s, 2 ms)",
        "    └── campus/s1: 1 device (port_1: campus/s1->edge2 1 Gbit/s, edge2->campus/s1 100 Mbit/s, 2 ms)",
        "also edge1 - edge2 (spare: 1 Gbit/s, 2 ms, half duplex)",
    ]


def test_a_wire_is_two_links_or_one() -> None:
    assert links_of(wire("metro", "edge1", "cloud")) == {"metro edge1->cloud": 1e9, "metro cloud->edge1": 1e8}
    assert links_of(wire("spare", "edge1", "edge2", half_duplex=1)) == {"spare": 1e9}


@pytest.mark.parametrize("cells", [1, 7, 40])
def test_nodes_have_places_of_their_own_and_few_wires_cross(cells: int) -> None:
    graph = graph_of(edges(cells))
    columns = columns_of(graph)
    places = places_of(columns, 10.0, 80.0, 5.0)
    assert places.keys() == graph.nodes.keys()
    assert len(set(places.values())) == len(places)
    assert all(10.0 <= x <= 80.0 and -5.0 * max(map(len, columns)) < y < 0.0 for x, y in places.values())
    assert list(columns[2]) == sorted(columns[2], key=lambda name: int(name[8:]) % 2)  # edge by edge


@pytest.mark.parametrize("cells", [1, 7, 40])
def test_a_topology_is_drawn_before_its_run_without_texts_that_touch(cells: int) -> None:
    module = importlib.import_module("slfac_sim.analysis.figures.topology")
    drawn = module.draw([edges(cells)])
    drawn.draw_without_rendering()
    (axes,) = drawn.axes
    beside = [text for text in axes.texts if text.get_ha() == "right"]
    boxes = [text.get_window_extent() for text in beside if text.get_text().startswith("campus/s")]
    assert len(boxes) == cells
    assert not any(one.overlaps(other) for i, one in enumerate(boxes) for other in boxes[:i])


def test_a_topology_tells_latencies_the_servers_of_devices_and_a_scale_that_fits() -> None:
    topology = importlib.import_module("slfac_sim.analysis.figures.topology")
    with house_style():
        drawn = topology.draw([edges(2)])
        drawn.set_dpi(346)
        drawn.draw_without_rendering()
    texts = [text.get_text() for text in drawn.findobj(Text)]
    assert "campus/s0\n1 device\nof edge1" in texts
    assert "metro, 2 ms\nedge1->cloud 1 Gbit/s\ncloud->edge1 100 Mbit/s" in texts
    boxes = {text.get_text(): text.get_window_extent().padded(-6.0) for text in drawn.axes[0].texts}
    pairs = itertools.combinations(boxes, 2)
    assert [pair for pair in pairs if boxes[pair[0]].overlaps(boxes[pair[1]])] == []
    loads = (Load("metro edge1->cloud", 1e9, 1e6, 0.0, 1.0, 1.0, 0.13),)
    used = topology.draw([topology.Used(**vars(edges(2)), loads=loads)])
    assert used.axes[1].get_xlim() == (0.0, 0.2)


def test_limits_are_by_kind_and_the_longest_first(folder: Path) -> None:
    tables = rows_if_there(load(folder), WIRED) | rows_of(load(folder), ("transfers", "payloads"))
    found = limits(tables)
    assert [one.way_s for one in found] == sorted((one.way_s for one in found), reverse=True)
    assert all(list(one.limited_s.values()) == sorted(one.limited_s.values(), reverse=True) for one in found)


EDGES = (
    "protocol={kind: hierarchical, rounds: 2, steps: 2}",
    "server=null",
    "servers={edge1: {speed: 1 GFLOP/s}, edge2: {speed: 2 GFLOP/s}, cloud: {speed: 5 GFLOP/s}}",
    "network={kind: topology, access: {campus: {network: {kind: multi_cell, stations: 3}, devices: 3,"
    " server: edge1}, home: {network: {kind: wifi, radius: 20 m}, devices: 2, server: edge2}}, links: {"
    "core: {between: [campus, edge1], capacity: 30 Mbit/s, latency: 2 ms},"
    "dsl: {between: [home, edge2], capacity: 5 Mbit/s, latency: 8 ms},"
    "metro: {between: [edge1, cloud], capacity: 2 Mbit/s, latency: 5 ms},"
    "ring: {between: [edge2, cloud], capacity: 1 Mbit/s, latency: 5 ms}}}",
)


@pytest.fixture(scope="module")
def edges_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with two edges and a cloud, its laws checked."""
    folder = tmp_path_factory.mktemp("edges") / "run"
    summary = run(prepare(scenario(*EDGES), folder, threads=1), strict=True)
    assert summary["status"] == "finished", summary["reason"]
    return folder


def test_between_servers_there_is_no_air_and_all_waiting_is_for_wires(edges_folder: Path) -> None:
    sent = [row for row in rows(edges_folder, "transfers") if direction(row) == "between"]
    assert {(row["src"], row["dst"]) for row in sent} == {
        pair for edge in ("edge1", "edge2") for pair in ((edge, "cloud"), ("cloud", edge))
    }
    assert {(row["airtime_s"], row["energy_j"]) for row in sent} == {(0.0, 0.0)}
    path = attribute(recorded(load(edges_folder))).path
    parts = {segment.part for segment in path if segment.what == "between"}
    assert parts == {"waiting for wires", "propagation"}


def test_the_day_of_a_device_goes_through_its_edge(edges_folder: Path) -> None:
    """Each device works on its day, and nothing of another edge's devices is in it."""
    for device, day in device_days(recorded(load(edges_folder))).items():
        hosts = {segment.host for segment in day if segment.part != "waiting at the barrier"}
        assert device in hosts
        assert not {f"d{i:03d}" for i in range(5)} - {device} & hosts


def test_whoever_is_waited_for_is_a_host(edges_folder: Path) -> None:
    straggler = attribute(recorded(load(edges_folder))).straggler
    assert straggler
    assert set(straggler) <= {f"d{i:03d}" for i in range(5)} | {"edge1", "edge2"}


def test_a_multicast_is_received_by_the_devices_of_its_edge(edges_folder: Path, tmp_path: Path) -> None:
    assert main(["trace", str(edges_folder), "--out", str(tmp_path / "t.json.gz")]) == 0
    events = json.loads(gzip.decompress((tmp_path / "t.json.gz").read_bytes()))["traceEvents"]
    name_of = {event["pid"]: event["args"]["name"] for event in events if event["name"] == "process_name"}
    assert {"edge1", "edge2", "cloud", "links"} <= set(name_of.values())
    received = {
        (event["args"]["src"], name_of[event["pid"]])
        for event in events
        if event.get("args", {}).get("dst") == "*"
    }
    assert received == {("edge1" if i < 3 else "edge2", f"d{i:03d}") for i in range(5)}
