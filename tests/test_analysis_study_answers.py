"""What a study answers: pairing, crossovers, targets, censoring, budgets; by hand on small fake studies."""

import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from study_folders import fake_study

from slfac_sim.analysis.crossings import Crossing
from slfac_sim.analysis.statistics import PairedRatio, paired_ratio
from slfac_sim.analysis.studies.answers import (
    Crossover,
    accuracy_at,
    common_budget,
    crossed,
    is_clear,
    largest_part,
    main_target,
    over_the_air,
    ratio,
    shares_trainings,
    to_target,
    variance,
)
from slfac_sim.analysis.studies.reading import load_study
from slfac_sim.analysis.studies.study import BYTES, SECONDS, StudyPoints
from slfac_sim.foundation.targets import Target


def at(accuracy: float) -> Target:
    return Target("accuracy", accuracy)


ONE = {"network.bandwidth": ["1 MHz"], "codec": ["raw", "slfac"]}


def _steps(point: dict[str, Any], accuracy: list[float], step_s: float) -> None:
    """Give a point one evaluation every `step_s` and every 10 bytes."""
    n = len(accuracy)
    curve = {name: [0.0] * n for name in ("loss", "accuracy_no_codec")} | {"accuracy": accuracy}
    curve |= {"round": list(range(n)), "at_s": [i * step_s for i in range(n)]}
    point["curve"] = curve | {"payload_bytes": [10 * i for i in range(n)]}


def _study(folder: Path, change: Any, axes: Any = None, **more: Any) -> StudyPoints:
    return load_study(fake_study(folder, axes or ONE, change=change, **more))


def _ratio(study: StudyPoints, target: float = 0.8, smoothed: bool = False) -> PairedRatio:
    found = ratio(study, {}, "slfac", "1 MHz", at(target), smoothed)
    assert found is not None
    return found


def _one_to_four(point: dict[str, Any]) -> None:
    seconds = {"raw": 40.0, "slfac": 10.0}[point["axes"]["codec"]] * (1 + point["seed"]["learning"])
    _steps(point, [0.1, 0.5, 0.8, 0.9], seconds)


def test_ratio_is_paired_by_seed(tmp_path: Path) -> None:
    found = _ratio(_study(tmp_path / "s", _one_to_four)).mean
    assert found is not None
    assert (found.mean, found.low, found.high, found.n) == pytest.approx((4.0, 4.0, 4.0, 3))


def test_a_seed_that_failed_on_one_side_is_no_pair(tmp_path: Path) -> None:
    def change(point: dict[str, Any]) -> None:
        _one_to_four(point)
        if point["axes"]["codec"] == "raw" and point["seed"]["learning"] == 1:
            point.update(status="failed", reason="no memory")

    assert _ratio(_study(tmp_path / "s", change)).n == 2


def test_a_seed_that_never_arrives_stays_in_the_time_and_in_the_ratio(tmp_path: Path) -> None:
    def change(point: dict[str, Any]) -> None:
        _one_to_four(point)
        if point["axes"]["codec"] == "raw" and point["seed"]["learning"] == 2:
            point["curve"]["accuracy"] = [0.1, 0.5, 0.6, 0.7]

    study = _study(tmp_path / "s", change)
    time = to_target(study, study.at({}, "raw", "1 MHz"), at(0.8))
    assert time is not None
    assert (time.n, time.censored, time.mean, time.median) == (3, 1, None, (160.0, 160.0))
    found = _ratio(study)  # 4, 4, and more than 360 / 60
    assert (found.n, found.censored, found.mean, found.median) == (3, 1, None, (4.0, 4.0))


def test_smoothed_and_raw_crossings_differ(tmp_path: Path) -> None:
    def change(point: dict[str, Any]) -> None:
        lucky = point["axes"]["codec"] == "slfac"  # one evaluation above the target, then below it again
        _steps(
            point, [0.1, 0.85, 0.5, 0.6, 0.8, 0.8, 0.8] if lucky else [0.1, 0.3, 0.8, 0.8, 0.8, 0.8, 0.8], 1.0
        )

    study = _study(tmp_path / "s", change)
    assert _ratio(study).middle == pytest.approx(2.0)
    assert _ratio(study, smoothed=True).middle == pytest.approx(4.0 / 6.0)


