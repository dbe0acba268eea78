"""Batch-norm that is averaged, stays with each device or is frozen; and group-norm in its place."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from played import heard
from torch.nn.modules.batchnorm import _BatchNorm
from worlds import scenario, world

from slfac_sim.effects import Send
from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.plugins import find, kinds
from slfac_sim.learning.models.resnet18 import ResNet18
from slfac_sim.learning.weights import initial_blocks
from slfac_sim.runs.resume import prepare_resume, resume
from slfac_sim.runs.run import prepare, run

LOCAL, FROZEN = "learning.batch_norm=local", "learning.batch_norm=frozen"


def exchanging() -> list[str]:
    """Return the protocols in which devices with one server exchange models."""
    found = []
    for kind in kinds("slfac_sim.protocols"):
        protocol = find("slfac_sim.protocols", kind)
        if protocol.servers == "one" and protocol().schedule.models != "kept":
            found.append(kind)
    return found


def model_of(device: Any) -> torch.nn.Module:
    module: torch.nn.Module = device.half.model if device.crossings else device.trainee.learner.model
    return module


def norms_of(module: torch.nn.Module) -> np.ndarray[Any, Any]:
    layers = [layer for layer in module.modules() if isinstance(layer, _BatchNorm)]
    assert layers
    return np.concatenate(
        [value.reshape(-1).float().numpy() for m in layers for value in m.state_dict().values()]
    )


def model_bytes(effects: list[Any]) -> set[int]:
    sends = [effect for effect in effects if isinstance(effect, Send) and "model_up" in effect.payloads]
    return {effect.payloads["model_up"].values for effect in sends}


@pytest.mark.matrix
@pytest.mark.parametrize("kind", exchanging())
def test_local_batch_norm_is_neither_sent_nor_averaged(kind: str) -> None:
    chosen = f"protocol.kind={kind}"
    local, averaged = world(chosen, LOCAL), world(chosen)
    (sent,), (all_of_it,) = model_bytes(heard(local)), model_bytes(heard(averaged))
    module = model_of(local.devices[0])
    layers = [layer for layer in module.modules() if isinstance(layer, _BatchNorm)]
    at_home = sum(4 * layer.num_features for layer in layers)  # two weights, a mean and a variance each
    assert sent == all_of_it - at_home
    own = [norms_of(model_of(device)) for device in local.devices]
    assert all(not np.array_equal(own[0], other) for other in own[1:])
    if averaged.scenario.protocol.schedule.models != "mixed":  # all have been handed the last one
        states = [model_of(device).state_dict() for device in local.devices]
        weights = [key for key in states[0] if key.endswith("weight") and states[0][key].dim() > 1]
        assert weights
        assert all(torch.equal(states[0][key], state[key]) for key in weights for state in states[1:])


def test_local_batch_norm_is_measured_device_by_device() -> None:
    learnt = world(LOCAL, "devices.count=12")
    heard(learnt)
    figures = learnt.evaluate(learnt.begun()[1].body)
    assert [row[0] for row in figures["counts"]["test_shares"]] == [f"d{place:03d}" for place in range(10)]
    assert learnt.layout.evaluated_models == 10
    assert figures == learnt.evaluate(learnt.begun()[1].body)


@pytest.mark.matrix
@pytest.mark.parametrize("kind", kinds("slfac_sim.protocols"))
def test_frozen_statistics_are_for_ever_those_of_the_beginning(kind: str) -> None:
    learnt = world(f"protocol.kind={kind}", FROZEN)
    heard(learnt)
    modules = [model_of(device) for device in learnt.devices]
    servers = [learnt.at(name).server for name in learnt.servers]
    modules += [
        server.half.model if learnt.devices[0].crossings else server.trainee.learner.model
        for server in servers
    ]
    layers = [layer for module in modules for layer in module.modules() if isinstance(layer, _BatchNorm)]
    assert layers
    for layer in layers:
        assert layer.running_mean is not None
        assert layer.running_var is not None
        assert not layer.running_mean.any()
        assert torch.equal(layer.running_var, torch.ones_like(layer.running_var))


@pytest.mark.parametrize(
    ("overrides", "where"),
    [
        (("protocol.kind=hierarchical",), "where there are several servers"),
        (
            (
                "protocol.kind=splitfed_v1",
                "cut={d000: conv1, d001: conv2, d002: conv1, d003: conv1, d004: conv1}",
            ),
            "where the cuts of devices differ",
        ),
    ],
)
def test_where_it_cannot_stay_is_one_sentence(overrides: tuple[str, ...], where: str) -> None:
    with pytest.raises(BadInput) as caught:
        world(*overrides, LOCAL)
    assert str(caught.value) == f"learning.batch_norm: not local {where}; take averaged or frozen"


@pytest.mark.matrix
@pytest.mark.parametrize("kind", ["parallel", "fedavg", "u_shaped", "sequential"])
@pytest.mark.parametrize("norm", [LOCAL, FROZEN, "model.norm=group"])
def test_a_resumed_run_is_the_same(kind: str, norm: str, tmp_path: Path) -> None:
    chosen = (f"protocol.kind={kind}", norm, "protocol.rounds=3")
    whole = run(prepare(scenario(*chosen), tmp_path / "whole", threads=1))

    def interrupt(table: str, row: Any) -> None:
        if table == "rounds" and row["round"] == 3:
            raise KeyboardInterrupt

    run(prepare(scenario(*chosen), tmp_path / "cut", threads=1), interrupt, checkpoint_every=1)
    resumable = prepare_resume(tmp_path / "cut")
    assert resumable.rounds == 2
    assert resume(resumable)["digest"] == whole["digest"]


def test_group_norm_sees_each_sample_by_itself() -> None:
    """What a model with it makes of a sample does not depend on the others in the batch, in training too."""
    blocks = initial_blocks(ResNet18(stem="cifar", norm="group"), (3, 16, 16), 5, seed=1)
    model = torch.nn.Sequential(*(block for _, block in blocks)).train()
    assert not any(isinstance(layer, _BatchNorm) for layer in model.modules())
    images = torch.randn(3, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        torch.testing.assert_close(model(images)[:1], model(images[:1]), rtol=1e-4, atol=1e-5)
