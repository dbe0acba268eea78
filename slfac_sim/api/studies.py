"""Many runs: studies, and questions that replays answer."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from slfac_sim.analysis.answer_result import Answer
from slfac_sim.analysis.studies.reading import load_study
from slfac_sim.analysis.study_result import StudyResult
from slfac_sim.api._common import (
    Place,
    Values,
    cache_of,
    joined,
    path_of,
    plainly,
    plan_of,
    trackers_in,
    warn,
)
from slfac_sim.scenario.from_python import Given, Override, scenario_of, texts_of, value_text
from slfac_sim.scenario.schema import Scenario, Seed
from slfac_sim.studies.files import Changes

if TYPE_CHECKING:
    from slfac_sim.runs.callbacks import Given as GivenCallback

Aims = str | Sequence[float | str] | Mapping[str, Sequence[float]]


@plainly
def sweep(
    study: Given,
    *overrides: Override,
    axes: Mapping[str, Values] | None = None,
    seeds: int | Sequence[int] | None = None,
    air_seeds: int | None = None,
    targets: Aims | None = None,
    threads: int | None = None,
    out: Place | None = None,
    cache: Place | None = None,
    engine: Literal["local", "ray"] = "local",
    address: str | None = None,
    workers: int | None = None,
    memory: str | None = None,
    retries: int = 1,
    weights: bool = False,
    log: str | Sequence[str] = (),
    callbacks: "Sequence[GivenCallback]" = (),
    progress: bool = True,
) -> StudyResult:
    """Run every combination of the values of `axes` with every seed: each training once, each point a replay.

        sf.sweep("quick", axes={"network.bandwidth": ["2 MHz", "5 MHz"], "codec": ["raw", "slfac"]}, seeds=2)

    `study` is a study's file or name, or a scenario, whose own seed is not used. `seeds` is their number,
    from 0, or a list (default: those of the study's file, or 0, 1 and 2), `air_seeds` the number of further
    draws of the air; `targets` are accuracies, or lists by metric. The study lies in `out` (default:
    ``runs/studies/NAME``), its trainings in `cache` (default: ``runs/trainings``); what is there is not done
    again, but for trainings without their model if `weights` are wanted. `workers` processes
    train at once (default: cores over `threads`, as memory allows). Points that fail are warned of, and have
    a row with the reason. `log` and `callbacks` (classes in files, or dotted names) are told of each point
    that is done now, as of a run.
    """
    from slfac_sim.progress.sweep import SweepProgress
    from slfac_sim.studies.execution import Execution, conduct

    told = trackers_in(log, callbacks, study)
    execution = Execution(cache_of(cache), engine, address, workers, memory, retries, weights, told)
    changes = Changes(
        overrides=texts_of(overrides),
        axes=[f"{path}={joined(values, path)}" for path, values in (axes or {}).items()],
        seeds=None if seeds is None else value_text(seeds),
        air_seeds=None if air_seeds is None else str(air_seeds),
        targets=None if targets is None else _targets(targets),
        threads=None if threads is None else str(threads),
    )
    whole = plan_of(study, changes)
    if isinstance(study, Scenario) and seeds is None and study.seed != Seed():
        numbers = ", ".join(map(str, whole.study.seed_numbers))
        warn(f"the scenario's own seed is not used: a study without seeds= has the seeds {numbers}")
    with SweepProgress(not progress, warn) as shown:
        swept = conduct(whole, execution, shown, path_of(out))
    for failure in swept.failures:
        warn(f"failed: {failure.what}: {failure.reason}")
    return StudyResult(load_study(swept.folder))


@plainly
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
            between=None if between is None else joined(between),
            seeds=seeds,
            cache=cache_of(cache),
            threads=threads,
            out=path_of(out),
            say=shown.say,
        )
        return Answer(answer(request, question))


def _targets(targets: Aims) -> str:
    """Return `targets` as the command line has them."""
    if not isinstance(targets, Mapping):
        return joined(targets)
    return ",".join(f"{metric}={value_text(value)}" for metric, values in targets.items() for value in values)
