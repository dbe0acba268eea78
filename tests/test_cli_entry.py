"""The command `slfac-sim`: what it is called in what it says, and the errors of the first five minutes."""

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from run_folders import fake_run

from slfac_sim.cli import main
from slfac_sim.cli.commands import COMMANDS, module_of

ROOT = Path(__file__).resolve().parent.parent
SCRIPT = "import sys; sys.argv[0] = '/usr/bin/slfac-sim'; from slfac_sim.cli import entry; sys.exit(entry())"


def called(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Return what comes of `slfac-sim` with these words."""
    env = {**os.environ, "COLUMNS": "200"}
    command = [sys.executable, "-c", SCRIPT, *words]
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)


@pytest.fixture
def as_command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """We are called `slfac-sim`, in an empty folder."""
    monkeypatch.setattr(sys, "argv", ["/usr/bin/slfac-sim"])
    monkeypatch.chdir(tmp_path)
    return tmp_path


def said(words: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """Return the status of these words and what is on standard error."""
    try:
        status = main(words)
    except SystemExit as ended:
        status = int(str(ended.code))
    return status, capsys.readouterr().err


def test_the_script_and_the_module_are_one_program(tmp_path: Path) -> None:
    done = called("list", str(tmp_path), cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, f"no runs under {tmp_path}\n")
    assert called("run", "--help", cwd=tmp_path).stdout.startswith("usage: slfac-sim run [-h]")
    module = [sys.executable, "-m", "slfac_sim", "run", "--help"]
    done = subprocess.run(module, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("usage: python -m slfac_sim run [-h]")


def test_help_of_the_program_and_of_a_verb(as_command: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["--help"], ["help"]):
        with pytest.raises(SystemExit, match="0"):
            main(words)
        out = capsys.readouterr().out
        assert all(f"    {verb}" in out for verb in COMMANDS)
        assert "slfac-sim quick " in out
        assert "python -m" not in out
    with pytest.raises(SystemExit, match="0"):
        main(["help", "check"])
    assert capsys.readouterr().out.startswith("usage: slfac-sim check ")


def test_every_verb_has_a_module_that_says_what_it_takes() -> None:
    for verb in COMMANDS:
        module = module_of(verb)
        assert callable(module.add_arguments)
        assert callable(module.main)


def test_the_version_is_that_of_all_that_results_depend_on(capsys: pytest.CaptureFixture[str]) -> None:
    outs = []
    for word in ("--version", "-V", "version"):
        with pytest.raises(SystemExit, match="0"):
            main([word])
        outs.append(capsys.readouterr().out)
    assert outs[0] == outs[1] == outs[2]
    lines = outs[0].splitlines()
    assert lines[0].startswith("slfac_sim ")
    assert f"numpy {version('numpy')}" in lines
    assert f"torch {version('torch')}" in lines


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["run"], "slfac-sim run: FILE is missing (a scenario file, or the name of a shipped one)"),
        (["sweep"], "slfac-sim sweep: FILE is missing (a study or scenario file, or the name of a shipped "),
        (["resume"], "slfac-sim resume: RUN is missing (the folder of a run, such as runs/latest)"),
        (["data"], "slfac-sim data: ACTION is missing (fetch or where)"),
        (["data", "fetsh"], "slfac-sim data: ACTION: no 'fetsh' among fetch, where; did you mean 'fetch'?"),
        (["quick", "--sed", "3"], "slfac-sim run: --sed: no such option; did you mean '--seed'?"),
        (["quick", "--draw", "mian"],
         "slfac-sim run: --draw: no 'mian' among none, main, all; did you mean 'main'?"),
        (["list", "runs", "more"], "slfac-sim list: more: one word too many"),
        (["analysis", "runs/latest"],
         "analysis: no such command; `slfac-sim figure` is to draw the figures of runs, "),
        (["chekc", "quick"], "chekc: no such command, and no scenario; did you mean 'check'?"),
        (["scenarios/quick.yaml"],
         "scenarios/quick.yaml: no such file, and no shipped scenario of that name; did you mean 'quick'?"),
        (["sweep", "bandwith"],
         "bandwith: no such file, and no shipped scenario of that name; did you mean the study 'bandwidth'?"),
        (["explain", "runs/latest"], "runs/latest: no such folder; expected the folder of a run, such as "
         "runs/latest; there are no runs in runs/ yet: `slfac-sim quick` makes one"),
        (["resume", "runs/x"], "runs/x: no such folder; expected the folder of a run, such as runs/latest; "),
        (["resume", "runs/x", "protocol.rounds=10"],
         "protocol.rounds=10: a run is resumed as it was begun, and one that is finished is not lengthened; "
         "run its scenario anew: `slfac-sim runs/x/scenario.yaml protocol.rounds=10`"),
        (["list"], "runs: no such folder; there are no runs here yet: `slfac-sim quick` makes one"),
        (["nope"], "nope: no such command, no such file, and no shipped scenario of that name; shipped are "),
        (["quik"], "quik: no such file, and no shipped scenario of that name; did you mean 'quick'?"),
    ],
)  # fmt: skip
def test_what_a_newcomer_gets_wrong(
    words: list[str], message: str, as_command: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, err = said(words, capsys)
    assert status == 2
    assert err.startswith(message)
    assert len(err.splitlines()) <= 2
    assert list(as_command.iterdir()) == []


def test_the_run_that_was_meant_is_named(as_command: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fake_run(as_command / "runs" / "quick" / "20260101-101010").joinpath("run.log").touch()
    (as_command / "runs" / "latest").symlink_to("quick/20260101-101010", target_is_directory=True)
    for asked, meant in {
        "latest": "runs/latest",
        "runs/lates": "runs/latest",
        "quick/20260101-101010": "runs/quick/20260101-101010",
        "runs/quick/20260101-101011": "runs/quick/20260101-101010",
    }.items():
        for verb in ("explain", "resume", "trace"):
            status, err = said([verb, asked], capsys)
            assert status == 2
            assert err.endswith(f"did you mean '{meant}'?\n"), err


def test_runs_that_lie_elsewhere_below_runs_are_named(
    as_command: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("runs/mine", "runs/try/raw/0"):
        fake_run(as_command / name).joinpath("run.log").touch()
    status, err = said(["report", "runs/nope"], capsys)
    assert status == 2
    assert "such as runs/mine, runs/try/raw/0" in err
    assert "no runs" not in err
    assert said(["explain", "runs/mien"], capsys)[1].endswith("did you mean 'runs/mine'?\n")


def test_the_figures_are_drawn_by_a_verb_too(as_command: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = fake_run(as_command / "a")
    assert main(["figure", str(run), "--json"]) == 0
    assert str(run / "figures" / "time_to_accuracy.png") in capsys.readouterr().out
    status, err = said(["figure"], capsys)
    assert (status, err.splitlines()[0][:35]) == (2, "slfac-sim figure: RUN is missing (f")


def test_a_case_of_the_network_is_timed_by_a_verb_too(
    as_command: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    case = ROOT / "examples" / "network_case.json"
    assert main(["network", str(case)]) == 0
    assert '"end_s"' in capsys.readouterr().out
