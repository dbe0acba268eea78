"""Lanes and wires joined: hand cases, a plain solver that goes round, and laws over what may happen."""

from math import inf
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from media_play import GOLDEN, MEDIA
from media_play import flow as flow_of
from naive_joined import NaiveJoined, rates_bps

from slfac_sim.foundation.errors import BadInput
from slfac_sim.network.engine import FluidShare, Routed
from slfac_sim.network.engine.joined import JoinedShare

# --- rates ---


def joined(wires):
    return JoinedShare(lambda lane: FluidShare(), wires)


def routed(path, rate_bps=1.0, cap_bps=inf, bits=1e9, uses=None):
    consumption = (1.0, *(uses or [1.0] * (len(path) - 1)))
    return Routed(bits, rate_bps, 1.0, cap_bps, path=path, consumption=consumption)


def rates_of(share, flows, exact=True):
    """Return what flows have that are under way together, in bit/s; by their airtime it is exact."""
    for one in flows:
        share.start(0.0, one)
    assert share.due_s > 1.0
    for one in flows:
        share.cancel(1.0, one)
    return [one.airtime_s * one.rate_bps if exact else one.bits - one.left_bits for one in flows]


def test_a_wire_is_shared_equally_whatever_the_radio_rates():
    flows = [routed(("air", "wire"), rate_bps) for rate_bps in (100.0, 10.0)]
    assert rates_of(joined({"wire": 11.0}), flows) == pytest.approx([5.5, 5.5])
    assert [flow.limited_s for flow in flows] == [{"wire": 1.0}] * 2


def test_the_air_that_a_wire_frees_is_divided_again():
    """By hand: 40 needs 0.25 of the air for its 10; 8 has 0.75 of it, 6, and not half of it, 4."""
    flows = [routed(("air", "wire"), 40.0), routed(("air",), 8.0)]
    assert rates_of(joined({"wire": 10.0}), flows) == pytest.approx([10.0, 6.0])
    assert [flow.limited_s for flow in flows] == [{"wire": 1.0}, {"air": 1.0}]


ALONE = [  # spec: capacities, ways and caps, rates
    ({"A": 9.0}, [("A", inf)] * 3, [3, 3, 3]),
    ({"A": 20.0}, [("A", cap) for cap in (1, 2, 5, 10, 50)], [1, 2, 5, 6, 6]),
    (
        dict(zip("abcdeS", (1, 2, 5, 10, 50, 20), strict=True)),
        [(x + "S", inf) for x in "abcde"],
        [1, 2, 5, 6, 6],
    ),
    ({"A": 10.0, "B": 6.0, "C": 8.0}, [(way, inf) for way in ("ABC", "A", "B", "C")], [3, 7, 3, 5]),
    ({"1": 10.0, "2": 30.0, "S": 25.0}, [(way, inf) for way in ("1S", "1S", "2S", "2S")], [5, 5, 7.5, 7.5]),
    ({"A": 0.0, "B": 4.0}, [("A", inf), ("AB", inf), ("B", inf)], [0, 0, 4]),
]


@pytest.mark.parametrize(("wires", "ways", "expected"), ALONE)
def test_wires_alone_are_max_min_fair(wires, ways, expected):
    flows = [routed(("", *way), 1.0, cap_bps) for way, cap_bps in ways]
    assert rates_of(joined(wires), flows) == pytest.approx(expected, rel=1e-12)


def drawn_tree(rng):
    """Return wires and routes by lane: each lane has a way to the root, or one up and one down."""
    wires, routes = {}, {}
    depth, ways = rng.randint(1, 3), ("up", "down") if rng.random() < 0.4 else ("up",)
    for lane in range(rng.randint(1, 4)):
        for way in ways:
            route = [
                f"{way}{hop}.{rng.randint(0, width)}"
                for hop, width in zip(range(depth), (0, 1, 3), strict=False)
            ]
            routes.setdefault(f"lane{lane}", []).append(tuple(route[::-1]))
    if rng.random() < 0.3:
        routes[""] = [route for ways in routes.values() for route in ways][:2]
    for route in (route for ways in routes.values() for route in ways):
        wires.update({wire: rng.uniform(1.0, 60.0) for wire in route})
    return wires, routes


def drawn_flow(rng, routes, rate_bps):
    lane = rng.choice(list(routes))
    route = rng.choice(routes[lane])
    cap_bps = rng.choice([inf, inf, rng.expovariate(0.2)])
    return routed((lane, *route), rate_bps, cap_bps, uses=[1.0 + 0.01 * len(wire) for wire in route])


