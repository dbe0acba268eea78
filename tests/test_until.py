"""A training that stops early is the longer one up to where it stops, whatever the protocol."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from played import heard
from studies import Here, swept, tiny_plan
from told import sentences
from worlds import TINY, scenario, world

from slfac_sim.analysis.studies.report import finish_study
from slfac_sim.cli import main
from slfac_sim.foundation.plugins import kinds
from slfac_sim.foundation.units import exact
from slfac_sim.ledger.reader import LedgerReader
from slfac_sim.ledger.store import FileLedger, MemoryLedger
from slfac_sim.ledger.tables import DIGESTED, TABLES
from slfac_sim.runs.resume import prepare_resume, resume
from slfac_sim.runs.run import prepare, run
from slfac_sim.runs.verify import prepare_verify, verify
from slfac_sim.scenario.until import Plateau, Until
from slfac_sim.simulation.simulate import simulate

PROTOCOLS = kinds("slfac_sim.protocols")
LONG = ("protocol.rounds=5", "codec=raw", "evaluation.no_codec=every")
CUT_SHORT = {"transfers": "cancelled", "computes": "interrupted"}

accuracies = st.lists(st.floats(0.0, 1.0), max_size=12)


@given(accuracies, st.floats(0.01, 1.0))
def test_enough_is_met_by_the_last_accuracy_alone(told: list[float], enough: float) -> None:
    evaluations = [{"accuracy": value} for value in told]
    assert (Until(accuracy=enough).met(evaluations) is not None) == bool(told and told[-1] >= enough)


@given(accuracies, st.integers(1, 5), st.floats(0.0, 0.3))
def test_a_plateau_is_a_row_of_evaluations_without_a_gain(
    told: list[float], evaluations: int, gain: float
) -> None:
    best = max(told[: len(told) - evaluations], default=None) if len(told) > evaluations else None
    expected = best is not None and all(accuracy <= best + gain for accuracy in told[-evaluations:])
    seen = [{"accuracy": value} for value in told]
    assert (Plateau(evaluations=evaluations, gain=gain).met(seen) is not None) == expected


def rows_of(ledger: MemoryLedger) -> dict[str, list[Any]]:
    return {table: ledger.tuples(table, list(TABLES[table])) for table in DIGESTED}


def played(*overrides: str) -> MemoryLedger:
    chosen, ledger = scenario(*overrides), MemoryLedger()
    simulate(chosen, world(*overrides).scenario.protocol.run(world(*overrides)), ledger)
    return ledger


def digest_of(rows: dict[str, list[Any]]) -> str:
    ledger = MemoryLedger()
    for table, there in rows.items():
        for row in there:
            ledger.append(table, row[1:] if next(iter(TABLES[table].values()))[0].endswith("KEY") else row)
    return ledger.digest()


def is_cut_short(table: str, row: Any) -> bool:
    return table in CUT_SHORT and row[-1] == CUT_SHORT[table]


@pytest.mark.matrix
@pytest.mark.parametrize("kind", PROTOCOLS)
def test_a_stopped_training_is_the_longer_one_up_to_there(kind: str) -> None:
    """Row by row and by digest; what asynchronous ones had under way is cut short at that instant."""
    protocol = f"protocol.kind={kind}"
    longer = rows_of(played(protocol, *LONG))
    place = {name: number for number, name in enumerate(TABLES["evals"])}
    told = [row[place["accuracy"]] for row in longer["evals"][1:]]
    enough = max(told[1:-1])
    stop = next(number for number, accuracy in enumerate(told, start=1) if accuracy >= enough)
    stopped = rows_of(played(protocol, *LONG, f"learning.until={{accuracy: {enough!r}}}"))
    assert [row[place["round"]] for row in stopped["evals"]] == list(range(stop + 1))
    assert stopped["rounds"] == longer["rounds"][:stop]
    until_then = {
        table: [row for row in rows if not is_cut_short(table, row)] for table, rows in stopped.items()
    }
    for table, rows in until_then.items():
        if table not in ("payloads", "set_ups", "bottlenecks"):
            assert rows == longer[table][: len(rows)], table
    if world(protocol).scenario.protocol.schedule.models != "mixed":
        assert until_then == stopped
        prefix = {table: rows[: len(stopped[table])] for table, rows in longer.items()}
        assert digest_of(prefix) == digest_of(stopped)
    else:
        at_s = stopped["rounds"][-1][list(TABLES["rounds"]).index("at_s")]
        ends = [row[list(TABLES[table]).index("end_s")] for table in CUT_SHORT for row in stopped[table]]
        assert max(ends) <= at_s


@pytest.mark.matrix
@pytest.mark.parametrize("kind", PROTOCOLS)
def test_who_goes_on_from_where_it_stopped_does_nothing(kind: str) -> None:
    """A checkpoint of the round in which it stopped tells of that, and of the accuracies before."""
    chosen = (
        f"protocol.kind={kind}",
        *LONG,
        "devices.count=1",
        "learning.until={plateau: {evaluations: 2}, accuracy: 0.4}",
    )
    if kind == "hierarchical":
        chosen = (f"protocol.kind={kind}", *LONG, "learning.until={plateau: {evaluations: 2}, accuracy: 0.4}")
    learnt, again = world(*chosen), world(*chosen)
    heard(learnt)
    assert learnt.stopped
    again.set_state(learnt.get_state())
    assert again.begun()[0] < 5
    assert heard(again) == []


@pytest.mark.parametrize("kind", ["parallel", "splitfed_v3", "centralised"])
def test_a_run_resumed_stops_where_it_would_have(kind: str, tmp_path: Path) -> None:
    chosen = (f"protocol.kind={kind}", *LONG, "learning.until={plateau: {evaluations: 2, gain: 0.5}}")
    whole = run(prepare(scenario(*chosen), tmp_path / "whole", threads=1))
    assert whole["rounds"] == 3
    assert whole["stopped"].startswith("after round 3 of 5: accuracy 0.")

    def interrupt(table: str, row: Any) -> None:
        if table == "rounds" and row["round"] == 2:
            raise KeyboardInterrupt

    run(prepare(scenario(*chosen), tmp_path / "cut", threads=1), interrupt, checkpoint_every=1)
    resumable = prepare_resume(tmp_path / "cut")
    assert resumable.rounds >= 1
    summary = resume(resumable)
    assert (summary["digest"], summary["stopped"]) == (whole["digest"], whole["stopped"])


def test_a_killed_run_that_had_stopped_ends_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kill comes after the checkpoint of its last round, before anything else is written."""
    chosen = ("protocol.rounds=5", "learning.until={plateau: {evaluations: 1, gain: 1.0}}")
    whole = run(prepare(scenario(*chosen), tmp_path / "whole", threads=1))
    assert whole["rounds"] == 2
    left_open: list[FileLedger] = []  # as with a kill

    def leave_open(ledger: FileLedger) -> None:
        left_open.append(ledger)

    monkeypatch.setattr(FileLedger, "close", leave_open)
    prepared = prepare(scenario(*chosen), tmp_path / "cut", threads=1)
    keep = prepared.world.keep

    class Death(BaseException):
        """A process that is gone."""

    def die(round_number: int, *more: Any) -> None:
        keep(round_number, *more)
        if round_number == 2:
            raise Death

    monkeypatch.setattr(prepared.world, "keep", die)
    with pytest.raises(Death):
        run(prepared, checkpoint_every=1)
    monkeypatch.undo()
    resumable = prepare_resume(tmp_path / "cut")
    assert resumable.rounds == 2
    assert resume(resumable)["digest"] == whole["digest"]


