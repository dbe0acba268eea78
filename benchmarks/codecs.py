"""CPU time of every codec, alone and against a ResNet-18 training step. It checks no result.

Everything on one thread, CPU time and not wall time, the least of repetitions: what else a machine does makes
caches cold, never warm. A training step has the kernels of a run. The tensors are those of a
ResNet-18 that has learnt MNIST for `STEPS` steps of Adam: the activation [64, 64, 14, 14] after the stem, for
`BOTH_WAYS` its gradient too, and the activation [16, 64, 7, 7] after the first block. Limits hold for the
former two. Each codec has its defaults, and a pair of ends that goes on from message to message, as in a run.
`python benchmarks/codecs.py slfac scope=channel raw` measures these two, `--switches` the settings whose cost
is declared apart; `--smoke` measures each codec twice, after one step.
"""

import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from _measuring import spelled
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from slfac_sim.codec_lab.choose import codec_of, shipped
from slfac_sim.codecs import BadTensor, Codec, Tensor
from slfac_sim.foundation.plugins import find, kind_of
from slfac_sim.learning.datasets.mnist import Mnist
from slfac_sim.learning.kernels import forward
from slfac_sim.learning.models.resnet18 import ResNet18

BATCH, STEPS, MESSAGES = 64, 40, 40
SWITCHES = (
    "slfac scope=channel slfac quantiser=powerquant slfac quantiser=powerquant scope=channel",
    "slfac quantiser=easyquant slfac quantiser=easyquant scope=channel slfac entropy=zstd slfac entropy=ans",
    "uniform rounding=stochastic uniform entropy=zstd uniform entropy=ans uniform bits=1 entropy=ans",
    "uniform bits=4 entropy=ans uniform bits=12 entropy=zstd uniform bits=12 entropy=ans",
    "fp16 entropy=zstd fp16 entropy=ans easyquant scope=plane powerquant scope=plane aq_sgd entropy=ans",
    "sl_acc entropy=zstd sl_acc entropy=ans splitfc quantiser=float16 fedlite centroids=64 length=4",
    "fedlite centroids=4 slfac_rd target_error=0.01 slfac_rd target_bits_per_value=1",
)
BOTH_WAYS = ("slfac", "slfac_rd")
MOST = {"slfac": 0.10, "slfac_rd": 0.20}  # of a training step, with defaults; any other codec: ANY
ANY = 1.0
HONEST = (0.5, 2.0)  # declared over measured FLOPs of a whole batch's message; outside is a defect


@dataclass(frozen=True)
class Smashed:
    """One real tensor; limits hold for that of a whole batch (`is_judged`), not for a small message."""

    what: str
    tensor: Tensor
    is_judged: bool


@dataclass(frozen=True)
class Step:
    """One training step on `BATCH` images: its CPU time, its work, and the tensors it made."""

    cpu_s: float
    flops: float
    smashed: tuple[Smashed, ...]


@dataclass(frozen=True)
class Cost:
    """Least CPU seconds of one encoding and of one decoding of a tensor of `values`."""

    encode_s: float
    decode_s: float
    values: int


def training_step(steps: int) -> Step:
    """Train ResNet-18 on MNIST; return the least cost of a step (forward, backward, Adam) and what crosses.

    FLOPs are those that hosts are charged for: of the model as it is, whatever the kernels leave out.
    """
    torch.manual_seed(0)
    data = Mnist().load()
    order = np.random.default_rng(0).permutation(len(data.train_labels))
    model = nn.Sequential(*(module for _, module in ResNet18().blocks(1, data.classes)))
    adam = torch.optim.Adam(model.parameters(), 1e-3)
    times_s = []
    for number in range(steps):
        images, labels = data.train_batch(order[number * BATCH : (number + 1) * BATCH])
        batch = torch.from_numpy(images), torch.from_numpy(labels)
        begun_s = time.process_time()
        _learn(model, adam, *batch)
        times_s.append(time.process_time() - begun_s)
    with FlopCounterMode(display=False) as counter:
        nn.functional.cross_entropy(model(batch[0]), batch[1]).backward()
    return Step(min(times_s), counter.get_total_flops(), _smashed(model, *batch))


def _learn(model: nn.Sequential, adam: torch.optim.Adam, images: torch.Tensor, labels: torch.Tensor) -> None:
    adam.zero_grad()
    nn.functional.cross_entropy(forward(model, images), labels).backward()
    adam.step()


def _smashed(model: nn.Sequential, images: torch.Tensor, labels: torch.Tensor) -> tuple[Smashed, ...]:
    stem = model[0](images)
    stem.retain_grad()
    block1 = model[1:3](stem)
    nn.functional.cross_entropy(model[3:](block1), labels).backward()
    return (
        Smashed("activation", stem.detach().numpy(), is_judged=True),
        Smashed("gradient", stem.grad.numpy(), is_judged=True),
        Smashed("small activation", block1.detach().numpy()[:16], is_judged=False),
    )


