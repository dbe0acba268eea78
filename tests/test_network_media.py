"""The law of every medium, whatever file it is in."""

from functools import partial
from math import inf

import numpy as np
import pytest
import simpy
from hypothesis import given, settings
from hypothesis import strategies as st
from media_play import EVERY, FRAME_S, GOLDEN, MEDIA, flow, play, three
from naive_share import NaiveShare

from slfac_sim.network.engine import Engine
from slfac_sim.network.media.ofdma import Ofdma
from slfac_sim.network.media.proportional_fair import ProportionalFair

# --- the law of every medium ---


@EVERY
def test_all_bits_arrive_within_the_time_of_the_medium(medium):
    for part in (1.0, 0.4):
        starts = three()
        ends = play(medium.share(3, part), starts)
        assert set(ends) == {one for _, one in starts}
        for at_s, one in starts:
            assert one.left_bits == 0.0
            assert one.airtime_s > 0.0
            assert one.radiated_s is None or one.radiated_s > 0.0
            assert at_s <= one.start_s < ends[one]
            assert ends[one] - at_s > one.bits / one.rate_bps * (1.0 - 1e-9)
        airtime_s = sum(one.airtime_s for _, one in starts)
        assert airtime_s <= part * max(ends.values()) * (1.0 + 1e-9)


@EVERY
def test_the_same_starts_have_the_same_ends_however_often_one_looks_in(medium):
    runs = []
    for looks in ([], [], np.linspace(0.0, 0.2, 97).tolist()):
        starts = three()
        ends = play(medium.share(3, 1.0), starts, looks=looks)
        runs.append([ends[one] for _, one in starts] + [one.airtime_s for _, one in starts])
    assert runs[0] == runs[1]
    assert runs[2] == pytest.approx(runs[0], rel=1e-9)


@EVERY
def test_completions_come_in_order(medium):
    starts = [(0.0, flow(user, 3e5 * (1 + user % 2))) for user in range(3)]
    ends = list(play(medium.share(3, 1.0), starts).values())
    assert ends == sorted(ends)
    assert len(ends) == 3


@EVERY
def test_cancel_says_how_far_it_came_and_keeps_nobody_waiting(medium):
    starts = three()
    calm = play(medium.share(3, 1.0), three())
    gone = starts[0][1]
    ends = play(medium.share(3, 1.0), starts, [(0.025, lambda share, now_s: share.cancel(now_s, gone))])
    assert gone not in ends
    assert 0.0 < gone.left_bits < gone.bits
    assert 0.0 < gone.airtime_s <= 0.025
    assert (gone.bits - gone.left_bits) / gone.rate_bps <= 0.025
    for (_, one), undisturbed_s in zip(
        starts[1:], list(dict(sorted_by_user(calm)).values())[1:], strict=True
    ):
        assert one.left_bits == 0.0
        assert ends[one] <= undisturbed_s + FRAME_S


def sorted_by_user(ends):
    return sorted(ends.items(), key=lambda entry: entry[0].src)


@EVERY
def test_cancelled_before_a_bit_was_sent(medium):
    share, one = medium.share(1, 0.0), flow()
    share.start(1.0, one)
    share.cancel(2.0, one)
    assert (one.left_bits, one.airtime_s, one.start_s) == (one.bits, 0.0, None)
    assert one.radiated_s in (None, 0.0)
    assert share.due_s == inf


@EVERY
def test_a_flow_without_rate_leaves_the_medium_to_the_others(medium):
    alone, dead, alive = flow(), flow(1, rate_bps=0.0), flow()
    alone_s = play(medium.share(2, 1.0), [(0.0, alone)])[alone]
    share = medium.share(2, 1.0)
    ends = play(share, [(0.0, alive), (0.0, dead)])
    assert ends == {alive: pytest.approx(alone_s, rel=1e-9)}
    assert (share.due_s, dead.start_s, dead.left_bits) == (inf, None, dead.bits)
    share.set_rates(1.0, [(dead, 54e6)])
    assert play(share, [])[dead] == pytest.approx(1.0 + alone_s, abs=FRAME_S)
    assert 1.0 <= dead.start_s < 1.0 + FRAME_S


