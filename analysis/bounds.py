"""Lower bounds of a run's time, from its rows alone: what it takes at least without one of its limits.

They are longest chains through the recorded structure (who waited for what), with some stretches shortened,
and the work that one host or one direction of the air must get through in any case. The recorded run keeps to
that structure with longer stretches, so no bound exceeds it. The run without the limit keeps to it as well;
what it takes exactly, only a replay can say. `docs/attribution.md` has the definitions. Two of the
three need airtimes that do not depend on who else sends.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from slfac_sim.analysis.air import DIRECTIONS, busy
from slfac_sim.analysis.structure import (
    EVERYBODY,
    Place,
    Row,
    Structure,
    Tables,
    above,
    device_of,
    direction,
    structure,
)

UNSHARED = "none"  # the medium of a network in which every device has the rates to itself
BOUNDS = ("infinite bandwidth", "zero compute", "no contention")

_Times = tuple[float, float, float]  # of the chains so far, in the order of BOUNDS


def bounds(tables: Tables, until_s: float | None = None) -> dict[str, float]:
    """Return the lower bounds of the time to `until_s`: the time of an evaluation, or None for the end.

    *Infinite bandwidth*: transfers take their latency only. *Zero compute*: computations take no time. *No
    contention*: nobody waits for the air or for a host. The last two are left out where `crowding` is a
    reason to. Raises `ValueError` for another `until_s`, for a run that timing steered (deadlines, work that
    was cut off), whose structure would not last, and for one whose hosts worked on several things at once.
    """
    return bounds_each(tables, [until_s])[0]


def bounds_each(tables: Tables, instants_s: Sequence[float | None]) -> list[dict[str, float]]:
    """Return the same for each of `instants_s`; the tables are gone through once."""
    _refuse_steered(tables)
    _refuse_shared(tables)
    places = [_place(tables, until_s) for until_s in instants_s]
    share_of = _shares(tables)
    marks: dict[Place, _Times] = dict.fromkeys((place for place in places if place), (0.0, 0.0, 0.0))
    end = _Chains(structure(tables), share_of, marks).run()
    chains = [marks[place] if place else end for place in places]
    return [_least(tables, share_of, *each) for each in zip(chains, instants_s, strict=True)]


def _place(tables: Tables, until_s: float | None) -> Place | None:
    """Return the place of the evaluation at `until_s`; None for the end."""
    if until_s is None:
        return None
    for row in tables["evals"]:
        if row["at_s"] == until_s:
            return row["task"], row["seq"]
    raise ValueError(f"{until_s} s is the time of no evaluation")


def _least(
    tables: Tables, share_of: Callable[[Row], float], chains: _Times, until_s: float | None
) -> dict[str, float]:
    bandwidth_s, compute_s, contention_s = chains
    least_s = {BOUNDS[0]: max(bandwidth_s, _busiest_host_s(tables, until_s))}
    if not crowding(tables):
        least_s[BOUNDS[1]] = max(compute_s, busiest_lane_s(tables, share_of, until_s))
        least_s[BOUNDS[2]] = contention_s
    return least_s


def crowding(tables: Tables) -> str:
    """Return why recorded airtimes bound no other run of this network, or an empty text if they do.

    A run from before the table `air` was on a network where they do.
    """
    for row in tables.get("air", ()):
        if not row["crowd_independent"]:
            reason = "the time on the air hangs on more than the transfer"
            return f"in this network (medium: {row['medium']}) {reason}"
    return ""


def _shares(tables: Tables) -> Callable[[Row], float]:
    """Return what tells of a transfer which part of the medium's time its direction has.

    It is as recorded, or else the largest that it had. A multicast has the parts on all access networks.
    Raises `ValueError` for a device on an access network of which nothing is recorded.
    """
    air: dict[str, dict[str, float]]
    air = {row["access"]: {way: row[f"{way}_share"] for way in DIRECTIONS} for row in tables.get("air", ())}
    if not air:
        air = {"": {way: busy(tables["transfers"], way).share for way in DIRECTIONS}}
    access_of = {row["device"]: row["access"] for row in tables.get("links", ())}

    def share(transfer: Row) -> float:
        way, device = direction(transfer), device_of(transfer)
        if way not in DIRECTIONS:
            return 1.0
        if device == EVERYBODY:
            return sum(parts[way] for parts in air.values())
        access = access_of.get(device, "")
        if access not in air:
            raise ValueError(f"air: no row of the access network '{access}', on which {device} is")
        return air[access][way]

    return share


def _refuse_steered(tables: Tables) -> None:
    steered = [row for row in tables["computes"] if row["outcome"] != "done"]
    steered += [row for row in tables["transfers"] if row["outcome"] != "delivered"]
    if steered or tables.get("limits"):
        raise ValueError("timing steered this run: there is no bound that holds elsewhere")


def _refuse_shared(tables: Tables) -> None:
    """Raise `ValueError` where a processor was shared: how long each work took says not how much it was."""
    free_s: dict[str, float] = defaultdict(float)
    for row in sorted(tables["computes"], key=lambda row: row["start_s"]):
        host = row["host"]
        if row["start_s"] < free_s[host] and row["end_s"] > row["start_s"]:
            raise ValueError(f"{host} worked on several things at once: what they took bounds no other run")
        free_s[host] = max(free_s[host], row["end_s"])


def _busiest_host_s(tables: Tables, until_s: float | None) -> float:
    work_s: dict[str, float] = defaultdict(float)
    for row in tables["computes"]:
        if until_s is None or row["end_s"] <= until_s:
            work_s[row["host"]] += row["end_s"] - row["start_s"]
    return max(work_s.values(), default=0.0)


def busiest_lane_s(tables: Tables, share_of: Callable[[Row], float], until_s: float | None) -> float:
    """Return the time that the busiest direction of a medium needs; multicasts count where there is one.

    `share_of` tells of a transfer which part of the medium's time its direction has.
    """
    media = _media(tables)
    lanes_s: dict[tuple[str, object], float] = defaultdict(float)
    for row in tables["transfers"]:
        if (until_s is None or row["last_bit_s"] <= until_s) and not (media and row["dst"] == EVERYBODY):
            way = direction(row)
            lanes_s[way, media.get(device_of(row))] += row["airtime_s"] / share_of(row)
    return max(lanes_s.values(), default=0.0)


def _media(tables: Tables) -> dict[str, tuple[str, str]]:
    """Return which medium each device is on: its station's, or its own; empty where all are on one."""
    links = tables.get("links", ())
    unshared = {row["access"] for row in tables.get("air", ()) if row["medium"] == UNSHARED}
    media = {
        row["device"]: (row["access"], row["device" if row["access"] in unshared else "station"])
        for row in links
    }
    return media if unshared or len(set(media.values())) > 1 else {}


