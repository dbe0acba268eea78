"""Transfers that go on at other stations, by a timetable: times, bits, energy, what handovers carry."""

from itertools import groupby
from math import inf
from typing import Any

import pytest
import simpy
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_handing_over import Asked, outcomes
from timetabled import Moves, Timetabled

from slfac_sim.foundation.plugins import find, kinds
from slfac_sim.network import Delivery, Hosts, Lost, NetworkSettings
from slfac_sim.network.change.background import Background
from slfac_sim.network.change.outages import Outages
from slfac_sim.network.delays import Jitter
from slfac_sim.network.media.tdma import Tdma
from slfac_sim.network.transport.fluid import Fluid
from slfac_sim.network.transport.tcp import Tcp
from slfac_sim.network.transport.udp import Udp

DEVICES = ("d0", "d1", "d2", "d3")
HOSTS = Hosts(DEVICES, ("server",))
RATES = ((8e6, 4e6, 2e6), (1e6, 8e6, 4e6), (2e6, 3e6, 8e6), (8e6, 5e6, 0.0))


def played(of: NetworkSettings, asked: list[Asked]) -> tuple[list[Delivery], Any]:
    """Return how each of `asked` went, and the network afterwards."""
    env = simpy.Environment()
    network = of.open(env, HOSTS, 1)
    went: dict[int, Delivery] = {}

    def send(number: int, at_s: float, src: str, dsts: tuple[str, ...], bits: float, until_s: float) -> Any:
        yield env.timeout(at_s)
        dst = dsts[0] if src in DEVICES or len(dsts) == 1 else dsts
        transfer = network.transfer(src, dst, round(bits / 8))
        try:
            yield env.timeout(min(until_s, 1e3) - env.now) | transfer
            went[number] = transfer.value if transfer.triggered else transfer.cancel()
        except Lost as lost:
            went[number] = lost.delivery

    for number, one in enumerate(asked):
        env.process(send(number, *one))
    env.run(1e3)
    return [went[number] for number in range(len(asked))], network


def test_what_is_left_goes_along_after_the_interruption() -> None:
    of = Timetabled(rates=RATES, moves=(("d0", 0.5, 1), ("d0", 1.0, 2)))
    (one,), network = played(of, [(0.0, "d0", ("server",), 8e6, inf)])
    left_bits = 8e6 - 0.5 * 8e6
    assert [h.carried_bits for h in network.handovers()] == pytest.approx([left_bits, left_bits - 0.45 * 4e6])
    assert one.end_s == pytest.approx(1.05 + (left_bits - 0.45 * 4e6) / 2e6)
    assert one.airtime_s == pytest.approx(one.end_s - 0.1)
    assert one.rate_bps * one.airtime_s == pytest.approx(8e6, rel=1e-12)
    assert one.energy_j == pytest.approx(0.2 * one.airtime_s)
    assert (one.start_s, one.tries, one.set_up_s, one.wire_bytes) == (0.0, 1, 0.0, 1_000_000)


def test_each_receiver_that_leaves_takes_what_is_left_as_a_part_of_its_own() -> None:
    of = Timetabled(rates=RATES, moves=(("d3", 0.5, 1),))
    (one,), network = played(of, [(0.0, "server", ("d0", "d3"), 16e6, inf)])
    assert one.dst == "*"
    assert one.receivers == 2
    assert [h.carried_bits for h in network.handovers()] == pytest.approx([8e6])
    assert one.end_s == pytest.approx(0.55 + 8e6 / 10e6)
    assert one.airtime_s == pytest.approx(1.0 + 0.8)
    assert one.rate_bps * one.airtime_s == pytest.approx(24e6, rel=1e-12)
    assert one.wire_bytes == 3_000_000


times = st.floats(0.0, 3.0).map(lambda t_s: round(t_s, 3))
moves = st.lists(st.tuples(st.sampled_from(DEVICES), times, st.integers(0, 2)), max_size=12)
sent = st.tuples(
    times,
    st.sampled_from([*DEVICES, "server", "server"]),
    st.sets(st.sampled_from(DEVICES), min_size=1),
    st.integers(1, 2_000_000),
    st.sampled_from([inf, inf, 0.3, 1.0]),
)


def apart(moves: list[tuple[str, float, int]]) -> Moves:
    """Return moves of which no device makes two at once, and none to where it is."""
    kept, at, when = [], {device: i % 3 for i, device in enumerate(DEVICES)}, dict.fromkeys(DEVICES, -1.0)
    for t_s, device, station in sorted((t_s, device, station) for device, t_s, station in moves):
        if station != at[device] and t_s > max(0.0, when[device]):
            kept.append((device, t_s, station))
            at[device], when[device] = station, t_s
    return tuple(kept)


def as_asked(some: list[Any]) -> list[Asked]:
    """Return what is drawn as `sent`."""
    return [
        (at_s, src, ("server",) if src in DEVICES else tuple(sorted(dsts)), 8.0 * nbytes, at_s + until_s)
        for at_s, src, dsts, nbytes, until_s in some
    ]


