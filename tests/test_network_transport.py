"""Transports: packets, store-and-forward, slow start, loss, jitter and grants, each with its oracle."""

from dataclasses import replace
from math import inf, sqrt

import numpy as np
import pytest
import simpy
from hypothesis import given
from hypothesis import strategies as st
from worlds import scenario

from slfac_sim.cli import main
from slfac_sim.foundation.plugins import adapter, kind_of, kinds
from slfac_sim.network import Hosts, Lost
from slfac_sim.network.delays import Jitter
from slfac_sim.network.kinds.cell import Cell
from slfac_sim.network.kinds.ideal import Ideal
from slfac_sim.network.kinds.multi_cell import MultiCell
from slfac_sim.network.kinds.topology import Topology
from slfac_sim.network.kinds.wifi import Wifi
from slfac_sim.network.transfers import Hop, Path
from slfac_sim.network.transport import Framing, Message
from slfac_sim.network.transport.fluid import Fluid
from slfac_sim.network.transport.tcp import Tcp, slow_start
from slfac_sim.network.transport.udp import Udp
from slfac_sim.runs.run import prepare, run
from slfac_sim.scenario.fingerprint import learning_key
from slfac_sim.scenario.steering import steered

DEVICES = ("d0", "d1", "d2")
MEGABYTE = 1_000_000
ETHERNET = 38
NO_PACKETS = Framing()


def hop(capacity_bps=10e6, latency_s=0.001, loss=0.0, name="wire", header_bytes=ETHERNET):
    return Hop(name, capacity_bps, latency_s, header_bytes, loss)


def over_wires(*hops):
    return Path("", False, ("far",), inf, 0.0, sum(hop.latency_s for hop in hops), hops=hops)


def message(nbytes, path=None, alone_bps=inf, rtt_s=None, framing=NO_PACKETS, **more):
    path = over_wires(hop()) if path is None else path
    told = {"src": "near", "dst": "far", "number": 1, "now_s": 0.0, **more}
    rtt_s = 2 * path.latency_s if rtt_s is None else rtt_s
    return Message(payload_bytes=nbytes, path=path, alone_bps=alone_bps, rtt_s=rtt_s, framing=framing, **told)


def planned(transport, *arguments, seed=0, **more):
    return transport.sender(seed).plan(message(*arguments, **more))


def alone_s(plan, path, lane_bps=inf):
    """Return how long a plan takes on links that it has to itself: a fluid over the slowest, then latency."""
    capacities_bps = [lane_bps, *(hop.capacity_bps for hop in path.hops)]
    rate_bps = min(bps / use for bps, use in zip(capacities_bps, plan.consumption, strict=True))
    fluid_s = plan.bits / min(rate_bps, plan.cap_bps)
    return plan.wait_s + fluid_s + path.latency_s + plan.latency_s


def open_ideal(**settings):
    env = simpy.Environment()
    network = Ideal(**settings).open(env, Hosts(DEVICES, ("server",)), 0)
    return env, network


def sent(network, env, *transfers):
    """Begin `transfers` at once, run to the end and return what came of each: a delivery, or a `Lost`."""
    under_way = [network.transfer(*transfer) for transfer in transfers]
    for transfer in under_way:
        transfer.callbacks.append(lambda event: setattr(event, "defused", True))
    env.run()
    return [transfer.value for transfer in under_way]


# Bytes.


@pytest.mark.parametrize(
    ("transport", "nbytes", "packets"),
    [
        (Tcp(), MEGABYTE, 691),
        (Udp(), MEGABYTE, 680),
        (Tcp(), 1460, 2),
        (Tcp(), 1448, 1),
        (Udp(), 1472, 1),
        (Udp(), 1473, 2),
    ],
)
def test_a_message_fills_packets_and_each_link_adds_its_own_layer_2(transport, nbytes, packets):
    headers = {"Tcp": 52, "Udp": 28}[type(transport).__name__]
    path = replace(over_wires(hop(header_bytes=38), hop(header_bytes=2)), lane="air", uplink=True)
    plan = planned(transport, nbytes, path, alone_bps=1e6, framing=Framing(layer2_bytes=8))
    of_links = [nbytes + packets * (headers + layer2) for layer2 in (8, 38, 2)]
    assert plan.wire_bytes == of_links[0]
    assert plan.bits == 8 * of_links[0]
    assert [use * plan.bits for use in plan.consumption] == pytest.approx(
        [8 * b for b in of_links], rel=1e-12
    )