def test_a_stopped_run_is_verified_replayed_and_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "r"
    chosen = scenario("protocol.rounds=5", "learning.until={plateau: {evaluations: 1, gain: 1.0}}")
    summary = run(prepare(chosen, folder, threads=1))
    with prepare_verify(folder) as verifiable:
        assert verify(verifiable).equal
    out = tmp_path / "slow"
    assert main(["replay", str(folder), "network.bandwidth=1 MHz", "--out", str(out), "--quiet"]) == 0
    slow = json.loads((out / "summary.json").read_text())
    assert (slow["rounds"], slow["stopped"]) == (2, summary["stopped"])
    assert slow["simulated_s"] > summary["simulated_s"]
    assert main(["replay", str(folder), "learning.until.accuracy=0.5", "--out", str(tmp_path / "no")]) == 2
    assert "learning sees learning.until.accuracy: null there, 0.5 wanted" in capsys.readouterr().err
    for verb in ("explain", "trace", "export"):
        assert main([verb, str(folder)]) == 0
    assert list(LedgerReader(folder / "ledger.sqlite").tuples("rounds", ("round",))) == [(1,), (2,)]


def test_points_of_a_study_stop_at_different_rounds(tmp_path: Path) -> None:
    overrides = ["protocol.rounds=6", "learning.until.accuracy=0.6"]
    plan = tiny_plan("codec=raw,slfac", "network.bandwidth=1e6,5e6", seeds="1,3", overrides=overrides)
    assert swept(plan, tmp_path / "study", Here(tmp_path / "cache"), tmp_path / "cache") == []
    points = [json.loads(file.read_text()) for file in (tmp_path / "study" / "points").glob("*.json")]
    assert len({point["rounds"] for point in points}) > 1
    assert all(point["curve"]["round"] == list(range(point["rounds"] + 1)) for point in points)
    assert finish_study(tmp_path / "study")


