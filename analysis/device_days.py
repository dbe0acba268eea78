"""What each device of a run went through, and what all did together, at the cost of what was done.

Whoever takes part in nothing has the same day as anybody else who does not: it is walked once, and of each
device only where it takes part. Its own walk ends where it comes to a place of that common day at the same
time, since what follows depends on nothing else.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, chain
from math import fsum, ldexp
from typing import TypeAlias, TypeVar

from slfac_sim.analysis.attribution import day_starts
from slfac_sim.analysis.critical_path import PARTS, Segment, Walk
from slfac_sim.analysis.structure import Place, Structure, Tables, devices_of, structure

_NOBODY = "?"  # whose day is the common one

_Own: TypeAlias = list[Segment]
_Piece: TypeAlias = range | _Own  # places in the common day, or segments of one's own; both backwards
_T = TypeVar("_T")


class DeviceDays(Mapping[str, tuple[Segment, ...]]):
    """What each device went through from `since_s` to `until_s`, without gap or overlap, in device order.

    What is done for all (averaging, handing out) is in everybody's day. A day is put together when it is
    asked for, and not kept; what is said of all days, or of each, goes through none of them.
    """

    def __init__(
        self, of: Structure, devices: Sequence[str], start: int, until_s: float, since_s: float
    ) -> None:
        """Walk the days from just before effect number `start` of the root."""
        self._of, self._start, self._until_s, self._since_s = of, start, until_s, since_s
        self._common: _Own = []
        self._met: dict[int, tuple[float, int]] = {}  # where the common day came by: when, after how many
        self._walk_common()
        places = _places(of)
        self._pieces = {device: list(self._walked(device, places[device])) for device in devices}

    def __getitem__(self, device: str) -> tuple[Segment, ...]:
        """Return the day of `device`."""
        day: _Own = []
        for piece in self._pieces[device]:
            if isinstance(piece, range):
                common = self._common[piece.start : piece.stop]
                day += [one._replace(host=device) if one.host == _NOBODY else one for one in common]
            else:
                day += piece
        return tuple(reversed(day))

    def __iter__(self) -> Iterator[str]:
        """Return the devices."""
        return iter(self._pieces)

    def __len__(self) -> int:
        """Return how many devices there are."""
        return len(self._pieces)

    def counted(self) -> Iterator[tuple[Segment, int]]:
        """Yield every segment of all days, in no order, with the number of devices that have it."""
        changes = [0] * (len(self._common) + 1)
        for piece in chain.from_iterable(self._pieces.values()):
            if isinstance(piece, range):
                changes[piece.start] += 1
                changes[piece.stop] -= 1
            else:
                yield from ((segment, 1) for segment in piece)
        yield from ((one, n) for one, n in zip(self._common, accumulate(changes), strict=False) if n)

    def spent_s(self, lane_of: Callable[[Segment], _T], lanes: Sequence[_T]) -> dict[str, dict[_T, float]]:
        """Return the seconds of each of `lanes` of segments in each device's day."""
        before = {lane: [0.0] for lane in lanes}
        for segment in self._common:
            for lane, sums in before.items():
                sums.append(sums[-1] + (_length_s(segment) if lane_of(segment) == lane else 0.0))
        spent_s = {}
        for device, pieces in self._pieces.items():
            own_s = spent_s[device] = dict.fromkeys(lanes, 0.0)
            for piece in pieces:
                if isinstance(piece, range):
                    for lane, sums in before.items():
                        own_s[lane] += sums[piece.stop] - sums[piece.start]
                else:
                    for segment in piece:
                        own_s[lane_of(segment)] += _length_s(segment)
        return spent_s

    def _walk_common(self) -> None:
        walk = Walk(self._of, self._until_s, _NOBODY, self._since_s)

        def note(place: Place) -> bool:
            self._met[place[1]] = (walk.at_s, len(walk.segments))
            return False

        note(("", self._start))
        walk.back(("", self._start), note)
        self._common = walk.segments

    def _walked(self, device: str, places: list[int]) -> Iterator[_Piece]:
        """Yield the day of `device` backwards; `places` are where it takes part, ascending."""
        seq: int | None = self._start
        while seq is not None:
            while places and places[-1] >= seq:
                places.pop()
            begun, own = self._met[seq][1], places.pop() + 1 if places else -1
            if own not in self._met:
                yield range(begun, len(self._common))
                return
            at_s, ended = self._met[own]
            yield range(begun, ended)
            walk = Walk(self._of, at_s, device, self._since_s)
            place = walk.back(("", own), lambda at, walk=walk: self._is_common(at, walk.at_s))  # type: ignore[misc]
            yield walk.segments
            seq = place[1] if place else None

    def _is_common(self, place: Place, at_s: float) -> bool:
        return not place[0] and self._met.get(place[1], (None,))[0] == at_s


def device_days(tables: Tables, until_s: float | None = None, since_s: float = 0.0) -> DeviceDays:
    """Return what each device went through between two times; raises `ValueError` as `attribute`."""
    of = structure(tables)
    start, until_s = day_starts(tables, of, until_s)
    return DeviceDays(of, devices_of(tables), start, until_s, since_s)


def mean_day(days: DeviceDays) -> dict[str, float]:
    """Return the parts of the mean device's day, of all devices; they add up to the length of a day."""
    lengths_s: dict[str, list[float]] = {part: [] for part in PARTS}
    for segment, devices in days.counted():
        bits = (bit for bit in range(devices.bit_length()) if devices >> bit & 1)
        lengths_s[segment.part] += [ldexp(_length_s(segment), bit) for bit in bits]  # exact, as their sum is
    return {part: fsum(own) / max(len(days), 1) for part, own in lengths_s.items()}


def _places(of: Structure) -> Mapping[str, list[int]]:
    """Return the numbers of the effects of the root in which each device takes part, ascending."""
    found: dict[str, set[int]] = defaultdict(set)
    members: Iterable[tuple[Place, Iterable[str]]] = chain(of.own.items(), of.shared.items())
    for (task, seq), devices in members:
        for device in devices if not task else ():
            found[device].add(seq)
    for (task, seq), row in of.effects.items():
        for name in ("src", "dst", "host") if not task else ():
            if name in row:
                found[row[name]].add(seq)
    return defaultdict(list, {device: sorted(seqs) for device, seqs in found.items()})


def _length_s(segment: Segment) -> float:
    return segment.to_s - segment.from_s
