"""What the engine moves: a flow of bits, and the contract of the thing that flows share. No clock here."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from math import inf
from typing import Protocol


@dataclass(eq=False, slots=True)
class Flow:
    """Bits on their way through one share.

    `rate_bps` is what the flow would have with the whole medium to itself; 0 means that it is not
    served for now. `left_bits`, `airtime_s` (its share of the medium, integrated over time) and
    `start_s` (when it was first served) are kept by the share, and are exact when the flow has
    finished or was cancelled. The rest is the share's private bookkeeping.
    """

    bits: float
    rate_bps: float
    weight: float = 1.0
    left_bits: float = field(init=False)
    airtime_s: float = field(init=False, default=0.0)
    start_s: float | None = field(init=False, default=None)
    order: int = field(init=False, default=-1)
    key: float = field(init=False, default=0.0)
    finish: float = field(init=False, default=inf)

    def __post_init__(self) -> None:
        self.left_bits = self.bits


class Share(Protocol):
    """One medium that flows share: each served flow has the part capacity x weight / sum of weights.

    Times never run backwards, and never past `due_s` without a call of `finish`. `due_s` is when the
    next flow will be through if nothing changes; infinite when none will.
    """

    due_s: float

    def start(self, now_s: float, flow: Flow) -> None:
        """Let `flow` take part from now on."""
        ...

    def cancel(self, now_s: float, flow: Flow) -> None:
        """Take `flow` out; its `left_bits` and `airtime_s` say how far it came."""
        ...

    def set_rates(self, now_s: float, rates_bps: Iterable[tuple[Flow, float]]) -> None:
        """Give flows that take part new rates. A flow of rate 0 leaves its part to the others."""
        ...

    def set_capacity(self, now_s: float, capacity: float) -> None:
        """Change the part of the time that the medium gives; at 0 every flow waits."""
        ...

    def finish(self, now_s: float) -> list[Flow]:
        """Take out the flows that are through by now, in the order of completion, then of start."""
        ...
