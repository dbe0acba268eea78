"""Max-min rates against hand cases and exact fractions, and shares against each other."""

from fractions import Fraction
from math import fsum, inf
from random import Random

import pytest
import simpy
from hypothesis import given, settings
from hypothesis import strategies as st

from slfac_sim.network.engine import (
    Call,
    Demand,
    Engine,
    Flow,
    FluidShare,
    MaxMinShare,
    NaiveGraph,
    Profile,
    Routed,
    plan,
)
from slfac_sim.network.engine.naive import fill_plainly
from slfac_sim.network.engine.pool import Sum
from slfac_sim.network.engine.route import Route

GOLDEN = (5**0.5 - 1) / 2  # change times on its multiples never tie with completions, which are rational


def filled(capacities, rows):
    """Return the levels of rows (weight, ceiling, {link: use}): what flows have in a second, per weight."""
    share = MaxMinShare({name: float(capacity) for name, capacity in capacities.items()})
    flows = []
    for weight, ceiling, uses in rows:
        cap_bps = float(ceiling) * float(weight)
        consumption = tuple(map(float, uses.values()))
        flows.append(Routed(1e30, 1.0, float(weight), cap_bps, path=tuple(uses), consumption=consumption))
        share.start(0.0, flows[-1])
    assert share.due_s > 1.0
    for flow in flows:
        share.cancel(1.0, flow)
    return [flow.airtime_s / flow.consumption[0] / flow.weight for flow in flows]


# --- rates ---

HAND_CASES = [  # spec: capacities, rows (weight, cap, uses), rates
    ({"A": 9}, [(1, inf, "A")] * 3, [3, 3, 3]),
    ({"A": 12}, [(1, inf, "A"), (2, inf, "A"), (3, inf, "A")], [2, 4, 6]),
    ({"A": 12}, [(1, inf, "A"), (2, inf, "A"), (3, 3, "A")], [3, 6, 3]),
    (
        {"a": 1, "b": 2, "c": 5, "d": 10, "e": 50, "S": 20},
        [(1, inf, x + "S") for x in "abcde"],
        [1, 2, 5, 6, 6],
    ),
    ({"A": 20}, [(1, cap, "A") for cap in (1, 2, 5, 10, 50)], [1, 2, 5, 6, 6]),
    ({"A": 10, "B": 6, "C": 8}, [(1, inf, way) for way in ("ABC", "A", "B", "C")], [3, 7, 3, 5]),
    ({"1": 10, "2": 30, "S": 25}, [(1, inf, way) for way in ("1S", "1S", "2S", "2S")], [5, 5, 7.5, 7.5]),
    ({"A": 0, "B": 4}, [(1, inf, "A"), (1, inf, "AB"), (1, inf, "B")], [0, 0, 4]),
    ({"A": 4}, [(1, 0, "A"), (1, 1, "A"), (1, 2, "A")], [0, 1, 2]),
]


@pytest.mark.parametrize("solve", [filled, fill_plainly])
@pytest.mark.parametrize(("capacities", "flows", "rates"), HAND_CASES)
def test_hand_cases(solve, capacities, flows, rates):
    rows = [(weight, cap / weight, dict.fromkeys(way, 1)) for weight, cap, way in flows]
    levels = solve(capacities, rows)
    assert [row[0] * level for row, level in zip(rows, levels, strict=True)] == pytest.approx(
        rates, rel=1e-12
    )


@pytest.mark.parametrize("solve", [filled, fill_plainly])
def test_airtime_equal_rate_is_the_performance_anomaly_and_equal_airtime_is_not(solve):
    phy = [54, 54, 54, 6]
    assert solve({"air": 1.0}, [(1, inf, {"air": 1 / r}) for r in phy]) == pytest.approx([4.5] * 4)
    shares = solve({"air": 1.0}, [(r, inf, {"air": 1 / r}) for r in phy])
    assert [r * x for r, x in zip(phy, shares, strict=True)] == pytest.approx([13.5, 13.5, 13.5, 1.5])