@settings(max_examples=400, deadline=None)
@given(moves, st.lists(sent, min_size=1, max_size=8), st.sampled_from([0.0, 0.05, 0.7]))
def test_it_is_what_a_plain_simulation_says(
    some: list[tuple[str, float, int]], asked: list[Any], interruption: float
) -> None:
    of = Timetabled(rates=RATES, moves=(*apart(some), ("d3", 90.0, 0)), interruption=interruption)
    plain = as_asked(asked)
    went, network = played(of, plain)
    found, carried = outcomes(of, DEVICES, plain)
    for one, oracle, (_, _, dsts, bits, _) in zip(went, found, plain, strict=True):
        assert one.airtime_s == pytest.approx(oracle.airtime_s, rel=1e-6, abs=1e-9)
        assert one.energy_j == pytest.approx(oracle.energy_j, rel=1e-6, abs=1e-9)
        if one.delivered:
            assert one.end_s == pytest.approx(max(oracle.arrived_s.values()), rel=1e-9)
            assert len(oracle.arrived_s) == len(dsts)
            assert one.rate_bps * one.airtime_s >= bits * (1.0 - 1e-6)
        assert one.rate_bps * one.airtime_s <= 8.0 * one.wire_bytes * (1.0 + 1e-6)
    for handover in network.handovers():
        due_bits = carried[handover.device, handover.at_s]
        assert handover.carried_bits == pytest.approx(due_bits, rel=1e-6, abs=1e-2)


MEDIA = {
    kind: find("slfac_sim.network.media", kind)()
    for kind in kinds("slfac_sim.network.media")
    if kind not in ("csma", "dcf")
} | {"round robin": Tdma(work_conserving=True)}
OTHERS: dict[str, Any] = {
    "others": Background(rate=1e5, on="s0", size=5_000.0),
    "cut": Outages(devices=("d0", "d1"), mean_on=0.3, mean_off=0.1),
}
TRANSPORTS = {"fluid": Fluid(), "tcp": Tcp(loss=0.02), "udp": Udp(loss=0.05, tries=3)}


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("medium", MEDIA)
@settings(max_examples=25, deadline=None)
@given(moves, st.lists(sent, min_size=1, max_size=8), st.sampled_from([0.0, 0.7]), st.booleans())
def test_bits_are_conserved_on_every_medium(
    medium: str,
    transport: str,
    some: list[tuple[str, float, int]],
    asked: list[Any],
    interruption: float,
    is_crowded: bool,
) -> None:
    of = Timetabled(
        rates=RATES,
        moves=(*apart(some), ("d3", 90.0, 0)),
        interruption=interruption,
        medium=MEDIA[medium],
        header_bytes=40,
        transport=TRANSPORTS[transport],
        jitter=Jitter(),
        grant=0.02,
        change=OTHERS if is_crowded else None,
    )
    plain = as_asked(asked)
    went, network = played(of, plain)
    for one, (at_s, _, _, bits, _) in zip(went, plain, strict=True):
        assert at_s <= one.start_s <= one.last_bit_s <= one.end_s
        assert one.rate_bps * one.airtime_s <= 8.0 * one.wire_bytes * (1.0 + 1e-6)
        if one.delivered and not one.missed:  # a part of a multicast need not be whole bytes
            slack_bits = 8.0 if one.dst == "*" else 0.0
            assert one.rate_bps * one.airtime_s >= 8.0 * one.wire_bytes * (1.0 - 1e-6) - slack_bits
            assert 8.0 * one.wire_bytes >= bits
    assert played(of, plain)[0] == went
    assert not network.stalled()


@pytest.mark.parametrize("medium", MEDIA)
@settings(max_examples=25, deadline=None)
@given(moves, st.integers(1, 2_000_000))
def test_each_receiver_of_a_multicast_has_all_of_it(
    medium: str, some: list[tuple[str, float, int]], nbytes: int
) -> None:
    """A receiver that leaves others is sent what was left then; all that is sent is the sum of that."""
    of = Timetabled(rates=RATES, moves=(*apart(some), ("d3", 90.0, 0)), medium=MEDIA[medium])
    (one,), network = played(of, [(0.0, "server", DEVICES, 8.0 * nbytes, inf)])
    groups = [{"d0", "d3"}, {"d1"}, {"d2"}]
    due_bits = 8.0 * nbytes * len(groups)
    for _, at_once in groupby(network.handovers(), key=lambda handover: handover.at_s):
        gone = {handover.device: handover for handover in at_once}
        for group in list(groups):
            targets = {gone[device].target for device in group & gone.keys()}
            groups += [{d for d in group & gone.keys() if gone[d].target == target} for target in targets]
            stay = group - gone.keys()
            groups[groups.index(group)] = stay
            left_bits = max([gone[device].carried_bits for device in group & gone.keys()], default=0.0)
            due_bits += left_bits * (len(targets) - (1 if targets and not stay else 0))
        groups = [group for group in groups if group]
    assert one.rate_bps * one.airtime_s == pytest.approx(due_bits, rel=1e-6)
    assert one.receivers == 4
    assert 8.0 * one.wire_bytes == pytest.approx(due_bits, rel=1e-9, abs=8.0)
