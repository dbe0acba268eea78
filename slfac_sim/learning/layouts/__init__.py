"""Layouts: where the parts of a model lie, and who the participants are that hold them; no clock, no network.

One module per layout, named by a protocol's `layout`, with one class that inherits from `Layout`. A model may
be cut in two (`split`), in three, or lie whole on every device. It knows no protocol.
"""

import importlib
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import nn

from slfac_sim.codecs import Payload
from slfac_sim.foundation.errors import BadInput
from slfac_sim.learning.fleet import Held, fitting, held_memory
from slfac_sim.learning.ground import Ground
from slfac_sim.learning.memory import Memory
from slfac_sim.learning.sizes import Sizes, tried_sizes
from slfac_sim.learning.weights import state_size
from slfac_sim.learning.work import Work


@dataclass(frozen=True)
class Flops:
    """FLOPs per sample that training takes, without the codecs' equivalent ones.

    Those of each device, and those of the server for each device.
    """

    devices: Mapping[str, float]
    server: Mapping[str, float]


@dataclass(frozen=True)
class Part:
    """What learns from inputs of `shape`: the server's, or one for each of `count` devices."""

    module: nn.Module
    shape: tuple[int, ...]
    count: int
    on_server: bool


class Layout(ABC):
    """The participants of a scenario, opened with a `Ground`, and what they ask of hosts and air.

    Raises `BadInput` for what does not fit. What a layout does not say of itself holds as it stands here.
    """

    devices: Sequence[Any]
    """The devices, in device order."""
    server: Any
    """The edge server, or the cloud above several."""
    held: Held
    """What a device holds of the model."""
    smashed_shape: tuple[int, ...] = ()
    """What crosses the first cut, per sample; empty where the model lies whole."""
    works: Sequence[Work]
    """The work per sample of the devices' parts, as it is counted on the model.

    The first is with that of what is on the server.
    """
    learners: Sequence[Part]
    """The parts that learn, those of the devices first."""
    beyond: Sequence[nn.Module] = ()
    """What follows the first smashed data, part by part."""
    evaluated_models: int = 1
    """Of how many devices the models go through an evaluation."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground

    @property
    def sends_initial(self) -> bool:
        """Whether devices are sent the model before training."""
        return bool(self.ground.scenario.protocol.initial_model == "broadcast")

    @property
    def parts(self) -> "Sequence[Layout]":
        """The layouts of the devices of each cut; itself where all have the same."""
        return [self]

    @property
    def at(self) -> "Mapping[str, Layout]":
        """The layouts of the devices of each server by its name; itself where there is one server."""
        return {self.server.name: self}

    @property
    def devices_learn(self) -> bool:
        """Whether devices learn, or the server alone."""
        return not all(part.on_server for part in self.learners)

    @abstractmethod
    def initial(self) -> Payload:
        """Return the state before training of what the devices learn in common."""

    @abstractmethod
    def evaluate(self, model: bytes, exact: bool) -> dict[str, Any]:
        """Return the figures of a row of `evals` for the devices' common part in the body `model`.

        `counting.figures` makes them of scores, and the counts beside them.
        `exact` asks for the accuracy without the codec too, where that takes another pass.
        """

    def trained(self, model: bytes) -> Sequence[nn.Module]:
        """Return the blocks of the whole model, in order, with the devices' common part in the body `model`.

        What devices have each for themselves is that of the first. None where a layout cannot tell.
        """
        return []

    def flops(self) -> Flops:
        """Return the FLOPs per sample: the sums over the cuts of each device, on its own machine."""
        crossed = {device.name: [crossing.work for crossing in device.crossings] for device in self.devices}
        return Flops(
            {name: sum(work.device_step_flops for work in works) for name, works in crossed.items()},
            {name: sum(work.server_step_flops for work in works) for name, works in crossed.items()},
        )

    def sizes(self) -> tuple[Sizes, Sizes]:
        """Return the bytes of a device without a codec and with the scenario's, from one real mini-batch.

        They are those of its first device; where cuts differ each of `parts` has its own.
        """
        scenario, device = self.ground.scenario, self.devices[0]
        return tried_sizes(device, self.server, self.initial(), self.beyond, self.works[0], scenario)

    def server_values(self, device: str) -> int:
        """Return how many numbers the state of the server's part for `device` has."""
        return sum(state_size(part.module) for part in self.learners if part.on_server)

    def memory(self) -> Memory:
        """Return the memory that a device takes at most."""
        return held_memory(self.ground.scenario, self.held)

    def fitting(self) -> list[str]:
        """Return the devices into whose memory their part and a mini-batch fit."""
        return fitting(self.ground.scenario, self.memory().total)


def open_layout(layout: str, ground: Ground) -> Layout:
    """Return the participants of `layout`: the name of a module here, or a dotted name of somebody else's."""
    module = importlib.import_module(layout if "." in layout else f"slfac_sim.learning.layouts.{layout}")
    classes: list[type[Layout]] = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Layout) and value.__module__ == module.__name__
    ]
    if len(classes) != 1:
        names = ", ".join(layout_class.__name__ for layout_class in classes) or "none"
        raise BadInput(
            f"layout {layout}: the module must define one class that inherits from Layout ({names})"
        )
    return classes[0](ground)
