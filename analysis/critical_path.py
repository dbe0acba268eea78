"""A walk through a recorded run from an end back to its start, in segments of time; it adds nothing up."""

from collections.abc import Callable
from typing import NamedTuple

from slfac_sim.analysis.structure import (
    EVERYBODY,
    SERVER,
    Place,
    Row,
    Structure,
    above,
    device_of,
    direction,
    is_server,
)

PARTS = (
    *("device compute", "codec", "set-up", "waiting for air", "waiting for wires", "airtime", "propagation"),
    *("server queue", "server compute", "waiting at the barrier"),
)
DEVICE_COMPUTE, CODEC, SET_UP, AIR_WAIT, WIRE_WAIT, AIRTIME, PROPAGATION, *_SERVERS = PARTS
SERVER_QUEUE, SERVER_COMPUTE, BARRIER = _SERVERS
CODEC_WORK = frozenset({"encode", "decode", "encode_model", "decode_model"})


class Segment(NamedTuple):
    """A stretch of time of one part: where (of a transfer: its device), in which work, asked by whom."""

    part: str
    from_s: float
    to_s: float
    host: str
    what: str
    task: str
    seq: int


class Barrier(NamedTuple):
    """A wait that ended at `at_s`, when `device` came as the last of `size` (the first of equals)."""

    at_s: float
    device: str
    size: int
    task: str
    seq: int


class Walk:
    """A walk from an end back to the start of the run; `segments` and `barriers` are what it met, backwards.

    Without a `device` it follows what delayed that end: at a barrier it goes on with whoever came last. With
    a `device` it stays with this one: what the device waits for at a barrier is a segment of its own. A
    barrier counts where somebody waited: not when all came at one instant. It is at `at_s` now, and goes
    back to `since_s`.
    """

    def __init__(self, of: Structure, at_s: float, device: str | None = None, since_s: float = 0.0) -> None:
        self.segments: list[Segment] = []
        self.barriers: list[Barrier] = []
        self.at_s = at_s
        self._of = of
        self._device = device
        self._since_s = since_s

    def back(self, place: Place, until: Callable[[Place], bool] = lambda place: False) -> Place | None:
        """Walk from just before `place` to the first place `until` which to; None at the start, or the end.

        One step is taken in any case.
        """
        while (place[0] or place[1] > 0) and self.at_s > self._since_s:
            place = self._step(*place)
            if until(place):
                return place
        self._wait_since(self._since_s, "", *place)
        return None

    def _step(self, task: str, seq: int) -> Place:
        if seq == 0:
            return above(task)  # the parent's effects before this one come next
        place = (task, seq - 1)
        if place in self._of.children:
            return self._join(*place)
        if place in self._of.effects:
            return self._perform(self._of.effects[place])
        return place

    def _add(self, part: str, from_s: float, host: str, what: str, task: str, seq: int) -> None:
        from_s = max(from_s, self._since_s)
        if from_s < self.at_s:
            self.segments.append(Segment(part, from_s, self.at_s, host, what, task, seq))
            self.at_s = from_s

    def _wait_since(self, from_s: float, what: str, task: str, seq: int) -> None:
        self._add(BARRIER, from_s, self._device or self._of.device_of.get(task, SERVER), what, task, seq)

    def _join(self, task: str, seq: int) -> Place:
        """Go on at the end of the child that ended last; a device goes on with its own, if it has one."""
        of, children = self._of, self._of.children[task, seq]
        if self._device is not None:
            shared = of.shared.get((task, seq), {}).get(self._device, [])
            for row in sorted(shared, key=lambda row: float(row["end_s"]), reverse=True):
                self._perform(row)  # one after the other: what it did in tasks that it shares with others
            children = of.own[task, seq].get(self._device, [])
            if not children:
                return task, seq
        child = max(children, key=lambda task: (of.ended_s(task), not of.cut_off(task)))
        self._wait_since(of.ended_s(child), "others", child, of.last[child])
        if min(map(of.ended_s, children)) < self.at_s:
            device = of.device_of.get(child) or of.server_of.get(child, child)
            self.barriers.append(Barrier(self.at_s, device, len(children), task, seq))
        return child, of.last[child] + 1

    def _perform(self, row: Row) -> Place:
        """Add the segments of one effect, and return the place before which the walk goes on."""
        task, seq = row["task"], row["seq"]
        self._wait_since(row["end_s"], "others", task, seq)
        if "queue" in row:
            return self._offer(row)
        if self._is_foreign(row):
            self._wait_since(row["asked_s"], "others", task, seq)
        elif "airtime_s" in row:
            self._transfer(row)
        else:
            self._compute(row, task, seq)
        return task, seq

    def _is_foreign(self, row: Row) -> bool:
        """Whether an effect of a task that serves all belongs to another device than the walk's."""
        ends = {row["src"], row["dst"]} if "src" in row else {row["host"]}
        return (
            self._device is not None
            and not ends & {self._device, EVERYBODY}
            and not all(map(is_server, ends))
        )

    def _compute(self, row: Row, task: str, seq: int) -> None:
        host, what = row["host"], row["what"]
        busy, waiting = (SERVER_COMPUTE, SERVER_QUEUE) if is_server(host) else (DEVICE_COMPUTE,) * 2
        self._add(CODEC if what in CODEC_WORK else busy, row["start_s"], host, what, task, seq)
        self._add(waiting, row["asked_s"], host, what, task, seq)

    def _transfer(self, row: Row) -> None:
        where = (device_of(row), direction(row), row["task"], row["seq"])
        airtime_from_s = max(row["start_s"], row["last_bit_s"] - row["airtime_s"])
        set_up_to_s = min(row["asked_s"] + self._of.set_up_s.get(row["id"], 0.0), airtime_from_s)
        wires_s = self._of.wired.get(row["id"], 0.0) * (airtime_from_s - set_up_to_s)
        self._add(PROPAGATION, row["last_bit_s"], *where)
        self._add(AIRTIME, airtime_from_s, *where)
        self._add(WIRE_WAIT, airtime_from_s - wires_s, *where)
        self._add(AIR_WAIT, set_up_to_s, *where)
        self._add(SET_UP, row["asked_s"], *where)

    def _offer(self, row: Row) -> Place:
        task, seq = row["task"], row["seq"]
        key = (row["host"], row["queue"], row["end_s"])
        served, latest = self._of.served[key], self._of.latest[key]
        self._compute(served, task, seq)
        if self._device is not None:
            self._wait_since(row["asked_s"], row["queue"], task, seq)
            return task, seq
        task, seq = str(latest["task"]), int(latest["seq"])
        if self._of.earliest_s[key] < self.at_s:
            device = self._of.device_of.get(task, task)
            self.barriers.append(Barrier(self.at_s, device, self._of.sizes[key], task, seq))
        return task, seq
