"""CPU time of every codec, alone and against a ResNet-18 training step. It checks no result.

Everything on one thread, CPU time and not wall time, medians of repetitions. The tensors are the smashed
activations of that ResNet-18 on smoothed noise in the form of MNIST: [64, 64, 14, 14] after the stem, on
which shares count, and [16, 64, 7, 7] after the first block. Each codec has its defaults, and a pair of ends
that goes on from message to message, as in a run. `python benchmarks/codecs.py slfac raw` measures these two.
"""

import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy.ndimage import gaussian_filter
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from slfac_sim.codecs import BadTensor, Codec, Tensor
from slfac_sim.codecs.slfac import SlFac
from slfac_sim.foundation.plugins import find, kind_of, kinds
from slfac_sim.models.resnet18 import ResNet18

BATCH = 64
MOST = {"slfac": 0.10, "slfac_rd": 0.20}  # of a training step; any other codec: ANY
ANY = 1.0
HONEST = (0.5, 2.0)  # declared over measured FLOPs; outside is a defect


@dataclass(frozen=True)
class Step:
    """One training step on `BATCH` images: its CPU time, its work, and the activations it made."""

    cpu_s: float
    flops: float
    smashed: tuple[Tensor, Tensor]


@dataclass(frozen=True)
class Cost:
    """Median CPU seconds of one encoding and of one decoding of a tensor of `values`."""

    encode_s: float
    decode_s: float
    values: int


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
    step_s = cpu_s(step, 8)
    with torch.no_grad():
        stem = model[0](images)
        block1 = model[2](model[1](stem))[:16]
    return Step(step_s, counter.get_total_flops(), (stem.numpy(), block1.numpy()))


def cost_of(codec: Codec, tensor: Tensor) -> Cost:
    """Return the cost of one message among many of a pair of ends. Raises `BadTensor`.

    Ends that want to know of arrivals, or of the message that they answer, are told as in a run.
    """
    sender, receiver = codec.sender("benchmark"), codec.receiver()
    ids = np.arange(len(tensor))
    asked = find("slfac_sim.codecs", "topk")().sender("asked").encode(tensor).body
    encode_s, decode_s, spent_s = [], [], 0.0
    while len(encode_s) < 3 or (len(encode_s) < 40 and spent_s < 1.5):
        for end in (sender, receiver):
            if hasattr(end, "follow"):
                end.follow(asked)
        begun_s = time.process_time()
        body = sender.encode(tensor, ids).body
        encoded_s = time.process_time()
        receiver.decode(body)
        decode_s.append(time.process_time() - encoded_s)
        encode_s.append(encoded_s - begun_s)
        spent_s += encode_s[-1] + decode_s[-1]
        if hasattr(sender, "confirm"):
            sender.confirm(body)
    return Cost(statistics.median(encode_s[1:]), statistics.median(decode_s[1:]), tensor.size)


def report(name: str, codec: Codec, tensor: Tensor, step: Step) -> str:
    """Return one line: ns a value, MB/s, declared over measured FLOPs, share of the training step.

    The share is of a step of as many samples as `tensor` has.
    """
    shape = "x".join(map(str, tensor.shape))
    try:
        cost = cost_of(codec, tensor)
    except BadTensor as refusal:
        return f"{name:<16} {shape:<11} refused: {refusal}"
    share = (cost.encode_s + cost.decode_s) / (step.cpu_s * len(tensor) / BATCH)
    ends = [
        _end("encode", cost.encode_s, codec.encode_flops_per_value, cost.values, step),
        _end("decode", cost.decode_s, codec.decode_flops_per_value, cost.values, step),
    ]
    most = MOST.get(kind_of(codec), ANY)
    verdict = f"; ABOVE {most:.0%}" if len(tensor) == BATCH and share > most else ""
    return f"{name:<16} {shape:<11} {', '.join(ends)}, both {share:.1%} of a training step{verdict}"


def _end(what: str, took_s: float, declared: float, values: int, step: Step) -> str:
    """Return the figures of one end; a ratio outside `HONEST` is flagged."""
    measured = took_s / values * step.flops / step.cpu_s
    ratio = declared / measured
    flag = "" if HONEST[0] <= ratio <= HONEST[1] else " DEFECT"
    return (
        f"{what} {took_s / values * 1e9:6.1f} ns/value {4e-6 * values / took_s:6.0f} MB/s"
        f" (declared/measured {declared:.0f}/{measured:.0f} = {ratio:.2f}{flag})"
    )


def codecs_of(names: Sequence[str]) -> dict[str, Codec]:
    """Return the codecs `names`, or every shipped one, with their defaults; and SL-FAC by channel."""
    found: dict[str, Codec] = {}
    for kind in names or kinds("slfac_sim.codecs"):
        cls: Any = find("slfac_sim.codecs", kind)
        found[kind] = cls()
    return found if names else found | {"slfac, channel": SlFac(scope="channel")}


def measure(names: Sequence[str] = ()) -> list[str]:
    """Return the lines of the report. Takes about four seconds a codec."""
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
    lines = [report(name, codec, t, step) for t in step.smashed for name, codec in codecs_of(names).items()]
    return [head, *lines]


if __name__ == "__main__":
    print("\n".join(measure(sys.argv[1:])))
