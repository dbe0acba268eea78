"""The Python API: what a command does, as a function that returns what it found.

Scenarios are given by a shipped name, a file, a mapping or as a `Scenario`; overrides as on the command line
(``"network.bandwidth=5 MHz"``) or as a mapping of paths to values. All functions raise `BadInput` for input
that cannot be used.
"""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, Literal

from slfac_sim.analysis.answer_result import Answer
from slfac_sim.analysis.html import table_html
from slfac_sim.analysis.results import RunResult
from slfac_sim.analysis.study_result import StudyResult
from slfac_sim.ledger.folder import load as load_run
from slfac_sim.scenario.files import schema as scenario_schema
from slfac_sim.scenario.from_python import Given, Override, scenario_of, texts_of, value_text
from slfac_sim.scenario.schema import Scenario

__all__ = ["Plan", "ask", "check", "load", "replay", "run", "schema", "sweep"]

Place = str | PathLike[str]


def load(scenario: Given, *overrides: Override, seed: int | None = None) -> Scenario:
    """Return a scenario with overrides applied and everything checked; `seed` sets both of its seeds.

    >>> load("quick", "network.bandwidth=10 MHz", seed=3).network.bandwidth
    10000000.0

    Raises `BadInput` with all faults at once.
    """
    return scenario_of(scenario, texts_of(overrides), seed, _warn)


@dataclass(frozen=True, repr=False)
class Plan:
    """What a scenario would run: `lines` for people, `facts` for programs, and `remarks`."""

    scenario: Scenario
    facts: Mapping[str, Any]
    lines: Sequence[tuple[str, str]]
    remarks: Sequence[str]

    def __repr__(self) -> str:
        from slfac_sim.analysis.text_tables import aligned

        notes = [f"note: {remark}" for remark in self.remarks]
        return "\n".join([f"{self.scenario.name}: what will run", aligned(self.lines, "ll"), *notes])

    def _repr_html_(self) -> str:
        notes = [("note", remark) for remark in self.remarks]
        return table_html(f"{self.scenario.name}: what will run", [*self.lines, *notes])


def check(scenario: Given, *overrides: Override, seed: int | None = None) -> Plan:
    """Return what the scenario would run, without training: data, traffic, air, time of a round and host."""
    read = load(scenario, *overrides, seed=seed)
    from slfac_sim.forecast.forecast import forecast
    from slfac_sim.forecast.host import host_seconds
    from slfac_sim.forecast.report import facts_of, lines_of
    from slfac_sim.runs.opening import ready
    from slfac_sim.runs.starting import set_threads

    threads = set_threads(None)
    world, survey = ready(read)
    figures, host_s = forecast(world, survey), host_seconds(world)
    lines = list(lines_of(world.scenario, figures, host_s, threads))
    return Plan(read, facts_of(figures, host_s, threads), lines, figures.remarks)


def run(
    scenario: Given,
    *overrides: Override,
    seed: int | None = None,
    out: Place | None = None,
    threads: int | None = None,
    checkpoint_every: int | None = None,
    strict: bool = False,
    progress: bool = True,
) -> RunResult:
    """Train, transmit and time a scenario; the run lies in the folder `out`, or in a new one under ``runs/``.

    `threads` are the host threads of torch (default: 2, or 1 on one core), `checkpoint_every` the rounds
    between checkpoints (0: none; default: as often as they take less than 2 % of the time); `strict` checks
    the laws of simulation while it goes on.
    """
    read = load(scenario, *overrides, seed=seed)
    from slfac_sim.cli.progress import Progress
    from slfac_sim.runs import run as runs

    with Progress(quiet=not progress) as shown:
        prepared = runs.prepare(read, _path(out), threads, shown.say)
        shown.begin(read.name, prepared.world.device_steps, read.protocol.rounds)
        runs.run(prepared, shown.on_note, checkpoint_every, strict)
    return RunResult(load_run(prepared.folder))


