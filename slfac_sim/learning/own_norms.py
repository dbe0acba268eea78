"""Batch-norm that stays where it is: no part of the state of a model, or a half, that is sent and averaged.

FedBN (Li et al., 2021, arXiv:2102.07623), for `learning: {batch_norm: local}`: weights and statistics of
batch-norm are each device's own.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from slfac_sim.foundation.errors import BadInput
from slfac_sim.learning.counting import Scored
from slfac_sim.learning.evaluation import Score
from slfac_sim.learning.weights import keep_back, kept_back
from slfac_sim.scenario.schema import Scenario
from slfac_sim.scenario.steering import exchanges_models

MEASURED = 10
"""Of so many devices, the first in device order, an evaluation is the mean where batch-norm is their own."""


def keep_norms(part: nn.Module, scenario: Scenario) -> int:
    """Have the batch-norm of `part` stay with each device, if `scenario` wants that.

    Returns of how many devices the models are then measured: of one, which stands for all, if nothing stays.
    Where no model is ever sent all of it stays anyway.
    """
    if scenario.learning.batch_norm != "local" or not exchanges_models(scenario):
        return 1
    norms = [(name, layer) for name, layer in part.named_modules() if isinstance(layer, _BatchNorm)]
    keep_back(part, [f"{name}.{key}" for name, layer in norms for key in layer.state_dict()])
    return min(MEASURED, scenario.devices.count) if norms else 1


def scores_of(
    probe: nn.Module,
    devices: Sequence[Any],
    model_of: Callable[[Any], nn.Module],
    measure: Callable[[], Score],
) -> list[Scored]:
    """Return what `measure` says of `probe`, which holds what `devices` have in common.

    Where batch-norm is each device's own that is once for each of the first, with what `model_of` it has.
    """
    if not kept_back(probe):
        return [(measure(), [device.name for device in devices])]
    scores: list[Scored] = []
    for device in devices[:MEASURED]:
        take_norms(probe, model_of(device))
        scores.append((measure(), [device.name]))
    return scores


def take_norms(probe: nn.Module, model: nn.Module) -> None:
    """Let `probe` have the batch-norm of `model` that stays where it is, if any does."""
    own, here = model.state_dict(), probe.state_dict()
    with torch.no_grad():
        for key in kept_back(probe):
            here[key].copy_(own[key])


def refuse_own_norms(scenario: Scenario, where: str) -> None:
    """Raise `BadInput` if batch-norm is to stay with each device `where` it cannot."""
    if scenario.learning.batch_norm == "local":
        raise BadInput(f"learning.batch_norm: not local {where}; take averaged or frozen")
