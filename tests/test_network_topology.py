"""Topologies: hand cases, one copy of a multicast on each wire, and the access network alone as the limit."""

import random
from collections.abc import Sequence
from itertools import pairwise, permutations
from math import inf
from pathlib import Path
from typing import Any

import networkx as nx
import pytest
import simpy
from hypothesis import given
from hypothesis import strategies as st
from topologies import ends_s, hosts, ideal, is_whole, network, played, wire

from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.plugins import find, kinds
from slfac_sim.network import NetworkSettings
from slfac_sim.network.engine import NaiveGraph, Routed
from slfac_sim.network.fluid_settings import FluidSettings
from slfac_sim.network.kinds.topology import Topology
from slfac_sim.network.topology.graphml import links_in
from slfac_sim.network.topology.routes import Routes, capacity_of
from slfac_sim.network.topology.settings import WiredLink

FAST = 1e12
WAVES = ("block", "jakes")  # a fade may leave nothing at all for a while
KINDS = [
    kind
    for kind in kinds("slfac_sim.network.kinds")
    if issubclass(find("slfac_sim.network.kinds", kind), FluidSettings) and kind != "topology"
]
NEEDED = {"trace": {"file": str(Path(__file__).with_name("trace.csv"))}}
MEDIA = kinds("slfac_sim.network.media")
AIRS: list[dict[str, Any]] = [
    *({"kind": kind, **NEEDED.get(kind, {})} for kind in KINDS),
    {"kind": "ideal", "sharing": "none"},
    *({"kind": "cell", "fading": fading} for fading in ("block", "jakes", "static", "none")),
    *({"kind": "cell", "duplex": duplex} for duplex in ("fdd", "half")),
    {"kind": "multi_cell", "stations": 3, "fading": "block"},
    {"kind": "multi_cell", "stations": 3, "medium": "ofdma"},
    *({"kind": "wifi" if medium in ("csma", "dcf") else "cell", "medium": medium} for medium in MEDIA),
]


def two_cells(core_bps: float, **core: Any) -> NetworkSettings:
    """Return cells of 10 and 30 Mbit/s with two devices each, behind one wire to the server."""
    return network(
        "topology",
        access={"a": {"network": ideal(10e6), "devices": 2}, "b": {"network": ideal(30e6), "devices": 2}},
        links={
            "wa": wire("a", "sw", FAST, 0.001),
            "wb": wire("b", "sw", FAST, 0.002),
            "core": wire("sw", "server", core_bps, 0.003, **core),
        },
    )


def behind(air: dict[str, Any], capacity_bps: float, devices: int = 6, **wired: Any) -> NetworkSettings:
    """Return one access network behind one wire."""
    link = wire("home", "server", capacity_bps, **wired)
    access = {"home": {"network": air, "devices": devices}}
    return network("topology", access=access, links={"wire": link})


def everything(devices: tuple[str, ...]) -> list[Any]:
    """Return transfers both ways of each device, and a multicast."""
    up = [(device, "server", 40_000 + 1000 * i) for i, device in enumerate(devices)]
    return [*up, *(("server", device, 30_000) for device in devices), ("server", devices, 9_000)]


# --- by hand ---


def test_two_cells_behind_a_backhaul() -> None:
    # 10, 30 and 25 Mbit/s: 5 each in the first cell, and what is left, 7.5 each, in the second
    sent = [("d0", "server", 625_000), ("d1", "server", 625_000)]
    sent += [("d2", "server", 937_500), ("d3", "server", 937_500)]
    got, use = played(two_cells(25e6), hosts(4), sent)
    assert [delivery.last_bit_s for delivery in got] == pytest.approx([1.0] * 4, abs=1e-9)
    assert [delivery.end_s for delivery in got] == pytest.approx([1.004] * 2 + [1.005] * 2, abs=1e-9)
    assert [delivery.airtime_s for delivery in got] == pytest.approx([0.5, 0.5, 0.25, 0.25], abs=1e-9)
    assert got[0].limited_s == pytest.approx({"a/up": 1.0}, abs=1e-9)
    assert got[2].limited_s == pytest.approx({"core sw->server": 1.0}, abs=1e-9)
    core = use["core sw->server"]
    assert (core.carried_bits, core.busy_s, core.limited_s) == pytest.approx((25e6, 1.0, 2.0), abs=1e-9)
    assert use["core server->sw"].offered_bits == 0.0
    assert is_whole(use)


