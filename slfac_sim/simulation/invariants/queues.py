"""Little's law: the number in a system, integrated over time, is the time that each has spent in it, summed.

The first is counted here, as the protocol asks and is answered; the second is what the ledger says. With
L the mean number, lambda the rate of arrivals and W the mean time, both sides are L T = lambda T W (J. D. C.
Little, Operations Research 9(3), 1961, doi:10.1287/opre.9.3.383). Both are sums of integers: equal, or wrong.
"""

from collections import defaultdict
from typing import Any

from slfac_sim.effects import Compute, Effect, Offer
from slfac_sim.simulation.invariants.laws import Laws, System

LAW = "Little"


class QueueLaws(Laws):
    """One system for every host, one for all batching queues of a host, and one for the air."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._systems: dict[str, System] = defaultdict(System, {"the air": self.watch.air})

    def asked(self, task: str, seq: int, effect: Effect) -> None:
        """Count who comes."""
        self._change(effect, 1)

    def left(self, task: str, seq: int, effect: Effect) -> None:
        """Count who leaves."""
        self._change(effect, -1)

    def row(self, table: str, row: dict[str, Any]) -> None:
        """Add up what the ledger says of the time that each has spent."""
        if table == "computes" and not row["task"].startswith("queue "):
            self._systems[f"host {row['host']}"].tell(row)
        elif table in ("offers", "withdrawals"):
            self._systems[f"queues of {row['host']}"].tell(row)
        elif table == "transfers":
            self.watch.air.tell(row)

    def close(self) -> None:
        """Compare both sides of every system."""
        for name, system in sorted(self._systems.items()):
            self.hold(LAW, system.inside == 0, name, f"{system.inside} never left")
            figures = (
                f"{system.by_counting_s!r} s by counting who is there, {system.in_ledger_s!r} s in the ledger"
            )
            self.hold(LAW, system.balanced, name, figures)

    def _change(self, effect: Effect, by: int) -> None:
        if isinstance(effect, Compute):
            self._systems[f"host {effect.host}"].change(by, self.watch.now_s)
        elif isinstance(effect, Offer):
            self._systems[f"queues of {effect.host}"].change(by, self.watch.now_s)
