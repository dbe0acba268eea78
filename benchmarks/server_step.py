"""The server's step by the chosen kernels against plain PyTorch, and the physical limit beside.

    python benchmarks/server_step.py [--smoke] [--threads N] [SAMPLES ...]

A step is forward pass, loss, backward pass down to the smashed data [samples, 64, 7, 7], and fused Adam, of
ResNet-18 behind `block1`. The limit is its FLOPs, without those on padding, over the speed of the fastest
large matrix product on the same threads: torch's own, or a 1x1 convolution, which another library computes.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from _measuring import parser, show, spent
from torch import nn
from torch.nn.functional import conv2d, cross_entropy
from torch.utils.flop_counter import FlopCounterMode

from slfac_sim.learning.kernels import forward
from slfac_sim.learning.models.resnet18 import ResNet18
from slfac_sim.runs.starting import set_threads

SAMPLES, PAIRS = (800,), 3
SHAPE, CUT, CLASSES = (64, 7, 7), 3, 10
SIDE, MAPS = 3072, 64  # of the square matrices; of 512 channels and 8x8 in the 1x1 convolution

Kernels = Callable[[nn.Module, torch.Tensor], torch.Tensor]
WAYS: dict[str, Kernels] = {
    "plain": lambda model, inputs: model(inputs),
    "plain, channels last": lambda model, inputs: model(inputs.contiguous(memory_format=torch.channels_last)),
    "chosen kernels": forward,
}


def half() -> nn.Module:
    """Return the server's half."""
    return nn.Sequential(*(module for _, module in ResNet18().blocks(1, CLASSES)[CUT:]))


class Server:
    """A half with its optimiser, which takes steps on one batch by `kernels`."""

    def __init__(self, kernels: Kernels, smashed: torch.Tensor, labels: torch.Tensor) -> None:
        torch.manual_seed(0)
        self.kernels, self.model = kernels, half()
        self.adam = torch.optim.Adam(self.model.parameters(), 1e-3, fused=True)
        self.smashed, self.labels = smashed, labels

    def step(self) -> None:
        """Take one step."""
        leaf = self.smashed.detach().requires_grad_()
        cross_entropy(self.kernels(self.model, leaf), self.labels).backward()
        self.adam.step()
        self.adam.zero_grad(set_to_none=True)


def steps_s(samples: int, pairs: int) -> dict[str, float]:
    """Return the median CPU seconds of a step each way, taken in turn; the first one is not counted."""
    generator = torch.Generator().manual_seed(0)
    smashed = torch.randn((samples, *SHAPE), generator=generator).relu()
    labels = torch.randint(CLASSES, (samples,), generator=generator)
    servers = {name: Server(kernels, smashed, labels) for name, kernels in WAYS.items()}
    for server in servers.values():
        server.step()
    found = [{name: spent(server.step)[1] for name, server in servers.items()} for _ in range(pairs)]
    return {name: float(np.median([times[name] for times in found])) for name in WAYS}


def step_flops(samples: int) -> float:
    """Return the FLOPs of a step, forward and backward."""
    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        labels = torch.zeros(samples, dtype=torch.int64)
        leaf = torch.empty((samples, *SHAPE), requires_grad=True)
        cross_entropy(half()(leaf), labels).backward()
    return float(counter.get_total_flops())


def needed_share() -> float:
    """Return the part of the FLOPs of all convolutions that is not on padding."""
    counted, needed = [0.0], [0.0]

    def count(layer: nn.Module, inputs: tuple[torch.Tensor, ...], _: torch.Tensor) -> None:
        assert isinstance(layer, nn.Conv2d)
        size, kernel, padding = inputs[0].shape[2], layer.kernel_size[0], int(layer.padding[0])
        firsts = range(-padding, size + padding - kernel + 1, layer.stride[0])
        taps = sum(len(range(size)[max(first, 0) : first + kernel]) for first in firsts)
        counted[0] += layer.weight.numel() * len(firsts) ** 2
        needed[0] += layer.weight[..., 0, 0].numel() * taps**2

    with torch.device("meta"):
        model = half()
        for layer in model.modules():
            if isinstance(layer, nn.Conv2d):
                layer.register_forward_hook(count)
        model(torch.empty((2, *SHAPE)))
    return needed[0] / counted[0]


def products_flops_per_s(side: int, maps: int, times: int = 5) -> dict[str, float]:
    """Return the FLOPs per CPU second of products of float32 matrices, the fastest of some times each."""
    left, right = torch.ones((side, side)), torch.ones((side, side))
    inputs = torch.ones((maps, 512, 8, 8)).contiguous(memory_format=torch.channels_last)
    weight = torch.ones((512, 512, 1, 1))
    ways: dict[str, tuple[float, Callable[[], torch.Tensor]]] = {
        f"{side} x {side}": (2.0 * side**3, lambda: left @ right),
        f"1x1 convolution of {list(inputs.shape)}": (
            2.0 * maps * 64 * 512**2,
            lambda: conv2d(inputs, weight),
        ),
    }
    for _, product in ways.values():
        product()
    return {
        name: flops / min(spent(product)[1] for _ in range(times)) for name, (flops, product) in ways.items()
    }


def measure(sizes: Sequence[int], pairs: int, side: int, maps: int) -> Iterator[str]:
    """Yield the line of the matrix products, then one for each number of samples."""
    speeds = products_flops_per_s(side, maps)
    each = ", ".join(f"{name} {speed / 1e9:.0f}" for name, speed in speeds.items())
    yield f"matrix products, GFLOP per CPU s: {each}"
    for samples in sizes:
        times_s, flops = steps_s(samples, pairs), step_flops(samples)
        needed = flops * needed_share()
        ours_s, limit_s = times_s["chosen kernels"], needed / max(speeds.values())
        each = ", ".join(f"{name} {cpu_s:.2f}" for name, cpu_s in times_s.items())
        best_s = min(cpu_s for name, cpu_s in times_s.items() if name != "chosen kernels")
        yield (
            f"server step, {samples:,} samples, CPU s: {each}; {best_s / ours_s:.2f} times as fast as the"
            f" fastest plain one; {flops / 1e9:.0f} GFLOP, without padding {needed / 1e9:.0f}, would take"
            f" {limit_s:.2f}: {ours_s / limit_s:.2f} times the limit"
        )


def main() -> None:
    """Read the command line and print what was measured."""
    options = parser(__doc__)
    options.add_argument("--threads", type=int, default=1)
    options.add_argument("samples", nargs="*", type=int, metavar="SAMPLES")
    given = options.parse_args()
    set_threads(given.threads)
    size = ((4,), 1, 64, 1) if given.smoke else (given.samples or SAMPLES, PAIRS, SIDE, MAPS)
    show(measure(*size))


if __name__ == "__main__":
    main()