def test_a_parking_lot() -> None:
    # 10, 6 and 8 Mbit/s in a row: 3 for the long one, and 7, 3 and 5 for the short ones
    access = {name: {"network": ideal(FAST), "devices": 1, "server": at} for name, at in SHORT.items()}
    lot = network(
        "topology",
        access=access,
        links={
            **{f"to_{name}": wire(name, at, FAST) for name, at in STARTS.items()},
            "first": wire("n0", "s1", 10e6),
            "second": wire("s1", "s2", 6e6),
            "third": wire("s2", "s3", 8e6),
        },
    )
    sent = [("d0", "s3", 375_000), ("d1", "s1", 875_000), ("d2", "s2", 375_000), ("d3", "s3", 625_000)]
    got, use = played(lot, hosts(4, "s1", "s2", "s3"), sent)
    assert [delivery.end_s for delivery in got] == pytest.approx([1.0] * 4, abs=1e-9)
    assert got[0].limited_s == pytest.approx({"second s1->s2": 1.0}, abs=1e-9)
    assert [use[link].carried_bits for link in ("first n0->s1", "second s1->s2", "third s2->s3")] == (
        pytest.approx([10e6, 6e6, 8e6])
    )


SHORT = {"long": "s3", "p": "s1", "q": "s2", "r": "s3"}
STARTS = {"long": "n0", "p": "n0", "q": "s1", "r": "s2"}


def test_a_campus_with_wifi_and_a_cell_shares_its_wire_equally() -> None:
    campus = network(
        "topology",
        access={
            "radio": {"network": {"kind": "cell", "fading": "none"}, "devices": 1},
            "home": {"network": "wifi", "devices": 1},
        },
        links={
            "a": wire("radio", "sw", FAST, 0.004),
            "b": wire("home", "sw", FAST, 0.002),
            "core": wire("sw", "server", 8e6, 0.001),
        },
    )
    (cell, wifi), use = played(campus, hosts(2), [("d0", "server", 144_800), ("d1", "server", 147_200)])
    bits = (8.0 * cell.wire_bytes, 8.0 * wifi.wire_bytes)
    assert (cell.wire_bytes, wifi.wire_bytes > 147_200) == (144_800 + 100 * 60, True)
    on_wire = wifi.wire_bytes / 147_200  # Wi-Fi is told of payload alone, and the wire has headers
    wifi_s = 8.0 * 147_200 * (1.0 + on_wire) / 8e6  # equal rates, until its smaller message is through
    assert [wifi.last_bit_s, cell.last_bit_s] == pytest.approx([wifi_s, sum(bits) / 8e6], abs=1e-9)
    assert use["core sw->server"].carried_bits == pytest.approx(sum(bits), abs=1e-6)
    latencies = {link.device: link.latency_s for link in campus.survey(hosts(2), 0).links}
    assert cell.end_s - cell.last_bit_s == pytest.approx(latencies["d0"], abs=1e-12)
    assert latencies["d1"] == pytest.approx(0.001 + 0.002 + 0.001, abs=1e-12)


def test_devices_of_one_cell_share_a_wire_by_bits_and_not_by_radio_rate() -> None:
    places = ((20.0, 0.0), (1200.0, 0.0))
    air = {"kind": "cell", "positions": places, "shadowing": "none", "fading": "none", "header_bytes": 0}
    far, near = sorted(link.up_rate_bps for link in behind(air, FAST, 2).survey(hosts(2), 0).links)
    assert near > 2.0 * far
    wired_bps = 0.4 * far  # half of it each is far less than the air would let either have
    ends = ends_s(behind(air, wired_bps, 2), hosts(2), [("d0", "server", 10**5), ("d1", "server", 10**5)])
    assert ends[0] == pytest.approx(ends[1], abs=1e-9)
    assert ends[0] - 0.005 - 0.000444 == pytest.approx(16e5 / wired_bps, abs=1e-9)


