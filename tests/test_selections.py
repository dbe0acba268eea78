"""Selections: who is asked, how often, and that nothing but the round and the seed draws it."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from slfac_sim.foundation.plugins import find, kinds
from slfac_sim.hosts.names import device_names
from slfac_sim.protocols.selections import Selection
from slfac_sim.protocols.selections.all import All
from slfac_sim.protocols.selections.fastest import Fastest
from slfac_sim.protocols.selections.random import Random

NAMES = device_names(20)


def unasked(device: str) -> float:
    raise AssertionError("speeds are no business of this selection")


def as_fast_as_late(device: str) -> float:
    """The later a device's number, the shorter its mini-batch."""
    return 100.0 - int(device[1:])


@pytest.mark.parametrize("kind", kinds("slfac_sim.protocols.selections"))
@given(there=st.lists(st.sampled_from(NAMES), min_size=1, unique=True), number=st.integers(1, 1000))
def test_every_selection_names_some_of_those_who_are_there_in_their_order(
    kind: str, there: list[str], number: int
) -> None:
    selection: Selection = find("slfac_sim.protocols.selections", kind)()
    chosen = selection.choose(there, number, 3, as_fast_as_late)
    assert chosen
    assert chosen == [device for device in there if device in chosen]
    assert len(chosen) <= selection.at_most(len(there)) <= len(there)
    assert chosen == selection.choose(there, number, 3, as_fast_as_late)
    assert isinstance(selection.timing_steers_learning, bool)


def test_all_are_all() -> None:
    assert All().choose(NAMES, 1, 0, unasked) == NAMES


def test_random_devices_are_equally_likely_and_so_are_pairs() -> None:
    """The p-value of a fair draw is uniform; this one is fixed by the seed."""
    rounds = [Random(count=5).choose(NAMES, number, 0, unasked) for number in range(1, 4001)]
    assert {len(chosen) for chosen in rounds} == {5}
    singles = Counter(device for chosen in rounds for device in chosen)
    assert chisquare([singles[name] for name in NAMES]).pvalue > 0.05
    pairs = Counter(
        pair for chosen in rounds for pair in ((one, two) for one in chosen for two in chosen if one < two)
    )
    assert len(pairs) == 20 * 19 / 2
    assert chisquare(list(pairs.values())).pvalue > 0.05


def test_a_draw_depends_on_round_and_seed_alone() -> None:
    draws = {(seed, number): tuple(Random(count=5).choose(NAMES, number, seed, unasked))
             for seed in range(5) for number in range(1, 6)}  # fmt: skip
    assert len(set(draws.values())) == len(draws)
    again = Random(count=5).choose(NAMES, 3, 2, unasked)  # after other draws, and before none
    assert tuple(again) == draws[2, 3]


def test_fewer_than_wanted_all_take_part() -> None:
    for selection in (Random(count=5), Fastest(count=5)):
        assert selection.choose(NAMES[:3], 1, 0, as_fast_as_late) == NAMES[:3]


def test_the_fastest_take_part_and_of_equals_the_first() -> None:
    assert Fastest(count=2).choose(NAMES, 1, 0, as_fast_as_late) == NAMES[-2:]
    assert Fastest(count=2).choose(NAMES, 1, 0, lambda device: 1.0) == NAMES[:2]
    assert Fastest(count=1).timing_steers_learning
    assert not Random(count=1).timing_steers_learning