quarters = st.integers(1, 20).map(lambda n: Fraction(n, 4))
links_of = st.lists(st.sampled_from("ABCDE"), min_size=1, max_size=4, unique=True)
rows_of = st.lists(
    st.tuples(
        quarters,  # weight
        st.one_of(st.just(inf), st.integers(0, 12).map(lambda n: Fraction(n, 3))),  # ceiling
        links_of.flatmap(lambda names: st.fixed_dictionaries(dict.fromkeys(names, quarters))),
    ),
    min_size=1,
    max_size=12,
)
capacities_of = st.fixed_dictionaries(
    dict.fromkeys("ABCDE", st.integers(0, 40).map(lambda n: Fraction(n, 3)))
)


@given(capacities_of, rows_of)
def test_levels_are_those_of_exact_fractions_and_are_max_min(capacities, rows):
    exact = fill_plainly(capacities, rows)
    numbers = {name: float(capacity) for name, capacity in capacities.items()}
    floats = [(float(w), float(c), {name: float(u) for name, u in uses.items()}) for w, c, uses in rows]
    assert filled(capacities, rows) == pytest.approx([float(x) for x in exact], rel=1e-12, abs=1e-12)
    assert fill_plainly(numbers, floats) == pytest.approx([float(x) for x in exact], rel=1e-12, abs=1e-12)
    used = {
        name: sum(w * x * u.get(name, 0) for (w, _, u), x in zip(rows, exact, strict=True))
        for name in "ABCDE"
    }
    assert all(used[name] <= capacities[name] for name in "ABCDE")  # feasible, exactly
    for (_, ceiling, uses), level in zip(rows, exact, strict=True):
        highest = {
            name: max(x for (_, _, u), x in zip(rows, exact, strict=True) if name in u)
            for name in uses
            if used[name] == capacities[name]
        }
        assert level == ceiling or level in highest.values()  # at its cap, or first at a full link


@given(st.lists(st.floats(1e-9, 1e9), max_size=60), st.randoms(use_true_random=False))
def test_the_running_sum_does_not_drift(terms, random):
    total, left = Sum(), list(terms)
    for term in terms:
        total.add(term)
    random.shuffle(left)
    while len(left) > 1:
        total.add(-left.pop())
        assert total.value == pytest.approx(fsum(left), rel=1e-14)


# --- shares against each other ---

WAYS = ("A", "AB", "B", "BC", "C", "CAB", "D")
steps = st.lists(
    st.tuples(
        st.integers(0, 10),  # when, in golden steps
        st.sampled_from(["start", "start", "start", "cancel", "capacity"]),
        st.integers(0, 13),  # which way, flow or link
        st.integers(1, 9),  # bits, or capacity + 1
        st.integers(1, 4),  # weight
        st.integers(0, 12),  # cap in thirds; 9 and more: none
        st.integers(1, 5),  # use of the first link
    ),
    max_size=30,
)


def routed(way, bits, weight, cap, use):
    cap_bps = inf if cap >= 9 else cap / 3
    consumption = (float(use), *(1.0 for _ in way[1:]))
    return Routed(float(bits), 1.0, float(weight), cap_bps, path=tuple(way), consumption=consumption)


def single(_, bits, weight, cap, use):
    """Return the same flow for a share of one link."""
    return Flow(float(bits), 1.0 / use, float(weight * use), inf if cap >= 9 else cap / 3)


def played(share, make, ways, script, capacity=lambda number: (number - 1) / 2):
    """Play `script` on `share` and return ends, and bits left and airtime of all flows, 1000 s on."""
    flows, ends, gone = [], {}, set()

    def finish_until(now_s):
        while share.due_s <= now_s:
            at_s = share.due_s
            ends.update((flows.index(flow), at_s) for flow in share.finish(at_s))

    now_s = 0.0
    for step, what, which, number, weight, cap, use in sorted(script, key=lambda entry: entry[0]):
        now_s = step * GOLDEN
        finish_until(now_s)
        if what == "start":
            flows.append(make(ways[which % len(ways)], number, weight, cap, use))
            share.start(now_s, flows[-1])
        elif what == "capacity":
            name = sorted(set("".join(ways)))[which % len(set("".join(ways)))]
            share.set_capacity(now_s, capacity(number), name)
        else:
            live = [i for i in range(len(flows)) if i not in ends and i not in gone]
            if live:
                gone.add(live[which % len(live)])
                share.cancel(now_s, flows[live[which % len(live)]])
    finish_until(now_s + 1e3)
    for i, flow in enumerate(flows):
        if i not in ends and i not in gone:
            share.cancel(now_s + 1e3, flow)
    return ends, flows


