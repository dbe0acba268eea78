"""Parallel split learning as a plain loop: modules, tensors, optimisers and codecs, and no simulator.

It is written to be fast: one optimiser over all device halves and one backward pass through all of them, no
bytes for labels or models, the test images normalised once. Every device still has a half, a batch-norm and
moments of its own, and every tensor goes through the ends of its own codecs. It ends in the same weights and
accuracies as the protocol `parallel` whose server takes its step on the whole cohort.
"""

import copy

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from slfac_sim.codecs import seeded
from slfac_sim.learning.kernels import forward
from slfac_sim.learning.world import World

_CHUNK = 512  # samples evaluated at once, rounded to whole messages


class Bare:
    """The halves, optimisers, batches and codecs that `world` begins with, and what each evaluation found."""

    def __init__(self, world: World) -> None:
        scenario, split = world.scenario, world.layout.split
        self.scenario, self.data = scenario, world.data
        self.halves = [copy.deepcopy(split.device).train() for _ in world.devices]
        self.server = copy.deepcopy(split.server)
        self.probe = copy.deepcopy(split.device).eval()
        opened = scenario.learning.optimiser.open
        self.optimiser = opened([weight for half in self.halves for weight in half.parameters()])
        self.server_optimiser = opened(self.server.parameters())
        self.batches = [device.shard.endless() for device in world.devices]
        codec, names = seeded(scenario.codec, scenario.seed.learning), [one.name for one in world.devices]
        self.up = [(codec.uplink.sender(f"{name}/up"), codec.uplink.receiver()) for name in names]
        self.down = [(codec.downlink.sender(f"{name}/down"), codec.downlink.receiver()) for name in names]
        self.tested = codec.uplink.sender("evaluation"), codec.uplink.receiver()
        self.tests = self.data.test_batch(np.arange(len(self.data.test_labels)))
        self.accuracies: list[float] = []

    def train(self) -> "Bare":
        """Do what the protocol does, rounds and steps."""
        rounds = self.scenario.protocol.rounds
        self.evaluate(last=False)
        for number in range(1, rounds + 1):
            samples = np.sum([self.step() for _ in range(self.scenario.protocol.steps)], axis=0)
            self.average([int(count) for count in samples])
            if number == rounds or number % self.scenario.evaluation.every_rounds == 0:
                self.evaluate(number == rounds)
        return self

    def step(self) -> list[int]:
        """Take one step of all devices and of the server; return the samples of each device."""
        activations, arrived, labels = [], [], []
        for half, batches, (sender, receiver) in zip(self.halves, self.batches, self.up, strict=True):
            samples = next(batches)
            images, truth = self.data.train_batch(samples)
            activations.append(forward(half, torch.from_numpy(images)))
            body = sender.encode(activations[-1].detach().numpy(), samples).body
            arrived.append(torch.from_numpy(receiver.decode(body)))
            labels.append(torch.from_numpy(truth))
        gradients = self.serve(torch.cat(arrived), torch.cat(labels)).split([len(one) for one in labels])
        back = [
            torch.from_numpy(receiver.decode(sender.encode(gradient.numpy()).body))
            for gradient, (sender, receiver) in zip(gradients, self.down, strict=True)
        ]
        torch.autograd.backward(activations, back)
        self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)
        return [len(one) for one in labels]

    def serve(self, smashed: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Take the server's step; return the gradients of each device's own mean loss, of equal batches."""
        self.server.train()
        cross_entropy(forward(self.server, smashed.requires_grad_()), labels).backward()
        self.server_optimiser.step()
        self.server_optimiser.zero_grad(set_to_none=True)
        assert smashed.grad is not None
        return smashed.grad.mul_(len(self.halves))

    @torch.no_grad()
    def average(self, samples: list[int]) -> None:
        """Give every device the mean of all halves, weighted by `samples`, summed in float64."""
        mean = torch.zeros(sum(part.numel() for part in _state(self.probe)), dtype=torch.float64)
        for half, count in zip(self.halves, samples, strict=True):
            mean += torch.cat([part.reshape(-1) for part in _state(half)]).double() * (count / sum(samples))
        pieces = mean.float().split([part.numel() for part in _state(self.probe)])
        for half in (*self.halves, self.probe):
            parts = _state(half)
            torch._foreach_copy_(
                parts, [piece.view_as(part) for part, piece in zip(parts, pieces, strict=True)]
            )

    @torch.inference_mode()
    def evaluate(self, last: bool) -> None:
        """Note the accuracy on the test set with the codec; the `last` time, have a pass without it too."""
        images, labels = map(torch.from_numpy, self.tests)
        message = self.scenario.learning.batch
        chunk = message * max(1, _CHUNK // message)
        self.server.eval()
        right = [0, 0]
        for first in range(0, len(labels), chunk):
            smashed, truth = forward(self.probe, images[first : first + chunk]), labels[first : first + chunk]
            arrived = self.through(smashed, message)
            answers = [forward(self.server, arrived)]
            if last and not torch.equal(arrived, smashed):
                answers.append(forward(self.server, smashed))
            for place, answer in enumerate(answers):
                right[place] += int((answer.argmax(1) == truth).sum())
        self.accuracies.append(right[0] / len(labels))

    def through(self, smashed: torch.Tensor, message: int) -> torch.Tensor:
        """Return `smashed` as it arrives in messages of so many samples."""
        sender, receiver = self.tested
        pieces = (sender.encode(piece.numpy(), training=False).body for piece in smashed.split(message))
        return torch.cat([torch.from_numpy(receiver.decode(body)) for body in pieces])


def _state(half: nn.Module) -> list[torch.Tensor]:
    return [value for value in half.state_dict().values() if value.is_floating_point()]
