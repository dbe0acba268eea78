"""What all laws have in common: whom they hear, how they count, and how one says that it is broken."""

from collections import Counter
from math import ulp
from typing import TYPE_CHECKING, Any

from slfac_sim.effects import Effect
from slfac_sim.foundation.errors import BadInput
from slfac_sim.scenario.schema import Scenario

if TYPE_CHECKING:
    from slfac_sim.simulation.invariants._watching import Watch

PART = 1e-9  # of a figure of one transfer: what a few products and sums of floats may be off by


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


def rounding_s(at_s: float, roundings: int = 1) -> float:
    """Return by how much a time may be off that was rounded so often when the clock showed at most `at_s`.

    It is a matter of the clock's last digit: a law is as sharp late in a run as that allows.
    """
    return 4.0 * roundings * ulp(at_s)
