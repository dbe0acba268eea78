"""Numbers for people: nothing that differs reads alike, and no unit makes a number unreadable."""

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from study_folders import fake_study

from slfac_sim.analysis.format import amount, as_fast, between, percent, quantity, times, unit_of
from slfac_sim.analysis.studies.report import finish_study
from slfac_sim.foundation.units import exact

TARGETS = st.floats(1e-6, 1.0)
CLOSE = (0.1, 0.10000001, 0.8, 0.8000001)


@given(TARGETS, TARGETS)
def test_targets_that_differ_have_keys_and_percents_that_differ(first: float, second: float) -> None:
    assert float(exact(first)) == first
    assert (exact(first) == exact(second)) == (first == second)
    assert (percent(first) == percent(second)) == (first == second)


@pytest.mark.parametrize(
    ("target", "key", "words"),
    [
        (0.8, "0.8", "80 %"),
        (1.0, "1", "100 %"),
        (0.97, "0.97", "97 %"),
        (0.10000001, "0.10000001", "10.000001 %"),
    ],
)
def test_usual_targets_are_short(target: float, key: str, words: str) -> None:
    assert (exact(target), percent(target)) == (key, words)


def test_close_targets_are_two_in_every_file_of_a_study(tmp_path: Path) -> None:
    lines = finish_study(fake_study(tmp_path / "s", targets=CLOSE, seeds=2))
    assert lines[0].startswith("Time to 80.00001 % test accuracy")
    summary = json.loads((tmp_path / "s/summary.json").read_text(encoding="utf-8"))
    assert set(summary["combinations"][0]["targets"]) == {exact(target) for target in CLOSE}
    with (tmp_path / "s/points.csv").open(encoding="utf-8") as file:
        columns = next(csv.reader(file))
    assert {f"to_{exact(target)}_s" for target in CLOSE} <= set(columns)
    report = (tmp_path / "s/report.md").read_text(encoding="utf-8")
    costs = re.search(r"## Time, bytes and energy.*\n\n(.*)\n", report)
    assert costs is not None
    assert {f"{percent(target)}: s" for target in CLOSE} <= {cell.strip() for cell in costs[1].split("|")}
    figure = (tmp_path / "s/figures/time_to_accuracy.svg").read_text(encoding="utf-8")
    assert "time to 80.00001 %" in figure


@given(st.floats(1e-3, 1e12), st.sampled_from(["J", "B", "s"]))
def test_a_quantity_has_a_readable_number(value: float, unit: str) -> None:
    number, name = quantity(value, unit).split()
    shown = float(number.replace(",", ""))
    factor = unit_of([value], unit)[0]
    assert name.endswith(unit)
    assert shown * factor == pytest.approx(value, rel=6e-3)
    if (unit, name) not in {("s", "s"), ("B", "kB")}:
        assert 0.99 <= shown < 1000 or factor == 1e9


def test_quantities_by_hand() -> None:
    assert [quantity(joules, "J") for joules in (2.5, 2500.0, 0.0025, 0.0)] == [
        "2.5 J",
        "2.5 kJ",
        "2.5 mJ",
        "0 J",
    ]
    assert [quantity(nbytes, "B") for nbytes in (45_600, 968e6)] == ["45.6 kB", "968 MB"]
    assert [quantity(seconds, "s") for seconds in (0.012, 1234.0)] == ["12 ms", "1,234 s"]


@given(st.floats(1e-3, 1e4), st.floats(1.0, 2.0))
def test_a_ratio_is_said_in_one_way_and_equal_ends_once(ratio: float, more: float) -> None:
    assert as_fast(ratio).endswith(" times as fast")
    ends = between(ratio, ratio * more).split(" to ")
    assert len(ends) == len(set(ends))
    assert between(6.65, 6.651) == "6.65"
    assert amount(6.65) == "6.65"


@given(st.floats(1e-6, 1e9), st.sampled_from([amount, times]))
def test_a_bound_is_rounded_outward_by_less_than_its_last_digit(
    value: float, write: Callable[..., str]
) -> None:
    low, high = (float(write(value, up=up).replace(",", "")) for up in (False, True))
    assert low <= value * (1 + 1e-5)
    assert high >= value * (1 - 1e-5)
    assert high - low <= 0.11 * value + 1e-12 or high - low <= 0.01
    assert write(high, up=False) == write(high, up=True) == write(high)


def test_a_bound_just_above_equal_speed_does_not_read_as_equal() -> None:
    assert (as_fast(1.0035, up=True), as_fast(1.0035, up=False)) == (
        "1.01 times as fast",
        "1.00 times as fast",
    )
    assert (amount(0.50198, up=False), amount(2345.0, up=True)) == ("0.501", "2,345")
