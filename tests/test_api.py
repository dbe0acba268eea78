"""The Python API: what is given, what comes back, and that a run in it is the run of the command."""

import doctest
import importlib
import json
import os
import signal
import subprocess
import sys
import threading
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import slfac_sim as sf
from slfac_sim.cli import main
from slfac_sim.codecs.uniform import Uniform
from slfac_sim.scenario.yaml_text import to_tree
from slfac_sim.simulation.simulated import SimulatedPlayer

ROOT = Path(__file__).resolve().parent.parent
TINY = ROOT / "tests" / "tiny.yaml"
QUIET: dict[str, Any] = {"progress": False}


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own: what has no `out` goes to runs/ in it."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> sf.analysis.RunResult:
    return sf.run(TINY, out=tmp_path_factory.mktemp("api") / "run", **QUIET)


def test_the_names_are_there_before_they_are_imported() -> None:
    """In a new process: the import loads nothing, and completion shows every name."""
    code = (
        "import sys, slfac_sim as sf\n"
        "print({'torch', 'pydantic', 'matplotlib', 'numpy', 'yaml', 'rich', 'typing'} & set(sys.modules))\n"
        "print(set(sf.__all__) - set(dir(sf)), 'run' in vars(sf), callable(sf.run), 'run' in vars(sf))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["{'typing'}", "set() False True True"]


def test_every_name_is_what_its_stub_says() -> None:
    for name in sf.__all__:
        assert getattr(sf, name).__doc__
    with pytest.raises(AttributeError, match="module 'slfac_sim' has no attribute 'runn'"):
        sf.runn  # type: ignore[attr-defined]  # noqa: B018


def test_a_scenario_is_a_name_a_file_a_mapping_or_one_that_was_loaded() -> None:
    tree = to_tree(TINY.read_text(encoding="utf-8"), "tiny")[0].plain()
    scenario = sf.load(TINY)
    assert sf.load(str(TINY)) == sf.load(tree) == sf.load(scenario) == scenario
    assert sf.load("quick").name == "quick"
    assert sf.load(scenario, seed=3) == sf.load(TINY, "seed=3")


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"network.bandwidth": 2e6}, "network.bandwidth=2 MHz"),
        ({"network.bandwidth": np.float32(2e6)}, "network.bandwidth=2 MHz"),
        ({"network": {"kind": "cell", "bandwidth": "2 MHz"}}, "network={kind: cell, bandwidth: 2 MHz}"),
        ({"evaluation.targets": (0.5, 0.7)}, "evaluation.targets=[0.5, 0.7]"),
        ({"codec": Uniform(bits=4)}, "codec={kind: uniform, bits: 4}"),
        ({"codec": Uniform}, "codec=uniform"),
        ({"devices.battery": None}, "devices.battery=null"),
        ({"network.radius": "80 m"}, "network.radius=80 m"),
    ],
)
def test_an_override_by_a_mapping_is_that_by_a_text(given: dict[str, Any], text: str) -> None:
    assert sf.load(TINY, given) == sf.load(TINY, text)
    assert sf.load(TINY, given) == sf.load(sf.load(TINY), given)


def test_a_plug_in_stands_in_a_mapping_as_it_does_in_an_override() -> None:
    tree = to_tree(TINY.read_text(encoding="utf-8"), "tiny")[0].plain()
    assert sf.load({**tree, "codec": Uniform(bits=4)}) == sf.load(TINY, "codec={kind: uniform, bits: 4}")
    given = sf.load(TINY, {"seed": sf.load(TINY, seed=5).seed, "devices": sf.load(TINY).devices})
    assert given == sf.load(TINY, seed=5)


