"""The work of a model in FLOPs, counted on a trial of two samples."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from slfac_sim.codecs import Codec
from slfac_sim.foundation.errors import BadInput
from slfac_sim.hosts.machines import Machine
from slfac_sim.learning.operations import Passes, operations, recorded
from slfac_sim.learning.trial import on_trial


@dataclass(frozen=True)
class Work:
    """FLOPs per sample of each pass, 2 per multiply-add, convolutions and matrix products only.

    The server's backward pass includes the gradient of its input, where a device learns from it; the device's
    does not. What is frozen has no gradient of its weights.
    """

    device_forward_flops: float
    device_backward_flops: float
    server_forward_flops: float
    server_backward_flops: float

    @property
    def device_step_flops(self) -> float:
        """FLOPs per sample of both passes on a device."""
        return self.device_forward_flops + self.device_backward_flops

    @property
    def server_step_flops(self) -> float:
        """FLOPs per sample of the server's whole training step."""
        return self.server_forward_flops + self.server_backward_flops


@dataclass(frozen=True)
class Exchange:
    """The cost of one mini-batch in FLOPs per sample, the codecs' equivalent FLOPs among them.

    `label_bytes` are those of one label, where labels are sent. It is `answered` by a gradient if anything
    learns from that.
    """

    work: Work
    values_per_sample: int
    uplink: Codec
    downlink: Codec
    label_bytes: int = 1
    answered: bool = True

    @property
    def encode_up_flops(self) -> float:
        """Encoding of the smashed data of one sample."""
        return self.values_per_sample * self.uplink.encode_flops_per_value

    @property
    def decode_up_flops(self) -> float:
        """Decoding of the smashed data of one sample."""
        return self.values_per_sample * self.uplink.decode_flops_per_value

    @property
    def encode_down_flops(self) -> float:
        """Encoding of the gradient of one sample."""
        return self.values_per_sample * self.downlink.encode_flops_per_value

    @property
    def decode_down_flops(self) -> float:
        """Decoding of the gradient of one sample."""
        return self.values_per_sample * self.downlink.decode_flops_per_value


def count_work(device: nn.Module, server: nn.Module, image_shape: tuple[int, ...]) -> Work:
    """Return the work per sample of the two halves for images [channels, h, w].

    By torch's own formulae (`torch.utils.flop_counter`), from the shapes that two samples have on their way.
    """
    samples = 2  # batch-norm in training mode refuses a single value per channel
    with on_trial(device, server) as (near, far):
        activation, device_forward = _count(lambda: near(torch.zeros((samples, *image_shape))))
        leaf = activation.detach().requires_grad_(activation.requires_grad)
        logits, server_forward = _count(lambda: far(leaf))
        labels = torch.zeros(samples, dtype=torch.int64)
        _, server_backward = _count(lambda: _back(cross_entropy(logits, labels)))
        _, device_backward = _count(lambda: _back(activation.sum()))
    counts = (device_forward, device_backward, server_forward, server_backward)
    return Work(*(count / samples for count in counts))


def _back(value: torch.Tensor) -> None:
    """Run the backward pass from `value`, if anything below it learns."""
    if value.requires_grad:
        value.backward()


def _count(run: Callable[[], Any]) -> tuple[Any, float]:
    with recorded(1) as seen:
        result = run()
    return result, sum(operation.flops for operation in seen)


class PartWork:
    """The work of one part of a model on different machines, in FLOPs that take as long there.

    `blocks` are the names of its blocks, `shape` that of one sample of its input, `batch` the samples of a
    mini-batch, over which the traffic of weights is shared out.
    """

    def __init__(self, part: nn.Module, blocks: Sequence[str], shape: tuple[int, ...], batch: int) -> None:
        self._part, self._blocks, self._shape, self._batch = part, blocks, shape, batch
        self._passes: Passes | None = None

    def on(self, machine: Machine) -> tuple[float, float] | None:
        """Return the FLOPs per sample forward and backward; None where those that were counted hold.

        They are measured times, where the machine has them, or operation by operation what takes longer:
        computing or moving data. Raises `BadInput` for a block that was not measured.
        """
        if machine.blocks is not None:
            times = [_measured(machine, block) for block in self._blocks]
            forward_s, backward_s = (sum(passes) for passes in zip(*times, strict=True))
            return forward_s * machine.speed, backward_s * machine.speed
        if machine.memory_bandwidth is None:
            return None
        if self._passes is None:
            self._passes = operations(self._part, self._shape, self._batch)
        ratio = machine.speed / machine.memory_bandwidth
        forward, backward = (
            sum(operation.equivalent_flops(ratio) for operation in one_way)
            for one_way in (self._passes.forward, self._passes.backward)
        )
        return forward, backward


def device_work(counted: Work, part: PartWork, machine: Machine) -> Work:
    """Return `counted` with the device's passes as they take on `machine`; the server's stay."""
    passes = part.on(machine)
    if passes is None:
        return counted
    return replace(counted, device_forward_flops=passes[0], device_backward_flops=passes[1])


def _measured(machine: Machine, block: str) -> tuple[float, float]:
    assert machine.blocks is not None
    if block not in machine.blocks:
        known = ", ".join(machine.blocks)
        raise BadInput(f"devices.speed.table: the block '{block}' was not measured (there are {known})")
    return machine.blocks[block]


def smashed_shape(device: nn.Module, image_shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape per sample of what `device` sends for images [channels, h, w]."""
    with on_trial(device) as (tried,), torch.no_grad():
        return tuple(tried.eval()(torch.zeros((1, *image_shape))).shape[1:])


def smallest_normalised_map(half: nn.Module, shape: tuple[int, ...]) -> int | None:
    """Return the fewest values per sample and channel that a batch-norm of `half` sees; None without one."""
    sizes: list[int] = []
    with on_trial(half) as (tried,), torch.no_grad():
        for layer in tried.modules():
            if isinstance(layer, nn.modules.batchnorm._BatchNorm):
                layer.register_forward_hook(lambda _, inputs, __: sizes.append(inputs[0][0, 0].numel()))
        tried(torch.zeros((2, *shape)))
    return min(sizes, default=None)