def same(one, other):
    (ends, flows), (other_ends, other_flows) = one, other
    assert ends == pytest.approx(other_ends, rel=1e-9, abs=1e-9)
    for flow, twin in zip(flows, other_flows, strict=True):
        assert flow.left_bits == pytest.approx(twin.left_bits, rel=1e-9, abs=1e-9)
        assert flow.airtime_s == pytest.approx(twin.airtime_s, rel=1e-9, abs=1e-9)
        assert (flow.start_s is None) == (twin.start_s is None)
        assert flow.start_s is None or flow.start_s == pytest.approx(twin.start_s, rel=1e-9, abs=1e-9)


@given(steps)
@settings(max_examples=200)
def test_one_link_with_caps_a_and_b_and_naive_agree(script):
    naive = played(NaiveGraph({"A": 2.0}), routed, "A", script)
    same(played(FluidShare(2.0), single, "A", script), naive)
    same(played(MaxMinShare({"A": 2.0}), routed, "A", script), naive)


@given(steps)
@settings(max_examples=200)
def test_graphs_b_and_naive_agree(script):
    capacities = {"A": 2.0, "B": 3.0, "C": 1.0, "D": 2.0}
    same(
        played(MaxMinShare(capacities), routed, WAYS, script),
        played(NaiveGraph(capacities), routed, WAYS, script),
    )


TREE = ("aeg", "beg", "cfg", "dfg", "eg", "fg", "g")
CAPACITIES = {"a": 1.0, "b": 2.0, "c": 1.0, "d": 3.0, "e": 2.0, "f": 2.0, "g": 3.0}


@given(steps)
@settings(max_examples=200)
def test_trees_b_and_naive_agree(script):
    same(
        played(MaxMinShare(CAPACITIES), routed, TREE, script),
        played(NaiveGraph(CAPACITIES), routed, TREE, script),
    )


def of_own_rate(way, bits, weight, cap, use):
    """Return a flow with a radio rate, a cap and a size like nobody else's."""
    consumption = tuple(use / 3.0 if link == way[0] else 1.0 for link in way)
    return Routed(bits, 1.0, weight, cap, path=tuple(way), consumption=consumption)


@pytest.mark.parametrize("seed", range(8))
def test_trees_with_rates_and_caps_of_their_own_b_and_naive_agree(seed):
    rng = Random(seed)
    what = ("start", "start", "start", "cancel", "capacity")
    script = [
        (
            rng.uniform(0.0, 12.0),
            rng.choice(what),
            rng.randrange(100),
            rng.expovariate(0.5),
            rng.uniform(0.3, 3.0),
            rng.expovariate(2.0),
            rng.uniform(0.5, 5.0),
        )
        for _ in range(120)
    ]
    same(
        played(MaxMinShare(CAPACITIES), of_own_rate, TREE, script, capacity=float),
        played(NaiveGraph(CAPACITIES), of_own_rate, TREE, script, capacity=float),
    )


@given(steps)
def test_no_link_carries_more_than_it_can(script):
    capacities = {"A": 2.0, "B": 3.0, "C": 1.0, "D": 2.0}
    quiet = [entry for entry in script if entry[1] != "capacity"]
    ends, flows = played(MaxMinShare(capacities), routed, WAYS, quiet)
    until_s = max([step * GOLDEN for step, *_ in quiet], default=0.0) + 1e3
    for name, capacity in capacities.items():
        used = fsum(
            (flow.bits - flow.left_bits) * use
            for flow in flows
            for link, use in zip(flow.path, flow.consumption, strict=True)
            if link == name
        )
        assert used <= capacity * until_s * (1 + 1e-12)
    assert all(flows[i].left_bits == 0.0 for i in ends)
    assert all(0.0 <= flow.left_bits <= flow.bits for flow in flows)


