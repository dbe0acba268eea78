"""The sharing engine against closed forms and against the naive engine."""

import pickle
from math import inf, nextafter

import numpy as np
import pytest
import simpy
from hypothesis import given
from hypothesis import strategies as st
from naive_share import NaiveShare

from slfac_sim.network.engine import Call, Engine, Flow, FluidShare, MaxMinShare, Profile, Routed
from slfac_sim.network.engine.simpy_engine import Agenda, ShareState

SHARES = pytest.mark.parametrize("kind", [FluidShare, NaiveShare])
GOLDEN = (5**0.5 - 1) / 2  # change times on its multiples never tie with completions, which are rational


def play(share, flows_at, changes=(), until_s=1e6):
    """Start flows at their times, apply changes (time, callable), and return finish times by flow."""
    todo = sorted(
        [(at_s, 1, i, flow) for i, (at_s, flow) in enumerate(flows_at)]
        + [(at_s, 0, i, change) for i, (at_s, change) in enumerate(changes)],
        key=lambda entry: entry[:3],
    )
    ends: dict[Flow, float] = {}
    now_s = 0.0
    while todo or share.due_s < inf:
        now_s = min(share.due_s, todo[0][0] if todo else inf)
        if now_s > until_s:
            break
        while todo and todo[0][0] == now_s and todo[0][1] == 0:
            todo.pop(0)[3](now_s)
        for flow in share.finish(now_s):
            ends[flow] = now_s
        while todo and todo[0][0] == now_s and todo[0][1] == 1:
            share.start(now_s, todo.pop(0)[3])
    return ends


@SHARES
def test_equal_flows_finish_together_after_n_times_the_alone_time(kind):
    flows = [Flow(1e6, 1e7) for _ in range(7)]
    ends = play(kind(), [(0.0, flow) for flow in flows])
    assert [ends[flow] for flow in flows] == pytest.approx([0.7] * 7, rel=1e-12)
    assert all(flow.left_bits == 0.0 and flow.airtime_s == 0.1 for flow in flows)


@SHARES
def test_staggered_starts_by_hand(kind):
    # 1 bit/s. A (1.2) alone to 0.25, with B (0.2) to 0.65, alone to 0.95, with C (0.3) to 1.55, alone.
    a, b, c = Flow(1.2, 1.0), Flow(0.2, 1.0), Flow(0.3, 1.0)
    ends = play(kind(), [(0.0, a), (0.25, b), (0.95, c)])
    assert ends[b] == pytest.approx(0.65, abs=1e-12)
    assert ends[c] == pytest.approx(1.55, abs=1e-12)
    assert ends[a] == pytest.approx(1.7, abs=1e-12)


@SHARES
def test_weights_divide_the_air(kind):
    light, heavy = Flow(1.0, 1.0), Flow(3.0, 1.0, weight=3.0)
    ends = play(kind(), [(0.0, light), (0.0, heavy)])
    assert ends[light] == pytest.approx(4.0) == ends[heavy]
    assert heavy.airtime_s == pytest.approx(3.0)


@SHARES
def test_capacity_scales_time_but_not_airtime(kind):
    flow = Flow(8e6, 1e6)
    assert play(kind(0.5), [(1.0, flow)])[flow] == pytest.approx(17.0)
    assert flow.airtime_s == 8.0


@SHARES
def test_equal_airtime_gives_each_its_own_rate(kind):
    fast, slow = Flow(10.0, 10.0), Flow(1.0, 1.0)
    ends = play(kind(), [(0.0, fast), (0.0, slow)])
    assert ends[fast] == ends[slow] == 2.0


@SHARES
def test_a_dead_medium_stalls_without_error_and_starts_later(kind):
    share, flow = kind(0.0), Flow(1.0, 1.0)
    share.start(0.0, flow)
    assert share.due_s == inf
    assert flow.start_s is None
    share.set_capacity(5.0, 1.0)
    assert flow.start_s == 5.0
    assert share.due_s == 6.0
    share.set_capacity(5.5, 0.0)
    assert share.due_s == inf
    share.set_capacity(7.0, 1.0)
    assert share.finish(7.5) == [flow]


