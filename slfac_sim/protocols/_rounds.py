"""Learning round by round: evaluations, rows of `rounds`, and where a training that was cut off goes on.

All that lasts from one round to the next lies with the participants and in one model; a protocol's own
variables live no longer than a round. So a training can go on from the end of any round.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from slfac_sim.effects import Note, Task

if TYPE_CHECKING:
    from slfac_sim.codecs import Payload
    from slfac_sim.protocols import Participants


@dataclass(frozen=True)
class Share:
    """What one device contributed to a round: its half's state, the samples it used, their summed loss."""

    state: Any
    samples: int
    loss: float


def in_rounds(participants: Participants, rounds: int, one_round: Callable[[int, Payload], Task]) -> Task:
    """Yield the effects of `rounds` rounds and return the last one's model.

    `one_round(number, model)` is given what the devices have in common before round `number` and returns
    it as it is after, with the `Share`s of the devices that finished.
    """
    done, model = participants.begun()
    if done == 0:
        yield Note("evals", {"round": 0, **participants.evaluate(model.body)})
    for number in range(done + 1, rounds + 1):
        model, shares = yield from one_round(number, model)
        if participants.due(number, rounds):
            yield Note("evals", {"round": number, **participants.evaluate(model.body, number == rounds)})
        yield Note("rounds", _summary(number, shares))
        participants.keep(number, model)
    return model


def _summary(number: int, shares: Sequence[Share]) -> dict[str, Any]:
    samples = sum(share.samples for share in shares)
    loss = sum(share.loss for share in shares) / samples if samples else math.nan
    return {"round": number, "devices": len(shares), "samples": samples, "loss": loss}
