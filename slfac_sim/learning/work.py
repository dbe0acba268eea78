"""The work of a model in FLOPs, counted on shapes alone, without any arithmetic done."""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn.functional import cross_entropy
from torch.utils.flop_counter import FlopCounterMode


@dataclass(frozen=True)
class Work:
    """FLOPs per sample of each pass, 2 per multiply-add, convolutions and matrix products only.

    The server's backward pass includes the gradient of its input; the device's does not.
    """

    device_forward_flops: float
    device_backward_flops: float
    server_forward_flops: float
    server_backward_flops: float

    @property
    def server_step_flops(self) -> float:
        """FLOPs per sample of the server's whole training step."""
        return self.server_forward_flops + self.server_backward_flops


def count_work(device: nn.Module, server: nn.Module, image_shape: tuple[int, ...]) -> Work:
    """Return the work per sample of the two halves for images [channels, h, w].

    Counted by torch's own flop counter (`torch.utils.flop_counter`) on the "meta" device.
    """
    samples = 2  # batch-norm in training mode refuses a single value per channel
    images = torch.empty((samples, *image_shape), device="meta")
    near, far = _on_meta(device), _on_meta(server)
    activation, device_forward = _count(lambda: near(images))
    leaf = torch.empty_like(activation, requires_grad=True)
    logits, server_forward = _count(lambda: far(leaf))
    labels = torch.empty(samples, dtype=torch.int64, device="meta")
    _, server_backward = _count(lambda: cross_entropy(logits, labels).backward())
    _, device_backward = _count(lambda: activation.backward(torch.empty_like(activation)))
    counts = (device_forward, device_backward, server_forward, server_backward)
    return Work(*(count / samples for count in counts))


def _on_meta(module: nn.Module) -> nn.Module:
    return copy.deepcopy(module).to("meta").train()


def _count(run: Callable[[], Any]) -> tuple[Any, int]:
    with FlopCounterMode(display=False) as counter:
        result = run()
    return result, counter.get_total_flops()


def smashed_shape(device: nn.Module, image_shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape per sample of what `device` sends for images [channels, h, w]."""
    with torch.no_grad():
        output = _on_meta(device).eval()(torch.empty((1, *image_shape), device="meta"))
    return tuple(output.shape[1:])


def smallest_normalised_map(half: nn.Module, shape: tuple[int, ...]) -> int | None:
    """Return the fewest values per sample and channel that a batch-norm of `half` sees; None without one."""
    sizes: list[int] = []
    copy_on_meta = _on_meta(half)
    for layer in copy_on_meta.modules():
        if isinstance(layer, nn.modules.batchnorm._BatchNorm):
            layer.register_forward_hook(lambda _, inputs, __: sizes.append(inputs[0][0, 0].numel()))
    with torch.no_grad():
        copy_on_meta(torch.empty((2, *shape), device="meta"))
    return min(sizes, default=None)