@SHARES
def test_a_flow_without_rate_leaves_its_part_to_the_others(kind):
    share, dead, alive = kind(), Flow(1.0, 0.0), Flow(1.0, 1.0)
    share.start(0.0, dead)
    share.start(0.0, alive)
    assert share.due_s == 1.0
    assert share.finish(1.0) == [alive]
    assert share.due_s == inf
    share.set_rates(3.0, [(dead, 2.0)])
    assert (share.due_s, dead.start_s) == (3.5, 3.0)
    share.set_rates(3.25, [(dead, 0.0)])
    share.cancel(9.0, dead)
    assert (dead.left_bits, dead.airtime_s) == (0.5, 0.25)


@SHARES
def test_a_change_at_the_very_instant_of_completion_comes_too_late(kind):
    for change in (lambda s, f: s.set_rates(2.0, [(f, 0.0)]), lambda s, f: s.set_capacity(2.0, 0.0)):
        share, flow = kind(), Flow(2.0, 1.0)
        share.start(0.0, flow)
        change(share, flow)
        assert share.finish(2.0) == [flow]


@SHARES
@given(st.lists(st.floats(0.1, 10.0), min_size=2, max_size=6), st.floats(0.1, 10.0))
def test_so_it_does_whatever_the_rounding(kind, bits, rate_bps):
    share, flows = kind(), [Flow(size, rate_bps) for size in bits]
    for i, flow in enumerate(flows):
        share.start(i * 0.001 / 3.0, flow)
    first = min(flows, key=lambda flow: flow.finish)
    now_s = share.due_s
    share.set_rates(now_s, [(first, 0.0)])
    assert first in share.finish(now_s)
    assert first.left_bits == 0.0


@SHARES
def test_cancel_frees_the_air_at_once_and_bits_are_conserved(kind):
    share, gone, stays = kind(), Flow(4.0, 2.0), Flow(4.0, 2.0)
    share.start(0.0, gone)
    share.start(0.0, stays)
    share.cancel(1.0, gone)
    assert (gone.left_bits, gone.airtime_s) == (3.0, 0.5)
    assert share.due_s == 2.5  # 1 bit by halves, 3 bits alone
    assert share.finish(2.5) == [stays]


@SHARES
def test_caps_leave_the_rest_to_the_others_by_weight(kind):
    # weights 1:2:3 of 12 bit/s, the third capped at 3: rates 3, 6, 3; then 9, -, 3 once the second is through
    share = kind(12.0)
    flows = [Flow(7.0, 1.0), Flow(6.0, 1.0, 2.0), Flow(6.0, 1.0, 3.0, cap_bps=3.0)]
    ends = play(share, [(0.0, flow) for flow in flows])
    assert [ends[flow] for flow in flows] == pytest.approx([1.0 + 4.0 / 9.0, 1.0, 2.0], rel=1e-12)
    assert [flow.airtime_s for flow in flows] == [7.0, 6.0, 6.0]


@SHARES
def test_a_cap_is_in_bits_and_the_capacity_in_time(kind):
    fast, slow = Flow(10.0, 10.0, cap_bps=2.0), Flow(4.0, 1.0)
    ends = play(kind(), [(0.0, fast), (0.0, slow)])
    assert ends[fast] == pytest.approx(5.0)  # at 2 bit/s it takes a fifth of the time
    assert ends[slow] == pytest.approx(4.0 / 0.8)
    assert (fast.airtime_s, slow.airtime_s) == (1.0, 4.0)


@SHARES
def test_a_flow_goes_between_its_cap_and_its_part_and_back(kind):
    share, capped = kind(), Flow(3.0, 1.0, cap_bps=0.5)
    others = [Flow(0.5, 1.0), Flow(0.5, 1.0), Flow(0.5, 1.0)]
    ends = play(share, [(0.0, capped), *((1.0, other) for other in others)])
    # 0.5 bit until 1 s; four parts until 3 s, when 2 bits are left; then its cap again
    assert [ends[other] for other in others] == [3.0] * 3
    assert ends[capped] == pytest.approx(7.0, rel=1e-12)


@SHARES
def test_a_cap_of_nothing_waits(kind):
    share, flow = kind(), Flow(1.0, 1.0, cap_bps=0.0)
    share.start(0.0, flow)
    assert (share.due_s, flow.start_s) == (inf, None)
    share.cancel(1.0, flow)
    assert flow.left_bits == 1.0


