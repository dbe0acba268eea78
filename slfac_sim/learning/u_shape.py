"""The participants of `u_shaped`: devices with head and tail, a server with the body, which sees no label.

What stays home stays home: images, labels, logits. Neither end knows the clock, the network, or the other.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from slfac_sim.codecs import BadBody, Payload, Receiver, Sender, Tensor
from slfac_sim.learning.batches import Shard
from slfac_sim.learning.divergence import sound, sound_loss
from slfac_sim.learning.draws import Draws
from slfac_sim.learning.fetching import Fetch
from slfac_sim.learning.halves import DeviceHalf, Feedback, Half, Labels, Pending, Smashed
from slfac_sim.learning.kernels import forward
from slfac_sim.learning.participants import CutServer, Device
from slfac_sim.learning.work import Exchange
from slfac_sim.scenario.schema import ModelCodecs


@dataclass(frozen=True)
class Cohort:
    """The body's pass over the smashed data of several devices, with its graph; `sizes` are their samples."""

    smashed: torch.Tensor
    output: torch.Tensor
    sizes: tuple[int, ...]

    def rows(self, slot: int) -> slice:
        """Return which samples are those of the device in `slot`."""
        first = sum(self.sizes[:slot])
        return slice(first, first + self.sizes[slot])


@dataclass(frozen=True)
class Middle:
    """What the body made of one device's smashed data: `tensor` [batch, ...], and where its graph waits."""

    tensor: Tensor
    cohort: Cohort
    slot: int


class Ends(nn.Module):
    """The two ends of a model as one module, whose state is sent and averaged as one.

    Called, it gives what `head` makes of images; `tail` is run on what would come back (`middle_shape` per
    sample, made up), so that a pass shows the memory that both take.
    """

    def __init__(self, head: nn.Module, tail: nn.Module, middle_shape: tuple[int, ...]) -> None:
        super().__init__()
        self.head = head
        self.tail = tail
        self._middle_shape = middle_shape

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return the smashed data of `images`."""
        smashed: torch.Tensor = self.head(images)
        self.tail(images.new_zeros((len(images), *self._middle_shape)).requires_grad_())
        return smashed


class EndsHalf(DeviceHalf):
    """Head and tail of one device, with one optimiser for both."""

    model: Ends

    def forward(self, images: torch.Tensor, labels: Labels) -> Smashed:
        """Run `images` [batch, channels, h, w] through the head, in training mode."""
        self.begin()
        activation = forward(self.model.head, images)
        return Smashed(activation.detach().cpu().numpy(), labels, Pending(activation))

    def judge(self, middle: Tensor, smashed: Smashed) -> Feedback:
        """Run the tail on `middle`, hold it against the labels, and return the gradient of the mean loss.

        The tail's own gradients wait for those of the head: both are updated in one step.
        """
        host = smashed.pending.activation.device
        leaf = torch.from_numpy(middle).to(host).requires_grad_()
        truth = torch.from_numpy(smashed.labels).to(host)
        self.optimiser.zero_grad(set_to_none=True)
        logits = forward(self.model.tail, leaf)
        loss = cross_entropy(logits, truth)
        loss.backward()
        assert leaf.grad is not None
        right = int((logits.detach().argmax(1) == truth).sum())
        return Feedback(leaf.grad.cpu().numpy(), float(loss.detach()), right)


class Body(Half):
    """The blocks between head and tail, on the server."""

    answers = True
    """Whether heads have weights that learn."""

    def forward(self, arrived: Sequence[Tensor]) -> list[Middle]:
        """Run the smashed data of several devices through the body as one batch, in the order given."""
        self.begin()
        smashed = torch.from_numpy(np.concatenate(arrived)).to(self.host).requires_grad_(self.answers)
        output = forward(self.model, smashed)
        cohort = Cohort(smashed, output, tuple(len(tensor) for tensor in arrived))
        pieces = output.detach().cpu().split(cohort.sizes)
        return [Middle(piece.numpy(), cohort, slot) for slot, piece in enumerate(pieces)]

    def backward(self, answers: Sequence[tuple[Middle, Tensor]]) -> list[Tensor]:
        """Take one step by the gradients of the devices' own mean losses, and return theirs at the cut.

        The body minimises the mean loss over all samples that `answers` are for; devices of the cohort that
        are not among them count for nothing. Each device gets the gradient of its own mean loss, as in
        `halves.ServerHalf.step`, so that here too one SGD step of all and an average weighted by samples
        equal one step on the whole batch (without batch-norm).
        """
        cohort = answers[0][0].cohort
        places = [cohort.rows(middle.slot) for middle, _ in answers]
        total = sum(len(gradient) for _, gradient in answers)
        upstream = torch.zeros_like(cohort.output)
        for rows, (_, gradient) in zip(places, answers, strict=True):
            upstream[rows] = torch.from_numpy(gradient).to(self.host) * (len(gradient) / total)
        self.optimiser.zero_grad(set_to_none=True)
        cohort.output.backward(upstream)
        self.update()
        at_cut = cohort.smashed.grad
        if at_cut is None:
            return [gradient[:0] for _, gradient in answers]
        return [(at_cut[rows] * (total / (rows.stop - rows.start))).cpu().numpy() for rows in places]


class UDevice(Device):
    """A device that keeps its labels: `Device` with a second crossing, of the activations that come back.

    `exchange` is the cost of the crossing between head and body, `inner` that between body and tail, where
    the forward and backward passes of a device are those of its tail.
    """

    kept = (*Device.kept, "_middle_down", "_gradient_up")

    def __init__(
        self, name: str, place: int, new_half: Callable[[], Any], shard: Shard,
        fetch: Fetch, exchange: Exchange, inner: Exchange, models: ModelCodecs,
        model_values: int,
    ) -> None:  # fmt: skip
        super().__init__(name, place, new_half, shard, fetch, exchange, models, model_values)
        self.inner = inner
        self._middle_down: Receiver = inner.downlink.receiver()
        self._gradient_up: Sender = inner.uplink.sender(f"{name}/gradient_up")

    @property
    def crossings(self) -> Sequence[Exchange]:
        """The costs of both places where the model is cut."""
        return [self.exchange, self.inner]

    def decode_middle(self, body: bytes) -> Tensor:
        """Return the activations that `body` carries."""
        return self._middle_down.decode(body)

    def judge(self, middle: Tensor, smashed: Smashed) -> Feedback:
        """Run the tail on `middle` and return the gradient of the mini-batch's mean loss."""
        half: Any = self.half
        with self.draws.of("tail"):
            feedback: Feedback = half.judge(middle, smashed)
        sound_loss(feedback.loss, self.name)
        return feedback

    def encode_gradient(self, feedback: Feedback, asked: bytes) -> Payload:
        """Return the bytes of the gradient, in answer to activations in the body `asked`."""
        self._gradient_up.follow(asked)
        return self._gradient_up.encode(sound(feedback.gradient, self.name, "gradients of its tail"))