@pytest.mark.parametrize("metric", ["balanced_accuracy", "macro_f1", "device_mean", "device_worst_tenth"])
def test_other_metrics_stop_it_too(metric: str, tmp_path: Path) -> None:
    """At the first evaluation at which the metric, as the summary of the longer run has it, is there."""
    longer = run(prepare(scenario(*LONG), tmp_path / "longer", threads=1))
    best = longer["metrics"][metric]["best"]
    folder = tmp_path / "stopped"
    stopped = run(prepare(scenario(*LONG, f"learning.until={{{metric}: {best!r}}}"), folder, threads=1))
    assert stopped["metrics"][metric]["final"] == best
    assert stopped["stopped"].endswith(f"{best:.4f} is at least {exact(best)}")
    out = tmp_path / "slow"
    assert main(["replay", str(folder), "network.bandwidth=1 MHz", "--out", str(out), "--quiet"]) == 0
    assert json.loads((out / "summary.json").read_text())["stopped"] == stopped["stopped"]
    plateau = f"learning.until={{plateau: {{of: {metric}, evaluations: 1, gain: 1.0}}}}"
    assert run(prepare(scenario(*LONG, plateau), tmp_path / "flat", threads=1))["rounds"] == 2


def test_check_says_of_what_no_use_is_made(capsys: pytest.CaptureFixture[str]) -> None:
    tiny = str(Path(__file__).with_name("tiny.yaml"))
    words = ["check", tiny, "learning.server_optimiser=adam", "learning.batch_norm=local"]
    assert main([*words, "protocol=local_only"]) == 0
    out = capsys.readouterr().out
    assert "note: learning.server_optimiser has no effect: in local_only no server learns" in out
    assert "note: learning.batch_norm: local has no effect: local_only sends no models" in out
    assert main([*words, "protocol=parallel"]) == 0
    assert "no effect" not in capsys.readouterr().out


def test_check_says_until_when(capsys: pytest.CaptureFixture[str]) -> None:
    tiny = str(Path(__file__).with_name("tiny.yaml"))
    assert main(["check", tiny, "learning.until={accuracy: 0.97, plateau: {evaluations: 3}}"]) == 0
    out = capsys.readouterr().out
    assert "at most 2, parallel; until accuracy 0.97, or no gain in 3 evaluations" in out
    assert "note: work and time on this host are those of all rounds: learning.until may end it before" in out


@pytest.mark.parametrize(
    ("until", "line"),
    [
        ("{}", "learning.until: needs an accuracy, another metric or a plateau"),
        ("{accuracy: 97}", "learning.until.accuracy: must be at most 1 (got 97)"),
        ("{plateau: {evaluations: 0}}", "learning.until.plateau.evaluations: must be at least 1 (got 0)"),
        ("{acuracy: 0.9}", "learning.until.acuracy: unknown key 'acuracy'; did you mean 'accuracy'?"),
    ],
)
def test_what_cannot_be_waited_for_is_one_sentence(
    until: str, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny = str(Path(__file__).with_name("tiny.yaml"))
    assert main(["check", tiny, f"learning.until={until}"]) == 2
    assert sentences(capsys.readouterr().err) == [f"override 'learning.until={until}': {line}"]


def test_a_warm_up_that_never_ends_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    schedule = "learning.schedule={kind: cosine, warmup: 5}"
    assert main(["check", str(TINY), schedule, "protocol.rounds=5"]) == 0
    note = (
        "learning.schedule: the warm-up of 5 lasts for all 5 rounds; the full learning rate is never reached"
    )
    assert note in capsys.readouterr().out
    assert main(["check", str(TINY), schedule, "protocol.rounds=6"]) == 0
    assert "warm-up" not in capsys.readouterr().out
