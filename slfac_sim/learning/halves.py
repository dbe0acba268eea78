"""The two halves of a split model: what a device does with a batch, and what the server does with a cohort.

Tensors cross between them as NumPy arrays that were bytes in between; neither half knows of the other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.func import functional_call
from torch.nn.functional import cross_entropy

from slfac_sim.codecs import Tensor
from slfac_sim.learning.batches import Indices
from slfac_sim.learning.frozen import host_of
from slfac_sim.learning.kernels import forward
from slfac_sim.learning.states import Keeps
from slfac_sim.learning.updates import Updates

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


class Half(Keeps):
    """A part of the model with an optimiser of its own; `updates` are what all of a training share."""

    kept = ("model", "optimiser")

    def __init__(
        self, model: nn.Module, optimiser: torch.optim.Optimizer, updates: Updates | None = None
    ) -> None:
        self.model = model
        self.optimiser = optimiser
        self.host = host_of(model)
        self._updates = updates or Updates()

    def begin(self) -> None:
        """Put the model into training mode."""
        self._updates.begin(self.model)

    def update(self, rate: float = 1.0) -> None:
        """Take a step along the gradients that are there, with a learning rate times `rate`."""
        self._updates.step(self.model, self.optimiser, rate)


class DeviceHalf(Half):
    """The blocks before the cut; every device has a half of its own."""

    def forward(self, images: torch.Tensor, labels: Labels) -> Smashed:
        """Run `images` [batch, channels, h, w] up to the cut, in training mode."""
        self.begin()
        activation = forward(self.model, images)
        return Smashed(activation.detach().cpu().numpy(), labels, Pending(activation))

    def backward(self, pending: Pending, gradient: Tensor | None) -> None:
        """Send `gradient` (of the shape of the activation) back through the graph and update the weights.

        `gradient` is that of the activation as the codec's `backward` declares it; the graph is the exact one
        of the forward pass. None: nothing learns from it, and other weights may have gradients.
        """
        if gradient is not None:
            pending.activation.backward(torch.from_numpy(gradient).to(pending.activation.device))
        self.update()
        self.optimiser.zero_grad(set_to_none=True)  # a thousand devices keep no gradients while they wait


@dataclass(frozen=True)
class Stashed(Pending):
    """An activation that waits for its gradient, with the weights of its forward pass."""

    weights: Mapping[str, torch.Tensor]


class StashingHalf(DeviceHalf):
    """A device half with several mini-batches in flight: each goes back through the weights it came through.

    Weight stashing (Narayanan et al., SOSP 2019, arXiv:1806.03377, section 3.3), for `pipelined`: an update
    applies the gradient at the stashed weights to the newest ones. Batch-norm's running statistics are not
    stashed: every forward pass moves the newest, in the order of the passes. Gradients do not depend on them.
    With one mini-batch at a time it learns exactly as a `DeviceHalf`.
    """

    def forward(self, images: torch.Tensor, labels: Labels) -> Smashed:
        """Run `images` [batch, channels, h, w] up to the cut, in training mode, on a copy of the weights."""
        self.begin()
        weights = {
            name: weight.detach().clone().requires_grad_() for name, weight in self.model.named_parameters()
        }
        activation = forward(lambda batch: functional_call(self.model, weights, (batch,)), images)
        return Smashed(activation.detach().cpu().numpy(), labels, Stashed(activation, weights))

    def backward(self, pending: Pending, gradient: Tensor | None) -> None:
        """Send `gradient` (of the activation's shape) back through the graph; update the newest weights."""
        assert isinstance(pending, Stashed)
        assert gradient is not None
        pending.activation.backward(torch.from_numpy(gradient).to(pending.activation.device))
        for name, weight in self.model.named_parameters():
            weight.grad = pending.weights[name].grad
        self.update()
        self.optimiser.zero_grad(set_to_none=True)


class ServerHalf(Half):
    """The blocks after the cut."""

    answers = True
    """Whether devices have weights that learn from the gradient of what they send."""

    def step(self, cohort: Sequence[tuple[Tensor, Labels]], rate: float = 1.0) -> list[Feedback]:
        """Take one optimiser step on the batches of `cohort`, concatenated in the order given.

        Its learning rate is times `rate`; the optimiser's moments take the gradient as it is.

        The server minimises the mean loss over all samples. Device i is answered with the gradient of
        its *own* mean loss, so that one SGD step of the devices followed by an average weighted by
        samples equals one step on the whole batch (without batch-norm, whose statistics here span
        the cohort on the server and one batch on a device). That gradient is empty unless it `answers`.
        """
        self.begin()
        sizes = [len(labels) for _, labels in cohort]
        smashed = torch.from_numpy(np.concatenate([tensor for tensor, _ in cohort])).to(self.host)
        smashed.requires_grad_(self.answers)
        labels = torch.from_numpy(np.concatenate([labels for _, labels in cohort])).to(self.host)
        self.optimiser.zero_grad(set_to_none=True)
        logits = forward(self.model, smashed)
        losses = cross_entropy(logits, labels, reduction="none")
        losses.mean().backward()
        self.update(rate)
        gradient = smashed.new_empty((len(smashed), 0)) if smashed.grad is None else smashed.grad
        return _answers(gradient, losses.detach(), logits.detach().argmax(1) == labels, sizes)


def _answers(
    gradient: torch.Tensor, losses: torch.Tensor, right: torch.Tensor, sizes: list[int]
) -> list[Feedback]:
    total = sum(sizes)
    parts = zip(gradient.split(sizes), losses.split(sizes), right.split(sizes), sizes, strict=True)
    return [
        Feedback((grad * (total / size)).cpu().numpy(), float(loss.mean()), int(hits.sum()))
        for grad, loss, hits, size in parts
    ]
