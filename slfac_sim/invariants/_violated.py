"""What all laws have in common: whom they hear, how they count, and how one says that it is broken."""

from collections import Counter
from typing import TYPE_CHECKING, Any

from slfac_sim.effects import Effect
from slfac_sim.foundation.errors import BadInput
from slfac_sim.scenario import Scenario

if TYPE_CHECKING:
    from slfac_sim.invariants._watching import Watch

SLACK = 1e-9  # relative, and in seconds or joules: what sums of floats may be off by


class Violated(BadInput):
    """A law of the simulation does not hold: a defect of the simulator, not of the scenario."""


class Laws:
    """Some laws of one run. Their methods are called as things happen, and raise `Violated`."""

    def __init__(self, scenario: Scenario, watch: "Watch", checked: Counter[str]) -> None:
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

    def hold(self, law: str, held: bool, place: str, found: str) -> None:
        """Count a check of `law`, and raise `Violated` unless it `held`; what follows is not looked at."""
        if self.watch.broken:
            return
        self.checked[law] += 1
        if not held:
            self.watch.broken = True
            raise Violated(f"strict: the law of {law} is broken at {place}: {found}")


def at_most(value: float, limit: float) -> bool:
    """Return whether `value` is at most `limit`, but for rounding."""
    return value <= limit + SLACK * max(1.0, abs(limit))
