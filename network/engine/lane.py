"""What a medium is to the wires behind it: a lane, whose flows are told limits by group. No clock here."""

from abc import ABC, abstractmethod
from math import inf


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
