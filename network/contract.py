"""What every network promises: one verb, `transfer`, and one answer, `Delivery`."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import nan
from types import MappingProxyType
from typing import Any, NamedTuple, Self

import simpy

from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.plugins import kind_of
from slfac_sim.foundation.roles import Hosts as Hosts  # part of the contract


class Delivery(NamedTuple):
    """The network's only answer about one transfer. Times are simulated seconds.

    `asked_s` is when the sender had the bytes ready, `start_s` when the medium took the first of them,
    `last_bit_s` when the last bit left and the air was free again, `end_s` when the receiver held them all
    (latency included). `airtime_s` is the time that the transfer alone would have filled the medium at its
    rate: its share of the air integrated over time; 0 on wires alone. `rate_bps` is bits on the medium per
    second of airtime. `energy_j` is what the sender's radio radiated: power x the time that it was on the air
    at full power, never power x duration. `wire_bytes` are the bytes on the air, or on the first wire where
    there is none: the payload with its packet headers, and all that was sent again. `tries` is the most times
    that any of its packets was sent. `delivered` is False for a cancelled transfer, whose `end_s` is the
    moment at which it was given up, and for a lost one. `limited_s` tells, where there are wires, for how
    long each link (see `LinkUse.link`) was the one that bound its rate. `missed` are receivers of a multicast
    that did not get it, though others did. `set_up_s` is the time before the first bit that it waited for no
    link: a connection was set up, a grant asked for.
    """

    src: str
    dst: str
    receivers: int
    payload_bytes: int
    wire_bytes: int
    asked_s: float
    start_s: float
    last_bit_s: float
    end_s: float
    airtime_s: float
    rate_bps: float
    snr_db: float
    energy_j: float
    tries: int
    delivered: bool = True
    limited_s: Mapping[str, float] = MappingProxyType({})
    missed: tuple[str, ...] = ()
    set_up_s: float = 0.0


class Lost(Exception):
    """A transfer that the network gave up; `delivery` says how far it came, `reason` why.

    The arguments are kept as they came, because SimPy makes a new one of them where it is raised.
    """

    def __init__(self, delivery: Delivery, reason: str) -> None:
        super().__init__(delivery, reason)
        self.delivery = delivery
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.delivery.src} -> {self.delivery.dst}: {self.reason}"


class Transfer(simpy.Event):
    """A transfer under way: an event whose value is its `Delivery`; it fails with `Lost`."""

    src: str
    dst: str
    payload_bytes: int
    asked_s: float

    def cancel(self) -> Delivery:
        """Give the transfer up now, free its air and return how far it came (`delivered=False`).

        The event will then never happen. A transfer whose last bit has left may still be cancelled.
        """
        raise NotImplementedError


@dataclass(frozen=True)
class LinkUse:
    """What one direction of a link has carried until now; the bits offered are carried, lost or in flight.

    Bits are those with headers. All of a transfer are in flight until its last one leaves; of one that is
    cancelled before, those that have been sent stay carried, and the others count as never offered.
    `link` names the medium of an access network (``campus/up``, ``campus/s0/down``, ``home/air``) or a
    direction of a wire (``core campus->edge1``, or ``core`` where both directions share it). `busy_s` is the
    time that it would have worked at full capacity, `limited_s` for how long it bound the rates of transfers,
    summed over them. `background_bits`
    are those of the carried bits that were of background traffic.
    """

    link: str
    offered_bits: float
    carried_bits: float
    lost_bits: float
    in_flight_bits: float
    busy_s: float
    limited_s: float
    background_bits: float = 0.0


@dataclass(frozen=True)
class Handover:
    """A device that has gone from the station `source` to `target` at `at_s` (simulated seconds).

    Its first bit there may cross `interruption_s` later. `source_dbm` and `target_dbm` are the received
    powers (RSRP, filtered) that decided it. `is_ping_pong`: it had left `target` less than a second before.
    What was left of its transfers under way, `carried_bits`, has gone along.
    """

    device: str
    at_s: float
    source: str
    target: str
    source_dbm: float
    target_dbm: float
    interruption_s: float
    is_ping_pong: bool = False
    carried_bits: float = 0.0


@dataclass(frozen=True)
class Sighting:
    """Where a moving `device` is at `at_s`, which `station` serves it, and its rates there, alone."""

    device: str
    at_s: float
    x_m: float
    y_m: float
    station: str
    up_rate_bps: float
    down_rate_bps: float


class Network(ABC):
    """An opened network: its state lives on one SimPy environment."""

    @abstractmethod
    def transfer(self, src: str, dst: str | tuple[str, ...], nbytes: int) -> Transfer:
        """Start to send `nbytes` now from `src` to `dst`; a tuple is one multicast transmission.

        A multicast goes at the slowest receiver's rate, and its `Delivery.dst` is ``"*"``.
        Raises `KeyError` for a host that is not on this network.
        """

    @abstractmethod
    def stalled(self) -> Sequence[Transfer]:
        """Return the transfers that are under way, for the report of a run that cannot go on."""

    def link_use(self) -> Sequence[LinkUse]:
        """Return what every link has carried; as it stands, the network does not tell of links."""
        return ()

    def handovers(self) -> Sequence[Handover]:
        """Return the handovers until now, in the order of time; as it stands, there are none."""
        return ()

    def heed(self, next_s: Callable[[], float]) -> None:
        """Heed that its user may act at `next_s` too, beside what is on the calendar of its environment.

        As it stands, it does not look ahead, and need not know.
        """
        return

    def sightings(self, times_s: Sequence[float]) -> Sequence[Sighting]:
        """Return where the devices that move are at each of `times_s`; as it stands, nobody moves."""
        return ()


@dataclass(frozen=True)
class Station:
    """A base station or access point, and where it stands (metres)."""

    name: str
    x_m: float
    y_m: float


@dataclass(frozen=True)
class Link:
    """What the network offers one device and server alone on the medium (the mean, where the air fades).

    Other cells, if they disturb, are then as busy as they ever are. `up_best_bps` and `down_best_bps` are the
    most bits per second of its airtime that it can have, however many send with it: the rates themselves,
    unless the medium gains from a crowd. `station` serves the device, which stands at `x_m`, `y_m` (NaN where
    nothing has a place), `los` in line of sight or not. `latency_s` is one way.
    """

    device: str
    distance_m: float
    up_snr_db: float
    down_snr_db: float
    up_rate_bps: float
    down_rate_bps: float
    up_best_bps: float
    down_best_bps: float
    station: str = ""
    x_m: float = nan
    y_m: float = nan
    los: bool | None = None
    server: str = ""
    latency_s: float = 0.0


@dataclass(frozen=True)
class Wire:
    """A wired link between two nodes: `capacity_bps` from the first to the second, `back_bps` back.

    Where it is half duplex both ways have the one capacity together.
    """

    name: str
    ends: tuple[str, str]
    capacity_bps: float
    back_bps: float
    latency_s: float
    half_duplex: bool = False


@dataclass(frozen=True)
class Route:
    """The links (see `LinkUse.link`) from `src` to `dst`, in order: a station or access node, and a server.

    Between two servers there are wires alone.
    """

    src: str
    dst: str
    links: tuple[str, ...]


@dataclass(frozen=True)
class Survey:
    """The network before a run, for `check` and for figures.

    `links` has one for each device and server, in device order; `redraws` counts positions drawn again for
    want of coverage. `up_share` and `down_share` are the parts of the time that the medium gives each
    direction; `remarks` are sentences that a user should read (a bandwidth outside the NR table, clamped
    distances, ...).
    `wires` and `routes` are those between access networks and servers; `access` is the survey of each access
    network by its name, where wires follow.
    `multicast_rate_bps` is the rate at which all devices can be reached at once. `medium` is the kind of
    sharing and `duplex` how the directions are kept apart; `crowd_independent` says that the airtime of a
    transfer does not depend on who else sends. `coherence_s` is the length of a block of fading, if any.
    """

    links: Sequence[Link]
    up_share: float
    down_share: float
    multicast_rate_bps: float
    redraws: int
    remarks: Sequence[str]
    medium: str
    duplex: str
    crowd_independent: bool
    stations: Sequence[Station] = ()
    radius_m: float = nan
    coherence_s: float | None = None
    header_bytes: int = 0
    packet_bytes: int | None = None
    wires: Sequence[Wire] = ()
    routes: Sequence[Route] = ()
    access: Mapping[str, "Survey"] = field(default_factory=dict)

    @property
    def latency_s(self) -> float:
        """The longest latency of a link."""
        return max((link.latency_s for link in self.links), default=0.0)

    def wire_bytes(self, payload_bytes: int) -> int:
        """Return `payload_bytes` with the headers of the packets that carry them."""
        if self.packet_bytes is None:
            return payload_bytes
        return with_headers(self.packet_bytes, self.header_bytes, payload_bytes)


def with_headers(packet_bytes: int, header_bytes: int, payload_bytes: int) -> int:
    """Return `payload_bytes` with a header for each packet of them, the last one perhaps not full."""
    return payload_bytes + -(-payload_bytes // packet_bytes) * header_bytes


@dataclass(frozen=True)
class Sharing:
    """How transfers share the air, as far as the laws of `--strict` can hold them against the survey.

    `in_turn`: senders are on the air one after the other, each at full power. `adds_headers`: rates and
    airtime are of payload alone, since the medium's own timing holds the headers. `alone`: each device has
    the rates to itself. `bounded` and `multicasts_bounded`: no transfer, or no multicast, is faster than the
    best rates of the survey, which may be means of what luck makes of them.
    """

    in_turn: bool = False
    adds_headers: bool = False
    alone: bool = False
    bounded: bool = True
    multicasts_bounded: bool = True


class NetworkSettings(ABC):
    """What every network inherits: `network: {kind: ...}` is a frozen dataclass of which this is the base.

    What a network does not say of itself holds as it stands here.
    """

    @property
    def may_lose(self) -> bool:
        """Whether a transfer can fail with `Lost`; what is learnt then depends on the network."""
        return False

    @property
    def hands_over(self) -> bool:
        """Whether devices go from one of several stations to another."""
        return False

    @property
    def what_loses(self) -> str:
        """What of it `may_lose`, in words."""
        return f"the network {kind_of(self)}"

    @property
    def in_packets(self) -> bool:
        """Whether messages travel in packets of a transport, whose headers the air then carries as well."""
        return False

    @property
    def radiates_w(self) -> tuple[float | None, float | None]:
        """The most that a device, and that a station, radiates; None where there is no such bound."""
        return None, None

    @property
    def controls_power(self) -> bool:
        """Whether devices radiate less than the most where that suffices."""
        return False

    @property
    def shared(self) -> Sharing:
        """How transfers share the air."""
        return Sharing()

    def access_settings(self, name: str) -> "NetworkSettings":
        """Return the settings of the access network `name`; as it stands, the network is one itself."""
        return self

    @property
    def still(self) -> Self:
        """The same network with the means in place of what changes with time, for forecasts."""
        return self

    def homes(self, hosts: Hosts) -> Mapping[str, str]:
        """Return the server that each device learns with; as it stands, the only one.

        Raises `BadInput` where `hosts` are not those that the network is made for.
        """
        if len(hosts.servers) != 1:
            names = ", ".join(hosts.servers)
            raise BadInput(f"servers: {names}: expected one server, unless network.kind is topology")
        return dict.fromkeys(hosts.devices, hosts.server)

    @abstractmethod
    def survey(self, hosts: Hosts, seed: int) -> Survey:
        """Return what the network offers; draws nothing that a run would not draw alike.

        Raises `BadInput` when a given position has no coverage and the scenario does not allow it.
        """

    @abstractmethod
    def open(self, env: Any, hosts: Hosts, seed: int) -> Network:
        """Return the network on `env` (a `simpy.Environment`), with every draw keyed by `seed`."""