def test_all_faults_are_told_with_the_path_and_no_line_that_nobody_wrote() -> None:
    tree = to_tree(TINY.read_text(encoding="utf-8"), "tiny")[0].plain()
    with pytest.raises(sf.BadInput) as caught:
        sf.load({**tree, "network": {"kind": "cel"}, "learning": {**tree["learning"], "batch": 0}})
    lines = str(caught.value).splitlines()
    assert [line.split(": ")[:2] for line in lines] == [
        ["the scenario", "learning.batch"],
        ["the scenario", "network.kind"],
    ]
    with pytest.raises(sf.BadInput, match=r"override: found int, expected 'key\.path=value' or a mapping"):
        sf.load(TINY, 3)  # type: ignore[arg-type]
    with pytest.raises(sf.BadInput, match=r"^devices\.count: found object; expected a number, a text"):
        sf.load(TINY, {"devices.count": object()})


def test_bad_input_comes_without_the_traceback_of_how_it_was_found() -> None:
    for call in (sf.load, sf.run, sf.check, sf.sweep, sf.replay):
        with pytest.raises(sf.BadInput) as caught:
            call(TINY, "network.bandwith=1 MHz")  # type: ignore[operator]
        assert caught.value.__suppress_context__
        assert caught.value.__cause__ is None
        assert len(caught.traceback) == 2


def test_what_an_override_drops_is_warned_of_at_the_callers_line() -> None:
    with pytest.warns(UserWarning, match="these settings of cell go: bandwidth") as caught:
        sf.load(TINY, "network=ideal")
    assert caught[0].filename == __file__


def test_check_is_what_the_command_prints(capsys: pytest.CaptureFixture[str]) -> None:
    plan = sf.check(TINY, seed=1)
    assert main(["check", str(TINY), "--seed", "1"]) == 0
    mine, (*theirs, pages) = repr(plan).splitlines(), capsys.readouterr().out.splitlines()
    assert pages.startswith("read on: ")
    host = ("time on this host", " " * 12)  # measured, so no two are equal
    assert [line for line in mine if not line.startswith(host)] == [
        line for line in theirs if not line.startswith(host)
    ]
    assert json.loads(json.dumps(plan.facts))["devices"] == 5
    assert plan.figure("cell_map").axes
    assert "what will run" in plan._repr_html_()