def test_over_wires_alone_the_first_wire_counts():
    plan = planned(Udp(), 10 * 1472, over_wires(hop(header_bytes=38), hop(header_bytes=2)))
    assert plan.bits == 8 * 10 * (1472 + 28 + 38)
    assert plan.consumption == (1.0, 1.0, 1502 / 1538)


def test_fluid_carries_the_bits_of_its_lane_everywhere():
    path = replace(over_wires(hop(), hop()), lane="air", uplink=True)
    plan = planned(Fluid(), 1449, path, framing=Framing(1448, 60, 8))
    assert (plan.wire_bytes, plan.consumption, plan.cap_bps) == (1449 + 120, (1.0, 1.0, 1.0), inf)
    assert (plan.wait_s, plan.latency_s, plan.tries(plan.bits)) == (0.0, 0.0, 1)


def test_a_cell_keeps_8_bytes_of_its_own_and_802_11_counts_nothing_twice():
    """A packet of TCP is as long on the air as one of UDP with as many bytes of IP, to the bit."""
    hosts = Hosts(DEVICES, ("server",))
    headers = {
        transport: Cell(transport=transport).survey(hosts, 0).wire_bytes(1448) - 1448
        for transport in (Fluid(), Tcp(), Udp())
    }
    assert headers == {Fluid(): 60, Tcp(): 60, Udp(): 36}
    assert Cell(transport=Tcp(), header_bytes=0).survey(hosts, 0).wire_bytes(1448) == 1500
    took_s = {}
    for transport, nbytes in ((Fluid(), 14_720), (Udp(), 14_720), (Tcp(set_up=0), 14_480)):
        env = simpy.Environment()
        (got,) = sent(Wifi(transport=transport).open(env, hosts, 0), env, ("d0", "server", nbytes))
        took_s[transport] = got.last_bit_s
        on_air = 10 * (1500 + got.wire_bytes % 1) + 10 * 38  # LLC 8, QoS MAC 26, FCS 4
        assert got.wire_bytes == on_air
    assert len({round(took, 12) for took in took_s.values()}) == 1


# Store-and-forward.


def test_a_frame_over_10_mbit_and_1_ms():
    path = over_wires(hop(10e6, 0.001, header_bytes=2))
    plan = planned(Udp(), 1472, path)
    assert plan.wire_bytes == 1502
    assert alone_s(plan, path) == pytest.approx(2.2016e-3, abs=1e-9)


@pytest.mark.parametrize(
    "capacities_bps", [(10e6, 5e6, 20e6), (20e6, 5e6, 10e6), (5e6, 50e6, 7e6, 7e6, 100e6), (9e6,) * 5]
)
@pytest.mark.parametrize("packets", [1, 2, 7, 100])
def test_equal_packets_over_3_and_5_hops(capacities_bps, packets):
    """T = sum(L / C + d) + (n - 1) L / C_min, to a nanosecond."""
    hops = [hop(bps, 0.001 * i, name=f"w{i}") for i, bps in enumerate(capacities_bps)]
    path = over_wires(*hops)
    frame_bits = 8 * (1472 + 28 + 38)
    due_s = sum(frame_bits / wire.capacity_bps + wire.latency_s for wire in hops)
    due_s += (packets - 1) * frame_bits / min(capacities_bps)
    assert alone_s(planned(Udp(), packets * 1472, path), path) == pytest.approx(due_s, abs=1e-9)


def forwarded_s(sizes, links):
    """Return when the last packet is through, packet by packet: the reference."""
    ready = [0.0] * len(sizes)
    for capacity_bps, latency_s, header_bytes in links:
        free_s = 0.0
        for i, size in enumerate(sizes):
            free_s = max(free_s, ready[i]) + 8 * (size + header_bytes) / capacity_bps
            ready[i] = free_s
        ready = [at_s + latency_s for at_s in ready]
    return ready[-1]


@given(
    st.integers(1, 60_000),
    st.lists(st.tuples(st.floats(1e5, 1e8), st.floats(0, 0.1), st.integers(0, 50)), min_size=1, max_size=5),
    st.booleans(),
    st.floats(1e5, 1e8),
)
def test_any_message_is_forwarded_as_packet_by_packet(nbytes, links, uplink, lane_bps):
    """With an air lane before the wires, or behind them on the way down."""
    hops = tuple(Hop(f"w{i}", bps, delay_s, header) for i, (bps, delay_s, header) in enumerate(links))
    path = replace(over_wires(*hops), lane="air", uplink=uplink)
    plan = planned(Udp(), nbytes, path, alone_bps=lane_bps, framing=Framing(layer2_bytes=8))
    wires = [(wire.capacity_bps, wire.latency_s, 28 + wire.header_bytes) for wire in hops]
    crossed = [(lane_bps, 0.0, 36), *wires] if uplink else [*wires, (lane_bps, 0.0, 36)]
    full, last = divmod(nbytes, 1472)
    sizes = [1472] * full + ([last] if last else [])
    assert alone_s(plan, path, lane_bps) == pytest.approx(forwarded_s(sizes, crossed), rel=1e-9)