def links_of(flow):
    links = {wire: (1.0, use) for wire, use in zip(flow.path[1:], flow.consumption[1:], strict=True)}
    return {flow.path[0]: (flow.rate_bps, 1.0 / flow.rate_bps), **links} if flow.path[0] else links


@pytest.mark.parametrize("seed", range(200))
def test_rates_are_those_of_a_plain_solver(seed):
    rng = Random(seed)
    wires, routes = drawn_tree(rng)
    nearly_equal = seed % 8 == 0
    flows = [
        drawn_flow(rng, routes, 10.0 + 1e-3 * rng.random() if nearly_equal else rng.uniform(1.0, 100.0))
        for _ in range(rng.randint(1, 30))
    ]
    capacities = {**dict.fromkeys(routes, 1.0), **wires}
    expected = rates_bps(capacities, [(flow.cap_bps, links_of(flow)) for flow in flows])
    assert rates_of(joined(wires), flows) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("seed", range(100))
def test_ties_of_links_harm_nothing(seed):
    """Whole numbers, so that wires are just full, or two links are full at once."""
    rng = Random(seed)
    wires, routes = drawn_tree(rng)
    wires = {wire: float(rng.choice([5, 10, 20, 40])) for wire in wires}
    flows = []
    for _ in range(rng.randint(1, 30)):
        lane = rng.choice(list(routes))
        cap_bps = float(rng.choice([1, 2, 5, 10, inf]))
        flows.append(routed((lane, *rng.choice(routes[lane])), float(rng.choice([10, 20])), cap_bps))
    capacities = {**dict.fromkeys(routes, 1.0), **wires}
    expected = rates_bps(capacities, [(flow.cap_bps, links_of(flow)) for flow in flows])
    assert rates_of(joined(wires), flows) == pytest.approx(expected, rel=1e-9)


# --- over time ---

KINDS = {name: medium for name, medium in MEDIA.items() if medium.takes_caps}
LIKE_FAIR = ["fair", "proportional_fair"]  # without fades to choose among, both are equal airtime
WHAT = ["start", "start", "start", "cancel", "rates", "wire", "lane"]


def happens(seed):
    """Return wires, routes and what happens when, each with a number to draw the rest from."""
    rng, at_s, story = Random(seed), 0.0, []
    wires, routes = drawn_tree(rng)
    for _ in range(rng.randint(5, 40)):
        at_s += rng.choice([0.0, 0.0, GOLDEN * rng.expovariate(1.0)])
        story.append((at_s, rng.choice(WHAT), rng.random()))
    return wires, routes, story


def change(share, now_s, what, rng, live, wires, routes, scale):
    """Have `what` happen on `share`; return the flow that starts, or the one that is cancelled."""
    if what == "start":
        rate_bps = rng.choice([0.0, *[rng.uniform(1.0, 100.0) for _ in range(9)]])
        flow = drawn_flow(rng, routes, scale * rate_bps)
        flow.left_bits = flow.bits = scale * rng.expovariate(0.01)
        flow.cap_bps *= scale
        share.start(now_s, flow)
        return flow
    if what == "cancel" and live:
        flow = rng.choice(live)
        share.cancel(now_s, flow)
        return flow
    if what == "rates":
        share.set_rates(
            now_s,
            [(flow, scale * rng.choice([0.0, rng.uniform(1.0, 100.0)])) for flow in live if flow.path[0]],
        )
    elif what == "wire":
        share.set_capacity(now_s, rng.choice([0.0, rng.uniform(1.0, 60.0)]), rng.choice(list(wires)))
    elif what == "lane":
        share.set_capacity(now_s, rng.choice([0.0, 1.0, rng.random()]), next(iter(routes)))
    return None


def played(share, wires, routes, story, scale=1.0):
    """Return the flows and when each was through (infinite for those that were not)."""
    flows, ends = [], {}
    for at_s, what, number in [*story, (story[-1][0] + 5.0, "", 0.0)]:
        while share.due_s <= at_s:
            now_s = share.due_s
            ends.update(dict.fromkeys(share.finish(now_s), now_s))
        live = [flow for flow in flows if flow not in ends]
        flow = change(share, at_s, what, Random(number), live, wires, routes, scale)
        if what == "start":
            flows.append(flow)
        elif flow is not None:
            ends[flow] = inf
    for flow in (flow for flow in flows if flow not in ends):
        share.cancel(at_s, flow)
    return flows, [ends.get(flow, inf) for flow in flows]


