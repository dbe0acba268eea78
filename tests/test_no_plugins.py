"""`--no-plugins`: whatever a scenario, a study, a run folder or a case names, none of it is imported."""

import json
import os
import shlex
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from worlds import TINY, scenario

from slfac_sim.cli import COMMANDS, main
from slfac_sim.foundation.plugins import NO_PLUGINS
from slfac_sim.network.case.command import main as network
from slfac_sim.runs.run import prepare, run

CANARY = "from pathlib import Path\nPath(__file__).with_name('sang').touch()\n"
KIND = "partition: {kind: canary_pkg.plug}"
VERBS = {
    "run": "run S --out o",
    "a file": "S",
    "an override": "run T partition=canary_pkg.plug",
    "check": "check S",
    "check study": "check Y",
    "sweep": "sweep S --out o --cache c",
    "sweep study": "sweep Y --out o --cache c",
    "sweep axis": "sweep T --axis partition=iid,canary_pkg.plug --out o --cache c",
    "ask": "ask S 'time_to_accuracy(0.5) <= 9 s' --vary network.bandwidth",
    "crossover": "crossover T raw canary_pkg.plug --vary network.bandwidth",
    "capture": "capture S --steps 1 -o o",
    "codec": "codec compare X.npy codec=canary_pkg.plug",
    "codec encode": "codec encode X.npy codec=canary_pkg.plug -o o",
    "cite": "cite S",
    "cite run": "cite R",
    "replay": "replay R",
    "replay override": "replay G network=canary_pkg.plug",
    "verify": "verify R",
    "evaluate": "evaluate R",
    "evaluate override": "evaluate G codec=canary_pkg.plug",
    "resume": "resume U",
    "explain": "explain R --replay",
    "list": "list .",
    "compare": "compare R G",
    "export": "export R",
    "trace": "trace R",
    "schema": "schema",
    "data": "data where",
    "docs": "docs",
    "report": "report R",
    "figure": "figure R -o figures",
    "network": "network C",
    "init": "init",
    "a bare name": "run B",
    "completion": "completion bash",
}
LOADS_NONE = {
    "list",
    "compare",
    "export",
    "trace",
    "schema",
    "data",
    "docs",
    "figure",
    "report",
    "init",
    "completion",
}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("no_plugins") / "run"
    run(prepare(scenario("protocol.rounds=1", "protocol.steps=1"), folder, threads=1))
    return folder


@pytest.fixture
def place(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with good and bad scenarios, studies and runs, in which the canary can be imported."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "canary_pkg").mkdir()
    (tmp_path / "canary_pkg" / "plug.py").write_text(CANARY)
    text = TINY.read_text()
    (tmp_path / "T").write_text(text)
    (tmp_path / "canary.py").write_text(CANARY)
    (tmp_path / "B").write_text(text.replace("partition: iid", "partition: canary"))
    (tmp_path / "S").write_text(text.replace("partition: iid", KIND))
    (tmp_path / "Y").write_text("base: S\naxes: {network.bandwidth: [1 MHz]}\nseeds: 1\n")
    for name in "RGU":
        shutil.copytree(finished, tmp_path / name)
    for name in "RU":
        resolved = (tmp_path / name / "scenario.yaml").read_text()
        (tmp_path / name / "scenario.yaml").write_text(resolved.replace("kind: iid", "kind: canary_pkg.plug"))
    (tmp_path / "U" / "summary.json").unlink()
    (tmp_path / "U" / "checkpoints").mkdir()
    begun = {"threads": 1, "every": 1, "strict": False, "versions": {}, "data": ""}
    (tmp_path / "U" / "checkpoints" / "begun.json").write_text(json.dumps(begun))
    (tmp_path / "C").write_text('{"links": {"w": {"kind": "canary_pkg.plug"}}, "transfers": []}')
    np.save(tmp_path / "X.npy", np.zeros((2, 3, 4, 4), np.float32))
    return tmp_path


def test_every_verb_is_tried() -> None:
    assert {words.split()[0] for words in VERBS.values()} - {"S"} == set(COMMANDS)


@pytest.mark.parametrize("case", VERBS)
def test_no_verb_imports_their_modules(case: str, place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status = main([*shlex.split(VERBS[case]), "--no-plugins"])
    told = capsys.readouterr().err
    assert not [*place.rglob("sang")]
    assert not [name for name in sys.modules if "canary" in name]
    if case in LOADS_NONE:
        assert status == 0
    else:
        assert (status, "--no-plugins" in told) == (2, True), told


def test_without_it_they_are_imported_and_the_environment_refuses_them_too(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setenv(NO_PLUGINS, "1")
        assert main(["check", "S"]) == 2
    assert not (place / "canary_pkg" / "sang").exists()
    assert main(["check", "S"]) == 2  # it is no plug-in after all
    assert (place / "canary_pkg" / "sang").exists()
    for name in ("canary_pkg.plug", "canary_pkg"):
        sys.modules.pop(name, None)


def test_a_case_of_the_network_names_modules_too(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "case.json").write_text(
        '{"links": {"w": {"kind": "canary_pkg.plug"}}, "transfers": []}', encoding="utf-8"
    )
    assert network(["case.json", "--no-plugins"]) == 2
    assert "--no-plugins" in capsys.readouterr().err
    assert not (place / "canary_pkg" / "sang").exists()


def test_what_a_scenario_of_ours_needs_is_not_refused(place: Path) -> None:
    assert main(["check", "T", "--no-plugins"]) == 0
    assert NO_PLUGINS not in os.environ
