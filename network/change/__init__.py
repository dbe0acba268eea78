"""Changes of a network in time, one file a kind: functions of seed and time alone. They know no air.

Settings have `change: {NAME: {kind: ...}}`. What changes is a link, which is a medium or a wire, or the
access of devices.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from math import inf
from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from slfac_sim.foundation.plugins import Family, settings
from slfac_sim.network.transfers import Bursts
from slfac_sim.network.varying.courses import Course
from slfac_sim.network.varying.motion import Motion

_Name = Annotated[str, Field(min_length=1)]


class Effect(NamedTuple):
    """What is done at each time to the rate, the latency and the losses of a link; no course: nothing.

    A rate (bit/s), a latency (s) and a loss (a part of the packets) stand in place of the link's own; a
    factor is one of its rate. Where there are several courses, those of several receivers, the worst counts.
    `bursts` of losses stand in place of a loss. Where it is `of_some` receivers, others keep what they have.
    """

    rates_bps: tuple[Course, ...] = ()
    factors: tuple[Course, ...] = ()
    latencies_s: tuple[Course, ...] = ()
    losses: tuple[Course, ...] = ()
    bursts: Bursts | None = None
    of_some: bool = False


class Target(NamedTuple):
    """What is changed: the access of a `device` or, without one, what `on` names. `change` is by its name.

    `uplink` is the way: that to the server or, of a wire, that from the first of its nodes to the second.
    """

    change: str
    device: str
    uplink: bool


class Burst(NamedTuple):
    """Bits that begin to cross a link at `at_s`, at `cap_bps` at most. `draw` says whose they are."""

    at_s: float
    bits: float
    draw: float
    cap_bps: float = inf


class Change(ABC):
    """Settings of a change. What one does not say of itself holds as it stands here."""

    @property
    def on(self) -> str | None:
        """The link that it changes, by its name; an access network or a wire stands for all links of it."""
        return None

    @property
    def devices(self) -> Literal["all"] | Sequence[str] | None:
        """The devices whose access it changes."""
        return None

    @property
    def loses_packets(self) -> bool:
        """Whether it has packets lost, where the transport of the network has packets."""
        return False

    @property
    def only_loses(self) -> bool:
        """Whether it does nothing else, so that it is in vain where the transport has no packets."""
        return False

    @property
    def offers_bps(self) -> float:
        """What it sends itself, in the mean, over each link that it is on."""
        return 0.0

    def bursts(self, change: str, link: str, seed: int) -> Iterator[Burst]:
        """Yield what it sends over `link`, in the order of time and perhaps for ever.

        Every draw is keyed by `seed`, link and `change`, its own name.
        """
        return iter(())

    @property
    def moves(self) -> bool:
        """Whether it says where its devices are."""
        return False

    def motion(self, target: Target, seed: int, radius_m: float) -> Motion:
        """Return the way of the device of `target`, if it moves any. Cells lie within `radius_m` of (0, 0).

        Every draw is keyed by `seed` and target. Raises `BadInput`. As it stands, it stays at the station.
        """
        return Motion((0.0, 0.0))

    @abstractmethod
    def effect(self, target: Target, seed: int) -> Effect:
        """Return what it does to `target`, with every draw keyed by `seed` and target. Raises `BadInput`."""


@settings
class Targeted(Change):
    """A change of a link, or of the access of devices."""

    on: _Name | None = None
    """The link that it changes: a wire (`core`, or one way of it, `core campus->edge1`), or a medium (`up`,
    `s0/up`, `air`; in a topology `campus/up`, and `campus` for all of them).
    """
    devices: Literal["all"] | Annotated[tuple[_Name, ...], Field(min_length=1)] | None = None
    """The devices whose access it changes, each by itself: `all`, or a list of names."""

    def __post_init__(self) -> None:
        if (self.on is None) == (self.devices is None):
            raise ValueError("say what changes: on: a link, or devices: all or a list (and not both)")


FAMILY = Family(Change, shared=("on", "devices"))
