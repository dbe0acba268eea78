"""Caps, rounds and windows of a transport after a handover: those of the new station, for what is left."""

from math import inf
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_handing_over import played
from timetabled import Moves, Timetabled

from slfac_sim.network import Delivery
from slfac_sim.network.delays import Jitter
from slfac_sim.network.media.fair import Fair
from slfac_sim.network.media.fifo import Fifo
from slfac_sim.network.transport.tcp import Tcp
from slfac_sim.network.transport.udp import Udp

TRANSPORTS = {"tcp": Tcp(loss=0.3, set_up=0), "udp": Udp(loss=0.3, tries=None)}
MEDIA = {"fair": Fair(), "without caps": Fifo()}


def sent(rates: tuple[float, ...], moves: Moves, nbytes: int, **own: Any) -> Delivery:
    of = Timetabled(rates=(rates,) * 4, moves=moves, **own)
    return played(of, [(0.0, "d0", ("server",), 8.0 * nbytes, inf)])[0][0]


def test_tcp_with_losses_leaves_the_round_trips_of_a_slow_station_there() -> None:
    rates = (500.0, 8e5, 8e5)
    plain, lossy = (sent(rates, (("d0", 0.5, 1),), 6000, transport=Tcp(loss=loss)) for loss in (0.0, 0.3))
    assert plain.end_s == pytest.approx(0.6122875)
    assert plain.end_s < lossy.end_s < 0.75


@pytest.mark.parametrize("medium", MEDIA)
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_of_which_nothing_was_sent_goes_as_if_begun_there(medium: str, transport: str) -> None:
    own = {"transport": TRANSPORTS[transport], "medium": MEDIA[medium], "jitter": Jitter(), "grant": 0.6}
    gone = sent((500.0, 8e5, 1.0), (("d0", 0.5, 1),), 6000, **own)
    begun_there = sent((8e5, 1.0, 1.0), (), 6000, **own)
    assert gone.tries > 1
    assert gone.end_s == pytest.approx(begun_there.end_s, rel=1e-12)
    assert gone.last_bit_s == pytest.approx(begun_there.last_bit_s, rel=1e-12)


@pytest.mark.parametrize("medium", MEDIA)
@pytest.mark.parametrize("transport", TRANSPORTS)
@settings(max_examples=50, deadline=None)
@given(
    moves_s=st.lists(st.floats(0.0, 2.0), min_size=1, max_size=5, unique=True),
    nbytes=st.integers(1, 200_000),
    latency_s=st.sampled_from([0.0, 0.02]),
)
def test_stations_that_are_alike_change_nothing(
    medium: str, transport: str, moves_s: list[float], nbytes: int, latency_s: float
) -> None:
    """Windows that grew slowly, jitter and rounds that are over are counted once."""
    own = {"transport": TRANSPORTS[transport], "medium": MEDIA[medium], "jitter": Jitter()}
    moves = tuple(("d0", at_s, 1 - i % 2) for i, at_s in enumerate(sorted(moves_s)))
    stayed, gone = (
        sent((8e5,) * 3, some, nbytes, latency=latency_s, interruption=0.0, **own) for some in ((), moves)
    )
    assert gone.end_s == pytest.approx(stayed.end_s, rel=1e-9)
    assert gone.last_bit_s == pytest.approx(stayed.last_bit_s, rel=1e-9)


def test_rounds_that_are_over_have_taken_what_they_took() -> None:
    """At 0.65 s all packets were sent once, and some of those that were lost again."""
    own = {"transport": TRANSPORTS["tcp"], "latency": 0.05}
    one = sent((8e5, 8e3, 8e3), (("d0", 0.65, 1),), 60_000, **own)
    assert one.tries > 2
    assert one.end_s - one.last_bit_s == pytest.approx(0.05 + (one.tries - 1) * 0.1)
