"""What a case consists of: links, media, transfers, as settings that are checked whole. It runs nothing."""

import dataclasses
import json
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import Field, PlainValidator

from slfac_sim.foundation.errors import did_you_mean
from slfac_sim.foundation.plugins import Plugin, adapter, kind_of, settings
from slfac_sim.foundation.units import Part
from slfac_sim.foundation.words import got
from slfac_sim.network.engine.profiles import Profile

MEDIA = "slfac_sim.network.media"
_MOST_NAMES = 10

# The bounds are far beyond any network, and near enough that no quotient of such numbers overflows.
Amount = Annotated[float, Field(ge=0.0, le=1e18)]  # bytes, and a capacity, which may be none
Time = Annotated[float, Field(ge=0.0, le=1e9)]  # seconds
Positive = Annotated[float, Field(ge=1e-18, le=1e18)]  # a rate, a weight, a consumption
Level = Annotated[float, Field(ge=-300.0, le=300.0)]  # dB
Name = Annotated[str, Field(min_length=1)]


@settings
class Wire:
    """A link that its transfers share max-min fairly, by their weights."""

    capacity_bps: Amount
    """Capacity in bit/s, until the first change of `profile`; where transfers say what a bit uses of the link
    (`consumption`), in such units a second.
    """
    latency_s: Time = 0.0
    """Seconds from the last bit's departure to its arrival; those of all links of a path add up."""
    profile: tuple[tuple[Time, Amount], ...] = ()
    """Changes of the capacity, [from when on, capacity], in the order of time; at 0 everything on the link
    waits.
    """

    def __post_init__(self) -> None:
        _ = self.capacity  # refuses times that do not increase

    @cached_property
    def capacity(self) -> Profile:
        """The capacity over time."""
        return Profile(self.capacity_bps, self.profile)


@settings
class Air:
    """A link that is a medium."""

    medium: Annotated[Any, Plugin(MEDIA)]
    """How its transfers share it. In a file its `kind` and settings stand beside what stands here."""
    latency_s: Time = 0.0
    """Seconds from the last bit's departure to its arrival; those of all links of a path add up."""
    profile: tuple[tuple[Time, Part], ...] = ()
    """Changes of the part of the time that the medium has, [from when on, part], in the order of time; it has
    all of it before the first.
    """
    duplex: Literal["half", "fdd", "tdd"] = "half"
    """Whether there is one channel for both directions (`half`), one for each (`fdd`), or one whose time is
    divided between them (`tdd`).
    """
    station: Name | None = None
    """Name of the host to which the uplink leads and from which the downlink comes; `fdd` and `tdd` need it.
    """
    uplink_share: Part | None = None
    """Part of the time of `tdd` that leads to the station; null: one half."""

    def __post_init__(self) -> None:
        _ = self.part  # refuses times that do not increase
        if self.uplink_share is not None and self.duplex != "tdd":
            raise ValueError(f"uplink_share is for duplex: tdd alone (got {self.duplex})")
        if self.duplex != "half" and self.medium.half_duplex:
            raise ValueError(f"{kind_of(self.medium)} is half duplex by nature (got duplex {self.duplex})")
        if self.duplex != "half" and self.station is None:
            raise ValueError(f"missing key 'station', which duplex {self.duplex} needs")

    @cached_property
    def part(self) -> Profile:
        """The part of the time that the medium has, over time."""
        return Profile(1.0, self.profile)

    def share_of_time(self, uplink: bool) -> float:
        """Return the part of that which the channel in this direction has."""
        if self.duplex != "tdd":
            return 1.0
        up = 0.5 if self.uplink_share is None else self.uplink_share
        return up if uplink else 1.0 - up


def _link(node: Any) -> Wire | Air:
    if isinstance(node, dict) and "kind" in node:
        own = {field.name for field in dataclasses.fields(Air)} - {"medium"}
        medium = {key: value for key, value in node.items() if key not in own}
        node = {"medium": medium} | {key: value for key, value in node.items() if key in own}
        return adapter(Air).validate_json(json.dumps(node), strict=True)  # type: ignore[no-any-return]
    return adapter(Wire).validate_json(json.dumps(node), strict=True)  # type: ignore[no-any-return]


@settings
class Transfer:
    """Bytes that go over all links of a path at once."""

    id: int | str
    """What the answer calls it; no two transfers have the same."""
    path: Annotated[tuple[str, ...], Field(min_length=1)]
    """Names of the links that it needs at once, none of them twice; a medium is a path of its own."""
    start_s: Time
    """When it is ready, in seconds."""
    bytes: Amount
    """What is sent, in bytes, headers included; on `csma` and `dcf` it is UDP payload, to which they add
    theirs.
    """
    consumption: dict[str, Positive] | None = None
    """What a bit uses of each link of the path, such as 1 / rate of an airtime of capacity 1; 1 of a link
    that is not named, and null: 1 of all.
    """
    weight: Positive | None = None
    """Its weight: of bit rates on wires, of parts of the channel on a medium that heeds weights; null: 1."""
    cap_bps: Positive | None = None
    """Bound on its bit rate; what it leaves goes to the others where a link or medium does so. null: none."""
    src: Name | None = None
    """Name of the sender, which every transfer on a medium has."""
    dst: Name | None = None
    """Name of the receiver, which every transfer on a medium has; `*` is a multicast."""
    phy_rate_bps: Positive | None = None
    """Bit rate that it would have alone, which every transfer on a medium has: the PHY's on `csma` and `dcf`.
    """
    snr_db: Level | None = None
    """SNR alone in dB. With it the rate grows with the number of those that are served: by more power per
    hertz in a part of the band (`ofdma` and `fdma`), by the best of more fades (`proportional_fair`). null:
    it does not.
    """


