"""What all laws have in common: what they know of the run, how they count, how one says that it is broken."""

from collections import Counter
from dataclasses import dataclass, field
from math import nan, ulp
from typing import Any

import simpy

from slfac_sim.effects import Effect
from slfac_sim.foundation.errors import BadInput
from slfac_sim.network import Network, Transfer
from slfac_sim.scenario.schema import Scenario

PART = 1e-9  # of a figure of one transfer: what a few products and sums of floats may be off by
_TICKS_PER_S = 2.0**60


def _ticks(at_s: float) -> int:
    """Return `at_s` on a clock of integers, on which sums are exact however long a run is."""
    return int(at_s * _TICKS_PER_S)


class System:
    """Something that things come to and leave: who is inside, counted, and what the ledger says of them."""

    def __init__(self) -> None:
        self.inside = 0
        self._integral = self._sojourns = self._since = 0  # in ticks

    def change(self, by: int, now_s: float) -> None:
        """Let so many come now, or leave."""
        now = _ticks(now_s)
        self._integral += self.inside * (now - self._since)
        self._since = now
        self.inside += by

    def tell(self, row: dict[str, Any]) -> None:
        """Add the time that one has been inside by its row."""
        self._sojourns += _ticks(row["end_s"]) - _ticks(row["asked_s"])

    @property
    def balanced(self) -> bool:
        """Whether both accounts say the same."""
        return self._integral == self._sojourns

    @property
    def by_counting_s(self) -> float:
        """The number inside, integrated over time."""
        return self._integral / _TICKS_PER_S

    @property
    def in_ledger_s(self) -> float:
        """The times spent inside, by the rows, summed."""
        return self._sojourns / _TICKS_PER_S


@dataclass
class Watch:
    """The clock of the run, and what its network was told.

    `offered_bytes` are all payload bytes that it was to carry, `on_air` the transfers that it has not
    ended yet, `air` the system of these. `asker` is the task that asked last, and
    `broken` says that a law was, or that the run was broken off: what follows is not whole.
    """

    env: simpy.Environment | None = None
    network: Network | None = None
    offered_bytes: int = 0
    on_air: dict[Transfer, int] = field(default_factory=dict)
    air: System = field(default_factory=System)
    asker: str = ""
    broken: bool = False
    _by_task: dict[str, Transfer] = field(default_factory=dict)

    @property
    def now_s(self) -> float:
        """The simulated time."""
        return float(self.env.now) if self.env is not None else nan

    def begin(self, transfer: Transfer, nbytes: int) -> None:
        """Count a transfer in."""
        self.air.change(1, self.now_s)
        self.offered_bytes += nbytes
        self.on_air[transfer] = nbytes
        self._by_task[self.asker] = transfer
        assert transfer.callbacks is not None
        transfer.callbacks.append(lambda _: self.end(transfer))

    def left(self, task: str) -> None:
        """Count out what `task` waited for: a transfer that was given up never happens."""
        transfer = self._by_task.pop(task, None)
        if transfer is not None:
            self.end(transfer)

    def end(self, transfer: Transfer) -> None:
        """Count a transfer out, once."""
        if self.on_air.pop(transfer, None) is not None:
            self.air.change(-1, self.now_s)


class Violated(BadInput):
    """A law of the simulation does not hold: a defect of the simulator, not of the scenario."""


class Laws:
    """Some laws of one run. Their methods are called as things happen, and raise `Violated`."""

    def __init__(self, scenario: Scenario, watch: Watch, checked: Counter[str]) -> None:
        self.scenario = scenario
        self.watch = watch
        self.checked = checked

    def row(self, table: str, row: dict[str, Any]) -> None:
        """Hear of a row of the ledger."""

    def asked(self, task: str, seq: int, effect: Effect) -> None:
        """Hear that an effect is asked for now."""

    def left(self, task: str, seq: int, effect: Effect) -> None:
        """Hear that an effect is answered now, or is no longer waited for."""

    def close(self) -> None:
        """Hear that the run is over."""

    def hold(self, law: str, held: bool, place: str, figures: str) -> None:
        """Count a check of `law`, and raise `Violated` unless it `held`; what follows is not looked at."""
        if self.watch.broken:
            return
        self.checked[law] += 1
        if not held:
            self.watch.broken = True
            raise Violated(f"strict: the law of {law} is broken at {place}: {figures}")


def rounding_s(at_s: float, roundings: int = 1) -> float:
    """Return by how much a time may be off that was rounded so often when the clock showed at most `at_s`.

    It is a matter of the clock's last digit: a law is as sharp late in a run as that allows.
    """
    return 4.0 * roundings * ulp(at_s)
