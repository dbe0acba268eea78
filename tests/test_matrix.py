"""The sample of a generated matrix: of its size, the same for a seed, with every test and plug-in in it."""

from dataclasses import dataclass
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import pytest
from conftest import part, sample


@dataclass(frozen=True)
class Case:
    """What is read of a collected test."""

    test: str
    kind: str
    place: int = 0
    is_large: bool = False

    def get_closest_marker(self, name: str) -> pytest.Mark:
        return pytest.Mark(name, (), {"large": self.is_large}, _ispytest=True)

    @property
    def nodeid(self) -> str:
        return f"{self.test}[{self.kind}-{self.place}]"

    @property
    def callspec(self) -> Any:
        return SimpleNamespace(params={"kind": self.kind})


LAW = [Case("law", kind, place) for kind in "abcdefgh" for place in range(5)]


def drawn(cases: list[Case], share: str, seed: int = 0) -> set[Any]:
    return set(sample(cases, part(share), seed))  # type: ignore[arg-type]


def test_a_part_is_drawn_of_each_test_and_one_at_least() -> None:
    few = [Case("few", "a"), Case("few", "b")]
    found = drawn([*LAW, *few], "1/4")
    assert len([case for case in found if case.test == "few"]) == 1
    assert 10 <= len([case for case in found if case.test == "law"]) <= 10 + 8
    assert drawn([*LAW, *few], "all") == {*LAW, *few}
    assert drawn([*LAW, *few], "none") == set()


def test_of_a_large_matrix_the_part_of_that_part_is_drawn() -> None:
    large = [Case("large", "a", place, is_large=True) for place in range(160)]
    assert len(drawn(large, "1/8")) == 3
    assert drawn(large, "all") == {*large}


@pytest.mark.parametrize("seed", range(20))
def test_every_plug_in_is_tried_whatever_the_seed(seed: int) -> None:
    assert {case.kind for case in drawn(LAW, "1/40", seed)} == set("abcdefgh")


def test_a_seed_draws_the_same_wherever_a_case_stands_and_another_seed_others() -> None:
    assert drawn(LAW, "1/4", 3) == drawn(LAW[::-1], "1/4", 3) != drawn(LAW, "1/4", 4)


def test_a_part_is_a_fraction_or_a_word() -> None:
    assert part("1/3") == Fraction(1, 3)
    for wrong in ("2", "-1/2", "some"):
        with pytest.raises(ValueError, match=r"2|some"):
            part(wrong)
