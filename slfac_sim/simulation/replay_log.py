"""The replay log: what the ledger's other tables do not tell of a protocol, written and read back.

Work that was asked for in vain, offers that were withdrawn, who a multicast was for, tasks that failed: with
it a protocol can be played again exactly. It is the table `asides`, empty for most runs.
"""

import dataclasses
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple, final

from slfac_sim.effects import Compute, Effect, Excuse, Failure, Offer, Present, Send
from slfac_sim.ledger.reader import LedgerReader
from slfac_sim.ledger.tables import PLACE
from slfac_sim.simulation.observer import Observer


@final
class Ended(NamedTuple):
    """The end of a task that did not end well."""

    reason: str


class RecordedParcel(NamedTuple):
    """What is known of a body that was sent once: its length, its count of values, its fingerprint.

    Its parts and notes are in the sums of the record (`replay.Script.sums`).
    """

    nbytes: int
    values: int
    sha256: str
    parts: None = None
    notes: Mapping[str, float] = MappingProxyType({})


class ReplayLog(Observer):
    """Writes into the table `asides`, with `write("asides", row)`, what no other table tells, or not all of.

    `devices` are in device order: a multicast to all of them needs no row here.
    """

    def __init__(self, devices: Sequence[str], write: Callable[[str, tuple[Any, ...]], Any]) -> None:
        self._devices = tuple(devices)
        self._write = write

    def asked(self, task: str, seq: int, effect: Effect) -> None:
        """Write down an effect that no other table tells all of, whatever comes of it."""
        if self._is_odd(effect):
            self._write_effect(task, seq, effect)

    def failed(self, task: str, seq: int, effect: Effect) -> None:
        """Write down what was asked for in vain."""
        if isinstance(effect, Compute | Send | Offer) and not self._is_odd(effect):
            self._write_effect(task, seq, effect)

    def withdrawn(self, task: str, seq: int, effect: Effect) -> None:
        """Write down an offer that was never answered."""
        if isinstance(effect, Offer) and not self._is_odd(effect):
            self._write_effect(task, seq, effect)

    def over(self, task: str, seq: int, failure: Failure | None) -> None:
        """Write down that a task failed, or that it did nothing."""
        if failure is not None:
            self._write_row(task, seq, "failed", {"reason": failure.reason})
        elif seq == 0:
            self._write_row(task, seq, "idle", {})

    def _is_odd(self, effect: Effect) -> bool:
        if isinstance(effect, Send):
            return isinstance(effect.dst, tuple) and effect.dst != self._devices
        if isinstance(effect, Offer):
            return effect.wait_s is not None
        return isinstance(effect, Excuse | Present)

    def _write_effect(self, task: str, seq: int, effect: Effect) -> None:
        self._write_row(task, seq, type(effect).__name__.lower(), _fields(effect))

    def _write_row(self, task: str, seq: int, what: str, fields: dict[str, Any]) -> None:
        self._write("asides", (task, seq, what, json.dumps(fields)))


def logged_steps(ledger: LedgerReader) -> Iterator[tuple[str, int, Effect | Ended | None]]:
    """Yield task, number and effect of all that `ReplayLog` wrote; None is a task that did nothing."""
    for task, seq, what, fields in ledger.tuples("asides", (*PLACE, "what", "told")):
        yield task, seq, _READ[what](json.loads(fields))


def no_job() -> None:
    """Stand in for a job whose outcome is on record."""


def _fields(effect: Any) -> dict[str, Any]:
    """Return the fields of `effect` that can be written down; of payloads what the ledger keeps of them."""
    fields = {field.name: getattr(effect, field.name) for field in dataclasses.fields(effect)}
    for name in ("job", "item", "serve"):
        fields.pop(name, None)
    if isinstance(effect, Send):
        parcels = effect.payloads.items()
        fields["payloads"] = {kind: (parcel.nbytes, parcel.values, parcel.sha256) for kind, parcel in parcels}
    return fields


def _send(fields: dict[str, Any]) -> Send:
    dst = tuple(fields["dst"]) if isinstance(fields["dst"], list) else fields["dst"]
    parcels = {kind: RecordedParcel(*parcel) for kind, parcel in fields["payloads"].items()}
    return Send(fields["src"], dst, parcels)


_READ: dict[str, Callable[[dict[str, Any]], Effect | Ended | None]] = {
    "compute": lambda fields: Compute(job=no_job, **fields),
    "send": _send,
    "offer": lambda fields: Offer(item=None, serve=list, **fields),
    "excuse": lambda fields: Excuse(**fields),
    "present": lambda fields: Present(tuple(fields["hosts"]), fields["wait"]),
    "failed": lambda fields: Ended(fields["reason"]),
    "idle": lambda fields: None,
}