@dataclass
class _Chains:
    """Goes through a run from its start, keeping the lengths of the longest chains to each place.

    `share_of` tells of a transfer its direction's part of the medium, `marks` the places at which the
    lengths are wanted.
    """

    of: Structure
    share_of: Callable[[Row], float]
    marks: dict[Place, _Times]
    _ready: list[tuple[str, int, _Times]] = field(default_factory=list)
    _gathered: dict[object, list[tuple[str, int, _Times]]] = field(default_factory=lambda: defaultdict(list))
    _end: _Times = (0.0, 0.0, 0.0)

    def run(self) -> _Times:
        """Return the lengths at the end of the run."""
        if self.of.last:
            self._ready.append(("", 0, self._end))
        while self._ready:
            self._follow(*self._ready.pop())
        return self._end

    def _follow(self, task: str, seq: int, times: _Times) -> None:
        """Go on in `task` until it ends or waits for others."""
        of, last = self.of, self.of.last[task]
        while seq <= last:
            place = (task, seq)
            row = of.effects.get(place)
            if place in of.children:
                self._ready += [(child, 0, times) for child in of.children[place]]
                return
            if row is None:
                if place in self.marks:
                    self.marks[place] = times
            elif "queue" in row:
                self._offer(row, times)
                return
            else:
                times = self._longer(row, times)
            seq += 1
        self._leave(task, last, times)

    def _longer(self, row: Row, times: _Times) -> _Times:
        bandwidth_s, compute_s, contention_s = times
        if "airtime_s" not in row:
            took_s = row["end_s"] - row["start_s"]
            return bandwidth_s + took_s, compute_s, contention_s + took_s
        latency_s = row["end_s"] - row["last_bit_s"]
        # the share is exact only where the direction is never without a rate: no longer than it was
        air_s = min(row["airtime_s"] / min(1.0, self.share_of(row)), row["last_bit_s"] - row["start_s"])
        return bandwidth_s + latency_s, compute_s + air_s + latency_s, contention_s + air_s + latency_s

    def _offer(self, row: Row, times: _Times) -> None:
        key = (row["host"], row["queue"], row["end_s"])
        gathered = self._gathered[key]
        gathered.append((row["task"], row["seq"] + 1, times))
        if len(gathered) == self.of.sizes[key]:
            answered = self._longer(self.of.served[key], _latest(gathered))
            self._ready += [(task, seq, answered) for task, seq, _ in gathered]

    def _leave(self, task: str, last: int, times: _Times) -> None:
        """End `task`; the last of its siblings lets the parent go on."""
        for place in self.marks:
            if place[0] == task and place[1] > last:  # a note after the last effect
                self.marks[place] = times
        if not task:
            self._end = times
            return
        place = parent, seq = above(task)
        gathered = self._gathered[place]
        gathered.append((task, 0, times))
        if len(gathered) == len(self.of.children[place]):
            self._ready.append((parent, seq + 1, _latest(gathered)))


def _latest(gathered: list[tuple[str, int, _Times]]) -> _Times:
    first, second, third = zip(*(times for *_, times in gathered), strict=True)
    return max(first), max(second), max(third)
