"""All devices on their ways: what they come to over time, together. No clock here."""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from math import ceil, inf

from slfac_sim.network.contract import Station
from slfac_sim.network.radio.budget import Budget
from slfac_sim.network.radio.handover import Change, HandoverRule, Serving
from slfac_sim.network.radio.placement import Ground
from slfac_sim.network.radio.walk import Walk, ground_of
from slfac_sim.network.varying.courses import Course, stretch_of
from slfac_sim.network.varying.motion import Motion, Point

GRID_S = 1.0
"""How often devices hear where those of other cells are who disturb them."""

State = tuple[int, int]
"""How many steps a device has come, and the place of the station that serves it."""

States = tuple[State, ...]


class Travellers:
    """Those of `devices` that have `motions`, from the `start` on, among the `stations`."""

    def __init__(
        self,
        devices: Sequence[str],
        seed: int,
        motions: Mapping[str, Motion],
        stations: Sequence[Station],
        budget: Budget,
        start: Ground,
        rule: HandoverRule,
        longest_step_m: float,
    ) -> None:
        self.places = {device: place for place, device in enumerate(devices) if device in motions}
        self._start = start
        self._walks = {
            device: Walk(device, seed, motions[device], budget, start, place, stations, longest_step_m)
            for device, place in self.places.items()
        }
        first = {device: int(start.serving[place]) for device, place in self.places.items()}
        self._serving = {
            device: Serving(rule, walk, first[device])
            for device, walk in self._walks.items()
            if len(stations) > 1
        }
        self.paces = {device: Pace(walk, self._serving.get(device)) for device, walk in self._walks.items()}
        self._first_states = tuple((0, first[device]) for device in self.places)
        self.on_grid = lru_cache(maxsize=16)(self._new_on_grid)

    def state(self, device: str, t_s: float) -> State:
        """Return the state of one that moves at `t_s`."""
        serving = self._serving.get(device)
        return self._walks[device].step(t_s), 0 if serving is None else serving.at(t_s)

    def states(self, t_s: float) -> States | None:
        """Return the states of all of them; None where they are as at the start."""
        states = tuple(self.state(device, t_s) for device in self.places)
        return None if states == self._first_states else states

    def ground(self, states: States) -> Ground:
        """Return all devices, with those that move in `states`."""
        return self._start.with_moved(list(self.places.values()), self._ground(list(self.places), states))

    def alone(self, device: str, state: State) -> Ground:
        """Return one that moves alone on the ground."""
        return self._ground([device], [state])

    def at_m(self, device: str, t_s: float) -> Point:
        """Return where one that moves is at `t_s`."""
        return self._walks[device].at_m(t_s)

    def last_handover(self, device: str, t_s: float) -> Change | None:
        """Return the last handover of a device up to `t_s`, if there was one."""
        serving = self._serving.get(device)
        return None if serving is None else serving.last(t_s)

    def handovers(self, until_s: float) -> Iterator[tuple[str, Change]]:
        """Yield the handovers up to `until_s`, those of one device after those of another."""
        for device, serving in self._serving.items():
            for change in serving.until(until_s):
                yield device, change

    def _ground(self, devices: Sequence[str], states: Sequence[State]) -> Ground:
        steps, serving = zip(*states, strict=True)
        return ground_of([self._walks[device] for device in devices], steps, serving)

    def _new_on_grid(self, number: int) -> States | None:
        return self.states(number * GRID_S)


def grid_number(t_s: float) -> int:
    """Return which time of the grid is the last one up to `t_s`."""
    return stretch_of(t_s, GRID_S)


class _Told(Course):
    """1, told anew now and then: what changes then is the air itself."""

    def at(self, t_s: float) -> float:
        """Return 1."""
        return 1.0

    @property
    def mean(self) -> float:
        """1."""
        return 1.0

    least = most = mean


class Pace(_Told):
    """Told anew at each step of a `walk`, and when another station serves."""

    def __init__(self, walk: Walk, serving: Serving | None) -> None:
        self._walk, self._serving = walk, serving

    def next_s(self, t_s: float) -> float:
        """Return when the next step begins, or an earlier handover."""
        step_s = self._walk.next_s(t_s)
        return step_s if self._serving is None else min(step_s, self._serving.next_s(t_s, step_s))


class Around(_Told):
    """Told anew at those times of the grid before which any of `paces` was told anew."""

    def __init__(self, paces: Sequence[Pace]) -> None:
        self._paces = paces
        self._after = lru_cache(maxsize=4)(self._new_after)

    def next_s(self, t_s: float) -> float:
        """Return the next such time."""
        return self._after(grid_number(t_s))

    def _new_after(self, number: int) -> float:
        changes_s = min(pace.next_s(number * GRID_S) for pace in self._paces)
        if changes_s == inf:
            return inf
        after = max(number + 1, ceil(changes_s / GRID_S))
        return (after + (after * GRID_S < changes_s)) * GRID_S
