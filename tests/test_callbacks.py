"""Callbacks and logs: they are told all of a run, change nothing in it, and do not end it when they fail."""

import importlib.util
import json
import logging
import random
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from test_resume import Death, dying_after
from worlds import TINY, scenario

import slfac_sim as sf
from slfac_sim.cli import main
from slfac_sim.ledger.reader import LedgerReader
from slfac_sim.runs.callbacks import Audience, trackers_of
from slfac_sim.runs.log_jsonl import FILE
from slfac_sim.runs.resume import carry_out as go_on
from slfac_sim.runs.run import prepare, run

SHORT = ("protocol.rounds=3", "protocol.steps=2")
MINE = '''
"""A tracker beside a scenario."""
import json
from pathlib import Path
import slfac_sim as sf

class Tracker(sf.Callback):
    def begin(self, start):
        self.out = start.folder / "mine.txt"
        self.tell("begin", start.resumed_after)

    def note(self, table, row):
        if table == "rounds":
            self.tell("round", row["round"])

    def end(self, summary):
        self.tell("end", summary["status"])

    def tell(self, *words):
        with open(self.out, "a") as file:
            file.write(json.dumps(words) + "\\n")

NOTHING = 3
'''


class Heard(sf.Callback):
    """Keeps all that it is told, and then spoils it."""

    def __init__(self) -> None:
        self.start: sf.Start | None = None
        self.notes: list[tuple[str, dict[str, Any]]] = []
        self.summary: dict[str, Any] = {}

    def begin(self, start: sf.Start) -> None:
        self.start = start
        assert isinstance(start.scenario, dict)
        start.scenario["learning"].clear()

    def note(self, table: str, row: Mapping[str, Any]) -> None:
        import torch

        self.notes.append((table, dict(row)))
        assert isinstance(row, dict)
        row.clear()
        random.random(), np.random.default_rng().random(), torch.rand(3)

    def end(self, summary: Mapping[str, Any]) -> None:
        self.summary = dict(summary)


class Failing(sf.Callback):
    """Cannot reach its server after the first round."""

    def note(self, table: str, row: Mapping[str, Any]) -> None:
        if table == "rounds":
            raise ConnectionError("no answer")


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The summary of the run that nobody is told of."""
    return run(prepare(scenario(*SHORT), tmp_path_factory.mktemp("alone") / "run", threads=1))


@pytest.fixture
def beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the tiny scenario and a tracker beside it."""
    (tmp_path / "s.yaml").write_text(TINY.read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "mine.py").write_text(MINE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / FILE).read_text(encoding="utf-8").splitlines()]


def test_a_callback_is_told_all_and_changes_nothing(alone: dict[str, Any], tmp_path: Path) -> None:
    heard = Heard()
    given = scenario(*SHORT)
    result = sf.run(given, out=tmp_path / "run", threads=1, callbacks=[heard], progress=False)
    assert result.summary["digest"] == alone["digest"] == heard.summary["digest"]
    assert heard.summary == result.summary
    assert heard.start is not None
    assert (heard.start.folder, heard.start.rounds, heard.start.resumed_after) == (tmp_path / "run", 3, None)
    assert given.learning.batch == 8
    ledger = LedgerReader(tmp_path / "run" / "ledger.sqlite")
    for table in ("steps", "evals", "rounds", "misses"):
        there = ledger.tuples(table, ("at_s", "round"))
        assert [(row["at_s"], row["round"]) for name, row in heard.notes if name == table] == list(there)
    told = [row for table, row in heard.notes if table == "evals"]
    for name in ("accuracy", "balanced_accuracy", "device_worst_tenth"):
        assert [row[name] for row in told] == list(result.metrics[name])
    assert [row["accuracy_no_codec"] is None for row in told] == [True, True, True, False]


def test_one_that_fails_is_told_of_in_a_sentence_and_the_run_goes_on(
    alone: dict[str, Any], tmp_path: Path
) -> None:
    heard = Heard()
    with pytest.warns(UserWarning, match="goes on without it") as told:
        result = sf.run(
            scenario(*SHORT),
            out=tmp_path / "run",
            threads=1,
            callbacks=[Failing(), heard],
            progress=False,
        )
    (warning,) = told
    at_s = heard.notes[[table for table, _ in heard.notes].index("rounds")][1]["at_s"]
    assert str(warning.message) == (
        f"callback test_callbacks.Failing failed at {at_s:.6g} simulated s (ConnectionError: no answer); the"
        " run goes on without it"
    )
    assert result.status == "finished"
    assert result.summary["digest"] == alone["digest"] == heard.summary["digest"]
    log = (tmp_path / "run" / "run.log").read_text(encoding="utf-8")
    assert log.count("Traceback") == log.count("ConnectionError: ") == 1


