"""The Python API: what a command does, as a function that returns what it found.

A scenario is given by a shipped name, a file, what a file would hold as a mapping, or as the `Scenario` that
`load` returns; overrides as on the command line (``"network.bandwidth=5 MHz"``) or as a mapping of paths to
values (``{"network.bandwidth": 5e6}``). Input that cannot be used raises `BadInput`. torch's settings are
those of the whole process: two runs at once in it are refused, and afterwards all is as it was found.
"""

import functools
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, ParamSpec, TypeVar, overload

from slfac_sim.analysis.answer_result import Answer
from slfac_sim.analysis.results import RunResult
from slfac_sim.analysis.studies.reading import load_study
from slfac_sim.analysis.study_result import StudyResult
from slfac_sim.foundation.errors import BadInput
from slfac_sim.ledger.folder import load as load_run
from slfac_sim.runs.planned import Plan
from slfac_sim.scenario.explained import Explanation, explain
from slfac_sim.scenario.files import schema as scenario_schema
from slfac_sim.scenario.from_python import Given, Override, scenario_of, texts_of, value_text
from slfac_sim.scenario.schema import Scenario
from slfac_sim.studies.files import Changes, is_study, read_study

if TYPE_CHECKING:
    from slfac_sim.studies.plan import Plan as StudyPlan

__all__ = [
    "Plan",
    "RunFailed",
    "ask",
    "check",
    "load",
    "replay",
    "resume",
    "run",
    "schema",
    "sweep",
]

P = ParamSpec("P")
T = TypeVar("T")
Place = str | PathLike[str]
Values = str | Sequence[Any]


class RunFailed(Exception):
    """A run that failed: `run` is what was recorded until then."""

    def __init__(self, message: str, run: RunResult) -> None:
        super().__init__(message, run)
        self.run = run

    def __str__(self) -> str:
        return str(self.args[0])


def _plainly(function: Callable[P, T]) -> Callable[P, T]:
    """Decorate a function so that what a user has to know comes without the traceback of how it was found."""

    @functools.wraps(function)
    def call(*arguments: P.args, **settings: P.kwargs) -> T:
        try:
            return function(*arguments, **settings)
        except (BadInput, RunFailed, KeyboardInterrupt) as error:
            raise error.with_traceback(None) from None

    return call


@_plainly
def load(scenario: Given, *overrides: Override, seed: int | None = None) -> Scenario:
    """Return a scenario with overrides applied and everything checked; `seed` sets both of its seeds.

    >>> scenario = load("quick", "network.bandwidth=10 MHz", {"devices.count": 4}, seed=3)
    >>> scenario.network.bandwidth, scenario.devices.count, scenario.seed
    (10000000.0, 4, Seed(learning=3, air=3))

    A setting that an override drops, since another kind has no such, is told by a warning. Raises `BadInput`
    with all faults at once.
    """
    return _read(scenario, overrides, seed)[0]


@_plainly
def check(scenario: Given, *overrides: Override, seed: int | None = None) -> Plan:
    """Return what a scenario would run, without training: data, traffic, air, the time of a round.

    >>> plan = check("quick", "data=synthetic")
    >>> dict(plan.lines)["rounds"]
    '8, parallel'

    Of a study, by its file or name: points, trainings, and the time of all on this host.
    """
    from slfac_sim.runs.planned import planned
    from slfac_sim.runs.starting import torch_lent
    from slfac_sim.studies.forecast import planned as study_planned

    if isinstance(scenario, str | PathLike) and is_study(fspath(scenario)):
        if seed is not None:
            raise BadInput(f"seed: is for scenarios, and {fspath(scenario)} is a study")
        whole = _plan_of(scenario, Changes(texts_of(overrides)))
        with torch_lent():
            return study_planned(whole)
    read, _ = _read(scenario, overrides, seed)
    with torch_lent():
        return planned(read)


@_plainly
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
    """Train, transmit and time a scenario, and return the run, which lies in the folder `out`.

    Without `out` that is a new folder under ``runs/``. `threads` are the host threads of torch (default: 2,
    or 1 on one core), `checkpoint_every` the rounds between checkpoints (0: none; default: so that they take
    less than 2 % of the time); `strict` checks the laws of simulation while it goes on.

    Raises `RunFailed` for a run that failed, and `KeyboardInterrupt` for one that was interrupted; either way
    what was recorded until then is in its folder, and `resume` goes on with it.
    """
    read, notes = _read(scenario, overrides, seed)
    from slfac_sim.progress.run import RunProgress
    from slfac_sim.runs.run import carry_out
    from slfac_sim.runs.starting import torch_lent

    with torch_lent(), RunProgress(not progress, _warn) as shown:
        folder, _ = carry_out(read, shown, _path(out), threads, checkpoint_every, strict, notes)
    return _ended(folder)


@_plainly
def resume(run: RunResult | Place, *, progress: bool = True) -> RunResult:
    """Go on with a run that was interrupted or killed, to the same end; a finished one comes back."""
    from slfac_sim.progress.run import RunProgress
    from slfac_sim.runs.resume import carry_out, finished
    from slfac_sim.runs.starting import torch_lent

    folder = _folder(run)
    if not finished(folder):
        with torch_lent(), RunProgress(not progress, _warn) as shown:
            carry_out(folder, shown)
    return _ended(folder)