@settings
class Case:
    """Links, and transfers over them."""

    links: dict[str, Annotated[Wire | Air, PlainValidator(_link)]]
    """Links by name: wires, and media, which have a `kind`."""
    transfers: tuple[Transfer, ...]
    """What is sent; the answer has the same order."""
    engine: Literal["auto", "naive"] = "auto"
    """What shares out wires: the fastest way that fits (`auto`), or the reference that computes everything
    anew at every event (`naive`).
    """

    def __post_init__(self) -> None:
        self._check_ids()
        paths: set[tuple[str, ...]] = set()
        for i, transfer in enumerate(self.transfers):
            if transfer.path not in paths:
                self._check_path(f"transfers[{i}].path", transfer.path)
                paths.add(transfer.path)
            if transfer.consumption is not None:
                _check_consumption(f"transfers[{i}].consumption", transfer)
            link = self.links[transfer.path[0]]
            if isinstance(link, Air):
                _check_airborne(f"transfers[{i}]", transfer, link)
            elif transfer.phy_rate_bps is not None or transfer.snr_db is not None:
                key = "snr_db" if transfer.phy_rate_bps is None else "phy_rate_bps"
                raise ValueError(f"transfers[{i}].{key}: there is no medium in its path")

    def _check_ids(self) -> None:
        ids = [transfer.id for transfer in self.transfers]
        if len({*ids}) == len(ids):
            return
        firsts: dict[int | str, int] = {}
        i = next(i for i, name in enumerate(ids) if firsts.setdefault(name, i) != i)
        raise ValueError(f"transfers[{i}].id: {got(ids[i])} is the id of transfers[{firsts[ids[i]]}]")

    def _check_path(self, where: str, path: tuple[str, ...]) -> None:
        for name in path:
            if name not in self.links:
                raise ValueError(f"{where}: {_no_link(name, list(self.links))}")
            if path.count(name) > 1:
                raise ValueError(f"{where}: link '{name}' stands twice in it")
            if isinstance(self.links[name], Air) and len(path) > 1:
                raise ValueError(f"{where}: medium '{name}' must be alone in it (got {len(path)} links)")


def _check_consumption(where: str, transfer: Transfer) -> None:
    for name in transfer.consumption or ():
        if name not in transfer.path:
            raise ValueError(f"{where}: link '{name}' is not in the path {', '.join(transfer.path)}")


def _no_link(name: str, known: list[str]) -> str:
    shown = ", ".join(known[:_MOST_NAMES]) + (", ..." if len(known) > _MOST_NAMES else "")
    return f"no link {got(name)} among {shown or 'none'}{did_you_mean(name, known)}"


def _check_airborne(where: str, transfer: Transfer, air: Air) -> None:
    """Check a transfer on the medium `air`. Raises `ValueError` that begins with `where`."""
    medium, name, station = air.medium, f"medium '{transfer.path[0]}'", air.station
    for key in ("src", "dst"):
        if getattr(transfer, key) is None:
            raise ValueError(f"{where}: missing key '{key}', which {name} needs")
    if transfer.phy_rate_bps is None:
        raise ValueError(f"{where}: missing key 'phy_rate_bps': {name} has no rates of its own")
    if transfer.src == transfer.dst:
        raise ValueError(f"{where}.dst: must be another than src, '{transfer.src}'")
    if air.duplex != "half" and station not in (transfer.src, transfer.dst):
        raise ValueError(f"{where}: neither src nor dst is '{station}', the station of {name}")
    if transfer.consumption is not None:
        raise ValueError(f"{where}.consumption: {name} takes none; the rate says what a bit uses")
    if transfer.snr_db is not None and medium.crowd == "power" and transfer.src == station:
        spreads = f"'{station}' spreads its power over the band"
        raise ValueError(f"{where}.snr_db: {spreads}; leave it out of what it sends")
    unused = {
        "weight": transfer.weight is not None and not medium.heeds_weights,
        "cap_bps": transfer.cap_bps is not None and not medium.takes_caps,
        "snr_db": transfer.snr_db is not None and medium.crowd == "none",
    }
    for key in (key for key, is_unused in unused.items() if is_unused):
        raise ValueError(f"{where}.{key}: {name}, {kind_of(medium)}, makes no use of it")
