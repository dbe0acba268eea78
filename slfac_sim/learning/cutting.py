"""A model cut in two or in three: its parts before training, their work, and what crosses the cuts."""

from dataclasses import dataclass, replace

import numpy as np
from torch import nn

from slfac_sim.foundation.errors import BadInput, did_you_mean
from slfac_sim.foundation.plugins import kind_of
from slfac_sim.learning.frozen import has_weights
from slfac_sim.learning.given import blocks_of
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
    blocks = blocks_of(scenario, image_shape, classes)
    names = [name for name, _ in blocks]
    place = place_of(scenario.cut, names, "cut") + 1
    device, server = (
        nn.Sequential(*(block for _, block in part)) for part in (blocks[:place], blocks[place:])
    )
    for side, half in (("device", device), ("server", server)):
        if not has_weights(half):
            raise BadInput(f"cut: after '{scenario.cut}' the {side} would have nothing to learn")
    work, smashed = count_work(device, server, image_shape), smashed_shape(device, image_shape)
    return SplitModel(device, server, work, smashed, tuple(names[:place]))


@dataclass(frozen=True)
class Thirds:
    """A model cut in three, before training, with the names of the blocks of each end and the shapes between.

    `work` is that of head and body, `tail_work` that of the tail, as if it were a device's half.
    """

    head: nn.Module
    body: nn.Module
    tail: nn.Module
    head_blocks: tuple[str, ...]
    tail_blocks: tuple[str, ...]
    smashed_shape: tuple[int, ...]
    middle_shape: tuple[int, ...]
    work: Work
    tail_work: Work


def cut_in_three(scenario: Scenario, image_shape: tuple[int, ...], classes: int) -> Thirds:
    """Return the scenario's model with its initial weights: head up to `cut`, tail from `protocol.tail` on.

    Without a `protocol.tail` the tail begins with the last block that has weights. Raises `BadInput` for
    blocks that are not there, and where head or body would have nothing to learn.
    """
    blocks = blocks_of(scenario, image_shape, classes)
    names = [name for name, _ in blocks]
    assert isinstance(scenario.cut, str)  # cuts of devices have been refused
    first, last = place_of(scenario.cut, names, "cut") + 1, _first_of_tail(scenario.protocol.tail, blocks)
    head, body, tail = (
        nn.Sequential(*(block for _, block in part))
        for part in (blocks[:first], blocks[first:last], blocks[last:])
    )
    where = f"between cut '{scenario.cut}' and tail '{names[last]}'"
    for holder, part in ((f"up to the cut '{scenario.cut}' a device", head), (f"{where} the server", body)):
        if not has_weights(part):
            raise BadInput(f"protocol.tail: {holder} would have nothing to learn")
    smashed = smashed_shape(head, image_shape)
    middle = smashed_shape(body, smashed)
    work, tail_work = _works(head, body, tail, image_shape)
    ends = tuple(names[:first]), tuple(names[last:])
    return Thirds(head, body, tail, *ends, smashed, middle, work, tail_work)


def _first_of_tail(wanted: str | None, blocks: list[tuple[str, nn.Module]]) -> int:
    if wanted is None:
        return [place for place, (_, block) in enumerate(blocks) if has_weights(block)][-1]
    names = [name for name, _ in blocks]
    if wanted not in names[1:]:
        raise BadInput(f"protocol.tail: no block '{wanted}' among {', '.join(names[1:])}")
    return names.index(wanted)


def _works(
    head: nn.Module, body: nn.Module, tail: nn.Module, image_shape: tuple[int, ...]
) -> tuple[Work, Work]:
    """Return the work of head and body, and that of the tail as a device's."""
    upto_body = count_work(head, nn.Sequential(body, tail), image_shape)
    upto_tail = count_work(nn.Sequential(head, body), tail, image_shape)
    forward, backward = upto_tail.server_forward_flops, upto_tail.server_backward_flops
    of_body = replace(
        upto_body,
        server_forward_flops=upto_body.server_forward_flops - forward,
        server_backward_flops=upto_body.server_backward_flops - backward,
    )
    return of_body, Work(forward, backward, 0.0, 0.0)


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
    raise BadInput(f"{key}: no block '{block}' among {', '.join(names[:-1])}{did_you_mean(block, names)}")
