"""What an end remembers of each sample: one row of float16 with its power of two. It knows no codec.

A sender's rows become its own only when the message they were sent with is *confirmed*; until then they
wait, and a lost message leaves no trace. Sending a sample again makes its earlier waiting row void.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slfac_sim.codecs import BadTensor
from slfac_sim.codecs.kit.floats import Floats, Halves, from_halves, to_halves
from slfac_sim.codecs.kit.pairs import State

Ids = NDArray[np.int64]
_HALF = np.dtype("<f2")
_LARGEST_ID = 2**32 - 1
_MOST_WAITING = 8  # messages; an older one counts as lost


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
