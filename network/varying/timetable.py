"""When rates change by themselves: transfers under way are told, each change at its own time."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from math import inf

import simpy

from slfac_sim.network.engine import Call
from slfac_sim.network.transfers import OnLane
from slfac_sim.network.varying.effects import Effects


class Timetable:
    """The transfers under way by what changes their rates.

    A change is put on the clock while there is a transfer that it is for, one at a time; otherwise it costs
    nothing. Those of one instant are handed to `renew` together.
    """

    def __init__(self, env: simpy.Environment, renew: Callable[[Sequence[OnLane]], None]) -> None:
        self._env, self._renew = env, renew
        self._under_way: dict[Effects, dict[OnLane, None]] = {}
        self._armed: set[Effects] = set()
        self._due: defaultdict[float, list[Effects]] = defaultdict(list)

    def join(self, effects: Effects, transfer: OnLane) -> None:
        """Hear that `transfer`, whose rate has these `effects`, is under way."""
        if effects.all:
            self._under_way.setdefault(effects, {})[transfer] = None
            if effects not in self._armed:
                self._arm(effects)

    def leave(self, effects: Effects, transfer: OnLane) -> None:
        """Hear that it is no more."""
        if effects.all:
            del self._under_way[effects][transfer]

    def _arm(self, effects: Effects) -> None:
        at_s = effects.next_s(self._env.now)
        if at_s not in self._due:
            if at_s == inf:
                return
            Call(self._env, at_s, lambda _: self._change(at_s))
        self._armed.add(effects)
        self._due[at_s].append(effects)

    def _change(self, at_s: float) -> None:
        changed = [effects for effects in self._due.pop(at_s) if self._wanted(effects)]
        self._renew([transfer for effects in changed for transfer in self._under_way[effects]])
        for effects in changed:
            if effects not in self._armed:  # a transfer may have left and joined again meanwhile
                self._arm(effects)

    def _wanted(self, effects: Effects) -> bool:
        """Take `effects` off the clock, and say whether a transfer is under way that they are for."""
        self._armed.remove(effects)
        return bool(self._under_way[effects])