@given(st.floats(1e-6, 1e6), st.floats(1e-6, 1e6))
def test_small_flows_are_exact_after_a_long_busy_time(weight, bits):
    share, endless = FluidShare(), Flow(1e30, 1.0, weight=1e-6)
    share.start(0.0, endless)
    small = Flow(bits, 1.0, weight)
    share.start(2e6, small)
    assert share.due_s == pytest.approx(2e6 + bits * (weight + 1e-6) / weight, rel=1e-13)
    due_s = share.due_s
    assert share.finish(due_s) == [small]
    share.cancel(due_s + 1.0, endless)
    assert endless.airtime_s == pytest.approx(due_s + 1.0 - bits, rel=1e-13)


def test_an_idle_share_forgets_its_past():
    share, flow = FluidShare(), Flow(0.3, 1.0)
    share.start(0.0, Flow(1.0, 1.0, weight=1e-3))
    assert share.finish(1.0)
    share.start(1.0, flow)
    assert share.due_s == 1.3  # exactly


@SHARES
def test_a_flow_at_its_cap_cannot_be_slowed_at_its_last_instant(kind):
    share, flow = kind(), Flow(0.7, 1.0, cap_bps=0.3)
    share.start(1.0 / 3.0, flow)
    due_s = share.due_s
    share.set_rates(due_s, [(flow, 0.0)])
    assert share.finish(due_s) == [flow]


def size(kept):
    """Return how much a share or an agenda keeps, in bytes: what is out of date must not pile up."""
    return len(pickle.dumps(kept))


def test_many_changes_with_caps_do_not_let_the_heaps_grow():
    share, flows = FluidShare(), [Flow(1e9, 1.0, cap_bps=0.05 + 0.01 * i) for i in range(10)]
    for flow in flows:
        share.start(0.0, flow)
    before = size(share)
    for step in range(1000):
        share.set_rates(step * 1e-3, [(flow, 1.0 + (step % 7)) for flow in flows])
        share.set_capacity(step * 1e-3, 0.2 + 0.1 * (step % 9))
    assert size(share) <= 4 * before


def test_caps_that_never_bind_do_not_pile_up():
    share, sizes = FluidShare(), []
    share.start(0.0, Flow(1e9, 1.0, 1e-9, cap_bps=1e-5))  # its ceiling stays the lowest of all
    for i in range(500):
        share.start(float(i), Flow(1.0, 1.0, cap_bps=1e6 + i))
        share.start(float(i), Flow(1e-3, 1.0, cap_bps=1e6))
        sizes.append(size(share))
        while share.due_s <= i + 1:
            share.finish(share.due_s)
    assert max(sizes) <= 1.2 * max(sizes[:50])


def test_many_changes_do_not_let_the_heap_grow():
    share, flows = FluidShare(), [Flow(1e9, 1.0) for _ in range(10)]
    for flow in flows:
        share.start(0.0, flow)
    before = size(share)
    for step in range(1000):
        share.set_rates(step * 1e-3, [(flow, 1.0 + (step % 7)) for flow in flows])
    assert size(share) <= 4 * before


def test_ties_finish_in_the_order_of_start():
    share, flows = FluidShare(), [Flow(1.0, 1.0) for _ in range(5)]
    for flow in flows:
        share.start(0.0, flow)
    assert share.finish(share.due_s) == flows


events = st.lists(
    st.tuples(
        st.integers(0, 12),  # when, in golden steps
        st.sampled_from(["start", "start", "cancel", "rate", "rates", "capacity"]),
        st.integers(0, 9),  # which flow
        st.integers(0, 6),  # its bits, rate or weight, or the capacity
        st.integers(1, 5),
    ),
    max_size=40,
)


def run_schedule(kind, schedule):
    share, flows, ends, gone = kind(), [], {}, {}
    now_s = at_s = 0.0

    def finish_until(now_s):
        nonlocal at_s
        while share.due_s <= now_s:
            at_s = share.due_s
            ends.update((flows.index(flow), at_s) for flow in share.finish(at_s))

    for step, what, which, number, other in sorted(schedule, key=lambda event: event[0]):
        now_s = step * GOLDEN
        finish_until(now_s)
        live = [i for i in range(len(flows)) if i not in ends and i not in gone]
        if what == "start":
            cap_bps = other / 5 if which > 4 else inf
            flows.append(Flow(float(other), float(number), float(1 + which % 3), cap_bps))
            share.start(now_s, flows[-1])
        elif what == "capacity":
            share.set_capacity(now_s, number / 4)
        elif what == "rates":
            share.set_rates(now_s, [(flows[i], float((number + i) % 4)) for i in live])
        elif live:
            chosen = live[which % len(live)]
            if what == "rate":
                share.set_rates(now_s, [(flows[chosen], float(number))])
            else:
                share.cancel(now_s, flows[chosen])
                gone[chosen] = now_s
    finish_until(1e9)
    for i, flow in enumerate(flows):
        if i not in ends and i not in gone:
            share.cancel(1e3 + max(now_s, at_s), flow)
    return ends, gone, flows