# TCP.


def slow_start_reference(count, wire_bytes, ack_bytes, capacity_bps, owd_s):
    """Return when the last of `count` segments arrives after set-up, by the formula, window by window."""
    rtt_s = 2 * owd_s + (wire_bytes + ack_bytes) * 8 / capacity_bps
    at_s, left, window = 0.0, count, 10
    while left > window and window * wire_bytes * 8 / capacity_bps < rtt_s:
        at_s += rtt_s
        left -= window
        window *= 2
    return at_s + owd_s + left * wire_bytes * 8 / capacity_bps


@pytest.mark.parametrize("count", [1, 10, 11, 30, 31, 100, 691, 7000])
@pytest.mark.parametrize(
    ("capacity_bps", "owd_s"), [(10e6, 0.02), (100e6, 0.05), (1e6, 0.001), (50e6, 0.005)]
)
def test_slow_start_is_the_formula_s(count, capacity_bps, owd_s):
    path = over_wires(hop(capacity_bps, owd_s, header_bytes=2))
    plan = planned(Tcp(), count * 1448, path)
    wire, ack = 1448 + 54, 54
    assert plan.wait_s == pytest.approx(2 * owd_s + 2 * ack * 8 / capacity_bps, rel=1e-12)
    due_s = slow_start_reference(count, wire, ack, capacity_bps, owd_s)
    assert alone_s(plan, path) - plan.wait_s == pytest.approx(due_s, rel=1e-9)


def packets_of_slow_start(count, wire_bytes, ack_bytes, capacity_bps, owd_s):
    """Return when the last segment arrives, segment by segment: each that is acknowledged lets two go."""
    packet_s, ack_s = wire_bytes * 8 / capacity_bps, ack_bytes * 8 / capacity_bps
    free_s, allowed = 0.0, [0.0] * 10
    for i in range(count):
        free_s = max(free_s, allowed[i]) + packet_s
        allowed += [free_s + 2 * owd_s + ack_s] * 2
    return free_s + owd_s


@pytest.mark.parametrize("count", [10, 30, 100, 691, 3000])
@pytest.mark.parametrize(("capacity_bps", "owd_s"), [(10e6, 0.02), (100e6, 0.02), (20e6, 0.1)])
def test_slow_start_is_within_a_percent_of_segments_that_are_acknowledged(count, capacity_bps, owd_s):
    path = over_wires(hop(capacity_bps, owd_s, header_bytes=2))
    plan = planned(Tcp(set_up=0), count * 1448, path)
    due_s = packets_of_slow_start(count, 1502, 54, capacity_bps, owd_s)
    assert alone_s(plan, path) == pytest.approx(due_s, rel=0.01)


def test_the_receivers_window_caps_the_rate_at_one_in_a_round_trip():
    path = over_wires(hop(1e9, 0.05, header_bytes=2))
    nbytes, window = 50 * MEGABYTE, 1448 * 100
    plan = planned(Tcp(rwnd=window), nbytes, path)
    rtt_s = 0.1 + (1502 + 54) * 8 / 1e9
    goodput_bps = plan.cap_bps * 8 * nbytes / plan.bits
    assert goodput_bps == pytest.approx(8 * window / rtt_s, rel=1e-3)
    assert planned(Tcp(), nbytes, over_wires(hop(10e6, 0.0))).cap_bps > 10e6


def test_random_losses_cap_the_rate():
    """At MSS / RTT sqrt(1.5 / p), as it stands in Mathis et al., 1997."""
    path = over_wires(hop(1e9, 0.05, loss=0.01, header_bytes=2))
    plan = planned(Tcp(), 50 * MEGABYTE, path)
    rtt_s = 0.1 + (1502 + 54) * 8 / 1e9
    assert plan.cap_bps * 1448 / 1502 == pytest.approx(8 * 1448 / rtt_s * sqrt(1.5 / 0.01), rel=1e-3)


def test_a_lane_that_knows_no_caps_has_the_capped_time_as_latency():
    path = replace(over_wires(), lane="air", uplink=True, latency_s=0.05)
    capped, other = (
        planned(Tcp(rwnd=14480), MEGABYTE, path, alone_bps=100e6, takes_caps=takes) for takes in (True, False)
    )
    assert other.cap_bps == inf
    assert alone_s(other, path, 100e6) == pytest.approx(alone_s(capped, path, 100e6), rel=1e-12)


