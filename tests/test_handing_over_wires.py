"""Devices of a topology that go from station to station: other wires, the same server, what links carry."""

from math import inf
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_handing_over import DEVICES, HOSTS, RATES, apart, as_asked, moves, played, sent
from timetabled import Timetabled
from topologies import is_whole
from topologies import network as settings_of

from slfac_sim.foundation.errors import BadInput
from slfac_sim.network.kinds.topology import Topology
from slfac_sim.network.media.fair import Fair
from slfac_sim.network.media.ofdma import Ofdma
from slfac_sim.network.topology.settings import Access, WiredLink
from slfac_sim.network.transport.fluid import Fluid
from slfac_sim.network.transport.tcp import Tcp
from slfac_sim.network.transport.udp import Udp


def wired(of: Timetabled, capacities: tuple[float, ...], **own: Any) -> Topology:
    """Return the stations of `of`, each with a wire of its own to a switch, and one from there."""
    links = {
        f"b{i}": WiredLink(between=(f"campus/s{i}", "mast"), capacity=capacity, latency=0.001 * i)
        for i, capacity in enumerate(capacities)
    }
    links["core"] = WiredLink(between=("mast", "server"), capacity=20e6, latency=0.0)
    return Topology(access={"campus": Access(network=of)}, links=links, **own)


def test_bits_go_by_the_wires_of_the_station_that_serves() -> None:
    of = Timetabled(rates=RATES, moves=(("d0", 0.5, 1),))
    (one,), opened = played(wired(of, (4e6, 2e6, 9e6)), [(0.0, "d0", ("server",), 8e6, inf)])
    assert one.end_s == pytest.approx(0.55 + 6e6 / 2e6 + 0.001)
    assert one.limited_s == pytest.approx({"b0 campus/s0->mast": 0.5, "b1 campus/s1->mast": 3.0})
    use = {link.link: link for link in opened.link_use()}
    assert is_whole(use)
    carried = {"b0 campus/s0->mast": 2e6, "b1 campus/s1->mast": 6e6, "core mast->server": 8e6}
    assert {link: use[link].carried_bits for link in carried} == pytest.approx(carried)
    assert use["campus/s0/up"].carried_bits == pytest.approx(2e6)
    assert use["campus/s0/up"].busy_s == pytest.approx(0.25)
    assert [(h.source, h.target) for h in opened.handovers()] == [("campus/s0", "campus/s1")]


def test_a_part_of_a_multicast_is_another_copy_on_the_wires_before_it() -> None:
    of = Timetabled(rates=RATES, moves=(("d3", 0.5, 1),))
    (one,), opened = played(wired(of, (90e6,) * 3), [(0.0, "server", ("d0", "d1", "d3"), 16e6, inf)])
    use = {link.link: link for link in opened.link_use()}
    assert is_whole(use)
    assert use["core server->mast"].carried_bits == pytest.approx(16e6 + 8e6)
    assert use["campus/s1/down"].carried_bits == pytest.approx(16e6 + 8e6)
    assert one.delivered
    assert one.receivers == 3


TRANSPORTS = {"fluid": Fluid(), "tcp": Tcp(loss=0.02), "udp": Udp(loss=0.05, tries=3)}


@pytest.mark.parametrize("transport", TRANSPORTS)
@settings(max_examples=60, deadline=None)
@given(moves, st.lists(sent, min_size=1, max_size=8), st.sampled_from([Fair(), Ofdma()]))
def test_links_carry_lose_or_have_in_flight_what_they_are_offered(
    transport: str, some: list[tuple[str, float, int]], asked: list[Any], medium: Any
) -> None:
    of = Timetabled(rates=RATES, moves=(*apart(some), ("d3", 90.0, 0)), medium=medium)
    network = wired(of, (4e6, 2e6, 9e6), transport=TRANSPORTS[transport])
    went, opened = played(network, as_asked(asked))
    use = {link.link: link for link in opened.link_use()}
    for one in use.values():
        offered_bits = one.carried_bits + one.lost_bits + one.in_flight_bits
        assert one.offered_bits == pytest.approx(offered_bits, rel=1e-12)
        assert one.in_flight_bits == 0.0
    for one in went:
        assert one.rate_bps * one.airtime_s <= 8.0 * one.wire_bytes * (1.0 + 1e-6)
        if one.delivered and not one.missed:
            assert one.rate_bps * one.airtime_s >= 8.0 * one.wire_bytes * (1.0 - 1e-6) - 8.0
        waited_s = one.last_bit_s - one.asked_s
        assert one.dst == "*" or sum(one.limited_s.values()) <= waited_s * (1.0 + 1e-9) + 1e-9
    lanes_bits = sum(use[f"campus/s{i}/up"].carried_bits for i in range(3))
    sent_bits = sum(one.rate_bps * one.airtime_s for one in went if one.dst == "server")
    if transport == "fluid":
        wires_bits = sum(use[f"b{i} campus/s{i}->mast"].carried_bits for i in range(3))
        assert lanes_bits == pytest.approx(wires_bits)
        assert lanes_bits == pytest.approx(use["core mast->server"].carried_bits)
        assert lanes_bits == pytest.approx(sent_bits)


@pytest.mark.parametrize("medium", ["fair", "ofdma", "fdma"])
def test_wires_without_end_change_nothing(medium: str) -> None:
    walk = {"x": {"kind": "random_waypoint", "speed": (20.0, 40.0), "area": (300.0, 300.0)}}
    campus = {"kind": "multi_cell", "stations": 3, "spacing": 150.0, "radius": 100.0, "medium": medium}
    alone = settings_of(**campus, bandwidth=2e6, change=walk)
    access = {"campus": {"network": campus | {"bandwidth": 2e6}, "devices": 4}}
    links = {"core": {"between": ("campus", "server"), "capacity": 1e15, "latency": 0.0}}
    behind = settings_of("topology", access=access, links=links, change=walk)
    asked = [
        (0.3 * i, *([("server", DEVICES)] if i % 3 == 2 else [(DEVICES[i % 4], ("server",))])[0], 8e6, inf)
        for i in range(12)
    ]
    (plain, own), (wired_up, opened) = played(alone, asked), played(behind, asked)
    assert [one._replace(limited_s={}) for one in wired_up] == [one._replace(limited_s={}) for one in plain]
    moved = own.handovers()
    assert len(moved) > 5
    assert any(one.carried_bits > 0.0 for one in moved)
    assert [(h.device, h.at_s, h.carried_bits) for h in opened.handovers()] == [
        (h.device, h.at_s, h.carried_bits) for h in moved
    ]


def test_who_cannot_move_is_told_once() -> None:
    access = {
        "campus": {"network": {"kind": "multi_cell"}, "devices": 2},
        "home": {"network": {"kind": "ideal"}, "devices": 2},
    }
    links = {
        name: {"between": (name, "server"), "capacity": 1e9, "latency": 0.0} for name in ("campus", "home")
    }
    for devices in ("all", ("d0", "d3")):
        change = {"walk": {"kind": "gauss_markov", "devices": devices}}
        with pytest.raises(BadInput) as told:
            settings_of("topology", access=access, links=links, change=change).survey(HOSTS, 1)
        who = "d2" if devices == "all" else "d3"
        assert str(told.value) == (
            f"network.change.walk.devices: {who} is on network.access.home, where devices stand still:"
            " expected some of those on campus"
        )
    change = {"walk": {"kind": "gauss_markov", "devices": ("d0", "d1")}}
    settings_of("topology", access=access, links=links, change=change).survey(HOSTS, 1)