def test_latency_adds_up_over_the_hops() -> None:
    chain = [wire(one, other, FAST, 0.001 * (i + 1)) for i, (one, other) in enumerate(pairwise("hxyz"))]
    links = {f"l{i}": link for i, link in enumerate([*chain, wire("z", "server", FAST, 0.1)])}
    access = {"h": {"network": ideal(8e6, latency=0.5), "devices": 1}}
    settings = network("topology", access=access, links=links)
    nothing, something = played(settings, hosts(1), [("d0", "server", 0), ("d0", "server", 10**6)])[0]
    assert nothing.end_s == pytest.approx(0.5 + 0.006 + 0.1, abs=1e-12)
    assert (something.last_bit_s, something.end_s) == pytest.approx((1.0, 1.606), abs=1e-12)


def test_both_ways_share_a_half_duplex_wire() -> None:
    sent = [("d0", "server", 10**6), ("server", "d0", 10**6)]
    full = ends_s(behind(ideal(100e6), 8e6, 1), hosts(1), sent)
    got, use = played(behind(ideal(100e6), 8e6, 1, duplex="half"), hosts(1), sent)
    assert full == pytest.approx([1.0, 1.0], abs=1e-9)
    assert [delivery.end_s for delivery in got] == pytest.approx([2.0, 2.0], abs=1e-9)
    assert (use["wire"].carried_bits, use["wire"].busy_s) == pytest.approx((16e6, 2.0), abs=1e-9)
    assert set(use) == {"home/up", "home/down", "wire"}


def test_another_capacity_back() -> None:
    dsl = behind(ideal(100e6), 1e6, 1, back_capacity=8e6)
    ends = ends_s(dsl, hosts(1), [("d0", "server", 10**6), ("server", "d0", 10**6)])
    assert ends == pytest.approx([8.0, 1.0], abs=1e-9)


# --- multicasts ---


def test_a_multicast_is_one_copy_on_a_wire_and_ends_with_its_slowest_branch() -> None:
    # 12 Mbit/s carry one copy: 10 Mbit/s to the first cell, and so 14 to the second
    everybody = tuple(f"d{i}" for i in range(4))
    (got,), use = played(two_cells(12e6), hosts(4), [("server", everybody, 10**6)])
    assert got.end_s == pytest.approx(0.8 + 0.004, abs=1e-9)
    assert (got.dst, got.receivers, got.wire_bytes) == ("*", 4, 2 * 10**6)
    assert use["core server->sw"].carried_bits == pytest.approx(8e6, abs=1e-6)
    assert use["b/down"].busy_s == pytest.approx(8e6 / 30e6, abs=1e-9)
    assert [use[f"w{name} sw->{name}"].carried_bits for name in "ab"] == [8e6, 8e6]
    assert is_whole(use)


def test_a_multicast_has_one_part_of_a_wire_that_others_want() -> None:
    everybody = tuple(f"d{i}" for i in range(4))
    sent = [("server", everybody, 10**6), ("server", "d0", 10**6), ("server", "d2", 10**6)]
    got, _ = played(two_cells(3e6), hosts(4), sent)
    assert [delivery.last_bit_s for delivery in got] == pytest.approx([8.0] * 3, abs=1e-9)


def test_a_multicast_within_one_cell_is_one_flow() -> None:
    (got,), use = played(two_cells(12e6), hosts(4), [("server", ("d2", "d3"), 10**6)])
    assert (got.receivers, got.wire_bytes) == (2, 10**6)
    assert got.last_bit_s == pytest.approx(8e6 / 12e6, abs=1e-9)
    assert use["a/down"].offered_bits == 0.0


def test_stations_that_hear_one_wire_send_one_copy_of_it() -> None:
    cells = behind({"kind": "multi_cell", "stations": 3, "fading": "none"}, 5e6)
    everybody = hosts(6).devices
    (got,), use = played(cells, hosts(6), [("server", tuple(everybody), 50_000)], seed=1)
    sending = [link for link, account in use.items() if link.endswith("/down") and account.carried_bits]
    assert len(sending) == 3
    assert got.wire_bytes * 8.0 == pytest.approx(3 * use["wire server->home"].carried_bits)


# --- several servers ---


