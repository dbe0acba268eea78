"""Callbacks and logs of a sweep: each point is told of as the run that it stands for, by workers too."""

import json
from pathlib import Path
from typing import Any

import pytest
from test_callbacks import MINE, Heard, lines
from worlds import TINY, scenario

import slfac_sim as sf
from slfac_sim.cli import main
from slfac_sim.ledger.measured import measured
from slfac_sim.ledger.store import FileLedger
from slfac_sim.runs.callbacks import in_public
from slfac_sim.runs.opening import build
from slfac_sim.simulation.simulate import simulate
from slfac_sim.studies.telling import notes_of

FAILS = """

class Failing(sf.Callback):
    def note(self, table, row):
        raise RuntimeError("no answer")
"""


@pytest.fixture
def beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the tiny scenario and trackers beside it."""
    (tmp_path / "s.yaml").write_text(TINY.read_text(encoding="utf-8"), encoding="utf-8")
    told = MINE.replace('start.folder / "mine.txt"', 'start.folder / f"{start.key}.txt"')
    (tmp_path / "mine.py").write_text(told + FAILS, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_notes_of_a_ledger_are_those_that_a_live_run_tells(tmp_path: Path) -> None:
    chosen = scenario("protocol.participation={deadline: 60 ms}")
    live: list[tuple[str, dict[str, Any]]] = []
    with FileLedger(tmp_path / "ledger.sqlite") as ledger:

        def told(table: str, row: Any) -> None:
            live.append((table, in_public(table, {**row, "payload_bytes": ledger.delivered_bytes})))

        simulate(chosen, chosen.protocol.run(build(chosen)), ledger, told)
        ledger.commit()
        again = notes_of(ledger, measured(ledger))
    for table in ("steps", "evals", "rounds", "misses"):
        assert [row for name, row in again if name == table] == [row for name, row in live if name == table]
    assert [row["at_s"] for _, row in again] == [row["at_s"] for _, row in live]


def test_every_point_of_a_sweep_is_told(beside: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One training, two points: callbacks hear of them in workers, and rows are those of a study untold."""
    words = ["sweep", "s.yaml", "protocol.rounds=2", "--seeds", "1", "--axis", "network.bandwidth=2,5 MHz"]
    words += ["--targets", "0.4", "--threads", "1", "--workers", "1", "--quiet"]
    assert main([*words, "--out", "plain"]) == 0
    callbacks = ["--callback", "mine.Tracker", "--callback", "mine.Failing"]
    assert main([*words, "--out", "told", "--log", "jsonl", *callbacks]) == 0
    said = capsys.readouterr().err
    assert said.count("callback mine.Failing failed at 0 simulated s (RuntimeError: no answer)") == 1
    files = sorted((beside / "told" / "points").glob("*.json"))
    assert len(files) == 2
    for file in files:
        assert file.read_bytes() == (beside / "plain" / "points" / file.name).read_bytes()
        row = json.loads(file.read_text(encoding="utf-8"))
        log = (beside / "told" / "log" / f"{row['key']}.jsonl").read_text(encoding="utf-8")
        there = [json.loads(line) for line in log.splitlines()]
        assert (there[0]["key"], there[0]["axes"]) == (row["key"], row["axes"])
        evaluations = [line for line in there if line["event"] == "evaluation"]
        assert [line["simulated_s"] for line in evaluations] == row["curve"]["at_s"]
        assert [line["macro_f1"] for line in evaluations] == row["curve"]["macro_f1"]
        assert there[-1]["digest"] == row["digest"]
        mine = (beside / "told" / f"{row['key']}.txt").read_text(encoding="utf-8").splitlines()
        assert mine == ['["begin", null]', '["round", 1]', '["round", 2]', '["end", "finished"]']


def test_a_point_has_the_lines_of_a_run_of_its_own(tmp_path: Path) -> None:
    """But for the first line, which tells its axes."""
    sf.sweep(
        TINY, axes={"codec": ["raw"]}, seeds=1, threads=1, workers=1, out=tmp_path / "study",
        cache=tmp_path / "cache", log="jsonl", progress=False,
    )  # fmt: skip
    point = sf.load(TINY, "codec=raw", seed=0)
    run = sf.run(point, out=tmp_path / "run", threads=1, log="jsonl", progress=False)
    (log,) = (tmp_path / "study" / "log").iterdir()
    told = log.read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in told][1:] == lines(run.folder)[1:]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--callback", "mine.Tracker", "--no-plugins"], "and --no-plugins imports none"),
        (["--callback", "mine.NOTHING"], "callback mine.NOTHING: is no class that inherits from"),
    ],
)
def test_what_can_be_no_callback_is_refused_before_anything_is_done(
    words: list[str], told: str, beside: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sweep", "s.yaml", "--seeds", "1", "--out", "told", *words]) == 2
    assert told in capsys.readouterr().err
    assert not (beside / "told").exists()


def test_objects_do_not_reach_workers(tmp_path: Path) -> None:
    with pytest.raises(sf.BadInput, match="callback: workers of a sweep make it themselves"):
        sf.sweep(TINY, seeds=1, out=tmp_path / "study", callbacks=[Heard()])
    assert not (tmp_path / "study").exists()
