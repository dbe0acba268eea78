"""CPU time of the codecs, alone and against a ResNet-18 training step. It checks no result.

Everything on one thread, CPU time and not wall time, medians of repetitions. The tensors are the smashed
activations of that ResNet-18 on smoothed noise in the form of MNIST.
"""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from scipy.ndimage import gaussian_filter
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from slfac_sim.codecs import Codec, Tensor
from slfac_sim.codecs.raw import Raw
from slfac_sim.codecs.slfac import SlFac
from slfac_sim.models.resnet18 import ResNet18

BATCH = 64
CODECS: dict[str, Codec] = {
    "slfac plane": SlFac(),
    "slfac channel": SlFac(scope="channel"),
    "raw": Raw(),
}


@dataclass(frozen=True)
class Step:
    """One training step on `BATCH` images: its CPU time, its work, and the activations it made."""

    cpu_s: float
    flops: float
    smashed: tuple[Tensor, Tensor]


def cpu_s(job: Callable[[], object], repeats: int) -> float:
    """Return the median CPU time of `job`, after one call that is not counted."""
    job()
    times = []
    for _ in range(repeats):
        before_s = time.process_time()
        job()
        times.append(time.process_time() - before_s)
    return statistics.median(times)


def training_step() -> Step:
    """Measure forward, backward and Adam of ResNet-18 on a batch of 28x28 images."""
    torch.manual_seed(0)
    noise = np.random.default_rng(0).standard_normal((BATCH, 1, 28, 28))
    images = torch.from_numpy(np.maximum(gaussian_filter(noise, (0, 0, 1.5, 1.5)), 0).astype(np.float32))
    labels = torch.arange(BATCH) % 10
    blocks = ResNet18().blocks(1, 10)
    model = nn.Sequential(*(module for _, module in blocks))
    adam = torch.optim.Adam(model.parameters(), 1e-3)

    def step() -> None:
        adam.zero_grad()
        nn.functional.cross_entropy(model(images), labels).backward()
        adam.step()

    with FlopCounterMode(display=False) as counter:
        step()
    step_s = cpu_s(step, 12)
    with torch.no_grad():
        stem = model[0](images)
        block1 = model[2](model[1](stem))[:16]
    return Step(step_s, counter.get_total_flops(), (stem.numpy(), block1.numpy()))


def both_ways_s(codec: Codec, tensor: Tensor) -> tuple[float, float]:
    """Return the CPU time of one encoding and of one decoding of `tensor`."""
    sender, receiver = codec.sender("benchmark"), codec.receiver()
    body = sender.encode(tensor).body
    repeats = 30 if tensor.size > 100_000 else 200
    return cpu_s(lambda: sender.encode(tensor), repeats), cpu_s(lambda: receiver.decode(body), repeats)


def report(name: str, codec: Codec, tensor: Tensor, step: Step) -> str:
    """Return one line: ns a value, equivalent FLOPs over the declared ones, share of the training step.

    The share is of a step of as many samples as `tensor` has.
    """
    encode_s, decode_s = both_ways_s(codec, tensor)
    flops_per_s = step.flops / step.cpu_s
    encode_flops, decode_flops = (t / tensor.size * flops_per_s for t in (encode_s, decode_s))
    share = (encode_s + decode_s) / (step.cpu_s * len(tensor) / BATCH)
    return (
        f"{name:<13} {'x'.join(map(str, tensor.shape)):<11} "
        f"encode {encode_s / tensor.size * 1e9:5.1f} ns/value (declared/measured "
        f"{codec.encode_flops_per_value:.0f}/{encode_flops:.0f} FLOPs = "
        f"{codec.encode_flops_per_value / encode_flops:.2f}), "
        f"decode {decode_s / tensor.size * 1e9:5.1f} ns/value ({codec.decode_flops_per_value:.0f}/"
        f"{decode_flops:.0f} = {codec.decode_flops_per_value / decode_flops:.2f}), "
        f"both {share:.1%} of a training step"
    )


def measure() -> list[str]:
    """Return the lines of the report. Takes about 15 s."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        step = training_step()
    finally:
        torch.set_num_threads(threads)
    head = (
        f"training step, batch {BATCH}: {step.cpu_s:.3f} CPU s, {step.flops / 1e9:.1f} GFLOP, "
        f"{step.flops / step.cpu_s / 1e9:.1f} GFLOP/s"
    )
    lines = [report(name, codec, t, step) for t in step.smashed for name, codec in CODECS.items()]
    return [head, *lines]


if __name__ == "__main__":
    print("\n".join(measure()))
