"""The laws of the simulation, checked while it goes on: bytes, times, rates, links, moves, energy, queues.

A run that breaks one fails there, and the message names the law, the place and the figures. The checks see
what the player writes, what the protocol asks for and what the network is told, and compare the three; they
change nothing and share no code with what they check.
"""

import dataclasses
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from slfac_sim.effects import Task
from slfac_sim.ledger.store import Ledger
from slfac_sim.scenario.schema import Scenario
from slfac_sim.simulation.invariants.air import AirLaws
from slfac_sim.simulation.invariants.bytes import ByteLaws
from slfac_sim.simulation.invariants.energy import EnergyLaws
from slfac_sim.simulation.invariants.handovers import HandoverLaws
from slfac_sim.simulation.invariants.laws import Laws, Violated, Watch
from slfac_sim.simulation.invariants.links import LinkLaws
from slfac_sim.simulation.invariants.order import OrderLaws
from slfac_sim.simulation.invariants.queues import QueueLaws
from slfac_sim.simulation.invariants.watching import WatchedLedger, WatchedNetwork, WatchedProtocol
from slfac_sim.simulation.observer import observed_by

__all__ = ["Violated", "strictly"]

_LAWS: tuple[type[Laws], ...] = (
    OrderLaws,
    ByteLaws,
    AirLaws,
    LinkLaws,
    HandoverLaws,
    EnergyLaws,
    QueueLaws,
)

Watched = tuple[Scenario, Task, Ledger]


@contextmanager
def strictly(
    scenario: Scenario, ledger: Ledger, task: Task, summary: dict[str, Any] | None
) -> Iterator[Watched]:
    """Give what to simulate, so that `task` on `scenario` is watched and writes into `ledger`.

    Raises `Violated` for a broken law, at the end at the latest. `summary` is given the key `invariants`:
    how often each law was checked, and whether one was broken. Where it is None nothing is watched.
    """
    if summary is None:
        yield scenario, task, ledger
        return
    checked: Counter[str] = Counter()
    watch = Watch()
    laws = tuple(kind(scenario, watch, checked) for kind in _LAWS)
    violated = 0
    try:
        network = WatchedNetwork(scenario.network, watch)
        yield (
            dataclasses.replace(scenario, network=network),
            observed_by(WatchedProtocol(watch, laws), task),
            WatchedLedger(ledger, laws),
        )
        for law in laws:
            law.close()
    except Violated:
        violated = 1
        raise
    except BaseException:
        watch.broken = True  # what was under way is dropped now, and leaves no row
        raise
    finally:
        summary["invariants"] = {"checked": dict(sorted(checked.items())), "violated": violated}
