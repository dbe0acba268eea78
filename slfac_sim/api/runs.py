"""One scenario: load, check, run, resume, replay, and what its settings are."""

from collections.abc import Sequence
from os import PathLike, fspath
from typing import TYPE_CHECKING, Any, overload

from slfac_sim.analysis.results import RunResult
from slfac_sim.api._common import (
    Place,
    ended,
    folder_of,
    path_of,
    plainly,
    plan_of,
    scenario_read,
    trackers_in,
    warn,
)
from slfac_sim.foundation.errors import BadInput
from slfac_sim.ledger.folder import load as load_run
from slfac_sim.runs.planned import Plan
from slfac_sim.scenario.explained import Explanation, explain
from slfac_sim.scenario.files import schema as scenario_schema
from slfac_sim.scenario.from_python import Given, Override, texts_of
from slfac_sim.scenario.schema import Scenario
from slfac_sim.studies.files import Changes, is_study

if TYPE_CHECKING:
    from slfac_sim.learning.trained_model import TrainedModel
    from slfac_sim.runs.callbacks import Given as GivenCallback
    from slfac_sim.runs.evaluate import Measured


@plainly
def load(scenario: Given, *overrides: Override, seed: int | None = None) -> Scenario:
    """Return a scenario with overrides applied and everything checked; `seed` sets both of its seeds.

    >>> scenario = load("small", "network.bandwidth=10 MHz", {"devices.count": 4}, seed=3)
    >>> scenario.network.bandwidth, scenario.devices.count, scenario.seed
    (10000000.0, 4, Seed(learning=3, air=3))

    A setting that an override drops, since another kind has no such, is told by a warning. Raises `BadInput`
    with all faults at once.
    """
    return scenario_read(scenario, overrides, seed)[0]


@plainly
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
        whole = plan_of(scenario, Changes(texts_of(overrides)))
        with torch_lent():
            return study_planned(whole)
    read, _ = scenario_read(scenario, overrides, seed)
    with torch_lent():
        return planned(read)


@plainly
def run(
    scenario: Given,
    *overrides: Override,
    seed: int | None = None,
    out: Place | None = None,
    threads: int | None = None,
    checkpoint_every: int | None = None,
    strict: bool = False,
    weights: bool = True,
    log: str | Sequence[str] = (),
    callbacks: "Sequence[GivenCallback]" = (),
    progress: bool = True,
) -> RunResult:
    """Train, transmit and time a scenario, and return the run, which lies in the folder `out`.

    Without `out` that is a new folder under ``runs/``. `threads` are the host threads of torch (default: 2,
    or 1 on one core), `checkpoint_every` the rounds between checkpoints (0: none; default: so that they take
    less than 2 % of the time); `strict` checks the laws of simulation while it goes on;
    the trained model is kept in the folder if its `weights` are wanted. `log` is ``jsonl``, ``tensorboard``
    or both; `callbacks` are told how it goes on: classes that inherit from `Callback`, objects of them, or
    dotted names.

    Raises `RunFailed` for a run that failed, and `KeyboardInterrupt` for one that was interrupted; either way
    what was recorded until then is in its folder, and `resume` goes on with it.
    """
    read, notes = scenario_read(scenario, overrides, seed)
    from slfac_sim.progress.run import RunProgress
    from slfac_sim.runs.run import carry_out
    from slfac_sim.runs.starting import torch_lent

    told = trackers_in(log, callbacks, scenario)
    with torch_lent(), RunProgress(not progress, warn) as shown:
        how = (threads, checkpoint_every, strict, notes, weights, told)
        folder, _ = carry_out(read, shown, path_of(out), *how)
    return ended(folder)


@plainly
def resume(run: RunResult | Place, *, progress: bool = True) -> RunResult:
    """Go on with a run that was interrupted or killed, to the same end; a finished one comes back."""
    from slfac_sim.progress.run import RunProgress
    from slfac_sim.runs.resume import carry_out, finished
    from slfac_sim.runs.starting import torch_lent

    folder = folder_of(run)
    if not finished(folder):
        with torch_lent(), RunProgress(not progress, warn) as shown:
            carry_out(folder, shown)
    return ended(folder)


@plainly
def model(run: RunResult | Place, name: str = "final") -> "TrainedModel":
    """Return the trained model of a finished run as a torch module of named blocks, in evaluation mode.

    It maps normalised images [batch, channels, h, w] to logits, `of_levels` those of pixels from 0 to 255;
    `pixel_mean` and `pixel_std` are what it was trained with. `name` is ``final``, or ``best`` where there
    was a validation part.

        model = sf.model("runs/latest")
    """
    from slfac_sim.runs.starting import torch_lent
    from slfac_sim.runs.weights import model_of

    with torch_lent():
        return model_of(load_run(folder_of(run)), name)


@plainly
def evaluate(run: RunResult | Place, *overrides: Override, name: str = "final") -> "Measured":
    """Measure the trained model of a finished run again, with another codec or on other data.

        sf.evaluate(run, "codec=raw").figures["accuracy"]

    `name` is ``final``, or ``best`` where there was a validation part.
    """
    from slfac_sim.runs.evaluate import evaluate as measure
    from slfac_sim.runs.starting import torch_lent

    with torch_lent():
        return measure(folder_of(run), texts_of(overrides), name)


@plainly
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

    with RunProgress(not progress, warn) as shown:
        folder, _ = carry_out(folder_of(run), texts_of(overrides), shown, seed_air, path_of(out), strict)
    return ended(folder)


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
