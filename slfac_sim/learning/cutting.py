"""A model cut after one of its blocks: both halves before training, their work, and what crosses the cut."""

import difflib
from dataclasses import dataclass

import numpy as np
from torch import nn

from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.plugins import kind_of
from slfac_sim.learning.weights import initial_blocks
from slfac_sim.learning.work import Work, count_work, smashed_shape
from slfac_sim.scenario.schema import Scenario


@dataclass(frozen=True)
class SplitModel:
    """A model cut in two: both halves before training, their work, and what crosses the cut per sample.

    `device_blocks` are the names of the blocks on the devices.
    """

    device: nn.Module
    server: nn.Module
    work: Work
    smashed_shape: tuple[int, ...]
    device_blocks: tuple[str, ...]

    @property
    def values_per_sample(self) -> int:
        """Numbers in the smashed data of one sample."""
        return int(np.prod(self.smashed_shape))


def split_model(scenario: Scenario, image_shape: tuple[int, ...], classes: int) -> SplitModel:
    """Return the scenario's model with its initial weights, cut after the block that `cut` names.

    Raises `BadInput` for a cut that the model does not have, or that leaves one side without weights.
    """
    assert isinstance(scenario.cut, str)  # cuts of devices have been told apart
    blocks = initial_blocks(scenario.model, image_shape, classes, scenario.seed.learning)
    names = [name for name, _ in blocks]
    place = place_of(scenario.cut, names, "cut") + 1
    device, server = (
        nn.Sequential(*(block for _, block in part)) for part in (blocks[:place], blocks[place:])
    )
    for side, half in (("device", device), ("server", server)):
        if not any(True for _ in half.parameters()):
            raise BadInput(f"cut: after '{scenario.cut}' the {side} would have nothing to learn")
    work, smashed = count_work(device, server, image_shape), smashed_shape(device, image_shape)
    return SplitModel(device, server, work, smashed, tuple(names[:place]))


def refuse_mixtures(scenario: Scenario) -> None:
    """Raise `BadInput` if the protocol of `scenario` cannot have different cuts for different devices."""
    protocol = scenario.protocol
    if not protocol.cuts_may_differ:
        raise BadInput(
            f"cut: in {kind_of(protocol)} all devices have one cut, named or 'auto'; "
            "they may differ in splitfed_v1, which averages whole models"
        )


def place_of(block: str, names: list[str], key: str) -> int:
    """Return the place of `block` among the blocks `names`; raises `BadInput` that names the `key`."""
    if block in names:
        return names.index(block)
    near = difflib.get_close_matches(block, names, n=1)
    hint = f"; did you mean '{near[0]}'?" if near else ""
    raise BadInput(f"{key}: no block '{block}' among {', '.join(names[:-1])}{hint}")
