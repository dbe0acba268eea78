"""Real smashed data of a training, step by step: what a device sent up and what came back, before the codec.

The scenario's own protocol, participants and codecs train as in a run, without a clock and without
evaluations, until the last step that is to be captured. It writes no file.
"""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from slfac_sim.codecs import Payload, Tensor
from slfac_sim.foundation.errors import BadInput
from slfac_sim.hosts.names import device_names
from slfac_sim.learning.datasets import Report
from slfac_sim.learning.world import World
from slfac_sim.runs.opening import build
from slfac_sim.scenario.schema import Scenario
from slfac_sim.simulation.instant import InstantPlayer

Take = Callable[[str, str, Tensor], None]


@dataclass(frozen=True)
class Captured:
    """A tensor [batch, ...] that `device` sent (`up`) or was sent (`down`) in its `step`, counted from 1."""

    step: int
    device: str
    direction: str
    tensor: Tensor

    @property
    def name(self) -> str:
        """The name of its file; files so sort by step."""
        return f"step{self.step:05d}_{self.device}_{self.direction}.npy"


def capture(
    scenario: Scenario, steps: Collection[int], device: str, report: Report | None = None
) -> list[Captured]:
    """Return activation and gradient of `device` in each of `steps`, in their order.

    Raises `BadInput` for a device that is not there, or a step that the training does not reach.
    """
    names = device_names(scenario.devices.count)
    if device not in names:
        raise BadInput(f"--device {device}: no such device among {names[0]} to {names[-1]}")
    collector = _Collector(device, frozenset(steps))
    world = build(scenario, report)
    try:
        InstantPlayer().play(scenario.protocol.run(_Tapped(world, collector.take)))
    except _Enough:
        return collector.captured
    taken = collector.counts[device, "up"]
    raise BadInput(f"--steps {max(steps)}: {device} takes {taken} steps in this scenario")


class _Enough(Exception):
    """All steps have been captured."""


class _Collector:
    """Counts what every device sends and is sent, and keeps that of one device in `steps`."""

    def __init__(self, device: str, steps: frozenset[int]) -> None:
        self.captured: list[Captured] = []
        self.counts: Counter[tuple[str, str]] = Counter()
        self._device, self._steps = device, steps

    def take(self, device: str, direction: str, tensor: Tensor) -> None:
        self.counts[device, direction] += 1
        step = self.counts[device, direction]
        if device == self._device and step in self._steps:
            self.captured.append(Captured(step, device, direction, np.array(tensor)))
        if (device, direction, step) == (self._device, "down", max(self._steps)):
            raise _Enough


class _Tapped:
    """A world whose tensors `take` gets before they are encoded, and which is not evaluated."""

    def __init__(self, world: World, take: Take) -> None:
        self.devices = [_Device(device, take) for device in world.devices]
        self.server = _Server(world.server, take)
        self._world = world

    def __getattr__(self, name: str) -> Any:
        return getattr(self._world, name)

    def evaluate(self, model: bytes, last: bool = False) -> dict[str, Any]:
        return {}

    def due(self, round_number: int, rounds: int) -> bool:
        return False


class _Device:
    def __init__(self, device: Any, take: Take) -> None:
        self._device, self._take = device, take

    def __getattr__(self, name: str) -> Any:
        return getattr(self._device, name)

    def encode(self, smashed: Any, *more: Any) -> Payload:
        self._take(self._device.name, "up", smashed.tensor)
        payload: Payload = self._device.encode(smashed, *more)
        return payload


class _Server:
    def __init__(self, server: Any, take: Take) -> None:
        self._server, self._take = server, take

    def __getattr__(self, name: str) -> Any:
        return getattr(self._server, name)

    def encode(self, device: str, feedback: Any, *more: Any) -> Payload:
        self._take(device, "down", feedback.gradient)
        payload: Payload = self._server.encode(device, feedback, *more)
        return payload


def facts_of(scenario: Scenario, captured: Sequence[Captured]) -> dict[str, Any]:
    """Return what the captured tensors are, for the small JSON beside them."""
    return {
        "scenario": scenario.name,
        "seed": {"learning": scenario.seed.learning, "air": scenario.seed.air},
        "cut": scenario.cut,
        "codec": {"uplink": scenario.codec.uplink.label, "downlink": scenario.codec.downlink.label},
        "tensors": [
            {
                "file": tensor.name,
                "step": tensor.step,
                "device": tensor.device,
                "direction": tensor.direction,
                "what": "activation" if tensor.direction == "up" else "gradient",
                "shape": list(tensor.tensor.shape),
            }
            for tensor in captured
        ],
    }