@EVERY
def test_a_rate_lost_on_the_way_is_found_again(medium):
    one = flow()
    share = medium.share(1, 1.0)
    share.start(0.0, one)
    ends = play(
        share,
        [],
        [
            (0.02, lambda share, now_s: share.set_rates(now_s, [(one, 0.0)])),
            (5.0, lambda share, now_s: share.set_rates(now_s, [(one, 24e6)])),
        ],
    )
    assert one.left_bits == 0.0
    assert 5.0 < ends[one] < 5.0 + 2.4e6 / 10e6


@EVERY
def test_a_dead_medium_stalls_and_comes_back(medium):
    calm = play(medium.share(3, 1.0), three())
    starts = three()
    stop, go = 0.033, 0.333
    ends = play(
        medium.share(3, 1.0),
        starts,
        [
            (stop, lambda share, now_s: share.set_capacity(now_s, 0.0)),
            (stop + 0.1, lambda share, now_s: (share.finish(now_s), _assert_nothing_due(share))),
            (go, lambda share, now_s: share.set_capacity(now_s, 1.0)),
        ],
    )
    for (_, undisturbed_s), (_, end_s) in zip(sorted_by_user(calm), sorted_by_user(ends), strict=True):
        assert end_s == pytest.approx(undisturbed_s + (go - stop) * (undisturbed_s > stop), abs=0.05)
    assert all(one.left_bits == 0.0 for _, one in starts)


def _assert_nothing_due(share):
    assert share.due_s == inf


@EVERY
def test_a_part_of_the_time_scales_the_time_but_not_the_airtime(medium):
    whole, half = flow(), flow()
    whole_s = play(medium.share(1, 1.0), [(0.0, whole)])[whole]
    half_s = play(medium.share(1, 0.5), [(0.0, half)])[half]
    assert half_s == pytest.approx(2.0 * whole_s, rel=1e-9)
    assert half.airtime_s == pytest.approx(whole.airtime_s, rel=1e-9)


@EVERY
def test_a_change_at_the_very_instant_of_completion_comes_too_late(medium):
    once = three()
    ends = play(medium.share(3, 1.0), once)
    for change in (
        lambda share, now_s, one: share.set_rates(now_s, [(one, 0.0)]),
        lambda share, now_s, one: share.set_capacity(now_s, 0.0),
    ):
        for user, (_, before) in enumerate(once):
            again, end_s = three(), ends[before]
            one = again[user][1]
            late = [(end_s, lambda share, now_s, change=change, one=one: change(share, now_s, one))]
            assert play(medium.share(3, 1.0), again, late)[one] == end_s
            assert one.left_bits == 0.0


@EVERY
def test_no_bits_are_sent_at_once(medium):
    nothing = flow(bits=0.0)
    assert play(medium.share(1, 1.0), [(1.0, nothing)])[nothing] == pytest.approx(1.0, abs=FRAME_S)
    assert nothing.left_bits == 0.0


@EVERY
def test_a_cap_is_kept(medium):
    if medium is MEDIA.get("dcf"):
        pytest.skip("packets go at the PHY's rate")
    slow = flow(bits=2e5, cap_bps=1e6)
    assert play(medium.share(1, 1.0), [(0.0, slow)])[slow] >= 0.2 * (1.0 - 1e-9)


TAKERS = {name: medium for name, medium in MEDIA.items() if medium.takes_caps}


@pytest.mark.parametrize("medium", TAKERS.values(), ids=TAKERS)
@settings(max_examples=20)
@given(st.lists(st.tuples(st.integers(1, 9), st.none() | st.floats(1e4, 5e7)), min_size=1, max_size=8))
def test_the_air_that_capped_flows_leave_is_divided_again(medium, drawn):
    share = medium.share(len(drawn), 0.5)
    flows = [flow(i, 1e12, 6e6 * rate, cap_bps=cap_bps or inf) for i, (rate, cap_bps) in enumerate(drawn)]
    for one in flows:
        share.start(0.0, one)
    for one in flows:
        share.cancel(3.0, one)
    bits = [one.bits - one.left_bits for one in flows]
    at_caps = [sent == pytest.approx(3.0 * one.cap_bps) for one, sent in zip(flows, bits, strict=True)]
    assert all(sent <= 3.0 * one.cap_bps * (1.0 + 1e-9) for one, sent in zip(flows, bits, strict=True))
    airtime_s = sum(one.airtime_s for one in flows)
    assert airtime_s <= 1.5 * (1.0 + 1e-9)
    assert all(at_caps) or airtime_s == pytest.approx(1.5, rel=1e-9)


