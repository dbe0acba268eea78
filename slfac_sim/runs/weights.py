"""The trained model of a run, in its folder: ``final.safetensors``, and `best` by a validation part."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

import slfac_sim
from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.files import whole
from slfac_sim.learning.kept import Kept
from slfac_sim.learning.trained_model import TrainedModel
from slfac_sim.learning.world import World
from slfac_sim.ledger.folder import SCENARIO, WEIGHTS, Run, weights_file
from slfac_sim.scenario.files import load
from slfac_sim.scenario.fingerprint import point_key

FINAL, BEST = "final", "best"


def keep_weights(folder: Path, world: World) -> dict[str, Any]:
    """Write what `world` has learnt into the run `folder`; returns what the summary says of the files.

    Nothing is written of a layout that cannot tell its model. Raises `OSError`.
    """
    there = {FINAL: world.trained(), BEST: world.models.best}
    said = {}
    for name, model in there.items():
        if model is None:
            continue
        kept = Kept(model.tensors, _about(world, model.figures))
        (folder / WEIGHTS).mkdir(exist_ok=True)
        kept.write(weights_file(folder, name))
        said[name] = {**model.figures, "sha256": kept.sha256}
    return said


def weights_of(run: Run, name: str = FINAL) -> Kept:
    """Return the model called `name` that `run` has left.

    Raises `BadInput` for a run without it, and for a file that is not as it was left.
    """
    said = run.summary.get("weights", {})
    if name not in said:
        raise BadInput(f"{run.folder}: {_why_none(run, name)}")
    path = weights_file(run.folder, name)
    kept = Kept.read(path)
    if kept.sha256 != said[name]["sha256"]:
        raise BadInput(f"{path}: altered since the run: its weights are others than summary.json says")
    return kept


def model_of(run: Run, name: str = FINAL) -> TrainedModel:
    """Return the model called `name` that `run` has left, with how its images were normalised.

    Raises `BadInput` as `weights_of` does, and for a model of other weights.
    """
    kept = weights_of(run, name)
    scenario = load(run.folder / SCENARIO)
    channels = int(kept.about["image_shape"].partition("x")[0])
    blocks = scenario.model.blocks(channels, int(kept.about["classes"]))
    for block_name, block in blocks:
        state = {key: value for key, value in block.state_dict().items() if value.is_floating_point()}
        there = {key: kept.tensors.get(f"{block_name}.{key}") for key in state}
        if any(value is None or value.shape != state[key].shape for key, value in there.items()):
            path = weights_file(run.folder, name)
            raise BadInput(f"{path}: block '{block_name}' of the scenario's model has other weights")
        block.load_state_dict(there, strict=False)
    return TrainedModel(blocks, *(json.loads(kept.about[f"pixel_{part}"]) for part in ("mean", "std")))


def export_weights(run: Run, out: Path, overwrite: bool = False) -> list[Path]:
    """Write the models that `run` has left into the folder `out`, as NumPy arrays; returns the files.

    Raises `BadInput` as `weights_of` does, and for a file that is there, unless asked to `overwrite`.
    """
    models = {name: weights_of(run, name) for name in run.summary.get("weights", {FINAL: None})}
    files = {name: out / f"{name}.npz" for name in models}
    there = next((file for file in files.values() if file.exists() and not overwrite), None)
    if there is not None:
        raise BadInput(f"{there}: exists already; name a new folder with --out, or add --overwrite")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(f"--out {out}: cannot be made a folder ({error.strerror})") from error
    for name, file in files.items():
        arrays: dict[str, Any] = {key: value.numpy() for key, value in models[name].tensors.items()}
        with whole(file) as part, part.open("wb") as opened:
            np.savez(opened, **arrays)
    return list(files.values())


def _why_none(run: Run, name: str) -> str:
    if run.summary["status"] != "finished":
        return f"the run is {run.summary['status']}; a finished one has its weights"
    if "replay_of" in run.summary:
        return "it is a replay, which learnt nothing; the run that it is of has the weights"
    if name == BEST and run.summary.get("weights"):
        return "no best weights: there was no validation part to choose them by (data.validation)"
    return (
        "no weights in it: it was told to keep none, or is of an earlier version; trainings of a study keep"
        " theirs with `sweep --weights`"
    )


def _about(world: World, figures: Mapping[str, Any]) -> dict[str, str]:
    data = world.data
    shape, classes = "x".join(map(str, data.image_shape)), str(data.classes)
    mean, std = (json.dumps(values) for values in (data.mean, data.std))
    return {
        "slfac_sim": slfac_sim.__version__,
        "scenario": world.scenario.name,
        "scenario_digest": point_key(world.scenario),
        **{name: str(value) for name, value in figures.items()},
        "image_shape": shape,
        "classes": classes,
        "pixel_mean": mean,
        "pixel_std": std,
    }
