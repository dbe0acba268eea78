"""What a case consists of: links, media, transfers. It knows no file and runs nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Literal, NamedTuple

from slfac_sim.network.engine.profiles import Profile

if TYPE_CHECKING:  # a case of links starts without the machinery of plug-ins
    from slfac_sim.network.media import Medium

Duplex = Literal["half", "fdd", "tdd"]


@dataclass(frozen=True)
class Wire:
    """A link: its capacity in bit/s over time, and the seconds from a bit's departure to its arrival."""

    capacity: Profile
    latency_s: float = 0.0


@dataclass(frozen=True)
class Air:
    """A link that is a medium, of which `part` of the time (0 to 1) is given.

    ``half`` duplex has one channel for both directions. ``fdd`` has one for each: to the `station` and
    from it. ``tdd`` divides the time of one between them: `uplink_share` of it leads to the station.
    """

    kind: str
    medium: "Medium"
    part: Profile
    latency_s: float = 0.0
    duplex: Duplex = "half"
    station: str = ""
    uplink_share: float = 0.5

    def share_of_time(self, uplink: bool) -> float:
        """Return the part of the time that the channel in this direction has."""
        if self.duplex != "tdd":
            return 1.0
        return self.uplink_share if uplink else 1.0 - self.uplink_share


Link = Wire | Air


class Transfer(NamedTuple):
    """`bytes` that are ready at `start_s` and go over all links of `path` at once.

    A bit uses `consumption` of each link of the path. `weight` is that of the bit rate on wires, and of
    the part of the channel on a medium; `cap_bps` bounds the bit rate. On a medium, `phy_rate_bps` is
    the rate alone (see `Medium`), and `snr_db` makes it depend on how many others are served
    (see `slfac_sim.network.case.gains.among`).
    """

    id: int | str
    path: tuple[str, ...]
    start_s: float
    bytes: float
    consumption: tuple[float, ...]
    weight: float = 1.0
    cap_bps: float = inf
    src: str = ""
    dst: str = ""
    phy_rate_bps: float = 0.0
    snr_db: float | None = None


@dataclass(frozen=True)
class Case:
    """Links by name, and the transfers over them; `engine` is ``naive`` for the reference engine of wires."""

    links: Mapping[str, Link]
    transfers: Sequence[Transfer]
    engine: Literal["auto", "naive"] = "auto"