def test_targets_count_bytes_too(tmp_path: Path) -> None:
    study = _study(tmp_path / "s", _one_to_four)
    found = to_target(study, study.at({}, "raw", "1 MHz"), at(0.8), over=BYTES)
    assert found is not None
    assert found.mean is not None
    assert found.mean.mean == 20.0


def test_accuracy_within_a_budget_is_that_of_the_last_evaluation(tmp_path: Path) -> None:
    study = _study(tmp_path / "s", _one_to_four)
    points = study.at({}, "raw", "1 MHz").points
    for budget, accuracy in ((20.0, 0.8), (29.9, 0.8), (30.0, 0.9), (0.0, 0.1)):
        found = accuracy_at(study, points, budget, BYTES)
        assert found is not None
        assert found.mean == pytest.approx(accuracy)
    assert accuracy_at(study, points, -1.0, BYTES) is None


def test_the_main_target_is_the_highest_that_half_of_each_line_reaches(tmp_path: Path) -> None:
    study = load_study(fake_study(tmp_path / "s", targets=(0.5, 0.8, 0.85, 0.99)))
    assert main_target(study) == at(0.85)
    assert main_target(load_study(fake_study(tmp_path / "high", targets=(0.98, 0.99)))) == at(0.98)
    assert main_target(load_study(fake_study(tmp_path / "none", targets=()))) is None


def test_a_target_that_runs_reach_comes_before_one_that_none_does(tmp_path: Path) -> None:
    """Top-k alone never gets to 85 %; the untrained model has 5 % already, and nobody gets to 99 %."""
    axes = {"codec": ["raw", "slfac", "topk"]}
    some = load_study(fake_study(tmp_path / "some", axes, targets=(0.05, 0.85, 0.99)))
    assert main_target(some) == at(0.85)
    given = fake_study(tmp_path / "other", axes, targets=(0.99,), change=_with_macro_f1)
    text = (given / "study.yaml").read_text(encoding="utf-8")
    several = text.replace("targets:\n- 0.99\n", "targets: {accuracy: [0.99], macro_f1: [0.6]}\n")
    (given / "study.yaml").write_text(several, encoding="utf-8")
    assert main_target(load_study(given)) == Target("macro_f1", 0.6)


def _with_macro_f1(point: dict[str, Any]) -> None:
    """Have the metric of all but top-k, which is older."""
    if point["axes"]["codec"] != "topk":
        point["curve"]["macro_f1"] = [0.9 * accuracy for accuracy in point["curve"]["accuracy"]]


def test_raw_is_the_baseline_wherever_it_stands(tmp_path: Path) -> None:
    assert load_study(fake_study(tmp_path / "s", {"codec": ["slfac", "raw"]})).baseline == "raw"
    assert load_study(fake_study(tmp_path / "t", {"codec": ["topk", "slfac"]})).baseline == "topk"


def _r(value: float) -> PairedRatio:
    return paired_ratio([Crossing(value, (0, value), False)], [Crossing(1.0, (0, 1), False)])


def _bound(value: float) -> PairedRatio:
    return paired_ratio([Crossing(value, (value, math.inf), True)], [Crossing(1.0, (0, 1), False)])


def test_crossover_is_interpolated_on_logarithms() -> None:
    (found,) = crossed([1.0, 10.0, 1000.0], [_r(4.0), _r(2.0), _r(0.5)])
    assert (found.low, found.high, found.gains) == (10.0, 1000.0, "below")
    assert found.at == pytest.approx(100.0)


def test_crossovers_in_both_directions_and_none() -> None:
    assert [one.gains for one in crossed([1, 2, 3], [_r(2.0), _r(0.5), _r(3.0)])] == ["below", "above"]
    assert crossed([1, 2, 3], [_r(2.0), _r(1.5), _r(1.1)]) == []
    assert crossed([1, 2], [_r(2.0), None]) == []