def test_the_first_transfer_of_a_pair_pays_for_a_connection_that_is_kept():
    env, network = open_ideal(latency=0.1, transport=Tcp())
    waits = []
    for src, dst in (("d0", "server"), ("d0", "server"), ("server", "d0"), ("d1", "server")):
        (got,) = sent(network, env, (src, dst, 1000))
        waits.append(round(got.start_s - got.asked_s, 3))
    assert waits == [0.2, 0.0, 0.0, 0.2]
    env, network = open_ideal(latency=0.1, transport=Tcp(connection="per_transfer", set_up=2))
    waits = [got.start_s - got.asked_s for got in sent(network, env, *[("d0", "server", 1000)] * 2)]
    assert waits == pytest.approx([0.4, 0.4], rel=0.01)


@pytest.mark.parametrize(
    ("restarts", "pause_s", "again"), [(True, 1.0, True), (True, 0.1, False), (False, 1.0, False)]
)
def test_a_window_is_kept_or_shrinks_in_a_pause(restarts, pause_s, again):
    """Slow start begins anew after a pause of a round trip and 200 ms, unless it is told not to."""
    env, network = open_ideal(up_rate=10e6, latency=0.05, transport=Tcp(restart_after_idle=restarts))
    (first,) = sent(network, env, ("d0", "server", MEGABYTE))
    env.run(env.now + pause_s)
    (second,) = sent(network, env, ("d0", "server", MEGABYTE))
    latencies_s = [got.end_s - got.last_bit_s for got in (first, second)]
    assert latencies_s[0] > 0.15
    assert latencies_s[1] == pytest.approx(latencies_s[0] if again else 0.05, rel=1e-6)


def test_the_stations_of_a_multicast_each_have_a_window_of_their_own():
    """What one sends at the same instant does not widen that of the other: both begin with ten segments."""
    sender = Tcp().sender(0)
    paths = [replace(over_wires(hop(latency_s=0.1)), devices=(name,)) for name in DEVICES]
    plans = [sender.plan(message(MEGABYTE, path, dst="*")) for path in paths]
    assert len({(plan.wait_s, plan.latency_s) for plan in plans}) == 1
    assert plans[0].latency_s > 0.2


def test_a_window_that_fills_the_round_trip_waits_for_nothing():
    assert slow_start(64.0, 1000, 0.01, 0.5) == (64.0, 0.0)
    window, later_s = slow_start(10.0, 1000, 0.0, 0.5)
    assert (window, later_s) == (640.0, 6 * 0.5)  # 10, 20, ..., 320 and then the rest, at once


# Loss.


def tries_of(loss, tries, messages, nbytes=1472, **more):
    sender = Udp(loss=loss, tries=tries).sender(7)
    path = replace(over_wires(), lane="air", uplink=True)
    return [
        sender.plan(message(nbytes, path, alone_bps=1e6, **{"number": number, **more}))
        for number in range(1, messages + 1)
    ]


def test_packets_are_sent_a_geometric_number_of_times():
    """Mean 1 / (1 - p), variance p / (1 - p)^2, within 4 standard errors."""
    p, messages = 0.3, 4000
    counts = np.array([plan.bits for plan in tries_of(p, None, messages)]) / (8 * 1500)
    variance = p / (1 - p) ** 2
    assert counts.mean() == pytest.approx(1 / (1 - p), abs=4 * sqrt(variance / messages))
    fourth = ((counts - counts.mean()) ** 4).mean()
    assert counts.var() == pytest.approx(variance, abs=4 * sqrt((fourth - variance**2) / messages))


@pytest.mark.parametrize("most", [1, 2, 3])
def test_the_last_try_bounds_them_and_leaves_a_residual(most):
    """Mean (1 - p^m) / (1 - p); the message is lost with probability p^m."""
    p, messages = 0.3, 4000
    plans = tries_of(p, most, messages)
    counts = np.array([plan.bits for plan in plans]) / (8 * 1500)
    lost = np.array([plan.is_lost for plan in plans])
    assert counts.max() == most
    assert counts.mean() == pytest.approx(
        (1 - p**most) / (1 - p), abs=4 * counts.std() / sqrt(messages) + 1e-9
    )
    assert lost.mean() == pytest.approx(p**most, abs=4 * sqrt(p**most * (1 - p**most) / messages))
    assert {plan.tries(plan.bits) for plan in plans} == set(range(1, most + 1))