def replay(
    of: RunResult | Place,
    *overrides: Override,
    seed_air: int | None = None,
    out: Place | None = None,
    strict: bool = False,
    progress: bool = True,
) -> RunResult:
    """Time a finished run again on another network, at other speeds or with another server; no training.

    `seed_air` draws places, fades and speeds anew.
    """
    from slfac_sim.cli.progress import Progress
    from slfac_sim.runs import replay as replays

    folder = of.folder if isinstance(of, RunResult) else Path(of)
    prepared = replays.prepare_replay(folder, texts_of(overrides), seed_air, _path(out))
    for sentence in prepared.notes:
        _warn(sentence)
    with Progress(quiet=not progress) as shown:
        record = prepared.record
        shown.begin(prepared.scenario.name, record.device_steps, record.scenario.protocol.rounds)
        replays.replay(prepared, shown.on_note, strict)
    return RunResult(load_run(prepared.folder))


def sweep(
    study: str | PathLike[str],
    *overrides: Override,
    axes: Mapping[str, Sequence[Any]] | None = None,
    seeds: int | Sequence[int] | None = None,
    air_seeds: int | None = None,
    targets: Sequence[float] | None = None,
    threads: int | None = None,
    out: Place | None = None,
    cache: Place | None = None,
    engine: Literal["local", "ray"] = "local",
    address: str | None = None,
    workers: int | None = None,
    memory: str | None = None,
    retries: int = 1,
    progress: bool = True,
) -> StudyResult:
    """Run every combination of the values of `axes` with every seed; each training once, points as replays.

    `study` is a study or a scenario.
    """
    from slfac_sim.analysis.studies.reading import load_study
    from slfac_sim.analysis.studies.report import finish_study
    from slfac_sim.cli.sweep_progress import SweepProgress
    from slfac_sim.studies.execution import Execution, carry_out
    from slfac_sim.studies.files import Changes, read_study
    from slfac_sim.studies.folder import StudyFolder
    from slfac_sim.studies.plan import plan
    from slfac_sim.studies.trainings import DEFAULT, clear_remains

    execution = Execution(Path(cache or DEFAULT), engine, address, workers, memory, retries)
    changes = Changes(
        overrides=texts_of(overrides),
        axes=[f"{path}={','.join(map(value_text, values))}" for path, values in (axes or {}).items()],
        seeds=None if seeds is None else _listed(seeds),
        air_seeds=None if air_seeds is None else str(air_seeds),
        targets=None if targets is None else ",".join(map(repr, targets)),
        threads=None if threads is None else str(threads),
    )
    whole = plan(read_study(str(study), changes))
    for sentence in whole.notes:
        _warn(sentence)
    folder = StudyFolder(_path(out) or Path("runs") / "studies" / whole.study.name)
    with SweepProgress(quiet=not progress) as shown, folder.in_use(whole):
        clear_remains(execution.cache)
        carry_out(whole, folder, execution, shown)
        finish_study(folder.path)
    return StudyResult(load_study(folder.path))


def ask(
    scenario: str | PathLike[str],
    question: str,
    *overrides: Override,
    vary: str,
    between: tuple[Any, Any] | None = None,
    seeds: int | None = None,
    threads: int | None = None,
    out: Place | None = None,
    cache: Place | None = None,
    progress: bool = True,
) -> Answer:
    """Find the values of the setting `vary` for which the `question` holds, by bisection over replays.

    A question is a measure and a bound, such as ``"time_to_accuracy(0.9) <= 60 s"``; `between` is the range
    that is searched (default: a tenth to ten times the scenario's own value).
    """
    from slfac_sim.cli.common import note
    from slfac_sim.studies.search import ask as asking
    from slfac_sim.studies.search.replays import Request
    from slfac_sim.studies.trainings import DEFAULT

    request = Request(
        scenario=str(scenario),
        vary=vary,
        overrides=texts_of(overrides),
        between=None if between is None else ",".join(map(value_text, between)),
        seeds=seeds,
        cache=Path(cache or DEFAULT),
        threads=threads,
        out=_path(out),
        say=note if progress else lambda line: None,
    )
    return Answer(asking.ask(request, question))


def schema(path: str = "") -> dict[str, Any]:
    """Return the JSON Schema of scenarios."""
    return scenario_schema()


def _path(place: Place | None) -> Path | None:
    return None if place is None else Path(place)


def _listed(seeds: int | Sequence[int]) -> str:
    return str(seeds) if isinstance(seeds, int) else ",".join(map(str, seeds))


def _warn(sentence: str) -> None:
    warnings.warn(sentence, UserWarning, stacklevel=3)
