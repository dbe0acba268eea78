"""What the engine moves: a flow of bits, and the contract of the thing that flows share. No clock here."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from slfac_sim.foundation.arrays import Floats  # numpy: wires are simulated without it


class Entry:
    """What `table(n)`, an array, has at `place`. Flows that share a table are looked up together."""

    __slots__ = ("place", "table")

    def __init__(self, table: "Callable[[int], Floats]", place: int) -> None:
        self.table = table
        self.place = place

    def __call__(self, n: int) -> float:
        """Return the value at `n`."""
        return float(self.table(n)[self.place])


@dataclass(eq=False, slots=True)
class Flow:
    """Bits on their way through one share.

    `rate_bps` is what the flow would have with the whole medium to itself; 0 means that it is not
    served for now. `weight` is that of its part of the medium and `cap_bps` the most that it takes.
    `among`, where the medium asks for it, is its rate over its part of the medium when n flows have one
    (`rate_bps` whatever n, if None), and `power_among` what it then sends with, by its full power (1, if
    None); either is best an `Entry` of a table of many flows. `src` and `dst` tell senders and users apart.

    `left_bits`, `airtime_s` (its part of the medium, integrated over time), `radiated_s` (for how long
    its sender was on the air at full power; None where that is the airtime) and `start_s` (when it was
    first served) are kept by the share, and are exact when the flow has finished or was cancelled. So is
    `limited_s`, where lanes and wires are joined: for how long each link bound its rate while it was served,
    by the link's name; a cap of its own is no link. The rest is the share's private bookkeeping.
    """

    bits: float
    rate_bps: float
    weight: float = 1.0
    cap_bps: float = inf
    among: Callable[[int], float] | None = None
    src: str = ""
    dst: str = ""
    power_among: Callable[[int], float] | None = None
    left_bits: float = field(init=False)
    airtime_s: float = field(init=False, default=0.0)
    radiated_s: float | None = field(init=False, default=None)
    start_s: float | None = field(init=False, default=None)
    limited_s: dict[str, float] = field(init=False, default_factory=dict)
    order: int = field(init=False, default=-1)
    key: float = field(init=False, default=0.0)
    finish: float = field(init=False, default=inf)
    capped: bool = field(init=False, default=False)
    version: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self.left_bits = self.bits


@dataclass(eq=False, slots=True)
class Routed(Flow):
    """Bits on their way over several links at once: `path`, and what a bit uses of each (`consumption`).

    Here `weight` is that of the bit rate: what is levelled is rate / weight. The share sets `rate_bps` to
    1 / consumption[0], so that `airtime_s` is the use of the first link of the path, integrated over time.
    (In a `JoinedShare` both are the lane's, as of any `Flow`.)
    """

    path: tuple[str, ...] = ()
    consumption: tuple[float, ...] = ()
    limited: bool = field(init=False, default=False)
    since_s: float = field(init=False, default=0.0)
    clocks: tuple[float, ...] = field(init=False, default=())


class Share(Protocol):
    """One medium, or some links, that flows share.

    Times never run backwards, and never past `due_s` without a call of `finish`. `due_s` is when the
    share wants that call: when the next flow will be through if nothing changes, or when something
    happens within the medium; infinite when nothing will.
    """

    @property
    def due_s(self) -> float:
        """When the share wants a call of `finish`."""

    def start(self, now_s: float, flow: Flow) -> None:
        """Let `flow` take part from now on."""

    def cancel(self, now_s: float, flow: Flow) -> None:
        """Take `flow` out; its `left_bits` and `airtime_s` say how far it came."""

    def set_rates(self, now_s: float, rates_bps: Iterable[tuple[Flow, float]]) -> None:
        """Give flows that take part new rates. A flow of rate 0 leaves its part to the others."""

    def set_capacity(self, now_s: float, capacity: float, link: str = "") -> None:
        """Change the capacity (of `link`, where there are several); at 0 every flow on it waits."""

    def finish(self, now_s: float) -> list[Flow]:
        """Take out the flows that are through by now, in the order of completion, then of start."""