def test_servers_send_over_wires_alone_and_devices_to_any_of_them() -> None:
    settings = network(
        "topology",
        access={"a": {"network": ideal(8e6), "devices": 1, "server": "edge"}},
        links={"near": wire("a", "edge", FAST), "far": wire("edge", "cloud", 4e6, 0.25)},
    )
    on = hosts(1, "edge", "cloud")
    assert settings.homes(on) == {"d0": "edge"}
    (up, across), use = played(settings, on, [("d0", "cloud", 10**6), ("edge", "cloud", 10**6)])
    assert (up.end_s, across.end_s) == pytest.approx((4.25, 4.25), abs=1e-9)
    assert (across.wire_bytes, across.receivers, across.energy_j) == (10**6, 1, 0.0)
    assert use["far edge->cloud"].carried_bits == pytest.approx(16e6)
    (both,), use = played(settings, on, [("cloud", ("edge", "d0"), 10**6)])
    assert (both.receivers, both.end_s) == pytest.approx((2, 2.25), abs=1e-9)
    assert use["far cloud->edge"].carried_bits == pytest.approx(8e6)


def test_who_is_on_no_route_is_a_key_error() -> None:
    env = simpy.Environment()
    opened = two_cells(25e6).open(env, hosts(4), 0)
    odd: list[Any] = [("d0", "d1"), ("nobody", "server"), ("server", "nobody"), ("server", "server")]
    for src, dst in [*odd, ("server", ()), ("a", "server"), ("d0", "sw"), ("d0", ("server", "server"))]:
        with pytest.raises(KeyError):
            opened.transfer(src, dst, 1)
    assert opened.stalled() == ()


# --- routes ---


def way(links: dict[str, Any], src: str = "h") -> tuple[str, ...]:
    """Return the links from the access network `h` to the server."""
    access = {"h": {"network": ideal(8e6), "devices": 1}}
    routes = network("topology", access=access, links=links).survey(hosts(1), 0).routes
    return next(route.links for route in routes if (route.src, route.dst) == (src, "server"))


def test_routes_are_the_shortest_by_latency_then_by_hops_then_by_name() -> None:
    direct = {"slow": wire("h", "server", FAST, 0.0051)}
    detour = {"in": wire("h", "x", FAST, 0.002), "out": wire("x", "server", FAST, 0.003)}
    assert way(direct | detour) == ("h/up", "in h->x", "out x->server")
    assert way({"slow": wire("h", "server", FAST, 0.005)} | detour) == ("h/up", "slow h->server")
    tenths = {"a": wire("h", "y", FAST, 0.1), "b": wire("y", "server", FAST, 0.2)}  # 0.1 + 0.2 is no 0.3
    assert way(tenths | {"c": wire("h", "server", FAST, 0.3)}) == ("h/up", "c h->server")
    also = {"a": wire("h", "w", FAST, 0.002), "z": wire("w", "server", FAST, 0.003)}
    assert way(also | detour) == ("h/up", "a h->w", "z w->server")
    twice = {"b": wire("h", "server", FAST), "a": wire("server", "h", FAST)}
    assert way(twice) == ("h/up", "a h->server")


@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(0, 4), st.integers(0, 9)),
        min_size=1,
        max_size=14,
        unique_by=lambda link: link[3],
    ),
    st.randoms(use_true_random=False),
)
def test_the_way_is_one_of_the_shortest_whatever_the_order_of_the_links(
    drawn: list[tuple[int, int, int, int]], rng: random.Random
) -> None:
    links = {
        f"l{name}": WiredLink(between=(f"n{one}", f"n{other}"), capacity=1e6, latency=0.1 * tenths)
        for one, other, tenths, name in drawn
        if one != other
    }
    graph = nx.MultiGraph()
    graph.add_nodes_from(("n0", "n5"))
    for name, link in links.items():
        graph.add_edge(*link.between, key=name, weight=round(10 * link.latency))
    routes = Routes(links, {})
    assert routes.leads("n0", "n5") == nx.has_path(graph, "n0", "n5")
    if routes.leads("n0", "n5"):
        hops = routes.way("n0", "n5")
        shortest = nx.shortest_path_length(graph, "n0", "n5", weight="weight")
        assert round(10 * sum(hop.latency_s for hop in hops)) == shortest
        nodes = ["n0", *(hop.link.rpartition("->")[2] for hop in hops)]
        ways = list(nx.all_shortest_paths(graph, "n0", "n5", weight="weight")) if shortest else [nodes]
        assert len(nodes) == min(map(len, ways))
        assert nodes == min(way for way in ways if len(way) == len(nodes))
        assert [hop.link.split()[1] for hop in hops] == [f"{a}->{b}" for a, b in pairwise(nodes)]
        mixed = rng.sample(list(links.items()), len(links))
        assert Routes(dict(mixed), {}).way("n0", "n5") == hops


