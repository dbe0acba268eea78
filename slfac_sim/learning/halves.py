"""The two halves of a split model: what a device does with a batch, and what the server does with a cohort.

Tensors cross between them as NumPy arrays that were bytes in between; neither half knows of the other.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn.functional import cross_entropy

from slfac_sim.codecs import Tensor
from slfac_sim.learning.batches import Indices
from slfac_sim.learning.kernels import forward
from slfac_sim.learning.states import Keeps

Labels = NDArray[np.int64]


@dataclass(frozen=True)
class Pending:
    """An activation that waits at home, with its graph, for its gradient."""

    activation: torch.Tensor


@dataclass(frozen=True)
class Smashed:
    """What a device's forward pass gives: `tensor` [batch, ...] to be sent, and what stays at home.

    `samples` [batch] are the indices into the training set, for codecs that remember samples.
    """

    tensor: Tensor
    labels: Labels
    pending: Pending
    samples: Indices | None = None


@dataclass(frozen=True)
class Feedback:
    """The server's answer to one device: the gradient of that device's own mean loss, and that loss."""

    gradient: Tensor
    loss: float
    correct: int


class DeviceHalf(Keeps):
    """The blocks before the cut, with their own optimiser; every device has one of its own."""

    kept = ("model", "optimiser")

    def __init__(self, model: nn.Module, optimiser: torch.optim.Optimizer) -> None:
        self.model = model
        self.optimiser = optimiser

    def forward(self, images: torch.Tensor, labels: Labels) -> Smashed:
        """Run `images` [batch, channels, h, w] up to the cut, in training mode."""
        self.model.train()
        activation = forward(self.model, images)
        return Smashed(activation.detach().cpu().numpy(), labels, Pending(activation))

    def backward(self, pending: Pending, gradient: Tensor) -> None:
        """Send `gradient` (of the shape of the activation) back through the graph and update the weights.

        `gradient` is that of the activation as the codec's `backward` declares it; the graph is the exact one
        of the forward pass.
        """
        pending.activation.backward(torch.from_numpy(gradient).to(pending.activation.device))
        self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)  # a thousand devices keep no gradients while they wait


class ServerHalf(Keeps):
    """The blocks after the cut, with their optimiser."""

    kept = ("model", "optimiser")

    def __init__(self, model: nn.Module, optimiser: torch.optim.Optimizer) -> None:
        self.model = model
        self.optimiser = optimiser
        self._host = next(model.parameters()).device

    def step(self, cohort: Sequence[tuple[Tensor, Labels]]) -> list[Feedback]:
        """Take one optimiser step on the batches of `cohort`, concatenated in the order given.

        The server minimises the mean loss over all samples. Device i is answered with the gradient of
        its *own* mean loss, so that one SGD step of the devices followed by an average weighted by
        samples equals one step on the whole batch (without batch-norm, whose statistics here span
        the cohort on the server and one batch on a device).
        """
        self.model.train()
        sizes = [len(labels) for _, labels in cohort]
        smashed = torch.from_numpy(np.concatenate([tensor for tensor, _ in cohort])).to(self._host)
        smashed.requires_grad_()
        labels = torch.from_numpy(np.concatenate([labels for _, labels in cohort])).to(self._host)
        self.optimiser.zero_grad(set_to_none=True)
        logits = forward(self.model, smashed)
        losses = cross_entropy(logits, labels, reduction="none")
        losses.mean().backward()
        self.optimiser.step()
        assert smashed.grad is not None
        return _answers(smashed.grad, losses.detach(), logits.detach().argmax(1) == labels, sizes)


def _answers(
    gradient: torch.Tensor, losses: torch.Tensor, right: torch.Tensor, sizes: list[int]
) -> list[Feedback]:
    total = sum(sizes)
    parts = zip(gradient.split(sizes), losses.split(sizes), right.split(sizes), sizes, strict=True)
    return [
        Feedback((grad * (total / size)).cpu().numpy(), float(loss.mean()), int(hits.sum()))
        for grad, loss, hits, size in parts
    ]
