"""`--log-level`: what goes to standard error and to run.log, and that it changes nothing of a result."""

import json
import logging
import os
import re
import sys
from pathlib import Path

import pytest
from worlds import TINY

from slfac_sim.cli import main
from slfac_sim.foundation.logs import LEVELS, LOG, VARIABLE, at_level, level

SHORT = [str(TINY), "protocol.rounds=1"]
NOTED = "network=wifi", "network.radius=20 m"  # another kind drops settings, and a note says so


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, str, str]]:
    """For each level, and for --quiet: standard error, run.log and digest of one run."""
    told = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("levels"))
        patch.setenv("COLUMNS", "200")
        for name in (*LEVELS, "quiet", "without"):
            chosen = {"quiet": ["--quiet"], "without": []}.get(name, ["--log-level", name])
            words = [*SHORT, *NOTED, "--out", name, "--draw", "none", "--checkpoint-every", "1", *chosen]
            with open("stderr", "w+", encoding="utf-8") as errors, pytest.MonkeyPatch.context() as redirected:
                redirected.setattr(sys, "stderr", errors)
                assert main(words) == 0
                errors.seek(0)
                err = errors.read()
            digest = json.loads((Path(name) / "summary.json").read_text())["digest"]
            told[name] = err, (Path(name) / "run.log").read_text(encoding="utf-8"), digest
    return told


def plain(text: str) -> list[str]:
    """Return the lines without what depends on the host's clock or on the folder."""
    text = re.sub(r"\d{4}-\d\d-\d\d [\d:,]+ ", "", text)
    return re.sub(r"\d+:\d\d (elapsed|left)", r"\1", text).splitlines()


def test_no_level_changes_the_result(runs: dict[str, tuple[str, str, str]]) -> None:
    assert len({digest for _, _, digest in runs.values()}) == 1


def test_info_is_the_default(runs: dict[str, tuple[str, str, str]]) -> None:
    assert plain(runs["info"][0]) == plain(runs["without"][0])
    assert plain(runs["info"][1]) == plain(runs["without"][1])
    assert any(line.startswith("round 1/1") for line in plain(runs["info"][0]))


def test_warning_leaves_what_quiet_leaves(runs: dict[str, tuple[str, str, str]]) -> None:
    err, log, _ = runs["warning"]
    assert plain(err) == plain(runs["quiet"][0])
    assert err.startswith("note: ")
    assert plain(log) == plain(err)  # the notes
    assert plain(runs["quiet"][1]) == plain(runs["info"][1])  # --quiet does not change the log


def test_error_leaves_nothing_of_a_run_that_succeeds(runs: dict[str, tuple[str, str, str]]) -> None:
    assert runs["error"][:2] == ("", "")


def test_debug_tells_developers_more_in_both_places(runs: dict[str, tuple[str, str, str]]) -> None:
    err, log, _ = runs["debug"]
    assert set(plain(runs["info"][1])) <= set(plain(log))
    for more in ("python ", "data, world and air are there", "round 1: over at", "checkpoint of", "host: "):
        assert more in log, more
        assert any(line.startswith("debug: ") and more in line for line in err.splitlines()), more
        assert more not in runs["info"][1]
    assert any(line.startswith("round 1/1") for line in plain(err))


def test_a_plug_in_and_where_it_is_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    source = Path(__file__).parent.parent / "slfac_sim" / "codecs" / "fp16.py"
    (tmp_path / "their_logged").mkdir()
    file = tmp_path / "their_logged" / "halves.py"
    file.write_text(source.read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    words = [*SHORT, "codec=their_logged.halves", "--out", str(tmp_path / "r"), "--draw", "none"]
    try:
        assert main([*words, "--log-level", "debug"]) == 0
    finally:
        for name in [name for name in sys.modules if name.startswith("their_logged")]:
            del sys.modules[name]
    assert f"plug-in their_logged.halves imported from {file}" in capsys.readouterr().err
    assert (
        f"plug-in their_logged.halves: their_logged.halves is {file}" in (tmp_path / "r/run.log").read_text()
    )


def test_the_level_holds_for_processes_begun_meanwhile_and_ends_with_the_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    handlers = [*LOG.handlers]
    with at_level("debug"):
        assert (os.environ[VARIABLE], level()) == ("debug", logging.DEBUG)
    assert VARIABLE not in os.environ
    assert (level(), LOG.handlers) == (logging.INFO, handlers)
    monkeypatch.setenv(VARIABLE, "error")
    assert level() == logging.ERROR
    with at_level(None):
        assert level() == logging.ERROR
    monkeypatch.setenv(VARIABLE, "nonsense")
    with at_level(None):
        assert level() == logging.INFO


@pytest.mark.parametrize(
    "verb", ["run", "resume", "replay", "verify", "sweep", "ask", "crossover", "capture"]
)
def test_every_verb_that_works_long_has_it(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main([verb, "--help"])
    assert "--log-level LEVEL" in capsys.readouterr().out


def test_a_sweep_tells_of_each_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["sweep", *SHORT, "--axis", "network.bandwidth=1 MHz,2 MHz", "--seeds", "1", "--workers", "1"]
    assert main([*words, "--log-level", "debug"]) == 0
    err = capsys.readouterr().err
    assert len(re.findall(r"debug: .* ended after [\d.]+ s", err)) >= 3
    (log,) = tmp_path.glob("runs/trainings/*/run.log")
    assert "round 1: over at" in log.read_text(encoding="utf-8")