def test_a_link_that_names_several_stations_by_their_network_joins_them_all() -> None:
    air = {"kind": "multi_cell", "stations": 2}
    access = {"campus": {"network": air, "devices": 2}}
    hub = {"core": wire("campus", "server", FAST)}
    own = {"left": wire("campus/s0", "server", FAST), "right": wire("campus/s1", "server", FAST)}
    for links, wires in ((hub, ["core campus->server"] * 2), (own, None)):
        survey = network("topology", access=access, links=links).survey(hosts(2), 0)
        up = {route.src: route.links for route in survey.routes if route.dst == "server"}
        first, second = wires or ["left campus/s0->server", "right campus/s1->server"]
        assert up == {"campus/s0": ("campus/s0/up", first), "campus/s1": ("campus/s1/up", second)}
        assert [station.name for station in survey.stations] == ["campus/s0", "campus/s1"]
        assert {link.station for link in survey.links} == {"campus/s0", "campus/s1"}


def test_a_graph_in_a_file_is_the_same_as_its_links(tmp_path: Path) -> None:
    graph = nx.Graph()
    graph.add_edge("a", "sw", capacity=1e12, latency=0.001, name="wa")
    graph.add_edge("b", "sw", capacity="1 Tbit/s", latency="2 ms", name="wb")
    graph.add_edge("sw", "server", capacity=25_000_000, latency=0.003, name="core")
    nx.write_graphml(graph, tmp_path / "site.graphml")
    access = {"a": {"network": ideal(10e6), "devices": 2}, "b": {"network": ideal(30e6), "devices": 2}}
    read = network("topology", access=access, graph={"file": str(tmp_path / "site.graphml")})
    sent = everything(tuple(hosts(4).devices))
    assert ends_s(read, hosts(4), sent) == ends_s(two_cells(25e6), hosts(4), sent)


@pytest.mark.parametrize("name", [{}, {"name": "dsl"}])
@pytest.mark.parametrize(
    "order", list(permutations([("a", "sw", 20e6), ("sw", "a", 100e6), ("sw", "server", 1e9)]))
)
def test_the_order_of_a_directed_graph_turns_no_wire_round(
    name: dict[str, str], order: Sequence[tuple[str, str, float]], tmp_path: Path
) -> None:
    graph = nx.DiGraph()
    for src, dst, capacity_bps in order:
        more = name if "a" in (src, dst) else {}
        graph.add_edge(src, dst, capacity=capacity_bps, latency=0.01, **more)
    graph.add_edge("server", "sw", capacity=1e9, latency=0.01)
    nx.write_graphml(graph, tmp_path / "site.graphml")
    links = links_in(tmp_path / "site.graphml")
    assert len(links) == 2
    (dsl,) = (link for link in links.values() if "a" in link.between)
    assert {src: capacity_of(dsl, src) for src in dsl.between} == {"a": 20e6, "sw": 100e6}
    assert all(link.back_capacity is None for link in links.values() if link is not dsl)


def test_parallel_wires_of_a_directed_graph_are_told_apart_by_name(tmp_path: Path) -> None:
    graph = nx.MultiDiGraph()
    for name, capacity_bps in (("fibre", 1e9), ("radio", 1e8)):
        graph.add_edge("a", "server", capacity=capacity_bps, latency=0.01, name=name)
        graph.add_edge("server", "a", capacity=capacity_bps / 2, latency=0.01, name=name)
    nx.write_graphml(graph, tmp_path / "site.graphml")
    links = links_in(tmp_path / "site.graphml")
    assert {name: (link.capacity, link.way_back) for name, link in links.items()} == {
        "fibre": (1e9, 5e8),
        "radio": (1e8, 5e7),
    }


MEGABITS = st.integers(1, 20).map(lambda megabits: megabits * 1e6)


