"""Targets on metrics beside accuracy, from the scenario to summaries, comparisons, searches and studies."""

import json
import math
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from study_folders import fake_study
from worlds import scenario, table

import slfac_sim as sf
from slfac_sim.cli import main
from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.metrics import METRICS
from slfac_sim.foundation.targets import Target, hardest_first, targets_of
from slfac_sim.ledger.folder import load
from slfac_sim.ledger.store import MemoryLedger
from slfac_sim.runs.compare import compare
from slfac_sim.runs.explain import explain
from slfac_sim.runs.replay import Record, retime
from slfac_sim.runs.run import prepare, run
from slfac_sim.scenario.files import dump
from slfac_sim.scenario.files import load as load_scenario
from slfac_sim.scenario.schema import MetricName
from slfac_sim.studies.search.question import read_question

ASKED = {"accuracy": [0.5], "balanced_accuracy": [0.4, 0.9], "loss": [0.8], "device_spread": [0.001]}
AIMS = f"evaluation.targets={json.dumps(ASKED)}"
LEARNS = ("data.noise=60", "protocol.rounds=5", "protocol.steps=6")
SHARES = [name for name, metric in METRICS.items() if metric.is_share]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    top = tmp_path_factory.mktemp("runs")
    for name, codec in (("a", "codec=slfac"), ("b", "codec=raw")):
        run(prepare(scenario(AIMS, codec, *LEARNS), top / name, threads=1))
    return top / "a", top / "b"


@given(values=st.dictionaries(st.sampled_from(SHARES), st.lists(st.floats(0.01, 1), unique=True, min_size=1)))
def test_what_a_scenario_gives_is_what_is_written_again(values: dict[str, list[float]]) -> None:
    targets = targets_of(values)
    assert [Target.read(target.text) for target in targets] == list(targets)
    assert sorted(hardest_first(targets), key=list(targets).index) == list(targets)
    for metric in values:
        mine = [target.difficulty for target in hardest_first(targets) if target.metric == metric]
        assert mine == sorted(mine, reverse=True)


def test_the_scenario_knows_every_metric() -> None:
    assert get_args(MetricName) == tuple(METRICS)


def test_a_list_stays_one_of_accuracies(tmp_path: Path) -> None:
    assert scenario("evaluation.targets=[0.5]").evaluation.aims == (Target("accuracy", 0.5),)
    for given_targets in ("[0.5, 0.7]", "{macro_f1: [0.5], loss: [1.5]}"):
        chosen = scenario(f"evaluation.targets={given_targets}")
        (tmp_path / "again.yaml").write_text(dump(chosen), encoding="utf-8")
        assert load_scenario(tmp_path / "again.yaml").evaluation == chosen.evaluation


@pytest.mark.parametrize(
    ("override", "fault"),
    [
        (
            "evaluation.targets={macro_f2: [0.5]}",
            "no 'macro_f2' among .*; did you mean 'macro_f1'?",
        ),
        (
            "evaluation.targets={macro_f1: [1.5]}",
            "macro_f1 must lie above 0 and at most at 1.*1.5",
        ),
        ("evaluation.targets={macro_f1: 0.5}", "evaluation.targets.macro_f1: must be a list \\(got 0.5\\)$"),
        ("evaluation.targets={loss: [0.5, 0.5]}", "targets must differ from each other \\(got 0.5 twice\\)"),
    ],
)
def test_what_cannot_be_aimed_at_is_told(override: str, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        scenario(override)


@pytest.mark.parametrize("text", ["macro=0.5", "loss=-1", "worst_class=1.5", "high", "loss=nan"])
def test_a_target_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match=f"target '{text}': "):
        Target.read(text)


def test_times_are_those_of_the_first_evaluation_that_meets_the_target(runs: tuple[Path, Path]) -> None:
    one = load(runs[0])
    at_s = [row["at_s"] for row in table(runs[0] / "ledger.sqlite", "evals")]
    for target, reached in one.times_s.items():
        values = np.array(one.measured[target.metric], dtype=np.float64)
        met = values <= target.value if target.metric in ("loss", "device_spread") else values >= target.value
        assert reached == (at_s[int(met.argmax())] if met.any() else None), target
    assert {target.metric for target, s in one.times_s.items() if s} == ASKED.keys() - {"device_spread"}
    assert one.times_s[Target("device_spread", 0.001)] is None


def test_the_summary_has_the_last_and_the_best_of_every_metric(runs: tuple[Path, Path]) -> None:
    summary, series = load(runs[0]).summary, load(runs[0]).measured
    assert summary["accuracy"]["final"] == series["accuracy"][-1]
    for name, ends in summary["metrics"].items():
        best = min if METRICS[name].less_is_better else max
        assert ends == {"final": series[name][-1], "best": best(series[name])}