def test_the_rounds_of_a_block_are_those_of_selective_repeat():
    """E[rounds] = sum over k >= 0 of 1 - (1 - p^k)^n, and each after the first costs a round trip."""
    p, n, messages = 0.2, 20, 2000
    plans = tries_of(p, None, messages, nbytes=n * 1472, rtt_s=0.1)
    rounds = np.array([plan.tries(plan.bits) for plan in plans])
    due = sum(1 - (1 - p**k) ** n for k in range(60))
    assert rounds.mean() == pytest.approx(due, abs=4 * rounds.std() / sqrt(messages))
    assert [plan.latency_s for plan in plans] == pytest.approx(0.1 * (rounds - 1))


def test_stop_and_wait_has_the_efficiency_of_the_text_books():
    """One packet at a time, with an answer of no length: (1 - p) T_f / (T_f + RTT)."""
    p, rtt_s, frame_s = 0.2, 0.05, 1500 * 8 / 1e6
    messages = 4000
    plans = tries_of(p, None, messages, rtt_s=rtt_s)
    took_s = np.array([plan.bits / 1e6 + plan.latency_s + rtt_s for plan in plans])  # and the answer is back
    efficiency = frame_s / took_s.mean()
    slack = 4 * took_s.std() / sqrt(messages) / took_s.mean()
    assert efficiency == pytest.approx((1 - p) * frame_s / (frame_s + rtt_s), rel=slack)


def test_draws_are_of_the_pair_and_the_number_of_the_transfer_and_of_nothing_else():
    path = replace(over_wires(), lane="air", uplink=True)
    transport = Udp(loss=0.3, tries=None)

    def bits(number, src="d0", seed=3, nbytes=14720):
        told = message(nbytes, path, alone_bps=1e6, number=number, src=src)
        return transport.sender(seed).plan(told).bits

    sender = transport.sender(3)
    in_order = [
        sender.plan(message(14720, path, alone_bps=1e6, number=k, src="d0")).bits for k in range(1, 20)
    ]
    assert in_order[::-1] == [bits(number) for number in range(19, 0, -1)]
    assert len({tuple(bits(k, src) for k in range(1, 20)) for src in DEVICES}) == 3
    assert bits(1, seed=4) != bits(1) or bits(2, seed=4) != bits(2)


def test_losses_lie_on_the_links_by_their_odds_and_later_links_are_given_what_is_left():
    loss = (0.1, 0.05, 0.2)
    wires = [hop(10e6, 0.0, p, f"w{i}") for i, p in enumerate(loss[1:])]
    path = replace(over_wires(*wires), lane="air", uplink=True)
    n = 20_000
    plan = planned(Udp(loss=loss[0], tries=None), n * 1472, path, alone_bps=1e7)
    given = [
        plan.bits * use / 8 / (1500 + layer2)
        for use, layer2 in zip(plan.consumption, (0, 38, 38), strict=True)
    ]
    assert given[0] == pytest.approx(n / np.prod([1 - p for p in loss]), rel=0.02)
    for i, p in enumerate(loss):
        assert plan.lost_parts[i] == pytest.approx(p, rel=0.1)
        arrived = given[i] * (1 - plan.lost_parts[i])
        assert arrived == pytest.approx(given[i + 1] if i < 2 else n, rel=1e-6)


def test_on_the_way_down_the_air_comes_last():
    path = replace(over_wires(hop(10e6, 0.0, 0.5)), lane="air", uplink=False, devices=("far",))
    plan = planned(Udp(tries=None), 5000 * 1472, path, alone_bps=1e7)
    assert plan.bits == 8 * 5000 * 1500
    assert plan.consumption[1] * 1500 / 1538 == pytest.approx(2.0, rel=0.1)


def spokes(transport, loss=0.0, air=None, capacity="50 Mbit/s"):
    """Return settings of two access networks, each with two wires and a switch before the server."""
    air = air or {"kind": "ideal", "up_rate": 20e6, "down_rate": 30e6}
    link = {"capacity": capacity, "latency": 0.001, "loss": loss}
    return adapter(Topology).validate_python(
        {
            "access": {"a": {"network": air, "devices": 2}, "b": {"network": air, "devices": 1}},
            "links": {
                "a1": {"between": ["a", "sa"], **link},
                "a2": {"between": ["sa", "server"], **link},
                "b1": {"between": ["b", "sb"], **link},
                "b2": {"between": ["sb", "server"], **link, "capacity": "8 Mbit/s"},
            },
            "transport": transport,
        }
    )