@given(
    st.lists(st.tuples(MEGABITS, st.integers(0, 4), MEGABITS), min_size=1, max_size=4),
    st.lists(
        st.tuples(st.integers(0, 3), MEGABITS, st.sampled_from(["full", "half"])), min_size=5, max_size=5
    ),
    st.lists(st.tuples(st.integers(0, 7), st.booleans(), st.integers(1, 10**6)), min_size=1, max_size=12),
)
def test_random_trees_are_max_min_over_all_of_their_links(
    airs: list[tuple[float, int, float]],
    switches: list[tuple[int, float, str]],
    messages: list[tuple[int, bool, int]],
) -> None:
    """Against the naive engine: lanes of one rate are links, and a path is links alone."""
    access = {f"a{i}": {"network": ideal(rate), "devices": 2} for i, (rate, _, _) in enumerate(airs)}
    links = {f"w{i}": wire(f"a{i}", f"s{at}", bps) for i, (_, at, bps) in enumerate(airs)}
    for i, (above, bps, duplex) in enumerate(switches):
        end = "server" if i == 0 else f"s{min(above, i - 1)}"
        links[f"t{i}"] = wire(f"s{i}", end, bps, duplex=duplex)
    links |= {
        f"x{i}": wire(f"s{i}", f"x{i}", 1e6) for i in range(5)
    }  # ends of their own, so that all are switches
    links |= {f"y{i}": wire(f"x{i}", f"y{i % 2}", 1e6, 9.0) for i in range(5)}
    on = hosts(2 * len(airs))
    settings = network("topology", access=access, links=links)
    routes = {(route.src, route.dst): route.links for route in settings.survey(on, 0).routes}
    sent = [(f"d{i % len(on.devices)}", uplink, nbytes) for i, uplink, nbytes in messages]
    got, use = played(settings, on, [(d, "server", n) if up else ("server", d, n) for d, up, n in sent])
    naive = NaiveGraph(capacities(settings, airs))
    flows = []
    for device, uplink, nbytes in sent:
        node = f"a{int(device[1:]) // 2}"
        path = routes[(node, "server") if uplink else ("server", node)]
        flows.append(Routed(8.0 * nbytes, 1.0, path=path, consumption=(1.0,) * len(path)))
    ends = dict.fromkeys(map(id, flows), 0.0)
    for flow in flows:
        naive.start(0.0, flow)
    while (due_s := naive.due_s) < inf:
        ends |= {id(flow): due_s for flow in naive.finish(due_s)}
    assert [delivery.last_bit_s for delivery in got] == pytest.approx(
        [ends[id(flow)] for flow in flows], rel=1e-9
    )
    assert is_whole(use)
    assert sum(one.carried_bits for link, one in use.items() if link[0] == "a") == sum(
        8 * n for _, _, n in sent
    )


def capacities(settings: NetworkSettings, airs: list[tuple[float, int, float]]) -> dict[str, float]:
    """Return the capacity of each lane and wire."""
    assert isinstance(settings, Topology)
    lanes = {f"a{i}/{way}": rate_bps for i, (rate_bps, _, _) in enumerate(airs) for way in ("up", "down")}
    for name, link in settings.links.items():
        one, other = link.between
        ways = [name] if link.duplex == "half" else [f"{name} {one}->{other}", f"{name} {other}->{one}"]
        lanes |= dict.fromkeys(ways, link.capacity)
    return lanes


# --- laws over all access networks ---


def settings_of(air: dict[str, Any]) -> NetworkSettings:
    return network(**air)


@pytest.mark.parametrize("air", AIRS, ids=str)
def test_over_a_fast_wire_an_access_network_is_what_it_is_alone(air: dict[str, Any]) -> None:
    sent = everything(tuple(hosts(6).devices))
    got, use = played(behind(air, FAST), hosts(6), sent, seed=3)
    alone, _ = played(settings_of(air), hosts(6), sent, seed=3)
    assert [delivery._replace(limited_s={}) for delivery in got] == alone
    assert use["wire home->server"].limited_s == 0.0
    ups = sum(8.0 * delivery.wire_bytes for delivery in got[:6])
    assert use["wire home->server"].carried_bits == pytest.approx(ups, rel=1e-12)
    assert is_whole(use)


