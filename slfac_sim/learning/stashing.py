"""A device half with several mini-batches in flight: each goes back through the weights it came through.

Weight stashing (Narayanan et al., SOSP 2019, arXiv:1806.03377, section 3.3). It knows no order and no clock.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import nn
from torch.func import functional_call

from slfac_sim.codecs import Tensor
from slfac_sim.learning.halves import DeviceHalf, Labels, Pending, Smashed
from slfac_sim.learning.kernels import forward
from slfac_sim.learning.states import Keeps


@dataclass(frozen=True)
class Stashed(Pending):
    """An activation that waits for its gradient, with the weights of its forward pass."""

    weights: Mapping[str, torch.Tensor]


class StashingHalf(Keeps):
    """A device half whose updates leave alone the graphs of the mini-batches that are under way.

    An update applies the gradient at the stashed weights to the newest ones. Batch-norm's running statistics
    are not stashed: every forward pass moves the newest, in the order of the passes. Gradients do not depend
    on them. With one mini-batch at a time it learns exactly as a `DeviceHalf`.
    """

    kept = ("model", "optimiser")

    def __init__(self, model: nn.Module, optimiser: torch.optim.Optimizer) -> None:
        self.model = model
        self.optimiser = optimiser

    def forward(self, images: torch.Tensor, labels: Labels) -> Smashed:
        """Run `images` [batch, channels, h, w] up to the cut, in training mode, on a copy of the weights."""
        self.model.train()
        weights = {
            name: weight.detach().clone().requires_grad_() for name, weight in self.model.named_parameters()
        }
        activation = forward(lambda batch: functional_call(self.model, weights, (batch,)), images)
        return Smashed(activation.detach().cpu().numpy(), labels, Stashed(activation, weights))

    def backward(self, pending: Pending, gradient: Tensor) -> None:
        """Send `gradient` (of the activation's shape) back through the graph; update the newest weights."""
        assert isinstance(pending, Stashed)
        pending.activation.backward(torch.from_numpy(gradient).to(pending.activation.device))
        for name, weight in self.model.named_parameters():
            weight.grad = pending.weights[name].grad
        self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)


Half = DeviceHalf | StashingHalf
