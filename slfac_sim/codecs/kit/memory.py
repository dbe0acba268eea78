"""What ends remember: rows of samples (`SampleMemory`), and arrays for messages on their way (`Awaited`).

A row is float16 with its power of two. A sender's rows become its own only when the message they were sent
with is *confirmed*; until then they wait, and a lost message leaves no trace. Sending a sample again makes
its earlier waiting row void.

>>> import numpy as np
>>> memory, ids = SampleMemory(), np.array([7])
>>> memory.sent(b"body", ids, to_rows(np.array([[1.0, -2.0]], np.float32)))
>>> memory.recall(ids, 2)
[None]
>>> memory.confirm(b"body")
>>> to_values(memory.recall(ids, 2))
array([[ 1., -2.]], dtype=float32)
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slfac_sim.codecs import BadTensor, State
from slfac_sim.codecs.kit.floats import Floats, Halves, from_halves, to_halves

Ids = NDArray[np.int64]
_HALF, _SINGLE = np.dtype("<f2"), np.dtype("<f4")
_LARGEST_ID = 2**32 - 1
_MOST_WAITING = 8  # messages; an older one counts as lost
_MOST_AWAITED = 64


@dataclass(frozen=True)
class Row:
    """One sample: `halves` ([values]) times 2^-`exponent`."""

    halves: Halves
    exponent: int


@dataclass(frozen=True)
class _Waiting:
    body: bytes
    rows: dict[int, Row]


def check_ids(ids: Ids, samples: int, stream: str) -> None:
    """Raise `BadTensor`, naming `stream`, unless `ids` name each of the `samples` differently."""
    is_wrong = ids.shape != (samples,) or ids.min() < 0 or ids.max() > _LARGEST_ID
    if is_wrong or len(np.unique(ids)) < samples:
        limits = f"{samples} different sample ids within 0..{_LARGEST_ID}"
        raise BadTensor(f"{stream}: expected {limits} (got {ids.size}: {ids[:4]} ...)")


def to_rows(values: Floats) -> list[Row]:
    """Return the rows of `values` ([n, d]) as they are remembered; what float16 cannot hold is lost."""
    halves, exponents = to_halves(values)
    each = zip(halves, exponents.tolist(), strict=True)
    return [Row(row.copy(), exponent) for row, exponent in each]  # a view would keep the whole batch alive


def to_values(rows: list[Row]) -> Floats:
    """Return the values ([n, d]) of `rows`, all of one length."""
    exponents = np.array([row.exponent for row in rows], np.int8)
    return from_halves(np.stack([row.halves for row in rows]), exponents)


class SampleMemory:
    """The rows of a sender by sample, and those that wait for the confirmation of their message."""

    def __init__(self) -> None:
        self._held: dict[int, Row] = {}
        self._waiting: list[_Waiting] = []

    def recall(self, ids: Ids, values: int) -> list[Row | None]:
        """Return the confirmed row of each sample, None where there is none of `values` values."""
        rows = [self._held.get(sample) for sample in ids.tolist()]
        return [row if row is not None and row.halves.size == values else None for row in rows]

    def sent(self, body: bytes, ids: Ids, rows: list[Row]) -> None:
        """Let `rows` wait for the confirmation of `body` (of which only the fingerprint is kept)."""
        fresh = dict(zip(ids.tolist(), rows, strict=True))
        for older in self._waiting:
            for sample in fresh.keys() & older.rows.keys():
                del older.rows[sample]
        self._waiting = [*self._waiting, _Waiting(fingerprint(body), fresh)][-_MOST_WAITING:]

    def confirm(self, body: bytes) -> None:
        """Hold the rows that wait for `body`; an unknown body changes nothing."""
        mark = fingerprint(body)
        for message in self._waiting:
            if message.body == mark:
                self._held.update(message.rows)
        self._waiting = [message for message in self._waiting if message.body != mark]

    def get_state(self) -> dict[str, Any]:
        """Return the memory as plain data."""
        waiting = [{"body": message.body, **pack_rows(message.rows)} for message in self._waiting]
        return {"held": pack_rows(self._held), "waiting": waiting}

    def set_state(self, state: State) -> None:
        """Take the memory of `get_state`."""
        self._held = unpack_rows(state["held"])
        self._waiting = [_Waiting(each["body"], unpack_rows(each)) for each in state["waiting"]]


class Awaited:
    """One array of float32 for each message on its way, found by the message's body."""

    def __init__(self) -> None:
        self._kept: dict[bytes, NDArray[np.float32]] = {}

    def put(self, body: bytes, values: NDArray[np.float32]) -> None:
        """Keep `values` until `body` is answered."""
        self._kept[fingerprint(body)] = values
        while len(self._kept) > _MOST_AWAITED:
            del self._kept[next(iter(self._kept))]

    def take(self, body: bytes) -> NDArray[np.float32] | None:
        """Return what was kept for `body`, and keep it no longer; None for an unknown one."""
        return self._kept.pop(fingerprint(body), None)

    def get_state(self) -> list[dict[str, Any]]:
        """Return all that is kept, as plain data."""
        return [
            {"body": body, "shape": list(values.shape), "values": values.astype(_SINGLE).tobytes()}
            for body, values in self._kept.items()
        ]

    def set_state(self, state: list[State]) -> None:
        """Keep what `get_state` gave."""
        self._kept = {
            kept["body"]: np.frombuffer(kept["values"], _SINGLE).astype(np.float32).reshape(kept["shape"])
            for kept in state
        }


def pack_rows(rows: dict[int, Row]) -> dict[str, Any]:
    """Return `rows` as three lists: samples, exponents, and the bytes of each one's halves."""
    return {
        "samples": list(rows),
        "exponents": [row.exponent for row in rows.values()],
        "halves": [row.halves.astype(_HALF).tobytes() for row in rows.values()],
    }


def unpack_rows(state: State) -> dict[int, Row]:
    """Return the rows of `pack_rows`."""
    each = zip(state["samples"], state["exponents"], state["halves"], strict=True)
    return {
        sample: Row(np.frombuffer(halves, _HALF).astype(np.float16), exponent)
        for sample, exponent, halves in each
    }


def fingerprint(body: bytes) -> bytes:
    """Return what tells this body from others: its last four bytes, the checksum, and its length."""
    return body[-4:] + len(body).to_bytes(4, "little")