@given(events)
def test_agrees_with_the_naive_engine(schedule):
    ends, gone, flows = run_schedule(FluidShare, schedule)
    naive_ends, naive_gone, naive_flows = run_schedule(NaiveShare, schedule)
    assert ends == pytest.approx(naive_ends, rel=1e-9, abs=1e-9)
    assert gone == naive_gone
    for flow, other in zip(flows, naive_flows, strict=True):
        assert flow.left_bits == pytest.approx(other.left_bits, rel=1e-9, abs=1e-9)
        assert flow.airtime_s == pytest.approx(other.airtime_s, rel=1e-9, abs=1e-9)
        assert (flow.start_s is None) == (other.start_s is None)


@given(events)
def test_no_more_airtime_than_time(schedule):
    capacity_free = [event for event in schedule if event[1] != "capacity"]
    ends, gone, flows = run_schedule(FluidShare, capacity_free)
    last_s = max([0.0, *ends.values(), *gone.values()]) + 12 * GOLDEN + 1e3
    assert sum(flow.airtime_s for flow in flows) <= last_s
    assert all(0.0 <= flow.left_bits <= flow.bits for flow in flows)
    assert all(flows[i].left_bits == 0.0 for i in ends)


# --- on a SimPy clock ---


def on_clock(*shares):
    env = simpy.Environment()
    ends: list[tuple[int, float]] = []
    engine = Engine(env)

    def start_at(at_s, number, share, flow):
        def begin(_):
            engine.start(share, flow, lambda _: ends.append((number, env.now)))

        env.timeout(at_s).callbacks.append(begin)

    return env, engine, start_at, ends


def test_simultaneous_starts_are_solved_once():
    env, engine, _, ends = on_clock()
    share, flows = FluidShare(), [Flow(1.0, 1.0) for _ in range(50)]
    for i, flow in enumerate(flows):
        engine.start(share, flow, lambda _, i=i: ends.append((i, env.now)))
    env.run()
    assert engine.solves == 2
    assert ends == [(i, 50.0) for i in range(50)]


def test_completions_come_before_arrivals_of_the_same_instant():
    env, _, start_at, ends = on_clock()
    share = FluidShare()
    start_at(2.0, 1, share, Flow(1.0, 1.0))  # scheduled first, and still settled after the completion
    start_at(0.0, 0, share, Flow(2.0, 1.0))
    env.run()
    assert ends == [(0, 2.0), (1, 3.0)]


def test_wake_up_moves_both_ways():
    env, engine, start_at, ends = on_clock()
    one, two = FluidShare(), FluidShare()
    start_at(0.0, 0, one, Flow(10.0, 1.0))
    start_at(1.0, 1, two, Flow(1.0, 1.0))  # earlier, on another medium
    start_at(1.5, 2, two, Flow(1.0, 1.0))  # puts 1 off until 2.5
    env.run()
    assert ends == [(1, 2.5), (2, 3.0), (0, 10.0)]
    assert engine.solves == 7  # at 0, 1, 1.5, 2, 2.5, 3, 10: at 2 it finds nothing; at 10 it is woken once


def test_starts_of_one_instant_are_solved_once_even_after_detours():
    env, engine, _, ends = on_clock()
    share = FluidShare()

    def sender(hops):
        yield env.timeout(1.0)
        for _ in range(hops):
            yield env.timeout(0.0)
        engine.start(share, Flow(1.0, 1.0), lambda _: ends.append(env.now))

    for hops in range(4):
        env.process(sender(hops))
    env.run()
    assert engine.solves == 2
    assert ends == [5.0] * 4


