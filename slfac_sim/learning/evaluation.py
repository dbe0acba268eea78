"""Accuracy on the whole test set, with the uplink codec in between (as in split inference) and without."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from slfac_sim.codecs import Codec, Tensor
from slfac_sim.learning.halves import Labels

Through = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Score:
    """Accuracy and mean loss with the codec between the halves, and accuracy without it."""

    accuracy: float
    loss: float
    accuracy_no_codec: float


def evaluate(
    device: nn.Module,
    server: nn.Module,
    batches: Iterable[tuple[torch.Tensor, Labels]],
    through_codec: Through,
) -> Score:
    """Return the score over `batches` of (images, labels), both halves in evaluation mode.

    `through_codec` maps smashed data [batch, ...] to what the server would have decoded. Where it
    changes nothing, the server's pass is done once.
    """
    device.eval()
    server.eval()
    right = right_no_codec = samples = 0
    loss = 0.0
    with torch.inference_mode():
        for images, labels in batches:
            truth = torch.from_numpy(labels).to(images.device)
            smashed = device(images)
            exact = logits = server(smashed)
            sent = smashed.cpu().numpy()
            decoded = through_codec(sent)
            if not np.array_equal(sent, decoded):
                logits = server(torch.from_numpy(decoded).to(images.device))
            right += int((logits.argmax(1) == truth).sum())
            right_no_codec += int((exact.argmax(1) == truth).sum())
            loss += float(cross_entropy(logits, truth, reduction="sum"))
            samples += len(labels)
    return Score(right / samples, loss / samples, right_no_codec / samples)


def in_messages(codec: Codec, samples: int) -> Through:
    """Return the way there and back through `codec`, in messages of `samples`, as a device sends them."""
    sender, receiver = codec.sender("evaluation"), codec.receiver()

    def through(smashed: Tensor) -> Tensor:
        pieces = (smashed[first : first + samples] for first in range(0, len(smashed), samples))
        bodies = (sender.encode(piece, training=False).body for piece in pieces)
        return np.concatenate([receiver.decode(body) for body in bodies])

    return through