class UServer(CutServer[Body]):
    """The edge server: the body, and its ends of every device's codecs, of either crossing."""

    kept = (*CutServer.kept, "_middle_down", "_gradient_up")

    def __init__(
        self, name: str, half: Body, devices: Sequence[str], exchange: Exchange,
        smashed_shape: tuple[int, ...], models: ModelCodecs, draws: Draws,
    ) -> None:  # fmt: skip
        super().__init__(name, half, devices, exchange, smashed_shape, models, draws)
        self._middle_down: dict[str, Sender] = {
            device: exchange.downlink.sender(f"{device}/middle_down") for device in devices
        }
        self._gradient_up: dict[str, Receiver] = {device: exchange.uplink.receiver() for device in devices}

    def decode(self, device: str, body: bytes) -> Tensor:
        """Return the smashed data of `device`; raises `BadBody` when its shape does not fit."""
        tensor = self._up[device].decode(body)
        if tensor.shape[1:] != self.smashed_shape:
            expected = ["batch", *self.smashed_shape]
            raise BadBody(f"{device}: smashed data of shape {list(tensor.shape)}, expected {expected}")
        return tensor

    def forward(self, cohort: Sequence[Tensor]) -> list[Middle]:
        """Run the body over a cohort and return each device's part, in the same order."""
        with self.draws.of("forward"):
            return self.half.forward(cohort)

    def encode_middle(self, device: str, middle: Middle) -> Payload:
        """Return the bytes of the activations for `device`."""
        return self._middle_down[device].encode(sound(middle.tensor, self.name, f"activations for {device}"))

    def decode_gradient(self, device: str, body: bytes, asked: bytes) -> Tensor:
        """Return the gradient of `device` at the tail, in answer to activations in the body `asked`."""
        self._gradient_up[device].follow(asked)
        gradient = self._gradient_up[device].decode(body)
        self._middle_down[device].confirm(asked)
        return self._middle_down[device].correct(asked, gradient)

    def backward(self, answers: Sequence[tuple[Middle, Tensor]]) -> list[Tensor]:
        """Take one step of the body and return each device's gradient at the cut, in the same order."""
        with self.draws.of("backward"):
            return self.half.backward(answers)