def cost_of(codec: Codec, tensor: Tensor, most: int) -> Cost:
    """Return the cost of one message among `most` or fewer of a pair of ends. Raises `BadTensor`.

    Ends that want to know of arrivals, or of the message that they answer, are told as in a run.
    """
    sender, receiver = codec.sender("benchmark"), codec.receiver()
    ids = np.arange(len(tensor))
    asked = find("slfac_sim.codecs", "topk")().sender("asked").encode(tensor).body
    encode_s: list[float] = []
    decode_s: list[float] = []
    spent_s = 0.0
    while len(encode_s) < min(3, most) or (len(encode_s) < most and spent_s < 1.5):
        for end in (sender, receiver):
            end.follow(asked)
        begun_s = time.process_time()
        body = sender.encode(tensor, ids).body
        encoded_s = time.process_time()
        receiver.decode(body)
        decode_s.append(time.process_time() - encoded_s)
        encode_s.append(encoded_s - begun_s)
        spent_s += encode_s[-1] + decode_s[-1]
        sender.confirm(body)
    return Cost(min(encode_s), min(decode_s), tensor.size)


def report(codec: Codec, smashed: Smashed, step: Step, most: int) -> str:
    """Return one line: ns a value, MB/s, declared over measured FLOPs, share of the training step.

    The share is of a step of as many samples as the tensor has. On a small message, whose fixed cost no
    figure by value can tell, nothing is judged.
    """
    tensor = smashed.tensor
    head = f"{codec.label:<60} {smashed.what:<16} {'x'.join(map(str, tensor.shape)):<11}"
    try:
        cost = cost_of(codec, tensor, most)
    except BadTensor as refusal:
        return f"{head} refused: {refusal}"
    share = (cost.encode_s + cost.decode_s) / (step.cpu_s * len(tensor) / BATCH)
    each = (
        ("encode", cost.encode_s, codec.encode_flops_per_value),
        ("decode", cost.decode_s, codec.decode_flops_per_value),
    )
    speed_flops_per_s = step.flops / step.cpu_s
    ends = [
        _end(what, took_s, cost.values, declared, speed_flops_per_s, smashed.is_judged)
        for what, took_s, declared in each
    ]
    limit = MOST.get(kind_of(codec), ANY) if codec == type(codec)() else ANY
    verdict = f"; ABOVE {limit:.0%}" if smashed.is_judged and share > limit else ""
    return f"{head} {', '.join(ends)}, both {share:.1%} of a training step{verdict}"


def _end(what: str, took_s: float, values: int, declared: float, flops_per_s: float, is_judged: bool) -> str:
    """Return the figures of one end; a ratio outside `HONEST` is flagged if it `is_judged`."""
    per_value_s = took_s / values
    measured = per_value_s * flops_per_s
    ratio = declared / measured
    flag = " DEFECT" if is_judged and not HONEST[0] <= ratio <= HONEST[1] else ""
    return (
        f"{what} {1e3 * took_s:6.2f} ms {per_value_s * 1e9:6.1f} ns/value {4e-6 / per_value_s:6.0f} MB/s"
        f" (declared/measured {declared:.0f}/{measured:.0f} = {ratio:.2f}{flag})"
    )


def measured_here(words: Sequence[str], smoke: bool) -> Iterator[str]:
    """Yield the lines of the report."""
    torch.set_num_threads(1)
    steps, most = (1, 2) if smoke else (STEPS, MESSAGES)
    step = training_step(steps)
    yield (
        f"training step, batch {BATCH}: {step.cpu_s:.3f} CPU s, {step.flops / 1e9:.1f} GFLOP, "
        f"{step.flops / step.cpu_s / 1e9:.1f} GFLOP/s"
    )
    chosen = _by_codec(words)
    for smashed in step.smashed:
        for codec in (codec_of(spelled(group)) for group in chosen):
            if smashed.what != "gradient" or kind_of(codec) in BOTH_WAYS:
                yield report(codec, smashed, step, most)


def _by_codec(words: Sequence[str]) -> list[list[str]]:
    """Return `words` by codec: a kind begins one, and the settings after it are its own."""
    groups: list[list[str]] = []
    for word in words:
        if "=" in word:
            groups[-1].append(word)
        else:
            groups.append([word])
    return groups


def main() -> None:
    """Read the command line and print what was measured."""
    words = [word for word in sys.argv[1:] if not word.startswith("--")]
    usual = " ".join(SWITCHES).split() if "--switches" in sys.argv else [*shipped(), "slfac", "scope=channel"]
    for line in measured_here(words or usual, "--smoke" in sys.argv):
        print(line, flush=True)


if __name__ == "__main__":
    if os.environ.get("OMP_NUM_THREADS") != "1":  # numpy's BLAS is told of threads at its start
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | {"OMP_NUM_THREADS": "1"})
    main()