def test_calls_never_come_early():
    rng, mended = np.random.default_rng(0), 0
    for now_s, at_s in np.sort(rng.uniform(0.0, 100.0, (2000, 2))).tolist():
        env = simpy.Environment(now_s)
        seen = []
        Call(env, at_s, lambda _, env=env, seen=seen: seen.append(env.now))
        env.run()
        mended += now_s + (at_s - now_s) < at_s
        assert at_s <= seen[0] <= nextafter(at_s, inf)
    assert mended > 10  # a plain timeout would come too early that often


def test_cancel_before_and_after_the_solve():
    env, engine, _, ends = on_clock()
    share, early, late, stays = FluidShare(), Flow(1.0, 1.0), Flow(1.0, 1.0), Flow(1.0, 1.0)
    for flow in (early, late, stays):
        engine.start(share, flow, lambda _: ends.append(env.now))
    engine.cancel(early)
    env.run(until=1.0)
    engine.cancel(late)
    env.run()
    assert (early.left_bits, early.start_s, late.left_bits) == (1.0, None, 0.5)
    assert ends == [1.5]
    with pytest.raises(KeyError):
        engine.cancel(late)


def test_a_flow_through_at_this_instant_can_still_be_called_off_but_not_slowed():
    env, engine, _, ends = on_clock()
    share, flows = FluidShare(), [Flow(1.0, 1.0) for _ in range(3)]

    def first_done(_):
        ends.append(env.now)
        engine.cancel(flows[1])
        engine.set_rates([(flows[2], 0.0)])

    engine.start(share, flows[0], first_done)
    for flow in flows[1:]:
        engine.start(share, flow, lambda _: ends.append(env.now))
    env.run()
    assert ends == [3.0, 3.0]
    assert [flow.left_bits for flow in flows] == [0.0] * 3


def test_capacities_change_before_completions_and_those_before_arrivals():
    env, engine, start_at, ends = on_clock()
    share = FluidShare()
    start_at(2.0, 1, share, Flow(2.0, 1.0))
    start_at(0.0, 0, share, Flow(2.0, 1.0))
    Call(env, 2.0, lambda _: engine.set_capacity(share, 0.5))
    env.run(until=2.5)
    assert ends == [(0, 2.0)]  # with the change after 1's arrival, or before 0's last bit, it would not be so
    assert engine.events == 2 + 1 + 1
    env.run()
    assert ends == [(0, 2.0), (1, 6.0)]


def test_who_follows_at_the_instant_of_an_end_shares_its_reallocation():
    env, engine, _, ends = on_clock()
    share = MaxMinShare({"": 1.0})

    def again(_):
        ends.append(env.now)
        if len(ends) < 50:
            engine.start(share, Routed(1.0, 1.0, path=("",), consumption=(1.0,)), again)

    engine.start(share, Routed(1.0, 1.0, path=("",), consumption=(1.0,)), again)
    env.run()
    assert ends == [float(i) for i in range(1, 51)]
    assert engine.solves == 51 == share.solves


def test_a_profile_is_followed_while_there_are_flows_and_looked_up_when_they_return():
    env, engine, start_at, ends = on_clock()
    share, asked = FluidShare(7.0), []
    profile = Profile(1.0, [(1.0, 0.0), (2.0, 2.0), *((3.0 + i, 5.0) for i in range(40)), (50.0, 4.0)])

    class Asked:
        def at(self, t_s):
            asked.append(t_s)
            return profile.at(t_s)

        next_s = staticmethod(profile.next_s)

    engine.follow(share, Asked())
    start_at(0.0, 0, share, Flow(2.0, 1.0))  # 1 bit, an outage, half a second at 2 bit/s
    start_at(60.0, 1, share, Flow(8.0, 1.0))
    start_at(60.5, 2, share, Flow(2.0, 1.0))
    env.run()
    assert ends == [(0, 2.5), (2, 61.5), (1, 62.5)]
    assert asked == [0.0, 1.0, 2.0, 60.0]
    assert engine.solves <= 11


def test_links_of_one_share_follow_their_own_profiles():
    env, engine, start_at, ends = on_clock()
    share = MaxMinShare({"A": 1.0, "B": 1.0})
    engine.follow(share, Profile(1.0, [(1.0, 2.0)]), "A")
    engine.follow(share, Profile(2.0, [(1.0, 0.0), (4.0, 2.0)]), "B")
    start_at(0.0, 0, share, Routed(3.0, 1.0, path=("A", "B"), consumption=(1.0, 1.0)))
    start_at(0.0, 1, share, Routed(1.0, 1.0, path=("B",), consumption=(1.0,)))
    env.run()
    assert ends == [(1, 1.0), (0, 5.0)]


