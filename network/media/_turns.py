"""Turns of one slot on the whole medium, between changes without an event. They know no settings.

From an anchor on, turns follow in a cycle: in cycles of m slots, the user at position p is served during
slot p of each. How long it has been served by some time is then a closed formula, and so is its inverse.
"""

from collections.abc import Sequence
from math import floor

import numpy as np
from numpy.typing import NDArray

from slfac_sim.foundation.arrays import Floats
from slfac_sim.network.engine import Flow
from slfac_sim.network.engine.allotted import Allotment, AllottedShare
from slfac_sim.network.media import Places, User, user_of

_CRUMB = 1e-6  # of a slot: what rounding leaves of a turn is no reason to wait for the next


class Turns(AllottedShare):
    """A share (see `Share`) by turns; `_places_and_cycle` says who is at which position of the cycle."""

    def __init__(self, slot_s: float, capacity: float) -> None:
        super().__init__(self._in_own_turn, capacity)
        self._slot_s = slot_s
        self._crumb_s = _CRUMB * slot_s
        self._anchor_s = 0.0
        self._cycle = 1
        self._places_of_flows: NDArray[np.intp] = np.zeros(0, dtype=np.intp)

    def _places_and_cycle(self) -> tuple[list[int], int]:
        """Return the position of each flow that is served, and the length of the cycle, in slots."""
        raise NotImplementedError

    def _in_own_turn(self, flows: Sequence[Flow]) -> Allotment:
        places, self._cycle = self._places_and_cycle()
        self._places_of_flows = np.array(places, dtype=np.intp)
        self._in_service = 1.0 / self._cycle
        turn = 1.0 / np.bincount(self._places_of_flows)[self._places_of_flows]  # the flows of a user share it
        return turn * np.array([flow.rate_bps for flow in flows]), turn, turn

    def _turns_s(self, now_s: float) -> Floats:
        """Return for how long each flow's user has had the medium since the anchor."""
        cycle_s = self._cycle * self._slot_s
        cycles = floor((now_s - self._anchor_s) / cycle_s)
        within_s = (now_s - self._anchor_s) - cycles * cycle_s
        own_s: Floats = np.clip(within_s - self._places_of_flows * self._slot_s, 0.0, self._slot_s)
        return cycles * self._slot_s + own_s

    def _served_s(self, now_s: float) -> Floats:
        return np.maximum(self._turns_s(now_s) - self._turns_s(self._now_s), 0.0)

    def _ends_s(self, need_s: Floats) -> Floats:
        total_s = self._turns_s(self._now_s) + np.where(np.isinf(need_s), 0.0, need_s)
        turns = np.maximum(np.ceil(total_s / self._slot_s - _CRUMB) - 1.0, 0.0)  # full ones before the last
        others_s = (turns * (self._cycle - 1) + self._places_of_flows) * self._slot_s
        ends_s = np.maximum(self._anchor_s + others_s + total_s, self._now_s)
        return np.where(np.isfinite(need_s) & (need_s > 0.0), ends_s, self._now_s + need_s)

    def _opens_s(self) -> Floats:
        cycle_s = self._cycle * self._slot_s
        since_s = np.mod(self._now_s - self._anchor_s - self._places_of_flows * self._slot_s, cycle_s)
        open_now = since_s < self._slot_s * (1.0 - _CRUMB)
        return self._now_s + np.where(open_now, 0.0, cycle_s - since_s)


class Frames(Turns):
    """Each user has a slot of every frame, in the order of first starts; the first frame begins at 0."""

    def __init__(self, slot_s: float, slots: int, capacity: float) -> None:
        super().__init__(slot_s, capacity)
        self._places = Places(slots)

    def start(self, now_s: float, flow: Flow) -> None:
        """Let `flow` take part. Raises `ValueError` for one more user than there are slots."""
        self._places.of(flow)
        super().start(now_s, flow)

    def _places_and_cycle(self) -> tuple[list[int], int]:
        return [self._places.of(flow) for flow in self._flows], self._places.count


class RoundRobin(Turns):
    """Only users that are served have turns; who comes anew is the last of the round.

    Who stops and starts again at one instant stays where it was, so the order of calls does not matter.
    """

    def __init__(self, slot_s: float, capacity: float) -> None:
        super().__init__(slot_s, capacity)
        self._round: list[User] = []
        self._before: tuple[list[User], float] = ([], 0.0)  # the round and its anchor before this instant
        self._since_s = 0.0

    def _settle(self) -> None:
        if self._changed:
            self._pass_on()
        super()._settle()

    def _places_and_cycle(self) -> tuple[list[int], int]:
        places = {user: place for place, user in enumerate(self._round)}
        return [places[user_of(flow)] for flow in self._flows], len(places)

    def _pass_on(self) -> None:
        """Have the round begin with whose turn it is now, and let users come and go."""
        if self._now_s > self._since_s:
            self._before, self._since_s = (self._round, self._anchor_s), self._now_s
        users, anchor_s = self._before
        turns = floor((self._now_s - anchor_s) / self._slot_s + _CRUMB) if users else 0
        first = turns % len(users) if users else 0
        users = users[first:] + users[:first]
        active = dict.fromkeys(map(user_of, sorted(self._flows, key=lambda flow: flow.order)))
        self._round = list(dict.fromkeys([*(user for user in users if user in active), *active]))
        goes_on = users[:1] == self._round[:1]
        self._anchor_s = anchor_s + turns * self._slot_s if goes_on else self._now_s