def test_two_runs_are_compared_at_targets_of_every_metric(
    runs: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    found = compare(*runs)
    assert set(found.targets) == set(targets_of(ASKED))
    ratio = found.ratio(Target("loss", 0.8)) or math.nan
    assert ratio < 1.0
    assert main(["compare", *map(str, runs)]) == 0
    told = capsys.readouterr().out
    assert f"time to a test loss of 0.8: A is {1 / ratio:.2f} times as fast" in told
    assert "balanced accuracy, final" in told
    assert "a test loss of 0.8" in explain(load(runs[0])).instants


def test_a_question_is_put_to_any_metric(runs: tuple[Path, Path]) -> None:
    record, rows = Record.load(runs[0]), MemoryLedger()
    retime(record, record.scenario, rows)
    times_s = load(runs[0]).times_s
    assert read_question("time_to_loss(0.8) <= 1 s").measure.of(rows) == times_s[Target("loss", 0.8)]
    assert read_question("time_to_device_spread(0.1 %) <= 1 s").measure.of(rows) == math.inf


def test_the_python_api_has_metrics_and_the_confusion_matrix(runs: tuple[Path, Path]) -> None:
    one = sf.analysis.load(runs[0])
    matrix = one.confusion()
    assert matrix.sum() == 100
    assert matrix.trace() / 100 == one.accuracy
    recalls = matrix.diagonal() / matrix.sum(axis=1)
    assert one.metrics["balanced_accuracy"][-1] == pytest.approx(recalls.mean())
    assert one.confusion(0).trace() / 100 == one.metrics["accuracy"][0]
    assert one.times_s["loss=0.8"] == load(runs[0]).times_s[Target("loss", 0.8)]
    with pytest.raises(ValueError, match="round 9: not evaluated"):
        one.confusion(9)


def worse_first(point: dict[str, Any]) -> None:
    curve = point["curve"]
    curve["balanced_accuracy"] = [max(value - 0.1, 0.0) for value in curve["accuracy"]]
    curve["device_worst_tenth"] = [None] * len(curve["accuracy"])


def test_a_study_answers_about_targets_of_other_metrics(tmp_path: Path) -> None:
    folder = fake_study(tmp_path / "s", change=worse_first)
    text = (folder / "study.yaml").read_text(encoding="utf-8")
    aims = "targets: {balanced_accuracy: [0.7], loss: [0.3], device_worst_tenth: [0.5]}"
    (folder / "study.yaml").write_text(text.replace("targets:\n- 0.8\n- 0.85", aims), encoding="utf-8")
    study = sf.analysis.load(folder)
    points = study.columns("points")
    accurate = fake_study(tmp_path / "t", targets=(0.8,))
    same = sf.analysis.load(accurate).columns("points")
    np.testing.assert_allclose(
        points["time_to_metrics_s.balanced_accuracy=0.7"], same["time_to_accuracy_s.0.8"]
    )
    assert np.isnan(points["time_to_metrics_s.device_worst_tenth=0.5"]).all()
    assert (points["time_to_metrics_s.loss=0.3"] < points["time_to_metrics_s.balanced_accuracy=0.7"]).all()
    assert main(["figure", str(folder)]) == 0
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    assert summary["main_target"] == "balanced_accuracy=0.7"
    assert summary["targets"] == ["balanced_accuracy=0.7", "device_worst_tenth=0.5", "loss=0.3"]
    report = (folder / "report.md").read_text(encoding="utf-8")
    assert "Time to 70 % balanced accuracy (first evaluation that met it)" in report
    drawn = (folder / "figures" / "accuracy_over_time.csv").read_text(encoding="utf-8")
    assert drawn.startswith("panel,line,simulated_s,balanced_accuracy_mean,")


def test_a_sweep_from_python_takes_targets_by_metric(tmp_path: Path) -> None:
    for name, aims in (("a", {"macro_f1": [0.2], "accuracy": [0.3]}), ("b", "0.3,macro_f1=0.2")):
        study = sf.sweep(
            scenario("protocol.rounds=1", "protocol.steps=1"),
            axes={"network.bandwidth": ["5 MHz"]},
            seeds=1,
            targets=aims,
            out=tmp_path / name,
            cache=tmp_path / "cache",
            progress=False,
        )
        assert set(study.summary["targets"]) == {0.3, "macro_f1=0.2"}
        assert np.isfinite(study.columns("points")["metrics.balanced_accuracy"]).all()
    with pytest.raises(BadInput, match=r"targets\.macro_f2: no 'macro_f2' among "):
        sf.sweep(scenario(), targets="macro_f2=0.2", out=tmp_path / "c", progress=False)
