"""Slowdowns: factors that are what they are called, for every host its own, and the same in any order."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slfac_sim.foundation.plugins import find, kinds
from slfac_sim.hosts.slowdowns import Factor, product
from slfac_sim.hosts.slowdowns.jitter import Jitter
from slfac_sim.hosts.slowdowns.stragglers import Stragglers
from slfac_sim.hosts.slowdowns.thermal import Thermal

HOSTS = ("d000", "d001", "server")


def factors(slowdown: Any, count: int, host: str = "d000", seed: int = 0, gap_s: float = 0.5) -> list[float]:
    """Return the factors of `count` computes of 0.1 s, `gap_s` from one's beginning to the next's."""
    factor: Factor = slowdown.open(host, seed)
    return [factor(gap_s * number, number, 0.1) for number in range(count)]


@pytest.mark.parametrize("kind", kinds("slfac_sim.hosts.slowdowns"))
def test_every_kind_gives_each_host_its_own_factors_twice_the_same(kind: str) -> None:
    slowdown = find("slfac_sim.hosts.slowdowns", kind)()
    of_host = {host: factors(slowdown, 300, host) for host in HOSTS}
    for host, found in of_host.items():
        assert found == factors(slowdown, 300, host)
        assert all(math.isfinite(one) and one > 0.0 for one in found)
    if kind != "thermal":  # nothing is drawn
        assert len({tuple(found) for found in of_host.values()}) == len(HOSTS)
        assert factors(slowdown, 300, seed=1) != of_host["d000"]


def test_jitter_has_mean_one_and_its_sigma() -> None:
    found = np.array(factors(Jitter(sigma=0.3), 20_000))
    assert found.mean() == pytest.approx(1.0, abs=3 * found.std() / math.sqrt(len(found)))
    assert np.log(found).std() == pytest.approx(0.3, rel=0.02)
    assert factors(Jitter(sigma=0.0), 3) == [1.0, 1.0, 1.0]


def test_stragglers_are_as_many_as_said_and_slow_for_a_whole_stretch() -> None:
    found = factors(Stragglers(probability=0.2, factor=4.0, each=10.0), 40_000)
    stretches = np.array(found).reshape(-1, 20)  # 20 computes begin in each stretch of 10 s
    assert set(found) == {1.0, 4.0}
    assert (stretches == stretches[:, :1]).all()
    share = (stretches[:, 0] == 4.0).mean()
    assert share == pytest.approx(0.2, abs=3 * math.sqrt(0.2 * 0.8 / len(stretches)))


def test_stragglers_may_be_drawn_for_each_compute() -> None:
    found = np.array(factors(Stragglers(probability=0.25, factor=2.0, each=0.0), 10_000, gap_s=0.0))
    assert (found == 2.0).mean() == pytest.approx(0.25, abs=3 * math.sqrt(0.25 * 0.75 / len(found)))


@pytest.mark.parametrize(("probability", "expected"), [(0.0, {1.0}), (1.0, {5.0})])
def test_stragglers_never_or_always(probability: float, expected: set[float]) -> None:
    assert set(factors(Stragglers(probability=probability), 200)) == expected


def test_a_hot_host_is_throttled_until_it_has_cooled_to_where_it_resumes() -> None:
    """By hand: 4 s of work make it hot, a second of rest takes 2 s of heat, it resumes at 2 s or less."""
    factor = Thermal(factor=3.0, heats_in=4.0, cools_in=2.0, resumes=0.5).open("d000", 0)
    assert factor(0.0, 0, 3.0) == 1.0  # heat 3 at 3 s
    assert factor(3.0, 1, 2.0) == 1.0  # begins below 4, ends with 5 at 5 s
    assert factor(5.0, 2, 1.0) == 3.0  # throttled to 8 s, heat stays 5
    assert factor(8.5, 3, 1.0) == 3.0  # half a second of rest: 4, above 2; to 11.5 s
    assert factor(12.5, 4, 1.0) == 1.0  # a second of rest: 2, which is where it resumes; then 3 at 13.5 s
    assert factor(13.5, 5, 1.0) == 1.0  # 3 is below 4; then 4 at 14.5 s
    assert factor(14.5, 6, 1.0) == 3.0
    assert factor(100.0, 7, 1.0) == 1.0  # cold


def test_computes_that_share_a_processor_heat_it_for_as_long_as_all_of_them_take() -> None:
    factor = Thermal(factor=2.0, heats_in=4.0, cools_in=4.0, resumes=0.5).open("server", 0)
    assert [factor(0.0, number, 1.0) for number in range(5)] == [1.0, 1.0, 1.0, 1.0, 2.0]  # to 6 s
    assert factor(7.0, 5, 1.0) == 2.0  # a second of rest leaves 3 of 4; to 9 s
    assert factor(11.0, 6, 1.0) == 1.0


def test_heat_is_each_hosts_own() -> None:
    thermal = Thermal(heats_in=1.0)
    one, other = thermal.open("d000", 0), thermal.open("d001", 0)
    assert one(0.0, 0, 2.0) == 1.0
    assert one(2.0, 1, 2.0) == 2.0
    assert other(2.0, 0, 2.0) == 1.0


@given(st.lists(st.tuples(st.floats(0.0, 50.0), st.floats(0.01, 50.0)), min_size=1, max_size=30))
def test_a_host_that_rests_as_long_as_it_works_is_never_throttled_for_good(
    works: list[tuple[float, float]],
) -> None:
    """Heat is never negative and never more than the threshold and one compute; rest always ends it."""
    factor, now_s = Thermal(heats_in=20.0, cools_in=20.0).open("d000", 0), 0.0
    for number, (rest_s, work_s) in enumerate(works):
        now_s += rest_s
        now_s += work_s * factor(now_s, number, work_s)
    assert factor(now_s + 20.0 + 50.0, len(works), 1.0) == 1.0


def test_factors_multiply_and_the_later_see_what_the_earlier_leave() -> None:
    always, hot = Stragglers(probability=1.0, factor=2.0), Thermal(factor=10.0, heats_in=3.0)
    factor = product([always, hot], "d000", 0)
    assert factor(0.0, 0, 2.0) == 2.0  # 4 s of work: more than 3
    assert factor(4.0, 1, 1.0) == 20.0
    assert product([], "d000", 0)(0.0, 0, 1.0) == 1.0
