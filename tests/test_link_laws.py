"""The law of links, row by row: honest accounts keep it, each kind of lie breaks it."""

from collections import Counter
from typing import Any

import pytest
import simpy
from worlds import scenario

from slfac_sim.simulation.invariants import Violated
from slfac_sim.simulation.invariants.laws import Watch
from slfac_sim.simulation.invariants.links import LinkLaws

WIRE = {
    "name": "core",
    "src": "ap",
    "dst": "server",
    "capacity_bps": 1e6,
    "back_bps": 1e6,
    "latency_s": 0.0,
    "half_duplex": 0,
}
SENT = {
    "seq": 0,
    "task": "",
    "src": "d000",
    "dst": "server",
    "asked_s": 1.0,
    "last_bit_s": 3.0,
    "payload_bytes": 187_500,
    "outcome": "delivered",
}
USE = {
    "link": "core ap->server",
    "offered_bits": 2e6,
    "carried_bits": 1.5e6,
    "lost_bits": 3e5,
    "in_flight_bits": 2e5,
    "busy_s": 1.5,
    "limited_s": 1.25,
}


def held(
    wire: dict[str, Any], limited: dict[str, float], use: dict[str, Any], sent: dict[str, Any] = SENT
) -> int:
    """Return how often the law was checked over a run of 3 s with one transfer."""
    checked: Counter[str] = Counter()
    env = simpy.Environment(initial_time=3.0)
    laws = LinkLaws(scenario(), Watch(env), checked)
    laws.row("wires", wire)
    laws.row("links", {"device": "d000", "access": "ap", "station": "ap"})
    laws.row("routes", {"src": "ap", "dst": "server", "hop": 0, "link": USE["link"]})
    laws.row("transfers", sent)
    for link, limited_s in limited.items():
        laws.row("bottlenecks", {"transfer": 0, "link": link, "limited_s": limited_s})
    laws.row("link_use", use)
    return checked["link bits"]


def test_an_honest_account_keeps_the_law() -> None:
    assert held(WIRE, {"core ap->server": 1.25, "ap/up": 0.75}, USE) == 7


def test_half_a_wire_is_no_wire_of_two_ways() -> None:
    both = {**WIRE, "half_duplex": 1, "capacity_bps": 4e5}
    held(both, {}, USE)  # another link's name: nothing is known of its capacity
    with pytest.raises(
        Violated, match=r"link_use of core: 1500000.0 bits carried in 3.0 s at 400000.0 bit/s"
    ):
        held(both, {}, {**USE, "link": "core"})


@pytest.mark.parametrize(
    "lie",
    [
        {"offered_bits": 2e6 + 10.0},
        {"carried_bits": 1.5e6 + 10.0},
        {"lost_bits": -3e5, "carried_bits": 2.1e6},
        {"busy_s": 3.01},
        {"busy_s": -0.1},
        {"offered_bits": 4e6, "carried_bits": 3.5e6},
        {"limited_s": 1.2},
        {"carried_bits": 1.5e6 - 10.0, "lost_bits": 3e5 + 10.0},
    ],
    ids=", ".join,
)
def test_a_lie_in_an_account_is_found(lie: dict[str, float]) -> None:
    with pytest.raises(Violated, match="strict: the law of link bits is broken at link_use of core ap->serv"):
        held(WIRE, {"core ap->server": 1.25}, {**USE, **lie})


@pytest.mark.parametrize("limited", [{"core ap->server": 2.1}, {"core ap->server": 1.5, "ap/up": 0.6}])
def test_nothing_is_limited_for_longer_than_it_lasts(limited: dict[str, float]) -> None:
    with pytest.raises(Violated, match="s too long"):
        held(WIRE, limited, {**USE, "limited_s": 9.0})
    held(WIRE, limited, {**USE, "limited_s": 9.0}, {**SENT, "dst": "*"})  # by several branches, it may be