@given(
    seed=st.integers(0, 2**20),
    loss=st.floats(0.0, 0.6),
    of_wires=st.floats(0.0, 0.3),
    tries=st.one_of(st.none(), st.integers(1, 4)),
    sizes=st.lists(st.integers(0, 30_000), min_size=1, max_size=6),
    kind=st.sampled_from(["tcp", "udp"]),
    cancelled_s=st.one_of(st.none(), st.floats(0.0, 0.05)),
)
def test_what_links_are_given_is_carried_lost_or_in_flight(
    seed, loss, of_wires, tries, sizes, kind, cancelled_s
):
    """Per link and in all, at any time: transfers are lost, cancelled, or whole."""
    env = simpy.Environment()
    settings = spokes({"kind": kind, "loss": loss, "tries": tries}, of_wires)
    network = settings.open(env, Hosts(DEVICES, ("server",)), seed)
    ends = [("d0", "server"), ("server", "d1"), ("server", DEVICES), ("d2", "server")]
    transfers = [network.transfer(*ends[i % 4], nbytes) for i, nbytes in enumerate(sizes)]
    for transfer in transfers:
        transfer.callbacks.append(lambda event: setattr(event, "defused", True))

    def conserved():
        for use in network.link_use():
            parts = use.carried_bits + use.lost_bits + use.in_flight_bits
            assert use.offered_bits == pytest.approx(parts, rel=1e-9, abs=1e-6)
            assert min(use.carried_bits, use.lost_bits, use.in_flight_bits) >= 0.0

    env.run(0.02)
    conserved()
    if cancelled_s is not None:
        env.run(0.02 + cancelled_s + 1e-6)
        for transfer in transfers[:1]:
            if not transfer.triggered:
                transfer.cancel()
        conserved()
    env.run()
    conserved()
    used = {use.link: use for use in network.link_use()}
    assert sum(use.in_flight_bits for use in used.values()) == 0.0
    if cancelled_s is None:
        ended = [t.value.delivery if isinstance(t.value, Lost) else t.value for t in transfers]
        lanes = sum(use.offered_bits for link, use in used.items() if link.endswith(("up", "down")))
        assert lanes == pytest.approx(8 * sum(got.wire_bytes for got in ended))
    headers = {"tcp": 52, "udp": 28}[kind]  # what one wire has carried the next one is given
    for first, then in (("a1 a->sa", "a2 sa->server"), ("b2 server->sb", "b1 sb->b")):
        assert used[then].offered_bits == pytest.approx(used[first].carried_bits, rel=1e-6, abs=8 * headers)


