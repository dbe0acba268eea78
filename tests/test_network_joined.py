"""Lanes and wires joined: hand cases, a plain solver that goes round, and laws over what may happen."""

from math import inf
from random import Random

import pytest
from naive_joined import rates_bps

from slfac_sim.network.engine import FluidShare, Routed
from slfac_sim.network.engine.joined import JoinedShare

# --- rates ---


def joined(wires):
    return JoinedShare(lambda lane: FluidShare(), wires)


def routed(path, rate_bps=1.0, cap_bps=inf, bits=1e9, uses=None):
    consumption = (1.0, *(uses or [1.0] * (len(path) - 1)))
    return Routed(bits, rate_bps, 1.0, cap_bps, path=path, consumption=consumption)


def rates_of(share, flows):
    """Return what flows have that are under way together, in bit/s."""
    for flow in flows:
        share.start(0.0, flow)
    assert share.due_s > 1.0
    for flow in flows:
        share.cancel(1.0, flow)
    return [flow.airtime_s * flow.rate_bps for flow in flows]


def test_a_wire_is_shared_equally_whatever_the_radio_rates():
    flows = [routed(("air", "wire"), rate_bps) for rate_bps in (100.0, 10.0)]
    assert rates_of(joined({"wire": 11.0}), flows) == pytest.approx([5.5, 5.5])
    assert [flow.limited_s for flow in flows] == [{"wire": 1.0}] * 2


def test_the_air_that_a_wire_frees_is_divided_again():
    """By hand: 40 needs 0.25 of the air for its 10; 8 has 0.75 of it, 6, and not half of it, 4."""
    flows = [routed(("air", "wire"), 40.0), routed(("air",), 8.0)]
    assert rates_of(joined({"wire": 10.0}), flows) == pytest.approx([10.0, 6.0])
    assert [flow.limited_s for flow in flows] == [{"wire": 1.0}, {"air": 1.0}]


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
