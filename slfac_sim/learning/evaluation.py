"""Accuracy on the whole test set, with the uplink codec in between (as in split inference) and without."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import reduce

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from slfac_sim.codecs import Codec, Tensor
from slfac_sim.hosts.names import SERVER
from slfac_sim.learning.batches import Indices
from slfac_sim.learning.divergence import sound, sound_loss
from slfac_sim.learning.draws import drawn_for
from slfac_sim.learning.halves import Labels
from slfac_sim.learning.kernels import forward

Through = Callable[[Tensor], Tensor]
Logits = tuple[torch.Tensor, torch.Tensor | None]


@dataclass(frozen=True)
class Score:
    """Right answers of `samples` and mean loss with the codec; right answers without, None: not measured.

    `answers` are the classes that samples were taken for, with the codec, in the order of the test set.
    """

    right: int
    samples: int
    loss: float
    right_no_codec: int | None
    answers: Indices = field(default_factory=lambda: np.empty(0, dtype=np.int64))


def mean_score(scores: Sequence[tuple[Score, int]]) -> dict[str, float]:
    """Return the figures of a row of `evals`: the means over `scores`, each of so many devices.

    Right answers are added as integers and divided once: a mean of equal accuracies is that accuracy.
    """
    total = sum(count * score.samples for score, count in scores)
    exact = [count * score.right_no_codec for score, count in scores if score.right_no_codec is not None]
    losses = [score.loss for score, _ in scores]
    mean = math.fsum(count * score.loss for score, count in scores) / sum(count for _, count in scores)
    return {
        "accuracy": sum(count * score.right for score, count in scores) / total,
        "loss": min(max(mean, min(losses)), max(losses)),
        "accuracy_no_codec": sum(exact) / total if len(exact) == len(scores) else math.nan,
    }


def evaluate(
    parts: Sequence[nn.Module],
    batches: Iterable[tuple[torch.Tensor, Labels]],
    codecs: Sequence[Through],
    exact: bool,
    seed: int = 0,
) -> Score:
    """Return the score over `batches` of (images, labels) of a model cut into `parts`, in evaluation mode.

    Each of `codecs` maps what leaves a part [batch, ...] to what the next one would have decoded. The
    accuracy without them takes another pass of all parts but the first, which is made only if `exact` and
    where a codec changes anything.
    """
    first, *others = parts

    def answer(images: torch.Tensor) -> Logits:
        smashed = output = forward(first, images)
        changed = False
        for part, codec in zip(others, codecs, strict=True):
            arrived = sent(output, codec)
            changed = changed or not torch.equal(output, arrived)
            output = forward(part, arrived)
        if not changed:
            return output, output
        return output, reduce(lambda inner, part: forward(part, inner), others, smashed) if exact else None

    for part in parts:
        part.eval()
    return score(batches, answer, seed)


def score(
    batches: Iterable[tuple[torch.Tensor, Labels]], answer: Callable[[torch.Tensor], Logits], seed: int
) -> Score:
    """Return the score over `batches` of what `answer` says of images: logits with the codec, and without.

    Modules that draw even here draw alike in every evaluation: by `seed` and the number of the batch.
    """
    right = right_no_codec = samples = 0
    loss, measured = 0.0, True
    given: list[Indices] = []
    with torch.inference_mode():
        for number, (images, labels) in enumerate(batches):
            truth = torch.from_numpy(labels).to(images.device)
            with drawn_for(seed, "evaluation", number):
                logits, exact = answer(images)
            given.append(logits.argmax(1).cpu().numpy())
            right += int((given[-1] == labels).sum())
            if exact is None:
                measured = False
            else:
                right_no_codec += int((exact.argmax(1) == truth).sum())
            loss += float(cross_entropy(logits, truth, reduction="sum"))
            samples += len(labels)
    sound_loss(loss, SERVER, "the test loss")
    return Score(right, samples, loss / samples, right_no_codec if measured else None, np.concatenate(given))


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
