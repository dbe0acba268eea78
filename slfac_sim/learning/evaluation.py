"""Accuracy on the whole test set, with the uplink codec in between (as in split inference) and without."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from slfac_sim.codecs import Codec, Tensor
from slfac_sim.hosts.names import SERVER
from slfac_sim.learning.divergence import sound, sound_loss
from slfac_sim.learning.draws import drawn_for
from slfac_sim.learning.halves import Labels
from slfac_sim.learning.kernels import forward

Through = Callable[[Tensor], Tensor]
Logits = tuple[torch.Tensor, torch.Tensor | None]


@dataclass(frozen=True)
class Score:
    """Right answers of `samples` and mean loss with the codec; right answers without, None: not measured."""

    right: int
    samples: int
    loss: float
    right_no_codec: int | None


def mean_score(scores: Sequence[tuple[Score, int]]) -> dict[str, float]:
    """Return the figures of a row of `evals`: the means over `scores`, each of so many devices.

    Right answers are added as integers and divided once: a mean of equal accuracies is that accuracy.
    """
    total = sum(count * one.samples for one, count in scores)
    exact = [count * one.right_no_codec for one, count in scores if one.right_no_codec is not None]
    losses = [one.loss for one, _ in scores]
    mean = math.fsum(count * one.loss for one, count in scores) / sum(count for _, count in scores)
    return {
        "accuracy": sum(count * one.right for one, count in scores) / total,
        "loss": min(max(mean, min(losses)), max(losses)),
        "accuracy_no_codec": sum(exact) / total if len(exact) == len(scores) else math.nan,
    }


def evaluate(
    device: nn.Module,
    server: nn.Module,
    batches: Iterable[tuple[torch.Tensor, Labels]],
    through_codec: Through,
    exact: bool,
    seed: int = 0,
) -> Score:
    """Return the score over `batches` of (images, labels), both halves in evaluation mode.

    `through_codec` maps smashed data [batch, ...] to what the server would have decoded. The accuracy without
    it takes another pass of the server, which is made only if `exact` and where the codec changes anything.
    """

    def answer(images: torch.Tensor) -> Logits:
        smashed = forward(device, images)
        arrived = sent(smashed, through_codec)
        logits = forward(server, arrived)
        if torch.equal(smashed, arrived):
            return logits, logits
        return logits, forward(server, smashed) if exact else None

    device.eval()
    server.eval()
    return score(batches, answer, seed)


def score(
    batches: Iterable[tuple[torch.Tensor, Labels]], answer: Callable[[torch.Tensor], Logits], seed: int
) -> Score:
    """Return the score over `batches` of what `answer` says of images: logits with the codec, and without.

    Modules that draw even here draw alike in every evaluation: by `seed` and the number of the batch.
    """
    right = right_no_codec = samples = 0
    loss, measured = 0.0, True
    with torch.inference_mode():
        for number, (images, labels) in enumerate(batches):
            truth = torch.from_numpy(labels).to(images.device)
            with drawn_for(seed, "evaluation", number):
                logits, exact = answer(images)
            right += int((logits.argmax(1) == truth).sum())
            if exact is None:
                measured = False
            else:
                right_no_codec += int((exact.argmax(1) == truth).sum())
            loss += float(cross_entropy(logits, truth, reduction="sum"))
            samples += len(labels)
    sound_loss(loss, SERVER, "the test loss")
    return Score(right, samples, loss / samples, right_no_codec if measured else None)


def sent(smashed: torch.Tensor, through_codec: Through) -> torch.Tensor:
    """Return `smashed` as the other side decodes it."""
    tensor = sound(smashed.cpu().numpy(), SERVER, "activations in the evaluation")
    return torch.from_numpy(through_codec(tensor)).to(smashed.device)


def in_messages(codec: Codec, samples: int) -> Through:
    """Return the way there and back through `codec`, in messages of `samples`, as a device sends them."""
    sender, receiver = codec.sender("evaluation"), codec.receiver()

    def through(smashed: Tensor) -> Tensor:
        pieces = (smashed[first : first + samples] for first in range(0, len(smashed), samples))
        bodies = (sender.encode(piece, training=False).body for piece in pieces)
        return np.concatenate([receiver.decode(body) for body in bodies])

    return through