def test_check_tells_of_a_study_too(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("study.yaml").write_text(f"base: {TINY}\nseeds: 2\naxes: {{network.bandwidth: [1 MHz, 2 MHz]}}\n")
    plan = sf.check("study.yaml")
    assert main(["check", "study.yaml", "--json"]) == 0
    theirs = json.loads(capsys.readouterr().out)
    measured = ("host_s", "host_cpu_s", "memory_bytes")
    assert {key: plan.facts[key] for key in theirs if key not in measured} == {
        key: theirs[key] for key in theirs if key not in measured
    }
    assert (plan.facts["points"], plan.facts["trainings"]) == (4, 2)
    assert plan.title == "study: what will run"
    assert plan.figures == ()
    with pytest.raises(sf.BadInput, match="no figure 'cell_map' among none"):
        plan.figure("cell_map")


def test_a_run_is_the_run_of_the_command(finished: sf.analysis.RunResult, place: Path) -> None:
    assert main(["run", str(TINY), "--out", "other", "--quiet"]) == 0
    other = sf.analysis.load("other")
    assert other.summary["digest"] == finished.summary["digest"]
    assert {path.name for path in (place / "other").iterdir()} == {
        path.name for path in finished.folder.iterdir()
    }


def test_a_run_has_what_its_folder_has(finished: sf.analysis.RunResult) -> None:
    assert finished.status == "finished"
    assert finished.accuracy == finished.summary["accuracy"]["final"]
    assert finished.columns("evals")["accuracy"][-1] == finished.accuracy
    assert list(finished.time_to_accuracy_s) == [0.8, 0.9, 0.95, 0.97]
    assert finished == sf.analysis.load(finished.folder)
    assert repr(finished).startswith("<tiny: SL-FAC (our reading), theta 0.9, 2..8 bits: ")


def test_without_out_a_run_lies_under_runs(place: Path) -> None:
    run = sf.run(TINY, "protocol.rounds=1", **QUIET)
    assert run.folder.parent == place / "runs" / "tiny"
    assert (place / "runs" / "latest").resolve() == run.folder


def test_two_runs_one_after_the_other_are_each_as_alone(finished: sf.analysis.RunResult) -> None:
    other = sf.run(TINY, "codec=raw", seed=4, out="b", **QUIET)
    again = sf.run(TINY, out="a", **QUIET)
    assert again.summary["digest"] == finished.summary["digest"] != other.summary["digest"]


def test_a_run_in_a_thread_is_the_same(finished: sf.analysis.RunResult) -> None:
    digests: list[str] = []
    thread = threading.Thread(target=lambda: digests.append(sf.run(TINY, out="a", **QUIET).summary["digest"]))
    thread.start()
    thread.join()
    assert digests == [finished.summary["digest"]]


def test_two_at_the_same_time_are_refused_and_the_first_goes_on(
    finished: sf.analysis.RunResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    play = SimulatedPlayer.play

    def played(self: Any, *arguments: Any) -> Any:
        for other in (lambda: sf.run(TINY, out="other", **QUIET), lambda: sf.check(TINY)):
            with pytest.raises(sf.BadInput) as caught:
                other()
            told.append(str(caught.value))
        return play(self, *arguments)

    monkeypatch.setattr(SimulatedPlayer, "play", played)
    assert sf.run(TINY, out="one", **QUIET).summary["digest"] == finished.summary["digest"]
    assert len(told) == 2
    assert told[0].startswith("another run goes on in this process, and torch's threads and settings are")
    assert not Path("other").exists()


def test_a_replay_is_of_a_run_or_of_its_folder(finished: sf.analysis.RunResult) -> None:
    slow = sf.replay(finished, {"network.bandwidth": 1e6}, out="slow", **QUIET)
    assert slow.simulated_s > finished.simulated_s
    assert slow.accuracy == finished.accuracy
    assert sf.replay(finished.folder, out="same", **QUIET).simulated_s == finished.simulated_s
    assert sf.replay(finished, seed_air=9, out="air", **QUIET).simulated_s != finished.simulated_s
    with pytest.raises(sf.BadInput, match="learning sees codec"):
        sf.replay(finished, "codec=raw", out="no", **QUIET)


def test_a_run_that_fails_is_raised_with_what_was_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    encode, calls = Uniform.encode, [0]

    def broken(self: Any, *arguments: Any) -> Any:
        calls[0] += 1
        if calls[0] == 20:
            raise RuntimeError("broken codec")
        return encode(self, *arguments)

    monkeypatch.setattr(Uniform, "encode", broken)
    with pytest.raises(sf.RunFailed, match=r"RuntimeError: broken codec .*sf\.analysis\.load") as caught:
        sf.run(TINY, {"codec": Uniform(bits=4)}, out="failed", **QUIET)
    assert caught.value.run.status == "failed"
    assert caught.value.run == sf.analysis.load("failed")
    assert len(caught.value.run.columns("evals")["accuracy"])
    assert "broken codec" in caught.value.run._repr_html_()


def test_an_interrupted_run_is_raised_kept_and_resumed(
    finished: sf.analysis.RunResult, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """Ctrl-C, the stop button of a notebook: whatever comes below in it is not run with half a run."""
    encode, calls = type(sf.load(TINY).codec.uplink).encode, [0]

    def interrupting(self: Any, *arguments: Any) -> Any:
        calls[0] += 1
        if calls[0] == 20:
            os.kill(os.getpid(), 2)
        return encode(self, *arguments)

    ignored = signal.signal(signal.SIGINT, signal.default_int_handler)  # as of what a shell put behind
    request.addfinalizer(lambda: signal.signal(signal.SIGINT, ignored))
    with monkeypatch.context() as patched:
        patched.setattr(type(sf.load(TINY).codec.uplink), "encode", interrupting)
        with pytest.raises(KeyboardInterrupt, match=r"by the user; .*sf\.resume goes on with it"):
            sf.run(TINY, out="stopped", checkpoint_every=1, **QUIET)
    stopped = sf.analysis.load("stopped")
    assert isinstance(stopped, sf.analysis.RunResult)
    assert stopped.status == "interrupted"
    assert sf.resume(stopped, **QUIET).summary["digest"] == finished.summary["digest"]
    assert sf.resume("stopped", **QUIET).status == "finished"


def test_a_sweep_trains_each_scenario_once_and_asks_what_is_given(place: Path) -> None:
    study = sf.sweep(
        sf.load(TINY, "protocol.rounds=1"),
        axes={"network.bandwidth": ["1 MHz", 4e6], "codec": ["raw", Uniform(bits=4)]},
        seeds=[2],
        targets=[0.3],
        workers=1,
        **QUIET,
    )
    assert study.folder == Path("runs/studies/tiny")
    points = study.frame("points")
    assert list(points["codec"].unique()) == ["raw", "{kind: uniform, bits: 4}"]
    assert set(points["seed_learning"]) == {2}
    assert len(points) == 4
    assert len(list(Path("runs/trainings").iterdir())) == 2
    assert set(points.status) == {"finished"}
    assert study.figure("time_parts").axes
    with pytest.warns(UserWarning, match="4 points of an earlier form of the study set aside, in runs"):
        again = sf.sweep(TINY, "protocol.rounds=1", axes={"network.bandwidth": "1,4 MHz"}, **QUIET)
    assert again.study.size == 6


def test_a_study_that_is_refused_leaves_the_finished_one_as_it_is(place: Path) -> None:
    finished = sf.sweep(TINY, "protocol.rounds=1", axes={"codec": ["raw"]}, seeds=1, **QUIET)
    before = {file: file.read_bytes() for file in finished.folder.rglob("*") if file.is_file()}
    with pytest.raises(sf.BadInput, match="no block 'conv9'"):
        sf.sweep(TINY, "protocol.rounds=1", axes={"cut": ["conv1", "conv9"]}, seeds=1, **QUIET)
    assert {file: file.read_bytes() for file in finished.folder.rglob("*") if file.is_file()} == before
    assert sf.analysis.load(finished.folder).frame("points").equals(finished.frame("points"))
    with pytest.raises(sf.BadInput, match="no block 'conv9'"):
        sf.sweep(TINY, "cut=conv9", seeds=1, out="new", **QUIET)
    assert not Path("new").exists()


def test_a_sweep_that_leaves_the_scenarios_own_seed_is_warned_of(place: Path) -> None:
    scenario = sf.load(TINY, "protocol.rounds=1", seed=3)
    with pytest.warns(UserWarning, match="own seed is not used: .* seeds 0, 1, 2") as caught:
        study = sf.sweep(scenario, **QUIET)
    assert caught[0].filename == __file__
    assert list(study.columns("points")["seed_learning"]) == [0, 1, 2]
    assert list(sf.sweep(scenario, seeds=[3], out="b", **QUIET).columns("points")["seed_learning"]) == [3]


def test_a_run_lists_the_figures_that_it_has_something_for(finished: sf.analysis.RunResult) -> None:
    raw = sf.run(TINY, "protocol.rounds=1", "codec=raw", out="raw", **QUIET)
    assert "band_bits" in finished.figures
    assert not {"band_bits", "misses", "staleness"} & set(raw.figures)
    for name in ("band_bits", "misses", "staleness"):
        with pytest.raises(sf.BadInput, match=f"raw: has nothing for the figure '{name}'"):
            raw.figure(name)
    with pytest.raises(sf.BadInput, match="did you mean 'cell_map'"):
        raw.figure("cell_mapp")


def test_points_that_fail_are_warned_of_and_have_a_row(place: Path) -> None:
    here, away = [[9, 9]] * 5, [[1, 1]] * 4 + [[90_000, 90_000]]
    axes = {"network.positions": [here, away]}
    with pytest.warns(UserWarning, match=r"failed: network.positions = \[\[1, 1\].*stalled"):
        study = sf.sweep(TINY, "network.outage=allow", axes=axes, seeds=1, **QUIET)
    assert sorted(study.columns("points")["status"]) == ["failed", "finished"]
    assert repr(study) == "<study tiny: 2 points, 1 failed>"


def test_a_question_is_answered_in_words_and_as_a_curve(place: Path) -> None:
    answer = sf.ask(
        TINY, "simulated_s <= 0.4 s", vary="network.bandwidth", between=("1 MHz", "20 MHz"), **QUIET
    )
    assert "the smallest network.bandwidth with simulated_s <= 0.4 s is" in answer.lines[-1]
    curve = answer.columns("curve")
    assert list(curve) == ["side", "seed_learning", "seed_air", "network.bandwidth", "simulated_s"]
    assert curve["network.bandwidth"][0] == 1e6
    assert answer.figure("curve").axes[0].get_xlabel() == "network.bandwidth (MHz)"
    assert sf.analysis.load(answer.folder) == answer
    asked = {"vary": "network.bandwidth", "between": (1e6, 2e7), "out": "again", **QUIET}
    assert sf.ask(sf.load(TINY), "simulated_s <= 0.4 s", **asked).lines == answer.lines


def test_several_runs_are_drawn_on_one_axis(finished: sf.analysis.RunResult) -> None:
    slow = sf.replay(finished, "network.bandwidth=1 MHz", out="slow", **QUIET)
    figure = sf.analysis.figure("time_to_accuracy", [finished, slow.folder])
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert ["bandwidth 5 MHz" in texts[0], "bandwidth 1 MHz" in texts[1]] == [True, True]
    with pytest.raises(sf.BadInput, match=r"no figure 'time_to_acuracy' .*did you mean 'time_to_accuracy'"):
        sf.analysis.figure("time_to_acuracy", [finished])
    with pytest.raises(sf.BadInput, match="shows one run, and 2 are given"):
        sf.analysis.figure("cell_map", [finished, slow])
    assert len(sf.analysis.figure("time_to_accuracy", finished).legends[0].get_texts()) == 1
    assert sf.analysis.figure("cell_map", str(finished.folder)).axes
    with pytest.raises(sf.BadInput, match="has nothing for the figure 'staleness'"):
        sf.analysis.figure("staleness", finished)
    with pytest.raises(sf.BadInput, match="no runs are given"):
        sf.analysis.figure("time_to_accuracy", [])


def test_nothing_of_a_name_is_markup(finished: sf.analysis.RunResult, tmp_path: Path) -> None:
    run = sf.run(TINY, "protocol.rounds=1", out="<b>&", **QUIET)
    assert "&lt;b&gt;&amp;" in run._repr_html_()
    assert "<b>" not in run._repr_html_()


def test_a_run_warns_of_nothing_else() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sf.run(TINY, "protocol.rounds=1", out="calm", **QUIET)


def test_a_setting_is_explained_as_on_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", "network.radius"]) == 0
    text, pages = capsys.readouterr().out.split("  Read on: ")
    assert f"{sf.schema('network.radius')}\n" == text
    assert "docs network" in pages
    assert sf.schema() == json.loads((ROOT / "docs" / "scenario.schema.json").read_text(encoding="utf-8"))


def test_the_examples_of_the_docstrings_are_true() -> None:
    done = [doctest.testmod(importlib.import_module(f"slfac_sim.api.{name}")) for name in ("runs", "studies")]
    assert [(one.attempted, one.failed) for one in done] == [(5, 0), (0, 0)]


def test_the_package_lists_what_is_for_users_alone() -> None:
    assert {name for name in dir(sf) if not name.startswith("__")} == {
        *(name for name in sf.__all__ if not name.startswith("__")),
        *("codecs", "network", "protocols"),
    }