def test_following_a_share_under_way_takes_effect_at_once():
    env, engine, start_at, ends = on_clock()
    share = FluidShare()
    start_at(0.0, 0, share, Flow(3.0, 1.0))
    Call(env, 1.0, lambda _: engine.follow(share, Profile(4.0)))
    env.run()
    assert ends == [(0, 1.5)]


def test_shares_end_their_flows_in_the_order_of_their_first_use():
    env, engine, start_at, ends = on_clock()
    one, two, third = FluidShare(), FluidShare(2.0), Flow(9.0, 1.0)
    start_at(0.0, 1, one, Flow(1.0, 1.0))
    start_at(0.0, 2, two, Flow(1.0, 1.0))
    start_at(0.0, 3, two, third)
    Call(env, 1.0, lambda _: engine.cancel(third))  # `two` has changed before either is found to be due
    env.run()
    assert ends == [(1, 1.0), (2, 1.0)]


def test_a_due_put_off_again_and_again_costs_one_wake_up():
    env, engine, start_at, ends = on_clock()
    share, flow = FluidShare(), Flow(10.0, 1.0)
    start_at(0.0, 0, share, flow)
    for step in (1, 2, 3):
        Call(env, float(step), lambda _, step=step: engine.set_rates([(flow, 0.5**step)]))
    env.run()
    assert ends == [(0, 69.0)]  # foreseen at 10, 19, 36 and 69
    assert engine.solves == 4 + 1 + 1


def test_dues_that_move_do_not_pile_up():
    share, flow, agenda = FluidShare(), Flow(1e6, 1.0), Agenda()
    state, sizes = ShareState(share, 0), []
    share.start(0.0, flow)
    for step in range(1, 500):
        share.set_rates(float(step), [(flow, 1.0 + step % 7)])
        agenda.note(state)
        sizes.append(size(agenda))
    assert agenda.first_s() == share.due_s
    assert max(sizes) <= 1.2 * max(sizes[:50])


def test_changes_of_one_share_are_solved_once_each():
    env, engine, start_at, _ = on_clock()
    near, far, flow = FluidShare(), FluidShare(), Flow(1e6, 1.0)
    start_at(0.0, 0, near, Flow(1e3, 1.0))
    start_at(0.0, 1, far, flow)
    for step in range(1, 500):
        Call(env, float(step), lambda _, step=step: engine.set_rates([(flow, 1.0 + step % 7)]))
    env.run(until=500.0)
    assert engine.solves == 500


def test_wake_ups_are_few():
    env, engine, start_at, ends = on_clock()
    shares = [FluidShare() for _ in range(5)]
    for i in range(500):
        start_at(0.01 * i, i, shares[i % 5], Flow(1.0 + i % 7, 1.0, cap_bps=0.25 if i % 2 else inf))
    env.run()
    assert len(ends) == 500
    assert engine.events == 1000
    assert engine.solves <= 1500


def test_rates_change_in_one_reallocation():
    env, engine, _, ends = on_clock()
    share, flows = FluidShare(), [Flow(2.0, 1.0), Flow(2.0, 1.0)]
    for flow in flows:
        engine.start(share, flow, lambda _: ends.append(env.now))
    engine.set_rates([(flow, 2.0) for flow in flows])  # not yet on the medium
    env.run(until=1.0)
    engine.set_rates([(flow, 4.0) for flow in flows])
    engine.set_capacity(share, 0.5)
    env.run()
    assert ends == [2.0, 2.0]


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(1, 9)), min_size=1, max_size=25))
def test_the_clock_adds_nothing(starts):
    flows = [Flow(float(bits), 3.0) for _, bits in starts]
    expected = play(NaiveShare(), [(at * GOLDEN, f) for (at, _), f in zip(starts, flows, strict=True)])
    env, _, start_at, ends = on_clock()
    share = FluidShare()
    for i, (at, bits) in enumerate(starts):
        start_at(at * GOLDEN, i, share, Flow(float(bits), 3.0))
    env.run()
    assert dict(ends) == pytest.approx({i: expected[f] for i, f in enumerate(flows)}, rel=1e-9)