@pytest.mark.parametrize("kind", [MaxMinShare, NaiveGraph])
def test_an_outage_keeps_every_bit_and_stops_nobody_else(kind):
    share = kind({"A": 2.0, "B": 2.0})
    stalls, goes_on = routed("A", 4, 1, 9, 1), routed("B", 4, 1, 9, 1)
    share.start(0.0, stalls)
    share.start(0.0, goes_on)
    share.set_capacity(1.0, 0.0, "A")
    assert share.due_s == 2.0
    assert share.finish(2.0) == [goes_on]
    assert share.due_s == inf
    share.set_capacity(5.0, 2.0, "A")
    assert share.due_s == 6.0
    assert share.finish(6.0) == [stalls]
    assert (stalls.left_bits, stalls.airtime_s, stalls.start_s) == (0.0, 4.0, 0.0)


def test_a_capped_flow_keeps_its_bits_through_an_outage_and_starts_when_first_served():
    share, flow, later = FluidShare(2.0), Flow(3.0, 1.0, cap_bps=1.0), Flow(1.0, 1.0, cap_bps=0.5)
    share.start(0.0, flow)
    share.set_capacity(1.0, 0.0)
    share.start(2.0, later)
    assert (share.due_s, later.start_s) == (inf, None)
    share.set_capacity(4.0, 2.0)
    assert (share.due_s, later.start_s) == (6.0, 4.0)
    assert share.finish(6.0) == [flow, later]
    assert (flow.airtime_s, later.airtime_s) == (3.0, 1.0)


def test_flows_that_end_at_one_instant_come_in_the_order_of_start_on_either_side_of_their_caps():
    flows = [Flow(1.0, 1.0), Flow(0.5, 1.0, cap_bps=0.5), Flow(1.0, 1.0), Flow(0.25, 1.0, cap_bps=0.25)]
    share = FluidShare(2.75)
    for flow in flows:
        share.start(0.0, flow)
    assert share.due_s == 1.0
    assert share.finish(1.0) == flows


def test_many_starts_of_one_instant_are_one_filling():
    share = MaxMinShare({"A": 1.0, "B": 1.0, "C": 1.0})
    flows = [routed("AB" if i % 2 else "C", 1 + i % 3, 1, 9, 1) for i in range(100)]
    for flow in flows:
        share.start(1.0, flow)
    assert share.due_s < inf
    assert share.solves == 1
    instants, ended = set(), 0
    while share.due_s < inf:
        instants.add(share.due_s)
        ended += len(share.finish(share.due_s))
    assert (ended, share.solves) == (100, 1 + len(instants))


@pytest.mark.parametrize("kind", [MaxMinShare, NaiveGraph])
def test_groups_end_together_in_the_order_of_start(kind):
    share = kind({"A": 2.0, "B": 1.0})
    flows = [routed(way, 1, 1, 9, 1) for way in ("A", "B", "A")]
    for flow in flows:
        share.start(0.0, flow)
    share.set_capacity(0.0, 2.0, "A")
    assert share.due_s == 1.0
    assert share.finish(1.0) == flows


def test_groups_come_and_go_and_their_dues_move():
    share = MaxMinShare({"A": 1.0, "B": 1.0})
    first, second, gone = routed("AB", 2, 1, 9, 1), routed("A", 2, 1, 9, 1), routed("A", 2, 2, 9, 1)
    share.start(0.0, first)
    assert share.due_s == 2.0
    share.start(1.0, second)
    share.start(1.0, gone)
    share.cancel(1.0, gone)
    assert share.due_s == 3.0
    assert (gone.start_s, gone.left_bits) == (None, 2.0)
    assert share.finish(3.0) == [first]
    assert share.due_s == 4.0
    assert share.finish(4.0) == [second]
    assert share.due_s == inf


def test_what_a_heavy_tenant_leaves_is_not_lost_in_rounding():
    levels = filled({"A": 3.0}, [(1e9, 1e-9, {"A": 1.0}), (1 / 3, inf, {"A": 1.0})])
    assert levels == pytest.approx([1e-9, 6.0], rel=1e-12)


def counted(monkeypatch, *names):
    """Return a list that grows by the route's path whenever one of these methods of `Route` is called."""
    calls = []
    for name in names:
        method = getattr(Route, name)
        monkeypatch.setattr(Route, name, lambda r, s, do=method: (calls.append("".join(r.path)), do(r, s))[1])
    return calls


