"""Media by turns and by channels against hand cases and a simulation slot by slot."""

from math import inf

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from media_play import GOLDEN, MEDIA, flow, play

from slfac_sim.foundation.errors import BadInput
from slfac_sim.network.media.fdma import Fdma
from slfac_sim.network.media.fifo import Fifo
from slfac_sim.network.media.ofdma import Ofdma
from slfac_sim.network.media.proportional_fair import ProportionalFair
from slfac_sim.network.media.tdma import Tdma

# --- hand cases: C = 10 Mbit/s, (start s, bytes) = (0, 1.25e6), (0.2, 0.25e6), (0.5, 0.625e6) ---


@pytest.mark.parametrize(
    ("medium", "expected_s", "within_s"),
    [
        (Fifo(), (1.0, 1.2, 1.7), 1e-12),
        (MEDIA["fair"], (1.7, 0.65, 1.55), 1e-12),
        (Ofdma(), (1.7, 0.65, 1.55), 1e-12),
        (ProportionalFair(), (1.7, 0.65, 1.55), 1e-12),
        (Fdma(), (3.0, 0.8, 2.0), 1e-12),
        (Tdma(), (3.0, 0.8, 2.0), 3e-3),
        (Tdma(work_conserving=True), (1.7, 0.65, 1.55), 3e-3),
        (Tdma(work_conserving=True, slot=1e-6), (1.7, 0.65, 1.55), 3e-6),
    ],
)
def test_three_transfers_by_hand(medium, expected_s, within_s):
    flows = [flow(i, 8.0 * size, 10e6) for i, size in enumerate((1.25e6, 0.25e6, 0.625e6))]
    ends = play(medium.share(3, 1.0), list(zip((0.0, 0.2, 0.5), flows, strict=True)))
    assert [ends[one] for one in flows] == pytest.approx(expected_s, abs=within_s)


STARTS = st.lists(
    st.tuples(st.integers(0, 40), st.integers(0, 3), st.integers(1, 60)), min_size=1, max_size=12
)


def staggered(starts):
    """Return flows at multiples of the golden section of a slot, of `bits` at 1000 bit/s."""
    return [(at * GOLDEN * 1e-3, flow(user, bits / 10.0, 1e3)) for at, user, bits in starts]


@given(STARTS)
def test_tdma_is_within_a_frame_of_fdma(starts):
    one_each = list({user: (at, user, bits) for at, user, bits in sorted(starts, reverse=True)}.values())
    ends = []
    for medium in (Tdma(slots=4), Fdma()):
        flows = staggered(one_each)
        finished = play(medium.share(4, 1.0), flows)
        ends.append([finished[one] for _, one in flows])
    for tdma_s, fdma_s in zip(*ends, strict=True):
        assert abs(tdma_s - fdma_s) < 4e-3  # the frame


def slot_by_slot(starts, slots, turn_s=1e-3):
    """Play the slots one by one: frames if `slots` is a number, the round of those in need if it is None."""
    left, ends = {}, {}
    todo = sorted(((at_s, i, one) for i, (at_s, one) in enumerate(starts)), key=lambda entry: entry[:2])
    places: dict[str, int] = {}
    order: list[str] = []  # of the round; for frames, of the places
    now_s, slot = 0.0, 0
    while todo or left:
        if slots is None and not left:
            now_s = max(now_s, todo[0][0])
        end_s = now_s + turn_s if slots is None else (slot + 1) * turn_s
        holder = None
        while now_s < end_s:
            while todo and todo[0][0] <= now_s:
                one = todo.pop(0)[2]
                left[one] = one.bits / one.rate_bps
                places.setdefault(one.src, len(places))
                order += [one.src] if one.src not in order else []
            if slots is None:
                holder = holder or order[0]
            else:
                holder = next((user for user, place in places.items() if place == slot % slots), None)
            mine = [one for one in left if one.src == holder]
            if slots is None and not mine:
                break  # through before the end of its turn
            rest_s = min((left[one] * len(mine) for one in mine), default=inf)
            later_s = min(end_s, now_s + rest_s, todo[0][0] if todo else inf)
            for one in mine:
                left[one] -= (later_s - now_s) / len(mine)
                if left[one] < 1e-12:
                    del left[one]
                    ends[one] = later_s
            now_s = later_s
        slot += 1
        if slots is None:
            order.remove(holder)
            order += [holder] if any(one.src == holder for one in left) else []
    return ends


TIED = [(0, 1, 46), (2, 0, 11), (2, 0, 50), (7, 1, 2), (7, 1, 16), (7, 1, 16)]  # at the end of a turn


@pytest.mark.parametrize("slots", [5, None])
@settings(max_examples=60)
@given(STARTS)
@example(TIED)
def test_turns_equal_a_simulation_slot_by_slot(slots, starts):
    medium = Tdma(slots=slots) if slots else Tdma(work_conserving=True)
    flows = staggered(starts)
    ends = play(medium.share(4, 1.0), flows)
    expected = slot_by_slot(staggered(starts), slots)
    by_start = {i: ends[one] for i, (_, one) in enumerate(flows)}
    again = sorted(expected.values())
    assert sorted(by_start.values()) == pytest.approx(again, abs=1e-8)


@given(STARTS)
def test_round_robin_is_close_to_processor_sharing(starts):
    ends = []
    for medium in (Tdma(work_conserving=True, slot=1e-7), MEDIA["fair"]):
        one_each = list({user: (at, user, bits) for at, user, bits in starts}.values())
        flows = staggered(one_each)
        finished = play(medium.share(4, 1.0), flows)
        ends.append([finished[one] for _, one in flows])
    assert ends[0] == pytest.approx(ends[1], abs=4e-6)


