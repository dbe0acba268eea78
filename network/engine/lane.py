"""What a medium is to the wires behind it: a lane, whose flows are told limits by group. No clock here."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from math import inf

from slfac_sim.foundation.errors import BadInput
from slfac_sim.network.engine.flow import Flow, Routed, Share


class Group:
    """The flows of a lane that take the same wires. Each has no more than `limit`, in bit/s.

    The lane tells of each wire what the group makes it carry (`carried`, in its own bits a second), what of
    that rises with the limit (`rising`, a second's bits for each bit/s of it) and with the lane's `level`
    (`free`); `air` is the part of the lane that a bit/s of the limit takes.
    """

    __slots__ = ("air", "bound", "carried", "fastest_bps", "free", "limit", "links", "rising", "uses")

    def __init__(self, path: tuple[str, ...]) -> None:
        self.links = path
        self.limit = inf
        self.bound = 0  # the place in the path of the wire that binds at `limit`
        wires = len(path) - 1
        self.uses = [0.0] * wires
        self.carried = [0.0] * wires
        self.rising = [0.0] * wires
        self.free = [0.0] * wires
        self.air = 0.0
        self.fastest_bps = 0.0


class Lane(ABC):
    """A share whose flows can be limited by groups, which are their paths."""

    groups: dict[tuple[str, ...], Group]
    weight: float
    """By which the part of the lane that its free flows have grows with their level; 0: there are none."""

    @abstractmethod
    def group(self, path: tuple[str, ...]) -> Group:
        """Return the group of the flows of `path`."""

    @abstractmethod
    def advance(self, now_s: float) -> None:
        """Let time go on to `now_s`, as last divided."""

    @abstractmethod
    def level(self) -> None:
        """Divide the lane anew under the limits of its groups, and tell them what they carry."""

    @abstractmethod
    def run(self) -> float:
        """Let time go on as last divided; return when the first flow will be through."""


class Unlimited(Lane):
    """A share that takes no limits, as a lane. Wires do not see its flows, so they must have room for all."""

    def __init__(self, share: Share) -> None:
        self.share = share
        self.groups = {}
        self.weight = 0.0

    @property
    def due_s(self) -> float:
        """When the share wants a call of `finish`."""
        return self.share.due_s

    def start(self, now_s: float, flow: Flow) -> None:
        """Let `flow` take part from now on."""
        assert isinstance(flow, Routed)
        flow.since_s = now_s
        self.share.start(now_s, flow)

    def cancel(self, now_s: float, flow: Flow) -> None:
        """Take `flow` out; its `left_bits` and `airtime_s` say how far it came."""
        self.share.cancel(now_s, flow)
        _note(now_s, flow)

    def set_rates(self, now_s: float, rates_bps: Iterable[tuple[Flow, float]]) -> None:
        """Give flows that take part new rates."""
        self.share.set_rates(now_s, rates_bps)

    def set_capacity(self, now_s: float, capacity: float, link: str = "") -> None:
        """Change the part of the time that the medium gives."""
        self.share.set_capacity(now_s, capacity)

    def finish(self, now_s: float) -> list[Flow]:
        """Take out the flows that are through by now."""
        through = self.share.finish(now_s)
        for flow in through:
            _note(now_s, flow)
        return through

    def group(self, path: tuple[str, ...]) -> Group:
        """Return the group of the flows of `path`."""
        return self.groups.setdefault(path, Group(path))

    def advance(self, now_s: float) -> None:
        """Leave it to the share."""

    def level(self) -> None:
        """Raise `BadInput` for a limit."""
        for group in self.groups.values():
            if group.limit < inf:
                raise BadInput(
                    f"{group.links[0]}: {group.links[group.bound]} behind it is full, and its medium takes no"
                    " limits: expected a FluidShare, or an AllottedShare that refills"
                )

    def run(self) -> float:
        """Return when the first flow will be through."""
        return self.share.due_s


def _note(now_s: float, flow: Flow) -> None:
    assert isinstance(flow, Routed)
    if now_s > flow.since_s:
        flow.limited_s[flow.path[0]] = now_s - flow.since_s