EVENTS = st.lists(
    st.tuples(
        st.integers(0, 12),  # when, in golden steps
        st.sampled_from(["start", "start", "cancel", "rates", "capacity"]),
        st.integers(0, 3),  # whose flow, or which
        st.integers(0, 4),  # its rate, or the capacity
        st.integers(0, 9),
    ),
    max_size=25,
)


def run(share, events):
    """Return flows, their ends by number, those cancelled, and the time that the medium gave, at the end."""
    flows, ends, gone = [], {}, set()
    now_s, capacity, given_s = 0.0, 1.0, 0.0

    def run_until(later_s):
        nonlocal now_s, given_s
        while share.due_s <= later_s:
            assert share.due_s >= now_s
            given_s += capacity * (share.due_s - now_s)
            now_s = share.due_s
            ends.update((flows.index(one), now_s) for one in share.finish(now_s))
        given_s += capacity * (later_s - now_s)
        now_s = later_s

    for step, what, which, number, other in sorted(events, key=lambda event: event[0]):
        run_until(step * GOLDEN * 0.02)
        live = [i for i in range(len(flows)) if i not in ends and i not in gone]
        if what == "start":
            flows.append(flow(which, 1e5 * other, 12e6 * number))
            share.start(now_s, flows[-1])
        elif what == "capacity":
            capacity = number / 4
            share.set_capacity(now_s, capacity)
        elif what == "rates":
            share.set_rates(now_s, [(flows[i], 6e6 * ((number + i) % 4)) for i in live])
        elif live:
            gone.add(live[which % len(live)])
            share.cancel(now_s, flows[live[which % len(live)]])
    run_until(now_s + 1.0)
    for i, one in enumerate(flows):
        if i not in ends and i not in gone:
            share.cancel(now_s, one)
    assert share.due_s == inf
    return flows, ends, gone, given_s


@EVERY
@settings(max_examples=20)
@given(EVENTS)
def test_whatever_happens_nothing_is_lost(medium, events):
    flows, ends, _, given_s = run(medium.share(4, 1.0), events)
    assert all(flows[i].left_bits == 0.0 for i in ends)
    assert all(flows[i].start_s is not None for i in ends if flows[i].bits)
    assert all(0.0 <= one.left_bits <= one.bits * (1.0 + 1e-12) for one in flows)
    assert all(one.radiated_s is None or one.radiated_s >= 0.0 for one in flows)
    assert sum(one.airtime_s for one in flows) <= given_s * (1.0 + 1e-9) + 1e-9


@pytest.mark.parametrize("medium", [MEDIA["fair"], Ofdma(), Ofdma(resource_blocks=2), ProportionalFair()])
@settings(max_examples=60)
@given(EVENTS.map(lambda events: [(*event[:4], event[4] + 1) for event in events]))
def test_without_gains_from_a_crowd_all_equal_the_naive_engine(medium, events):
    flows, ends, gone, _ = run(medium.share(4, 1.0), events)
    naive_flows, naive_ends, naive_gone, _ = run(NaiveShare(), events)
    assert ends == pytest.approx(naive_ends, rel=1e-9, abs=1e-9)
    assert gone == naive_gone
    for one, other in zip(flows, naive_flows, strict=True):
        assert one.left_bits == pytest.approx(other.left_bits, rel=1e-9, abs=1e-3)
        assert one.airtime_s == pytest.approx(other.airtime_s, rel=1e-9, abs=1e-9)
        assert (one.start_s is None) == (other.start_s is None) or one.left_bits in (0.0, one.bits)


# --- on a SimPy clock ---


@EVERY
def test_the_clock_adds_nothing(medium):
    starts, env, ends = three(), simpy.Environment(), []
    share, engine = medium.share(3, 1.0), Engine(env)
    for at_s, one in starts:
        begin = partial(engine.start, share, one, lambda one: ends.append((one.src, env.now)))
        env.timeout(at_s).callbacks.append(lambda _, begin=begin: begin())
    env.run()
    expected = play(medium.share(3, 1.0), three())
    assert dict(ends) == pytest.approx({one.src: end_s for one, end_s in expected.items()}, rel=1e-9)
