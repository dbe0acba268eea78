"""A host that works on everything at once, in equal shares. It knows no protocol.

Processor sharing (L. Kleinrock, "Queueing Systems", volume 2, 1976, section 4.4): with n stretches under way
each advances at 1/n of the processor's speed. Virtual time runs at that speed, so a stretch ends when virtual
time has run on by its duration; whoever comes or goes changes the speed, and nobody's end in virtual time.
"""

from collections.abc import Sequence
from heapq import heappop, heappush

import simpy

from slfac_sim.hosts.slowdowns import Factor
from slfac_sim.simulation.clock import Call
from slfac_sim.simulation.hosts import Turn


class SharedHost:
    """A processor on the clock of `env`, shared by all that is asked of it.

    It has the verbs of `Host`. What comes, ends or is given up costs O(log n). `slowdown` is as there; a
    stretch begins when it is asked for.
    """

    def __init__(self, env: simpy.Environment, slowdown: Factor | None = None) -> None:
        self.env = env
        self._slowdown = slowdown
        self._asked = 0
        self._virtual_s = 0.0
        self._at_s = env.now
        self._begun_at: dict[Turn, float] = {}  # virtual time at which each stretch under way began
        self._ends: list[tuple[float, int, Turn]] = []  # in virtual time; given-up ones stay until met
        self._wake: Call | None = None

    @property
    def turns(self) -> Sequence[Turn]:
        """What it works on, in the order of asking."""
        return list(self._begun_at)

    def ask(self, duration_s: float) -> Turn:
        """Begin at once with what takes `duration_s` alone."""
        self._advance()
        if not self._begun_at:  # idle: virtual time begins anew, so that its rounding does not grow
            self._virtual_s = 0.0
            self._ends.clear()
        turn = Turn(self.env, _ignore, duration_s)
        turn.begun = True
        if self._slowdown is not None:
            turn.duration_s *= self._slowdown(self.env.now, self._asked, turn.duration_s)
        self._begun_at[turn] = self._virtual_s
        heappush(self._ends, (self._virtual_s + turn.duration_s, self._asked, turn))
        self._asked += 1
        self._arm()
        return turn

    def give_up(self, turn: Turn) -> None:
        """Work no longer on `turn`; the event then means nothing. What is over already is left alone."""
        if turn in self._begun_at:
            self._advance()
            turn.worked_s = self._virtual_s - self._begun_at.pop(turn)
            self._arm()

    def _advance(self) -> None:
        """Bring virtual time up to the present."""
        if self._begun_at:
            self._virtual_s += (self.env.now - self._at_s) / len(self._begun_at)
        self._at_s = self.env.now

    def _arm(self) -> None:
        """Have the host woken when the first stretch is over; an earlier wake-up then means nothing."""
        while self._ends and self._ends[0][2] not in self._begun_at:
            heappop(self._ends)
        self._wake = None
        if self._ends:
            left_s = max(self._ends[0][0] - self._virtual_s, 0.0) * len(self._begun_at)
            self._wake = Call(self.env, self._on_wake, left_s)

    def _on_wake(self, wake: simpy.Event) -> None:
        """End what is over. Virtual time is then what it was to be, whatever rounding made of it."""
        if wake is not self._wake:
            return
        self._advance()
        self._virtual_s = self._ends[0][0]
        while self._ends and (self._ends[0][0] <= self._virtual_s or self._ends[0][2] not in self._begun_at):
            turn = heappop(self._ends)[2]
            if self._begun_at.pop(turn, None) is not None:
                turn.worked_s = turn.duration_s
                self.env.schedule(turn)
        self._arm()


def _ignore(_: simpy.Event) -> None:
    """Nothing waits for a stretch of shared time to end."""
