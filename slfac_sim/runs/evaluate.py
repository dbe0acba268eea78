"""The trained model of a run, measured again: with another codec, on other data. Nothing is trained."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.metrics import METRICS
from slfac_sim.learning.counting import metrics_of
from slfac_sim.learning.datasets import Dataset, Report
from slfac_sim.learning.kept import Kept
from slfac_sim.learning.world import World
from slfac_sim.ledger.folder import SCENARIO, Run, weights_file
from slfac_sim.ledger.folder import load as load_run
from slfac_sim.ledger.summary import codec_label
from slfac_sim.runs.starting import set_threads
from slfac_sim.runs.weights import FINAL, weights_of
from slfac_sim.scenario.files import changed, load
from slfac_sim.scenario.fingerprint import visible_differences
from slfac_sim.scenario.schema import Scenario, Weights
from slfac_sim.scenario.steering import cuts_a_model

MAY_DIFFER = ("name", "codec", "data", "partition", "evaluation")
"""Settings that do not touch the model; who holds which samples only tells whose test share is whose."""


@dataclass(frozen=True)
class Measured:
    """What the model called `name` of a run, of after `round`, reaches: `figures` by metric, or None.

    `accuracy_no_codec` is among them. `data` and `codec` say in words with what it was measured.
    """

    folder: Path
    name: str
    round: int
    data: str
    codec: str
    figures: Mapping[str, float | None]


def evaluate(
    folder: Path, overrides: Sequence[str] = (), name: str = FINAL, report: Report | None = None
) -> Measured:
    """Return what the model called `name` that the run in `folder` left reaches under `overrides`.

    It is measured as in an evaluation of the run, with the uplink's codec between its parts; images are
    normalised as those that it was trained on. `report` is told of what takes long, and of settings that an
    override drops. Raises `BadInput`.
    """
    run = load_run(folder)
    kept = weights_of(run, name)
    scenario = _changed(run, overrides, report or (lambda sentence: None))
    set_threads(run.summary["host"]["threads"])
    learning = replace(scenario.learning, weights=Weights(file=weights_file(run.folder, name)), freeze=())
    data = _as_learnt_from(scenario.data.open(report), kept)
    world = World(replace(scenario, learning=learning), data, limited=False)
    told = world.evaluate(world.begun()[1].body, last=True)
    figures = metrics_of(told, METRICS)
    codec = codec_label(scenario.codec) if cuts_a_model(scenario) else "none"
    number = run.summary["weights"][name]["round"]
    return Measured(run.folder, name, number, world.data.name, codec, {**figures, **_no_codec(told)})


def _as_learnt_from(data: Dataset, kept: Kept) -> Dataset:
    """Return `data` with the mean and deviation of the pixels that the model was trained on."""
    mean, std = (tuple(json.loads(kept.about[f"pixel_{part}"])) for part in ("mean", "std"))
    return replace(data, mean=mean, std=std) if len(mean) == len(data.mean) else data


def _no_codec(told: Mapping[str, float]) -> dict[str, float | None]:
    accuracy = told["accuracy_no_codec"]
    return {"accuracy_no_codec": None if accuracy != accuracy else accuracy}


def _changed(run: Run, overrides: Sequence[str], report: Report) -> Scenario:
    recorded = load(run.folder / SCENARIO)
    scenario = changed(recorded, str(run.folder / SCENARIO), overrides, report)
    differences = visible_differences(recorded, scenario, MAY_DIFFER)
    if differences:
        raise BadInput(
            f"{run.folder}: evaluate changes codec, data and partition alone, not {'; '.join(differences)}"
        )
    return scenario
