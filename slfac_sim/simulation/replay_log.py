"""Asides: what the ledger's other tables do not tell of a protocol, so that it can be played again exactly.

Work that was asked for in vain, offers that were withdrawn, who a multicast was for, tasks that failed. Most
runs have none. It knows no clock.
"""

import dataclasses
import json
from collections.abc import Callable, Sequence
from typing import Any

from slfac_sim.effects import Compute, Effect, Excuse, Failure, Offer, Present, Send
from slfac_sim.simulation.observer import Listener


class Asides(Listener):
    """Lets `write("asides", row)` have what no other table tells, or not all of.

    `hosts` are the devices in device order: a multicast to all of them needs no aside.
    """

    def __init__(self, hosts: Sequence[str], write: Callable[[str, tuple[Any, ...]], Any]) -> None:
        self._hosts = tuple(hosts)
        self._write = write

    def asked(self, task: str, seq: int, effect: Effect) -> None:
        """Write down an effect that no other table tells all of, whatever comes of it."""
        if self._is_odd(effect):
            self._tell(task, seq, effect)

    def failed(self, task: str, seq: int, effect: Effect) -> None:
        """Write down what was asked for in vain."""
        if isinstance(effect, Compute | Send | Offer) and not self._is_odd(effect):
            self._tell(task, seq, effect)

    def withdrawn(self, task: str, seq: int, effect: Effect) -> None:
        """Write down an offer that was never answered."""
        if isinstance(effect, Offer) and not self._is_odd(effect):
            self._tell(task, seq, effect)

    def over(self, task: str, seq: int, failure: Failure | None) -> None:
        """Write down that a task failed, or that it did nothing."""
        if failure is not None:
            self._note(task, seq, "failed", {"reason": failure.reason})
        elif seq == 0:
            self._note(task, seq, "idle", {})

    def _is_odd(self, effect: Effect) -> bool:
        if isinstance(effect, Send):
            return isinstance(effect.dst, tuple) and effect.dst != self._hosts
        if isinstance(effect, Offer):
            return effect.wait_s is not None
        return isinstance(effect, Excuse | Present)

    def _tell(self, task: str, seq: int, effect: Effect) -> None:
        self._note(task, seq, type(effect).__name__.lower(), _fields(effect))

    def _note(self, task: str, seq: int, what: str, told: dict[str, Any]) -> None:
        self._write("asides", (task, seq, what, json.dumps(told)))


def _fields(effect: Any) -> dict[str, Any]:
    """Return the fields of `effect` that can be written down; of payloads what the ledger keeps of them."""
    fields = {field.name: getattr(effect, field.name) for field in dataclasses.fields(effect)}
    for name in ("job", "item", "serve"):
        fields.pop(name, None)
    if isinstance(effect, Send):
        parcels = effect.payloads.items()
        fields["payloads"] = {kind: (one.nbytes, one.values, one.sha256) for kind, one in parcels}
    return fields