@given(STARTS)
def test_fifo_is_a_queue(starts):
    flows, free_s, expected = staggered(starts), 0.0, []
    for at_s, one in sorted(flows, key=lambda entry: entry[0]):
        free_s = max(free_s, at_s) + one.bits / one.rate_bps
        expected.append((one, free_s))
    ends = play(Fifo().share(4, 1.0), flows)
    assert list(ends) == [one for one, _ in expected]
    assert list(ends.values()) == pytest.approx([end_s for _, end_s in expected], rel=1e-12)


@pytest.mark.parametrize("look", [False, True])
def test_who_stops_and_starts_at_one_instant_keeps_its_turn(look):
    share = Tdma(work_conserving=True).share(2, 1.0)
    first, again, other = flow(0, 10.0, 1e3), flow(0, 1.0, 1e3), flow(1, 1.0, 1e3)
    share.start(0.0, first)
    share.start(0.0, other)
    share.cancel(0.0005, first)
    assert not look or share.due_s < inf
    share.start(0.0005, again)
    ends = play(share, [])  # the rest of its turn, a turn of the other, half a turn
    assert (ends[again], ends[other]) == (pytest.approx(0.0025), pytest.approx(0.002))


def test_a_transfer_starts_with_its_first_turn():
    late, soon, other = flow(1, 1.0, 1e3), flow(0, 1.0, 1e3), flow(0, 5.0, 1e3)
    play(Tdma().share(2, 1.0), [(0.0, other), (0.0, late), (0.0025, soon)])
    assert (other.start_s, late.start_s, soon.start_s) == (0.0, 0.001, 0.0025)
    share, never = Tdma().share(2, 1.0), flow(1)
    share.start(0.0, flow(0))
    share.start(0.0, never)
    share.cancel(0.0009, never)
    assert (never.start_s, never.left_bits) == (None, never.bits)


def test_a_turn_that_ends_but_for_rounding_is_over():
    share, flows = Tdma(work_conserving=True, slot=0.1).share(3, 1.0), [flow(i, 0.15, 1.0) for i in range(3)]
    share.start(0.0, flows[0])
    share.start(0.0, flows[1])
    ends = play(share, [(0.1 - 1e-12, flows[2])])  # the last of a round that the second one opens
    assert [ends[one] for one in flows] == pytest.approx([0.25, 0.4, 0.45])


def test_the_flows_of_one_user_share_its_slots_or_channel():
    for medium in (Tdma(), Fdma()):
        mine = [flow(0, 1e4, 1e6), flow(0, 2e4, 1e6)]
        ends = play(medium.share(2, 1.0), [(0.0, mine[0]), (0.0, mine[1]), (0.0, flow(1))])
        assert ends[mine[0]] == pytest.approx(0.04, abs=2e-3)
        assert ends[mine[1]] == pytest.approx(0.06, abs=2e-3)


@pytest.mark.parametrize("medium", [Tdma(), Tdma(work_conserving=True), Fdma(), Ofdma(), MEDIA["fair"]])
def test_a_cap_is_that_of_the_mean_rate(medium):
    flows = [flow(i, 1e6, 10e6, cap_bps=1e6) for i in range(3)]
    ends = play(medium.share(3, 1.0), [(0.0, one) for one in flows])
    assert list(ends.values()) == pytest.approx([1.0] * 3, abs=3e-3)
    assert sum(one.airtime_s for one in flows) == pytest.approx(0.3)


def test_places_on_the_medium_are_limited():
    with pytest.raises(BadInput, match=r"^tdma: 2 slots are too few for 3 users$"):
        Tdma(slots=2).share(3, 1.0)
    for medium in (Tdma(), Fdma()):
        share = medium.share(1, 1.0)
        share.start(0.0, flow(0))
        with pytest.raises(ValueError, match=r"^device 1 -> server: all 1 places on the medium are taken$"):
            play(share, [(0.0, flow(1))])


@pytest.mark.parametrize(
    ("kind", "wrong", "text"),
    [
        (Tdma, {"slot": 0.0}, "slot must be longer than 0 s"),
        (Tdma, {"slots": 0}, r"slots must be at least 1 \(got 0\)"),
        (Tdma, {"slots": 3, "work_conserving": True}, "slots has no meaning with work_conserving"),
        (Ofdma, {"resource_blocks": 0}, r"resource_blocks must be at least 1 \(got 0\)"),
    ],
)
def test_settings_that_make_no_sense(kind, wrong, text):
    with pytest.raises(ValueError, match=f"^{text}"):
        kind(**wrong)


def test_fifo_lets_those_who_wait_go():
    share = Fifo().share(3, 1.0)
    first, second, third = (flow(i, 1.0, 1.0) for i in range(3))
    for one in (first, second, third):
        share.start(0.0, one)
    share.cancel(0.5, second)
    assert play(share, []) == {first: 1.0, third: 2.0}
    assert (first.airtime_s, second.airtime_s, second.start_s) == (1.0, 0.0, None)


def test_fifo_passes_over_who_has_no_rate_and_keeps_its_place():
    share = Fifo().share(3, 1.0)
    first, second, third = (flow(i, 1.0, 1.0) for i in range(3))
    for one in (first, second, third):
        share.start(0.0, one)
    share.set_rates(0.25, [(first, 0.0)])
    share.set_rates(0.5, [(first, 2.0)])  # second is served until it is through, then first goes on
    ends = play(share, [])
    assert [ends[one] for one in (first, second, third)] == [1.625, 1.25, 2.625]
    assert (first.airtime_s, first.start_s, third.start_s) == (0.625, 0.0, 1.625)