def test_a_bounded_ratio_has_a_side_but_no_place() -> None:
    (found,) = crossed([1.0, 2.0, 3.0], [_bound(5.0), _bound(0.9), _r(0.5)])
    assert (found.low, found.high, math.isnan(found.at)) == (1.0, 3.0, True)
    assert isinstance(found, Crossover)


def test_one_seed_is_never_clear() -> None:
    assert not is_clear(_r(100.0))
    assert not is_clear(_bound(100.0))


def test_one_training_at_several_places_is_correlated(tmp_path: Path) -> None:
    assert shares_trainings(load_study(fake_study(tmp_path / "s")))

    def own(point: dict[str, Any]) -> None:
        point["training"] += point["axes"]["network.bandwidth"]

    assert not shares_trainings(load_study(fake_study(tmp_path / "t", change=own)))


def test_the_largest_part_moves_from_air_to_devices(tmp_path: Path) -> None:
    study = load_study(fake_study(tmp_path / "s"))
    parts = [largest_part(study, study.at({}, "raw", x)) for x in ("1 MHz", "10 MHz", "100 MHz")]
    assert [part[0] for part in parts if part] == ["airtime", "airtime", "device compute"]


def test_air_draws_are_split_from_learning(tmp_path: Path) -> None:
    def known(point: dict[str, Any]) -> None:
        learning, air = point["seed"]["learning"], point["seed"]["air"] % 1000
        point["simulated_s"] = 100.0 + 10.0 * learning + 1.0 * air

    study = _study(tmp_path / "s", known, {"codec": ["raw"]}, air_seeds=4)
    assert [len(row) for row in over_the_air(study, {"codec": "raw"})] == [4, 4, 4]
    split = variance(study, {"codec": "raw"}, None)
    assert split is not None
    assert (split.learning, split.air, split.both) == pytest.approx((100.0, 5.0 / 3.0, 0.0))
    assert variance(study, {"codec": "raw"}, at(0.99)) is None  # no run gets there


def test_only_draws_that_every_training_has_are_split(tmp_path: Path) -> None:
    def one_fails(point: dict[str, Any]) -> None:
        if point["seed"] == {"learning": 1, "air": 1002}:
            point.update(status="failed", reason="x")

    study = _study(tmp_path / "s", one_fails, {"codec": ["raw"]}, air_seeds=4)
    rows = over_the_air(study, {"codec": "raw"})
    assert [[study.columns["seed_air"][i] for i in row] for row in rows] == [[1000, 1001, 1003]] * 3


def test_more_bandwidth_is_never_slower_in_the_fake(tmp_path: Path) -> None:
    study = load_study(fake_study(tmp_path / "s"))
    found = [to_target(study, study.at({}, "raw", x), at(0.8)) for x in ("1 MHz", "10 MHz", "100 MHz")]
    means = [one.mean.mean for one in found if one is not None and one.mean is not None]
    assert len(means) == 3
    assert all(one > two for one, two in pairwise(means))


def test_who_sends_nothing_sets_no_budget(tmp_path: Path) -> None:
    def silent(point: dict[str, Any]) -> None:
        if point["axes"]["codec"] == "raw":
            point["curve"]["payload_bytes"] = [0 for _ in point["curve"]["payload_bytes"]]
            point["curve"]["at_s"] = [at_s / 1000 for at_s in point["curve"]["at_s"]]

    study = load_study(fake_study(tmp_path, {"codec": ["raw", "slfac"]}, seeds=1, change=silent))
    quick, sending = (study.select({"codec": codec}) for codec in ("raw", "slfac"))
    for over in (BYTES, SECONDS):
        assert common_budget(study, [*quick, *sending], over) == common_budget(study, sending, over) > 0
    assert common_budget(study, quick, SECONDS) < common_budget(study, sending, SECONDS)