@_plainly
def replay(
    run: RunResult | Place,
    *overrides: Override,
    seed_air: int | None = None,
    out: Place | None = None,
    strict: bool = False,
    progress: bool = True,
) -> RunResult:
    """Time a finished run again on another network, at other speeds or with another server: no training.

    `seed_air` draws places, fades and speeds anew.

        slow = sf.replay(run, "network.bandwidth=1 MHz")
    """
    from slfac_sim.progress.run import RunProgress
    from slfac_sim.runs.replay import carry_out

    with RunProgress(not progress, _warn) as shown:
        folder, _ = carry_out(_folder(run), texts_of(overrides), shown, seed_air, _path(out), strict)
    return _ended(folder)


@_plainly
def sweep(
    study: Given,
    *overrides: Override,
    axes: Mapping[str, Values] | None = None,
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
    """Run every combination of the values of `axes` with every seed: each training once, each point a replay.

        sf.sweep("quick", axes={"network.bandwidth": ["2 MHz", "5 MHz"], "codec": ["raw", "slfac"]}, seeds=2)

    `study` is a study's file or name, or a scenario. `seeds` is their number or a list, `air_seeds` the
    number of further draws of the air. The study lies in `out` (default: ``runs/studies/NAME``), its
    trainings in `cache` (default: ``runs/trainings``); what is there is not done again. `workers` processes
    train at once (default: cores over `threads`, as memory allows). Points that fail are warned of, and have
    a row with the reason.
    """
    from slfac_sim.progress.sweep import SweepProgress
    from slfac_sim.studies.execution import Execution, conduct

    execution = Execution(_cache(cache), engine, address, workers, memory, retries)
    changes = Changes(
        overrides=texts_of(overrides),
        axes=[f"{path}={_joined(values)}" for path, values in (axes or {}).items()],
        seeds=None if seeds is None else value_text(seeds),
        air_seeds=None if air_seeds is None else str(air_seeds),
        targets=None if targets is None else _joined(targets),
        threads=None if threads is None else str(threads),
    )
    whole = _plan_of(study, changes)
    with SweepProgress(not progress) as shown:
        swept = conduct(whole, execution, shown, _path(out))
    for failure in swept.failures:
        _warn(f"failed: {failure.what}: {failure.reason}")
    return StudyResult(load_study(swept.folder))


@_plainly
def ask(
    scenario: Given,
    question: str,
    *overrides: Override,
    vary: str,
    between: Values | None = None,
    seeds: int | None = None,
    threads: int | None = None,
    out: Place | None = None,
    cache: Place | None = None,
    progress: bool = True,
) -> Answer:
    """Find the values of the setting `vary` for which the `question` holds, by bisection over replays.

        sf.ask("quick", "time_to_accuracy(0.9) <= 60 s", vary="network.bandwidth", between=("1 MHz", "1 GHz"))

    `between` is the range that is searched (default: a tenth to ten times the scenario's own value), `seeds`
    how many from 0 (default: the scenario's own). The answer lies in `out`, or in a new folder in ``runs/``.
    """
    from slfac_sim.progress.screens import screen
    from slfac_sim.runs.starting import torch_lent
    from slfac_sim.studies.search.ask import ask as answer
    from slfac_sim.studies.search.replays import Request

    with torch_lent(), screen(not progress) as shown:
        request = Request(
            scenario=scenario_of(scenario) if isinstance(scenario, Mapping) else scenario,
            vary=vary,
            overrides=texts_of(overrides),
            between=None if between is None else _joined(between),
            seeds=seeds,
            cache=_cache(cache),
            threads=threads,
            out=_path(out),
            say=shown.say,
        )
        return Answer(answer(request, question))


@overload
def schema(path: None = None) -> dict[str, Any]: ...


@overload
def schema(path: str) -> Explanation: ...


def schema(path: str | None = None) -> dict[str, Any] | Explanation:
    """Return what the setting at `path` is, in words; without a path, the JSON Schema of a scenario.

    >>> print(schema("protocol.rounds").settings[0].schema["type"])
    integer
    """
    whole = scenario_schema()
    return whole if path is None else explain(path, whole)


def _read(given: Given, overrides: Sequence[Override], seed: int | None) -> tuple[Scenario, list[str]]:
    """Return the scenario, and a sentence for each setting that an override drops."""
    notes: list[str] = []
    scenario = scenario_of(given, texts_of(overrides), seed, notes.append)
    for sentence in notes:
        _warn(sentence)
    return scenario, notes


def _plan_of(study: Given, changes: Changes) -> "StudyPlan":
    from slfac_sim.studies.plan import plan

    whole = plan(read_study(study, changes))
    for sentence in whole.notes:
        _warn(sentence)
    return whole


def _ended(folder: Path) -> RunResult:
    """Return the run in `folder`, or raise how else it ended."""
    run = RunResult(load_run(folder))
    told = f"{run.summary['reason']} (in {folder}: sf.analysis.load reads it"
    if run.status == "interrupted":
        raise KeyboardInterrupt(f"{told}, sf.resume goes on with it)")
    if run.status == "failed":
        raise RunFailed(f"{told})", run)
    return run


def _folder(run: RunResult | Place) -> Path:
    return run.folder if isinstance(run, RunResult) else Path(run)


def _path(place: Place | None) -> Path | None:
    return None if place is None else Path(place)


def _cache(place: Place | None) -> Path:
    from slfac_sim.studies.trainings import DEFAULT

    return DEFAULT if place is None else Path(place)


def _joined(values: Values) -> str:
    """Return several values as the command line has them: ``1 MHz,5 MHz``."""
    return values if isinstance(values, str) else ",".join(map(value_text, values))


def _warn(sentence: str) -> None:
    """Warn the caller of the API: of its line, whatever lies between."""
    level, frame = 2, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("slfac_sim."):
        level, frame = level + 1, frame.f_back
    warnings.warn(sentence, UserWarning, stacklevel=level)