@pytest.mark.parametrize("seed", range(150))
def test_ends_bits_and_airtime_are_those_of_a_plain_engine(seed):
    wires, routes, story = happens(seed)
    flows, ends = played(NaiveJoined(dict.fromkeys(routes, 1.0), wires), wires, routes, story)
    for kind in LIKE_FAIR:
        medium = KINDS[kind]
        share = JoinedShare(lambda lane, medium=medium: medium.share(40, 1.0), wires)
        others, other_ends = played(share, wires, routes, story)
        assert other_ends == pytest.approx(ends, rel=1e-9)
        for flow, other in zip(flows, others, strict=True):
            assert other.left_bits == pytest.approx(flow.left_bits, abs=1e-9 * flow.bits)
            assert other.airtime_s == pytest.approx(flow.airtime_s, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("seed", range(50))
def test_whoever_divides_the_air_the_same_links_bind(seed):
    wires, routes, story = happens(seed)
    limited = []
    for kind in LIKE_FAIR:
        medium = KINDS[kind]
        share = JoinedShare(lambda lane, medium=medium: medium.share(40, 1.0), wires)
        limited.append([flow.limited_s for flow in played(share, wires, routes, story)[0]])
    for first, second in zip(*limited, strict=True):
        for link in {*first, *second}:
            assert first.get(link, 0.0) == pytest.approx(second.get(link, 0.0), abs=1e-9)


@pytest.mark.parametrize("kind", MEDIA)
@pytest.mark.parametrize("seed", range(8))
def test_wires_that_never_bind_change_nothing(kind, seed):
    """Byte for byte, on every medium, whether it takes caps or not."""
    wires, _, story = happens(seed)
    routes, told = {"air": [("wire",)]}, []
    story = [event for event in story if event[1] != "wire"]
    for behind in (lambda: JoinedShare(lambda lane: MEDIA[kind].share(40, 1.0), {"wire": 1e12}), None):
        share = behind() if behind else MEDIA[kind].share(40, 1.0)
        flows, ends = played(share, wires, routes, story, 1e6)
        told.append([share.due_s, ends, [(f.left_bits, f.airtime_s, f.radiated_s, f.start_s) for f in flows]])
    assert told[0] == told[1]


@pytest.mark.parametrize("medium", KINDS.values(), ids=KINDS)
@settings(max_examples=30)
@given(
    st.lists(st.tuples(st.integers(1, 9), st.none() | st.floats(0.01, 2.0)), min_size=1, max_size=8),
    st.data(),
)
def test_behind_a_wire_each_flow_has_a_link_that_binds_it(medium, drawn, data):
    """Who is bound by the air has most of it by its part alone; who is bound by the wire has most of that."""
    alone = [flow_of(i, 1e12, 6e6 * rate) for i, (rate, _) in enumerate(drawn)]
    share = medium.share(len(drawn), 1.0)
    parts_bps = rates_of(share, alone, exact=False)
    wire_bps = data.draw(st.floats(0.1, 1.2)) * sum(parts_bps)
    flows = [
        Routed(
            1e12, 6e6 * rate, src=f"device {i}", dst="server", path=("air", "wire"), consumption=(1.0, 1.0)
        )
        for i, (rate, _) in enumerate(drawn)
    ]
    for one, bps, (_, cap) in zip(flows, parts_bps, drawn, strict=True):
        one.cap_bps = inf if cap is None else cap * bps
    sent_bps = rates_of(
        JoinedShare(lambda lane: medium.share(len(drawn), 1.0), {"wire": wire_bps}), flows, exact=False
    )
    assert sum(sent_bps) <= wire_bps * (1.0 + 1e-9)
    factors = [sent / bps for sent, bps in zip(sent_bps, parts_bps, strict=True)]
    for one, sent, factor in zip(flows, sent_bps, factors, strict=True):
        by_wire = one.limited_s.get("wire", 0.0)
        assert sum(one.limited_s.values()) == pytest.approx(1.0) or sent == pytest.approx(one.cap_bps)
        if by_wire:
            assert sent == pytest.approx(max(sent_bps))
            assert sum(sent_bps) == pytest.approx(wire_bps, rel=1e-9)
        elif "air" in one.limited_s:
            assert factor == pytest.approx(max(factors))
            assert sum(f.airtime_s for f in flows) == pytest.approx(sum(f.airtime_s for f in alone), rel=1e-9)


def test_who_takes_no_limits_must_not_stand_before_a_full_wire():
    share = JoinedShare(lambda lane: MEDIA["fifo"].share(2, 1.0), {"wire": 5.0})
    share.start(0.0, routed(("air", "wire"), 10.0))
    share.start(0.0, routed(("", "wire"), 10.0))
    with pytest.raises(BadInput, match="air: wire behind it is full, and its medium takes no limits"):
        share.due_s  # noqa: B018