def test_a_change_moves_only_the_routes_whose_level_it_changes(monkeypatch):
    share = MaxMinShare(dict.fromkeys("ABC", 1.0))
    for way in ("A", "AB", "C"):
        share.start(0.0, routed(way, 9, 1, 9, 1))
    assert share.due_s == 9.0
    moved = counted(monkeypatch, "run")
    share.set_capacity(1.0, 2.0, "B")  # which is not full
    assert (share.due_s, moved) == (9.0, [])
    share.set_capacity(2.0, 2.0, "A")
    assert (share.due_s, sorted(moved)) == (9.0, ["A", "AB"])


def test_a_change_moves_only_the_flows_whose_caps_the_level_passes(monkeypatch):
    rng = Random(1)
    share = MaxMinShare({"A": 10.0, "B": 8.0, "S": 15.0})
    for i in range(1000):
        cap = rng.expovariate(30.0)
        share.start(0.0, of_own_rate("AS" if i % 2 else "BS", 1e9, rng.uniform(0.5, 2.0), cap, 3.0))
    assert share.due_s < inf
    moved = counted(monkeypatch, "hold_lowest", "release_highest")
    for i in range(100):
        share.start(1.0 + i, of_own_rate("AS", 1e9, 1.0, rng.expovariate(30.0), 3.0))
        assert share.due_s < inf
    assert 0 < len(moved) < 300


def test_a_routed_flow_has_no_rate_of_its_own_and_needs_links_that_exist():
    share = MaxMinShare({"A": 1.0})
    with pytest.raises(TypeError, match="a routed flow has no rate of its own"):
        share.set_rates(0.0, [])
    with pytest.raises(KeyError, match="X"):
        share.start(0.0, routed("AX", 1, 1, 9, 1))
    with pytest.raises(ValueError, match="a routed flow needs a link"):
        share.start(0.0, Routed(1.0, 1.0))


# --- profiles ---


def test_a_profile_tells_its_value_and_its_next_change():
    profile = Profile(3.0, [(1.0, 0.0), (2.5, 4.0)])
    assert [profile.at(t_s) for t_s in (0.0, 0.999, 1.0, 2.4, 2.5, 99.0)] == [3.0, 3.0, 0.0, 0.0, 4.0, 4.0]
    assert [profile.next_s(t_s) for t_s in (-1.0, 1.0, 2.0, 2.5)] == [1.0, 2.5, 2.5, inf]
    assert (Profile(2.0).at(5.0), Profile(2.0).next_s(5.0)) == (2.0, inf)


@pytest.mark.parametrize(
    ("before", "changes", "message"),
    [
        (-1.0, [], "a capacity must be finite and not negative: -1.0"),
        (float("nan"), [], "a capacity must be finite and not negative: nan"),
        (1.0, [(0.0, inf)], "a capacity must be finite and not negative: inf"),
        (1.0, [(1.0, 2.0), (1.0, 3.0)], "times of changes must be finite and increase: 1.0 after 1.0"),
        (1.0, [(inf, 2.0)], "times of changes must be finite and increase: inf after inf"),
    ],
)
def test_a_profile_refuses_what_is_out_of_order(before, changes, message):
    with pytest.raises(ValueError, match=message):
        Profile(before, changes)


# --- the choice of shares, and whole cases on the clock ---

quick = st.tuples(st.integers(0, 12).map(lambda n: n * GOLDEN), st.integers(0, 6).map(float))
profile_of = st.builds(
    lambda before, changes: Profile(before, sorted(dict(changes).items())),
    st.integers(0, 6).map(float),
    st.lists(quick, max_size=4),
)
demand_of = st.builds(
    lambda way, bits, weight, cap, use: Demand(
        tuple(way),
        (float(use), *(1.0 for _ in way[1:])),
        float(bits),
        float(weight),
        inf if cap >= 6 else cap / 3,
    ),
    st.sampled_from([*WAYS, "ED", "FAB", "E"]),
    st.integers(1, 9),
    st.integers(1, 4),
    st.integers(0, 12),
    st.integers(1, 4),
)


