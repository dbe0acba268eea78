"""What becomes of transfers between stations, step by step over all that happens: fair media, no latency."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import inf

from timetabled import Timetabled


@dataclass(eq=False)
class Part:
    """Bits on their way to (or from) `devices`, at `station` or off the air until `back_s`."""

    number: int
    uplink: bool
    devices: list[str]
    station: int
    left_bits: float
    back_s: float


@dataclass
class Outcome:
    """`arrived_s` of each receiver, the airtime in all, what was radiated and carried over."""

    arrived_s: dict[str, float] = field(default_factory=dict)
    airtime_s: float = 0.0
    energy_j: float = 0.0


Asked = tuple[float, str, tuple[str, ...], float, float]
"""When, from whom, to whom, bits, and when it is given up."""


def outcomes(
    of: Timetabled, devices: Sequence[str], asked: Sequence[Asked]
) -> tuple[list[Outcome], dict[tuple[str, float], float]]:
    """Return what becomes of each of `asked`, and the bits that each handover took along."""
    index = {device: i for i, device in enumerate(devices)}
    at = {device: i % len(of.rates[0]) for device, i in index.items()}
    back_s = dict.fromkeys(devices, 0.0)
    moves = sorted((at_s, device, station) for device, at_s, station in of.moves)
    starts = sorted((one[0], number) for number, one in enumerate(asked))
    ends = sorted((one[4], number) for number, one in enumerate(asked))
    parts: list[Part] = []
    found, carried, now_s = [Outcome() for _ in asked], {}, 0.0

    def rate_bps(part: Part) -> float:
        bps = min(of.rates[index[device]][part.station] for device in part.devices)
        return bps if part.uplink else 2.0 * bps

    while True:
        on_air = [part for part in parts if part.back_s <= now_s and rate_bps(part) > 0.0]
        crowd = {id(p): sum(q.station == p.station and q.uplink == p.uplink for q in on_air) for p in on_air}
        next_s = min(
            [starts[0][0] if starts else inf, moves[0][0] if moves else inf, ends[0][0] if ends else inf]
            + [part.back_s for part in parts if part.back_s > now_s]
            + [now_s + part.left_bits / rate_bps(part) * crowd[id(part)] for part in on_air]
        )
        if next_s == inf:
            return found, carried
        for part in on_air:
            span_s = (next_s - now_s) / crowd[id(part)]
            part.left_bits -= span_s * rate_bps(part)
            found[part.number].airtime_s += span_s
            found[part.number].energy_j += span_s * (0.2 if part.uplink else 5.0 + part.station)
        now_s = next_s
        for part in [part for part in on_air if part.left_bits <= 1e-6]:
            parts.remove(part)
            found[part.number].arrived_s |= dict.fromkeys(part.devices, now_s)
        while ends and ends[0][0] <= now_s:
            _, number = ends.pop(0)
            parts = [part for part in parts if part.number != number]
        if moves and moves[0][0] <= now_s:
            gone = {device: station for at_s, device, station in moves if at_s == now_s}
            moves = moves[len(gone) :]
            at |= gone
            back_s |= dict.fromkeys(gone, now_s + of.interruption)
            for device in gone:
                carried[device, now_s] = sum(part.left_bits for part in parts if device in part.devices)
            for part in list(parts):
                left = {device: at[device] for device in part.devices if device in gone}
                part.devices = [device for device in part.devices if device not in gone]
                for station in sorted(set(left.values())):
                    names = [device for device in left if left[device] == station]
                    again_s = now_s + of.interruption
                    parts.append(Part(part.number, part.uplink, names, station, part.left_bits, again_s))
            parts = [part for part in parts if part.devices]
            for part in parts:  # who is left need not wait for who has gone
                part.back_s = min(part.back_s, max(now_s, *(back_s[device] for device in part.devices)))
        while starts and starts[0][0] <= now_s:
            _, number = starts.pop(0)
            _, src, dsts, bits, _ = asked[number]
            uplink = src in at
            groups: dict[int, list[str]] = {}
            for device in (src,) if uplink else dsts:
                groups.setdefault(at[device], []).append(device)
            for station, names in groups.items():
                begins_s = max(now_s, *(back_s[name] for name in names))
                parts.append(Part(number, uplink, list(names), station, bits, begins_s))
