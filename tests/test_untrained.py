"""Runs whose untrained model meets the target: no time, no ratio, counted, and said where times are told."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from run_folders import fake_run
from study_folders import fake_study
from test_cli_compare import run_of
from test_inverse import AT_80, BANDWIDTH, QUESTION, pair
from worlds import scenario

from slfac_sim.analysis.accuracy_curves import Series, draw_accuracy
from slfac_sim.analysis.crossings import Crossing, first_crossing, smoothed_crossing
from slfac_sim.analysis.statistics import over_runs, paired_ratio
from slfac_sim.analysis.studies.report import finish_study
from slfac_sim.analysis.style import house_style
from slfac_sim.cli import main
from slfac_sim.cli.closing import print_summary
from slfac_sim.ledger.store import MemoryLedger
from slfac_sim.ledger.summary import summary_of
from slfac_sim.runs.run import prepare, run
from slfac_sim.scenario.schema import Seed
from slfac_sim.studies.search.ask import Answer, answer_lines
from slfac_sim.studies.search.bisection import search
from slfac_sim.studies.search.crossover import Pair, crossover_lines

KINDS = ("reached", "censored", "untrained")
RUNS = st.tuples(st.sampled_from(KINDS), st.floats(1e-3, 1e6))
PAIRS = st.lists(st.tuples(RUNS, RUNS), min_size=1, max_size=8)


def crossing_of(run: tuple[str, float]) -> Crossing:
    """Return the crossing of a run of a kind at a place."""
    kind, at = run
    accuracy = {"reached": [0.1, 0.9], "censored": [0.1, 0.2], "untrained": [0.85, 0.9]}[kind]
    return first_crossing([0.0, at], accuracy, 0.8)


@given(PAIRS)
def test_pairs_with_an_untrained_member_change_no_ratio(pairs: list[Any]) -> None:
    sides = [[crossing_of(pair[side]) for pair in pairs] for side in (0, 1)]
    kept = [pair for pair in pairs if "untrained" not in (pair[0][0], pair[1][0])]
    kept_sides = [[crossing_of(pair[side]) for pair in kept] for side in (0, 1)]
    whole, rest = paired_ratio(*sides), paired_ratio(*kept_sides)
    assert repr(whole.mean) == repr(rest.mean)  # of one pair the bounds are NaN
    assert (whole.median, whole.censored) == (rest.median, rest.censored)
    assert (whole.n, whole.untrained) == (len(kept), len(pairs) - len(kept))
    if not kept:
        assert whole.median == (0.0, np.inf)


@given(st.lists(RUNS, min_size=1, max_size=9))
def test_the_median_of_runs_is_bounded_by_any_times_that_censored_runs_may_have(runs: list[Any]) -> None:
    found = over_runs([crossing_of(run) for run in runs])
    assert found.n == len(runs)
    assert (found.censored, found.untrained) == tuple(
        sum(kind == which for kind, _ in runs) for which in ("censored", "untrained")
    )
    assert (found.mean is None) == any(kind != "reached" for kind, _ in runs)
    for far in (1.0, 1e3):
        times = [{"reached": at, "censored": at * far, "untrained": 0.0}[kind] for kind, at in runs]
        assert found.median[0] <= np.median(times) * (1 + 1e-12)
        assert np.median(times) <= found.median[1] * (1 + 1e-12)


@given(st.lists(st.tuples(st.floats(1e-3, 1e3), st.floats(0.01, 100.0)), min_size=1, max_size=6))
def test_the_interval_of_a_ratio_is_positive_and_holds_its_mean(pairs: list[tuple[float, float]]) -> None:
    base = [Crossing(at * ratio, (0.0, at * ratio), censored=False) for at, ratio in pairs]
    other = [Crossing(at, (0.0, at), censored=False) for at, _ in pairs]
    mean = paired_ratio(base, other).mean
    assert mean is not None
    assert mean.geometric
    assert mean.mean == pytest.approx(np.exp(np.mean(np.log([ratio for _, ratio in pairs]))))
    assume(len(pairs) > 1)
    assert 0.0 < mean.low * (1 - 1e-12) <= mean.mean <= mean.high * (1 + 1e-12)


def test_three_ratios_of_two_stay_two_beside_runs_that_had_nothing_to_learn() -> None:
    base = [crossing_of(("reached", 20.0))] * 3 + [crossing_of(("untrained", 1.0))] * 3
    other = [crossing_of(("reached", 10.0))] * 3 + [crossing_of(("untrained", 1.0))] * 3
    found = paired_ratio(base, other)
    assert found.mean is not None
    assert found.mean.mean == pytest.approx(2.0)
    assert (found.n, found.untrained) == (3, 3)


def test_a_lucky_untrained_model_is_untrained_by_the_mean_of_three_as_well() -> None:
    curve = [0.0, 1.0, 2.0, 3.0, 4.0], [0.85, 0.4, 0.82, 0.9, 0.9]
    assert first_crossing(*curve, 0.8).untrained
    assert smoothed_crossing(*curve, 0.8).untrained
    assert not first_crossing(*curve, 0.9).untrained


def test_a_run_that_needs_no_byte_is_not_untrained() -> None:
    found = first_crossing([0.0, 0.0, 0.0], [0.1, 0.5, 0.9], 0.8)
    assert (found.at, found.untrained, found.censored) == (0.0, False, False)
    assert over_runs([found] * 3).mean is not None


def _lucky(seeds: set[int]) -> Any:
    def change(point: dict[str, Any]) -> None:
        if point["seed"]["learning"] in seeds:
            point["curve"]["accuracy"][0] = 0.86

    return change


def test_a_study_counts_them_and_says_so(tmp_path: Path) -> None:
    plain = finish_study(fake_study(tmp_path / "plain", seeds=3))
    lines = finish_study(fake_study(tmp_path / "s", seeds=5, change=_lucky({3, 4})))
    ratios = [line for line in lines if line.startswith("  1 MHz")]
    assert [line.split(";")[0] for line in ratios] == [line for line in plain if line.startswith("  1 MHz")]
    assert ratios[0].endswith("; left out: 2 of 5 pairs, whose target an untrained model meets")
    report = (tmp_path / "s/report.md").read_text(encoding="utf-8")
    assert "(2 of 5 untrained)" in report
    assert "2 of 5 untrained)" in report
    summary = json.loads((tmp_path / "s/summary.json").read_text(encoding="utf-8"))
    targets = summary["combinations"][0]["targets"]["0.85"]
    assert {targets[name]["untrained"] for name in ("first_s", "first_bytes", "first_devices_j")} == {2}
    assert summary["ratios"][0]["first"]["untrained"] == 2
    figure = (tmp_path / "s/figures/ratio.svg").read_text(encoding="utf-8")
    assert "the untrained model meets the target" in figure
    head, *rows = (tmp_path / "s/points.csv").read_text(encoding="utf-8").splitlines()
    places = {name: head.split(",").index(name) for name in ("to_0.85_s", "to_0.85_untrained")}
    told = {tuple(row.split(",")[place] for place in places.values()) for row in rows}
    assert ("", "True") in told
    assert all(seconds for seconds, untrained in told if untrained == "False")


def test_a_study_of_nothing_else_gives_no_ratio(tmp_path: Path) -> None:
    lines = finish_study(fake_study(tmp_path / "s", seeds=2, targets=(0.8,), change=_lucky({0, 1})))
    assert "  1 MHz: not known (left out: 2 of 2 pairs, whose target an untrained model meets)" in lines


def test_list_compare_and_figures_say_untrained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a = run_of(tmp_path / "runs/a", accuracy=(0.85, 0.92))
    b = run_of(tmp_path / "runs/b")
    assert main(["compare", str(a), str(b)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "time to 80 %: met by the untrained model of A" in lines
    assert "time to 95 %: not reached by A" in lines
    assert main(["list", str(tmp_path / "runs")]) == 0
    line = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("a "))
    cells = re.split(r"\s{2,}", line)
    assert cells[4:9] == ["29.0", "untrained", "29.0", "not reached", "not reached"]
    series = [
        Series(name, np.array([0.0, 1.0]), np.array(shown), {0.8: 0.0 if shown[0] > 0.8 else 1.0})
        for name, shown in (("a", [0.85, 0.9]), ("b", [0.1, 0.9]))
    ]
    with house_style():
        several = draw_accuracy(series, "s", str).legends[0].get_texts()
        single = draw_accuracy(series[:1], "s", str).legends[0].get_texts()
    assert [text.get_text() for text in several] == ["a: 80 % untrained", "b: 80 % at 1.0"]
    assert [text.get_text() for text in single] == ["a; untrained already at 80 %"]


def test_a_run_that_was_not_asked_is_told_from_one_that_did_not_reach(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fake_run(tmp_path / "a", accuracy=(0.1, 0.5), changes={"time_to_accuracy_s": {"0.8": None}})
    fake_run(tmp_path / "b", changes={"time_to_accuracy_s": {"0.9": 87.0}})
    assert main(["list", str(tmp_path)]) == 0
    _, _, first, second = capsys.readouterr().out.splitlines()
    assert re.split(r"\s{2,}", first)[-4:] == ["not reached", "not asked", "121.0", "-"]
    assert re.split(r"\s{2,}", second)[-4:] == ["not asked", "87.0", "968.0", "-"]


def test_the_summary_of_a_run_names_them() -> None:
    rows = MemoryLedger()
    place = {"task": "", "seq": 0, "round": 0, "loss": 1.0, "accuracy_no_codec": 0.5, "payload_bytes": 0}
    for at_s, accuracy in ((0.0, 0.5), (2.0, 0.9)):
        rows.add("evals", {**place, "at_s": at_s, "accuracy": accuracy})
    asked = scenario("evaluation.targets=[0.5, 0.6, 0.60000001, 0.99]")
    summary = summary_of(asked, {}, rows, {}, "finished", "")
    assert summary["targets_met_untrained"] == ["0.5"]
    assert summary["time_to_accuracy_s"] == {"0.5": 0.0, "0.6": 2.0, "0.60000001": 2.0, "0.99": None}


def test_ask_and_crossover_leave_them_out() -> None:
    untrained = search(lambda _: 0.0, QUESTION.holds, (1e6, 1e8))
    slow = search(lambda hertz: 600e6 / hertz, QUESTION.holds, (1e6, 1e8))
    lines = answer_lines(
        QUESTION, BANDWIDTH, [Answer(Seed(learning=n), f) for n, f in enumerate([slow, untrained])]
    )
    assert "the untrained model meets the target" in lines[1]
    assert lines[-1].endswith("(left out: 1 of 2 seeds, whose untrained model meets the target)")
    assert "is 6.0" in lines[-1]
    pairs = [pair(100.0, 200.0, 5.0), pair(100.0, 200.0, 5.0), pair(0.0, 200.0)]
    lines = crossover_lines("slfac", "raw", AT_80, BANDWIDTH, pairs)
    assert "the untrained model of slfac meets the target" in lines[2]
    assert "median of 2 seeds" in lines[3]
    assert lines[3].endswith("(left out: 1 of 3 seeds, whose untrained model meets the target)")
    both = Pair(Seed(), search(lambda _: 1.0, lambda r: r < 1.0, (1e6, 1e8)), {1e6: (0.0, 0.0)})
    (line,) = crossover_lines("slfac", "raw", AT_80, BANDWIDTH, [both])
    assert line == "not compared: the untrained model of slfac and of raw meets the target"


def test_the_closing_table_says_that_training_was_not_needed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    summary = run(prepare(scenario("evaluation.targets=[0.01, 0.9999]", "protocol.rounds=1"), tmp_path / "r"))
    print_summary(summary)
    out = capsys.readouterr().out
    assert re.search(r"time to 1 % +met before training\n", out)
    assert re.search(r"time to 99\.99 % +not reached\n", out)
