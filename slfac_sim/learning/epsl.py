"""A step of the server that aggregates last-layer gradients over devices, for `epsl`; no clock, no network.

Lin et al., 2023, "Efficient Parallel Split Learning over Resource-constrained Wireless Edge Networks"
(arXiv:2303.15991): for some positions in the mini-batch the gradients at the last layer are averaged over the
devices, and one gradient goes back through the server's half in place of one for each device.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn.functional import cross_entropy, one_hot

from slfac_sim.codecs import Tensor
from slfac_sim.learning.halves import Feedback, Labels, ServerHalf
from slfac_sim.learning.kernels import forward


@dataclass(frozen=True)
class Aggregated(Feedback):
    """The answer to one device: its `gradient` is that of the samples that are not aggregated.

    `shared` [aggregated, ...] is the same for all devices: the gradient of the loss of one sample at each of
    the first positions.
    """

    shared: Tensor


def aggregating_step(
    half: ServerHalf, aggregated: int, cohort: Sequence[tuple[Tensor, Labels]]
) -> list[Aggregated]:
    """Take one optimiser step on `cohort`, with the first `aggregated` samples of each mini-batch as one.

    The loss is the mean over all samples, so each counts alike, and devices by their data. A step that
    aggregates nothing is `ServerHalf.step`. Our reading: a gradient at the last layer can only go back
    through some activation, and that is the forward pass of the mean over the devices of their smashed
    data at that position, which runs along with the others. Batch-norm sees the whole batch, these means
    included, and what flows through its statistics to samples that are aggregated is dropped.
    """
    half.begin()
    sizes = [len(labels) for _, labels in cohort]
    means = np.mean([tensor[:aggregated] for tensor, _ in cohort], axis=0, dtype=np.float32)
    inputs = torch.from_numpy(np.concatenate([*(tensor for tensor, _ in cohort), means])).to(half.host)
    inputs.requires_grad_(half.answers)
    labels = torch.from_numpy(np.concatenate([labels for _, labels in cohort])).to(half.host)
    half.optimiser.zero_grad(set_to_none=True)
    logits = forward(half.model, inputs)
    real = logits[: len(labels)].detach()
    logits.backward(_last_layer(real, labels, sizes, aggregated))
    half.update()
    gradient = inputs.new_empty((len(inputs), 0)) if inputs.grad is None else inputs.grad
    return _answers(gradient, cross_entropy(real, labels, reduction="none"), real.argmax(1) == labels, sizes)


def _last_layer(
    logits: torch.Tensor, labels: torch.Tensor, sizes: Sequence[int], aggregated: int
) -> torch.Tensor:
    """Return the gradient of the mean loss at the last layer, that of the aggregated samples at the end."""
    gradient = (logits.softmax(1) - one_hot(labels, logits.shape[1])) / len(labels)
    summed = torch.zeros_like(gradient[:aggregated])
    for mine in gradient.split(list(sizes)):  # views: what is summed is set to zero in place
        summed += mine[:aggregated]
        mine[:aggregated] = 0.0
    return torch.cat([gradient, summed])


def _answers(
    gradient: torch.Tensor, losses: torch.Tensor, right: torch.Tensor, sizes: list[int]
) -> list[Aggregated]:
    total = sum(sizes)
    shared = (gradient[total:] * (total / len(sizes))).cpu().numpy()
    parts = zip(gradient[:total].split(sizes), losses.split(sizes), right.split(sizes), sizes, strict=True)
    return [
        Aggregated(
            (mine[len(shared) :] * (total / size)).cpu().numpy(),
            float(loss.mean()),
            int(hits.sum()),
            shared,
        )
        for mine, loss, hits, size in parts
    ]


def joined(shared: Tensor, own: Tensor | None, samples: int) -> Tensor:
    """Return the gradient of a device's mean loss over `samples` from the `shared` part and its `own`."""
    first = shared / np.float32(samples)
    return first if own is None else np.concatenate([first, own])