@pytest.mark.parametrize("air", AIRS, ids=str)
def test_behind_a_narrow_wire_bits_are_conserved_or_the_medium_is_refused(air: dict[str, Any]) -> None:
    sent = everything(tuple(hosts(6).devices))
    medium = settings_of(air).survey(hosts(6), 0).medium
    if medium in MEDIA and not find("slfac_sim.network.media", medium).takes_caps:
        with pytest.raises(BadInput, match=rf"^network\.access\.home\.network\.medium: {medium} does not"):
            played(behind(air, 3e6), hosts(6), sent)
        return
    got, use = played(behind(air, 3e6), hosts(6), sent, seed=3)
    last_s = max(delivery.last_bit_s for delivery in got)
    for one in use.values():
        assert one.offered_bits == one.carried_bits > 0.0 or one.offered_bits == 0.0
        assert one.busy_s <= last_s * (1.0 + 1e-9)
    assert use["wire home->server"].carried_bits <= 3e6 * last_s * (1.0 + 1e-9)
    assert use["wire home->server"].limited_s > 0.0
    for delivery in got:
        took_s, limited_s = delivery.last_bit_s - delivery.start_s, sum(delivery.limited_s.values())
        if delivery.dst == "*":
            assert limited_s <= delivery.receivers * took_s + 1e-9  # each branch has limits of its own
        else:  # something limits it at every moment at which it is served
            assert limited_s == pytest.approx(took_s, rel=1e-6) or air.get("fading") in WAVES


def test_a_wire_that_headers_fill_counts_as_one_that_may_be_full() -> None:
    # Ideal has no headers of its own; each datagram of 1472 bytes has 28 on the air and 66 on the wire
    def sent_over(wired_bps: float) -> float:
        air = ideal(8e6, sharing="none")
        link = wire("home", "server", wired_bps)
        access = {"home": {"network": air, "devices": 1}}
        settings = network("topology", access=access, links={"wire": link}, transport="udp")
        (got,), use = played(settings, hosts(1), [("d0", "server", 147_200)])
        assert use["wire home->server"].carried_bits == pytest.approx(8 * (147_200 + 6_600))
        return got.last_bit_s

    assert sent_over(FAST) == pytest.approx(8 * 150_000 / 8e6, abs=1e-9)
    assert sent_over(8e6) == pytest.approx(8 * 153_800 / 8e6, abs=1e-9)


def test_every_access_network_has_its_own_grid_of_fades() -> None:
    airs = [{"kind": "cell", "fading": {"kind": "block", "coherence": at_s}} for at_s in (0.007, 0.011)]
    access = {"a": {"network": airs[0], "devices": 2}, "b": {"network": airs[1], "devices": ["d2", "d3"]}}
    links = {name: wire(name, "server", FAST) for name in access}
    names = hosts(4).devices
    got, _ = played(
        network("topology", access=access, links=links), hosts(4), [(d, "server", 10**6) for d in names]
    )
    for air, own in zip(airs, (names[:2], names[2:]), strict=True):
        on = type(hosts(1))(own, ("server",))
        alone, _ = played(settings_of(air), on, [(device, "server", 10**6) for device in own])
        assert [delivery.end_s for delivery in got if delivery.src in own] == [d.end_s for d in alone]


def test_what_is_cancelled_was_carried_as_far_as_it_came() -> None:
    env = simpy.Environment()
    opened = behind(ideal(100e6), 8e6, 2).open(env, hosts(2), 0)
    gone, stays = (opened.transfer(device, "server", 10**6) for device in ("d0", "d1"))
    env.run(until=0.5)
    before = {use.link: use for use in opened.link_use()}
    assert before["wire home->server"].in_flight_bits == before["home/up"].offered_bits == 16e6
    got = gone.cancel()
    env.run()
    after = {use.link: use for use in opened.link_use()}
    assert got.airtime_s * got.rate_bps == pytest.approx(2e6, abs=1e-3)
    assert got.limited_s == pytest.approx({"wire home->server": 0.5}, abs=1e-9)
    assert stays.value.last_bit_s == pytest.approx(0.5 + 6e6 / 8e6, abs=1e-9)
    for link in ("wire home->server", "home/up"):
        assert after[link].carried_bits == pytest.approx(10e6, abs=1e-3)
    assert is_whole(before)
    assert is_whole(after)