@pytest.mark.parametrize("nbytes", [700, 1472, 40_000])
@pytest.mark.parametrize(("src", "dst"), [("d0", "server"), ("server", "d0"), ("d2", "server")])
def test_a_network_forwards_packet_by_packet_over_an_air_and_two_wires(src, dst, nbytes):
    """To a nanosecond, on a whole network: the narrowest link is the air, or the second wire."""
    env = simpy.Environment()
    network = spokes({"kind": "udp"}).open(env, Hosts(DEVICES, ("server",)), 0)
    (got,) = sent(network, env, (src, dst, nbytes))
    air = (30e6 if src == "server" else 20e6, 0.0, 28)
    wires = [(50e6, 0.001, 66), (8e6 if "d2" in (src, dst) else 50e6, 0.001, 66)]
    sizes = [1472] * (nbytes // 1472) + [nbytes % 1472] * (nbytes % 1472 > 0)
    due_s = forwarded_s(sizes, [*wires[::-1], air] if src == "server" else [air, *wires])
    assert got.end_s == pytest.approx(due_s, abs=1e-9)


def test_wires_that_lose_make_a_network_that_may_lose_and_their_packets_fill_them():
    assert not spokes({"kind": "udp"}).may_lose
    assert not spokes({"kind": "tcp"}, 0.1).may_lose
    assert not spokes("fluid", 0.1).may_lose
    lossy = spokes({"kind": "udp"}, 0.1)
    assert lossy.may_lose
    hosts = Hosts(DEVICES, ("server",))
    assert "packets are lost on the way, but" in " ".join(spokes("fluid", 0.1).survey(hosts, 0).remarks)
    assert not [*lossy.survey(hosts, 0).remarks, *spokes("fluid").survey(hosts, 0).remarks]
    assert not lossy.still.may_lose


def test_an_access_network_has_its_own_grants_and_the_topology_its_jitter():
    air = {"kind": "ideal", "grant": 0.005}
    settings = spokes({"kind": "udp"}, air=air)
    env = simpy.Environment()
    up, down = sent(
        settings.open(env, Hosts(DEVICES, ("server",)), 0), env, ("d0", "server", 9), ("server", "d0", 9)
    )
    assert (up.start_s, down.start_s) == (0.005, 0.0)
    for key, value in (("jitter", {"mean": 0.01}), ("transport", "udp")):
        with pytest.raises(
            ValueError, match=rf"access.a.network.{key}: goes with the topology, network.{key}"
        ):
            spokes({"kind": "udp"}, air={"kind": "ideal", key: value})


def test_a_lost_transfer_fails_after_it_was_on_the_air():
    env, network = open_ideal(latency=0.01, transport=Udp(loss=0.999999))
    (lost,) = sent(network, env, ("d0", "server", 14_720))
    assert isinstance(lost, Lost)
    assert str(lost) == "d0 -> server: a packet was lost too often"
    got = lost.delivery
    assert (got.delivered, got.tries, got.wire_bytes, got.payload_bytes) == (False, 1, 15_000, 14_720)
    assert got.airtime_s == pytest.approx(15_000 * 8 / 100e6)
    assert got.end_s == pytest.approx(got.last_bit_s + 0.01)


def test_a_multicast_goes_on_without_those_who_miss_it():
    env, network = open_ideal(transport=Udp(loss=0.4))
    missed, outcomes = [], set()
    for _ in range(60):
        (got,) = sent(network, env, ("server", DEVICES, 1000))
        outcomes.add(type(got).__name__)
        if not isinstance(got, Lost):
            missed.append(got.missed)
            assert set(got.missed) < set(DEVICES)
    assert outcomes == {"Delivery", "Lost"}  # 0.4^3 of them reach nobody
    assert {len(names) for names in missed} == {0, 1, 2}


def test_a_multicast_is_sent_again_until_all_have_it():
    env, network = open_ideal(transport=Udp(loss=0.4, tries=None))
    counts = [sent(network, env, ("server", DEVICES, 1000))[0].tries for _ in range(1000)]
    due = sum(1 - (1 - 0.4**k) ** 3 for k in range(100))
    assert np.mean(counts) == pytest.approx(due, abs=4 * np.std(counts) / sqrt(1000))


def test_a_multicast_of_several_stations_is_lost_only_if_all_miss_it():
    env = simpy.Environment()
    names = tuple(f"d{i}" for i in range(14))
    network = MultiCell(transport=Udp(loss=0.5)).open(env, Hosts(names, ("server",)), 0)
    gots = [sent(network, env, ("server", names, 1000))[0] for _ in range(20)]
    assert all(not isinstance(got, Lost) and got.delivered for got in gots)
    assert np.mean([len(got.missed) for got in gots]) == pytest.approx(7, abs=4 * sqrt(14 * 0.25 / 20))
    assert {got.receivers for got in gots} == {14}
    network = MultiCell(transport=Udp(loss=0.999999)).open(env, Hosts(names, ("server",)), 0)
    (lost,) = sent(network, env, ("server", names, 1000))
    assert isinstance(lost, Lost)
    assert set(lost.delivery.missed) == set(names)


def test_a_cancelled_transfer_tells_how_often_it_had_tried():
    env, network = open_ideal(up_rate=1e6, latency=0.05, transport=Udp(loss=0.5, tries=None))
    transfer = network.transfer("d0", "server", 100 * 1472)
    env.run(100 * 1500 * 8 / 1e6 - 1e-3)  # within the first round
    assert transfer.cancel().tries == 1
    (whole,) = sent(network, env, ("d0", "server", 100 * 1472))
    assert whole.tries > 3


# What all have.


def test_jitter_has_its_mean_and_spread_and_nobody_else_moves():
    jitter = Jitter(mean=0.01, spread=0.004)
    late_s = {}
    for names in (DEVICES, DEVICES[:2]):
        env = simpy.Environment()
        network = Ideal(latency=0.02, jitter=jitter).open(env, Hosts(names, ("server",)), 5)
        gots = [sent(network, env, ("d0", "server", 1000))[0] for _ in range(2000)]
        late_s[names] = np.array([got.end_s - got.last_bit_s - 0.02 for got in gots])
    drawn = late_s[DEVICES]
    assert drawn == pytest.approx(late_s[DEVICES[:2]], abs=1e-9)
    assert drawn.min() >= -1e-12
    assert drawn.mean() == pytest.approx(0.01, abs=4 * 0.004 / sqrt(2000))
    assert drawn.std() == pytest.approx(0.004, rel=0.1)


def test_a_survey_tells_of_the_mean_of_the_jitter_and_a_forecast_plays_it():
    cell = Cell(jitter=Jitter(mean=0.01, spread=0.01), latency=0.002, retransmission=None)
    assert cell.survey(Hosts(DEVICES, ("server",)), 0).latency_s == pytest.approx(0.012)
    assert cell.still.jitter == Jitter(mean=0.01, spread=0.0)
    assert Jitter(mean=0.01, spread=0.0).delay_s(0, "a", "b", 1) == 0.01


@pytest.mark.parametrize("settings", [Ideal, Cell, Wifi, MultiCell])
def test_latencies_per_direction(settings):
    env = simpy.Environment()
    hosts = Hosts(DEVICES, ("server",))
    more = {"retransmission": None} if settings in (Cell, MultiCell) else {}
    network = settings(latency=0.03, up_latency=0.01, **more).open(env, hosts, 0)
    ups, downs = sent(network, env, ("d0", "server", 1000), ("server", "d0", 1000))
    assert ups.end_s - ups.last_bit_s == pytest.approx(0.01)
    assert downs.end_s - downs.last_bit_s == pytest.approx(0.03)
    assert settings(latency=0.03, up_latency=0.01, **more).survey(hosts, 0).latency_s == pytest.approx(0.03)


@pytest.mark.parametrize(("src", "dst"), [("d0", "server"), ("server", "d0")])
def test_a_round_trip_goes_both_ways(src, dst):
    env, network = open_ideal(up_rate=1e12, down_rate=1e12, latency=0.03, up_latency=0.01, transport=Tcp())
    (got,) = sent(network, env, (src, dst, 1000))
    assert got.start_s == pytest.approx(0.04, rel=1e-6)


def test_an_uplink_waits_for_its_grant():
    env, network = open_ideal(grant=0.005)
    up, down = sent(network, env, ("d0", "server", 1000), ("server", "d0", 1000))
    assert (up.start_s, down.start_s) == (0.005, 0.0)
    transfer = network.transfer("d0", "server", 1000)
    env.run(env.now + 0.004)
    assert transfer.cancel().airtime_s == 0.0
    env.run()


@pytest.mark.parametrize("kind", kinds("slfac_sim.network.transport"))
def test_no_byte_takes_latency_alone(kind):
    env = simpy.Environment()
    network = scenario(f"network={{kind: ideal, latency: 10 ms, transport: {kind}}}").network
    (got,) = sent(network.open(env, Hosts(DEVICES, ("server",)), 0), env, ("d0", "server", 0))
    assert (got.end_s, got.wire_bytes, got.delivered) == (0.01, 0, True)


# In a scenario.


@pytest.mark.parametrize(
    ("transport", "loses"),
    [
        ("fluid", False),
        ("tcp", False),
        ("udp", False),
        ("{kind: tcp, loss: 0.1}", False),
        ("{kind: tcp, loss: 0.1, tries: 3}", True),
        ("{kind: tcp, tries: 3}", False),
        ("{kind: udp, loss: 0.1}", True),
        ("{kind: udp, loss: 0.1, tries: null}", False),
    ],
)
def test_a_transport_that_may_give_up_steers_learning(transport, loses):
    chosen = scenario(f"network.transport={transport}")
    assert chosen.network.may_lose is loses
    assert (
        steered(chosen) == f"network.transport: {kind_of(chosen.network.transport)} may lose transfers"
    ) is loses
    elsewhere = scenario(f"network.transport={transport}", "network.carrier=2 GHz")
    assert (learning_key(chosen, 1) != learning_key(elsewhere, 1)) is loses
    assert not chosen.network.still.may_lose


def test_no_run_is_replayed_where_transfers_may_be_lost(tmp_path, capsys):
    run(prepare(scenario("network.transport=tcp", "protocol.rounds=1"), tmp_path / "run", threads=1))
    words = ["replay", str(tmp_path / "run"), "--draw", "none", "--quiet"]
    lossy = "network.transport={kind: udp, loss: 0.1}"
    assert main([*words, lossy, "--out", str(tmp_path / "lossy")]) == 2
    assert (
        "network.transport: udp may lose transfers; there it would learn otherwise" in capsys.readouterr().err
    )
    assert not (tmp_path / "lossy").exists()
    there = "network.transport={kind: udp, loss: 0.1, tries: null}"
    assert main([*words, there, "--out", str(tmp_path / "there")]) == 0


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Udp(loss=1.0), r"loss must be below 1 \(got 1\)"),
        (lambda: Jitter(mean=0.0, spread=0.1), "mean must be above 0"),
    ],
)
def test_what_cannot_be_is_one_sentence(make, said):
    with pytest.raises(ValueError, match=said):
        make()