def run_case(profiles, cases, kind):
    env, ends = simpy.Environment(), {}
    on_clock = Engine(env)
    places, follows = plan(profiles, [demand for _, demand in cases], kind)
    for share, profile, link in follows:
        on_clock.follow(share, profile, link)
    numbers = {flow: i for i, (_, flow) in enumerate(places)}

    def done(flow):
        ends[numbers[flow]] = env.now

    for (at_s, _), place in zip(cases, places, strict=True):
        Call(env, at_s, lambda _, place=place: on_clock.start(*place, done))
    env.run()
    return ends, on_clock


@given(
    st.fixed_dictionaries(dict.fromkeys("ABCDEF", profile_of)),
    st.lists(st.tuples(st.integers(0, 9).map(lambda n: n / 7), demand_of), max_size=12),
)
@settings(max_examples=300)
def test_the_chosen_shares_agree_with_the_naive_engine_on_whole_cases(profiles, cases):
    ends, engine = run_case(profiles, cases, "auto")
    naive_ends, _ = run_case(profiles, cases, "naive")
    assert ends == pytest.approx(naive_ends, rel=1e-9, abs=1e-9)
    changes = sum(len(profile.changes) + 1 for profile in profiles.values())
    assert engine.solves <= 2 * (2 * len(cases) + changes)  # no more wake-ups than twice what happens


def shares_of(capacities, ways):
    profiles = {name: c if isinstance(c, Profile) else Profile(c) for name, c in capacities.items()}
    places, follows = plan(profiles, [Demand(tuple(way), (1.0,) * len(way), 8.0) for way in ways])
    return places, follows


def test_one_link_is_a_fluid_share_and_tied_links_are_a_max_min_one():
    places, follows = shares_of({"A": 5.0, "B": 4.0, "C": 4.0}, ["A", "A", "B", "BC", "C"])
    assert [type(share) for share, _ in places] == [FluidShare] * 2 + [MaxMinShare] * 3
    assert places[0][0] is places[1][0]
    assert not follows


def test_a_link_of_one_transfer_becomes_its_cap():
    places, _ = shares_of({"a": 1.0, "b": 2.0, "c": 5.0, "S": 4.0}, ["aS", "bS", "cS"])
    assert {type(share) for share, _ in places} == {FluidShare}
    assert [flow.cap_bps for _, flow in places] == [1.0, 2.0, inf]  # c never fills up, S being slower
    both, _ = shares_of({"a": 1.0, "b": 2.0}, ["ab"])
    assert [(type(share), flow.cap_bps) for share, flow in both] == [(FluidShare, inf)]


def test_a_server_that_its_cells_cannot_fill_is_left_out():
    capacities = {"1": 20.0, "2": Profile(10.0, [(1.0, 30.0)]), "S": 50.0}
    places, follows = shares_of(capacities, ["1S", "1S", "2S", "2S"])
    assert {type(share) for share, _ in places} == {FluidShare}
    assert len({share for share, _ in places}) == 2
    assert follows == [(places[2][0], capacities["2"], "")]
    places, follows = shares_of(capacities | {"S": Profile(50.0, [(9.0, 49.0)])}, ["1S", "1S", "2S", "2S"])
    assert {type(share) for share, _ in places} == {MaxMinShare}
    assert sorted(link for _, _, link in follows) == ["2", "S"]


def test_what_fills_a_server_up_counts_by_its_use():
    profiles = {"1": Profile(10.0), "S": Profile(15.0)}
    demands = [Demand(("1", "S"), (1.0, use), 8.0) for use in (2.0, 1.0)]
    assert {type(share) for share, _ in plan(profiles, demands).places} == {MaxMinShare}
    profiles["S"] = Profile(20.0)
    assert {type(share) for share, _ in plan(profiles, demands).places} == {FluidShare}


def test_a_link_on_the_way_twice_is_used_twice():
    (((share, flow),), _) = shares_of({"A": 6.0}, ["AA"])
    share.start(0.0, flow)
    assert share.due_s == pytest.approx(8.0 / 3.0)


def test_an_unknown_link_is_a_key_error():
    with pytest.raises(KeyError, match="X"):
        shares_of({"A": 1.0}, ["AX"])