def test_a_multicast_that_is_cancelled_leaves_what_its_branches_have_carried() -> None:
    env = simpy.Environment()
    opened = two_cells(12e6).open(env, hosts(4), 0)
    transfer = opened.transfer("server", tuple(hosts(4).devices), 10**6)
    env.run(until=0.7)  # the second cell is through at 8 / 14 s, the first one has 7 of its 8 Mbit
    got = transfer.cancel()
    use = {one.link: one for one in opened.link_use()}
    assert (got.delivered, use["a/down"].carried_bits) == (False, pytest.approx(7e6, abs=1e-3))
    assert use["core server->sw"].carried_bits == pytest.approx(0.5 * (7e6 + 8e6), abs=1e-3)
    assert is_whole(use)
    assert all(one.in_flight_bits == 0.0 for one in use.values())


def test_who_is_out_of_reach_waits_and_holds_up_nobody() -> None:
    far = {"kind": "cell", "positions": [[20.0, 0.0], [1e6, 0.0]], "outage": "allow", "shadowing": "none"}
    env = simpy.Environment()
    opened = behind(far, 1e6, 2).open(env, hosts(2), 0)
    near, lost = (opened.transfer(device, "server", 10_000) for device in ("d0", "d1"))
    env.run()
    assert near.value.delivered
    assert opened.stalled() == (lost,)
    use = {one.link: one for one in opened.link_use()}
    assert use["wire home->server"].in_flight_bits == pytest.approx(8 * near.value.wire_bytes)
    assert lost.cancel().limited_s == {}
    after = {one.link: one for one in opened.link_use()}
    assert after["wire home->server"].offered_bits == pytest.approx(8 * near.value.wire_bytes)


# --- settings ---


def test_what_a_survey_says_of_it() -> None:
    survey = two_cells(12e6).survey(hosts(4), 0)
    assert [(link.device, link.server, link.station) for link in survey.links] == [
        ("d0", "server", "a"),
        ("d1", "server", "a"),
        ("d2", "server", "b"),
        ("d3", "server", "b"),
    ]
    assert [link.up_rate_bps for link in survey.links] == [10e6, 10e6, 12e6, 12e6]
    assert [link.latency_s for link in survey.links] == pytest.approx([0.004, 0.004, 0.005, 0.005])
    assert [wired.name for wired in survey.wires] == ["wa", "wb", "core"]
    assert set(survey.access) == {"a", "b"}
    assert survey.access["b"].links[0].up_rate_bps == 30e6
    assert (survey.medium, survey.crowd_independent, survey.multicast_rate_bps) == ("fair", False, 10e6)


def test_what_it_radiates_is_what_its_access_networks_do() -> None:
    def of(*airs: Any) -> NetworkSettings:
        access = {f"n{i}": {"network": air, "devices": 1} for i, air in enumerate(airs)}
        links = {name: wire(name, "server", FAST) for name in access}
        return network("topology", access=access, links=links)

    controlled = {"kind": "cell", "device_power": 0.3, "power_control": {}}
    assert of("cell", controlled).radiates_w == pytest.approx((0.3, 10**1.4))
    assert of("cell", "ideal").radiates_w == (None, None)
    assert (of("cell").controls_power, of("cell", controlled).controls_power) == (False, True)
    assert of("cell", "cell").shared == network("cell").shared
    assert not of("cell", "wifi").shared.bounded


def test_what_changes_with_time_stands_still_in_a_forecast() -> None:
    faded = behind({"kind": "cell", "fading": "block"}, FAST)
    assert isinstance(faded, Topology)
    assert faded.still.access["home"].network == settings_of({"kind": "cell", "fading": "ergodic"})
    assert faded.still.still == faded.still != faded


def test_a_medium_that_cannot_follow_a_wire_stays_with_its_own_server() -> None:
    settings = network(
        "topology",
        access={"a": {"network": {"kind": "cell", "medium": "tdma"}, "devices": 1, "server": "edge"}},
        links={"near": wire("a", "edge", FAST), "far": wire("edge", "cloud", 1e6)},
    )
    on = hosts(1, "edge", "cloud")
    assert played(settings, on, [("d0", "edge", 1000)])[0][0].delivered
    with pytest.raises(BadInput, match=r"tdma does not divide anew what the wire far, which may be full"):
        played(settings, on, [("d0", "cloud", 1000)])