def test_log_jsonl_says_what_the_ledger_and_the_summary_say(alone: dict[str, Any], tmp_path: Path) -> None:
    result = sf.run(scenario(*SHORT), out=tmp_path / "run", threads=1, log="jsonl", progress=False)
    assert result.summary["digest"] == alone["digest"]
    there = lines(tmp_path / "run")
    assert [(line["event"], line.get("round")) for line in there] == [
        ("begin", None),
        ("evaluation", 0),
        *((event, number) for number in (1, 2, 3) for event in ("evaluation", "round")),
        ("end", None),
    ]
    evaluations = [line for line in there if line["event"] == "evaluation"]
    columns = result.columns("evals")
    assert [line["simulated_s"] for line in evaluations] == list(columns["at_s"])
    assert [line["payload_bytes"] for line in evaluations] == list(columns["payload_bytes"])
    assert [line["macro_f1"] for line in evaluations] == list(result.metrics["macro_f1"])
    assert there[-1]["bytes"] == result.summary["bytes"]
    assert there[-1]["simulated_s"] == result.summary["simulated_s"]


@pytest.mark.parametrize("every", [0, 1], ids=["no checkpoint", "checkpoints"])
@pytest.mark.parametrize("notes", [1, 14, 26])
def test_resume_goes_on_with_the_lines_without_doubles(
    every: int, notes: int, alone: dict[str, Any], beside: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Killed anywhere, with a line cut short: in the end the file is that of the undisturbed run."""
    trackers = trackers_of(["jsonl"], ["mine.Tracker"], [beside])

    def audience() -> Audience:
        return Audience(trackers.open(), pytest.fail)

    whole, cut = beside / "whole", beside / "cut"
    run(prepare(scenario(*SHORT), whole, threads=1), trackers=trackers, audience=audience())
    with pytest.raises(Death):
        run(
            prepare(scenario(*SHORT), cut, threads=1),
            dying_after(notes),
            every,
            trackers=trackers,
            audience=audience(),
        )
    before = lines(cut)
    assert before == lines(whole)[: len(before)]
    with open(cut / FILE, "a", encoding="utf-8") as file:
        file.write('{"event": "rou')
    assert main(["resume", str(cut), "--quiet"]) == 0
    assert json.loads((cut / "summary.json").read_text())["digest"] == alone["digest"]
    assert (cut / FILE).read_bytes() == (whole / FILE).read_bytes()
    told = [json.loads(line) for line in (cut / "mine.txt").read_text().splitlines()]
    (second,) = [place for place, words in enumerate(told) if words[0] == "begin" and place]
    after = told[second][1]
    assert after == (max([0, *(words[1] for words in told[:second] if words[0] == "round")]) if every else 0)
    assert told[second + 1 :] == [*(["round", number] for number in range(after + 1, 4)), ["end", "finished"]]


def test_a_name_is_found_beside_the_scenario_and_its_file_is_kept(
    beside: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["s.yaml", "--callback", "mine.Tracker", "--out", "run", "--quiet", *SHORT]) == 0
    assert (beside / "run" / "mine.txt").read_text().splitlines()[-1] == '["end", "finished"]'
    assert (beside / "run" / "plugins" / "mine.py").read_text(encoding="utf-8") == MINE


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--callback", "mine"], "callback: expected a module and a name in it, such as my_nets.Net"),
        (["--callback", "mine.Traker"], "the module mine has no 'Traker'; did you mean 'Tracker'?"),
        (["--callback", "mine.NOTHING"], "callback mine.NOTHING: is no class that inherits from"),
        (["--callback", "nowhere.Tracker"], "no module 'nowhere' can be imported (ModuleNotFoundError"),
        (["--callback", "mine.Tracker", "--no-plugins"], "and --no-plugins imports none"),
        (["--log", "jsonn"], "--log: no 'jsonn' among jsonl, tensorboard; did you mean 'jsonl'?"),
    ],
)
def test_what_can_be_no_callback_is_refused_and_nothing_is_written(
    words: list[str], told: str, beside: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        sys.exit(main(["s.yaml", "--out", "run", *words]))
    assert told in capsys.readouterr().err
    assert not (beside / "run").exists()


def test_a_run_folder_names_callbacks_too(beside: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trackers = trackers_of([], ["mine.Tracker"], [beside])
    audience = Audience(trackers.open(), pytest.fail)
    with pytest.raises(Death):
        run(
            prepare(scenario(*SHORT), beside / "cut", threads=1),
            dying_after(3),
            trackers=trackers,
            audience=audience,
        )
    assert main(["resume", "cut", "--no-plugins"]) == 2
    assert "'mine' is a module of somebody's own, and --no-plugins imports none" in capsys.readouterr().err


def test_from_python_what_is_no_callback_is_refused(tmp_path: Path) -> None:
    with pytest.raises(sf.BadInput, match="callback: found 3, expected a dotted name, or a class that"):
        sf.run(scenario(), out=tmp_path / "run", callbacks=[3])  # type: ignore[list-item]
    with pytest.raises(sf.BadInput, match="log: no 'wandb' among jsonl, tensorboard"):
        sf.run(scenario(), out=tmp_path / "run", log="wandb")
    assert not (tmp_path / "run").exists()


class Writer:
    """Stands in for torch's `SummaryWriter`."""

    made: ClassVar[list["Writer"]] = []

    def __init__(self, log_dir: str, purge_step: int | None = None) -> None:
        self.log_dir, self.purge_step = log_dir, purge_step
        self.scalars: list[tuple[str, float, int, float]] = []
        self.closed = False
        Writer.made.append(self)

    def add_scalar(self, tag: str, scalar_value: float, global_step: int, walltime: float) -> None:
        self.scalars.append((tag, scalar_value, global_step, walltime))

    def flush(self) -> None: ...

    def close(self) -> None:
        self.closed = True


def test_tensorboard_has_rounds_as_steps_and_simulated_seconds_as_time(
    alone: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in = type(sys)("torch.utils.tensorboard")
    vars(stand_in)["SummaryWriter"] = Writer
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", stand_in)
    monkeypatch.setattr(Writer, "made", [])
    result = sf.run(scenario(*SHORT), out=tmp_path / "run", threads=1, log=["tensorboard"], progress=False)
    (writer,) = Writer.made
    assert result.summary["digest"] == alone["digest"]
    assert (writer.log_dir, writer.purge_step, writer.closed) == (
        str(tmp_path / "run" / "tensorboard"),
        None,
        True,
    )
    columns = result.columns("evals")
    assert [told for told in writer.scalars if told[0] == "evaluation/accuracy"] == [
        ("evaluation/accuracy", *values)
        for values in zip(columns["accuracy"], columns["round"], columns["at_s"], strict=True)
    ]
    assert [told[2] for told in writer.scalars if told[0] == "round/loss"] == [1, 2, 3]


@pytest.mark.skipif(importlib.util.find_spec("tensorboard") is None, reason="the extra is not installed")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_tensorboard_reads_each_value_of_a_resumed_run_once(alone: dict[str, Any], tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    trackers = trackers_of(["tensorboard"], [])
    cut = tmp_path / "cut"
    with pytest.raises(Death):
        run(
            prepare(scenario(*SHORT), cut, threads=1),
            dying_after(25),
            2,
            trackers=trackers,
            audience=Audience(trackers.open(), pytest.fail),
        )
    _, summary = go_on(cut, Silent())
    assert summary["digest"] == alone["digest"]
    events = EventAccumulator(str(cut / "tensorboard")).Reload().Scalars("evaluation/accuracy")
    result = sf.analysis.load(cut)
    assert [event.step for event in events] == [0, 1, 2, 3]
    assert [event.wall_time for event in events] == list(result.columns("evals")["at_s"])


class Silent:
    """A watcher that says nothing."""

    def say(self, line: str) -> None: ...

    def note(self, sentence: str) -> None:
        raise AssertionError(sentence)

    def begin(self, folder: Path, name: str, device_steps: int, rounds: int) -> None: ...

    def learn(self) -> None: ...

    def on_note(self, table: str, row: Mapping[str, Any]) -> None: ...


def test_without_the_extra_a_sentence_says_how_to_get_it(
    beside: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    assert main(["s.yaml", "--out", "run", "--log", "tensorboard"]) == 2
    install = "pip install 'slfac_sim[tensorboard]' installs it"
    assert f"--log tensorboard: TensorBoard is not installed; {install}\n" in capsys.readouterr().err
    assert not (beside / "run").exists()


def test_a_log_that_cannot_be_written_ends_and_the_run_does_not(
    alone: dict[str, Any], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def full(table: str, row: Any) -> None:
        if table == "rounds" and row["round"] == 1:
            (tmp_path / "run" / FILE).unlink()
            (tmp_path / "run" / FILE).mkdir()

    said: list[str] = []
    trackers = trackers_of(["jsonl"], [])
    with caplog.at_level(logging.WARNING):
        audience = Audience(trackers.open(), said.append)
        told = run(
            prepare(scenario(*SHORT), tmp_path / "run", threads=1), full, trackers=trackers, audience=audience
        )
    assert told["digest"] == alone["digest"]
    (sentence,) = said
    assert sentence.startswith("--log jsonl failed at ")
    assert sentence.endswith("log.jsonl'); the run goes on without it")
