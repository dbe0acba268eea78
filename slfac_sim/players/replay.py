"""The replay: a recorded run as a protocol again, so that another network or other speeds can time it.

It reads what learning did (bytes, work, order, figures) from a ledger and needs neither a model nor torch.
It is exact where timing does not steer learning, which holds for protocols without deadlines.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slfac_sim.effects import Compute, Effect, Note, Offer, Send, Task, Together
from slfac_sim.ledger import TABLES, rows_of

_STAMPED = ("task", "seq", "at_s", "payload_bytes")  # the player's part of a note's row


@dataclass(frozen=True)
class RecordedParcel:
    """What is known of a body that was sent once: its length, its count of values, its fingerprint."""

    nbytes: int
    values: int
    sha256: str


def protocol_of(ledger: Path | str, hosts: Sequence[str]) -> Task:
    """Return the protocol that yields again, in the same tasks and order, the effects recorded in `ledger`.

    `hosts` are the receivers of a multicast, in device order. Raises `ValueError` when the record holds
    interrupted work: there timing steered learning, and no other clock could be right.
    """
    found = [*_transfers(ledger, hosts), *_computes(ledger), *_offers(ledger), *_notes(ledger)]
    return _follow(_arrange(found), "")


_Script = dict[
    str, dict[int, Any]
]  # task -> number of the effect -> effect, or {place: name} of its children


def _arrange(found: Iterable[tuple[dict[str, Any], Effect]]) -> _Script:
    """Put every effect in its place, and every task under the effect of its parent that started it."""
    script: _Script = defaultdict(dict)
    for row, effect in found:
        script[row["task"]][row["seq"]] = effect
    for task in list(script):
        _adopt(script, task)
    return script


def _adopt(script: _Script, task: str) -> None:
    """Enter `task` under its parent, and so every ancestor under its own; the root's name is empty."""
    if task:
        parent, _, name = task.rpartition("/")
        seq, _, number = name.partition(".")
        script[parent].setdefault(int(seq), {})[int(number)] = task
        _adopt(script, parent)


def _follow(script: _Script, task: str) -> Task:
    for _, effect in sorted(script[task].items()):
        if isinstance(effect, dict):
            children = [_follow(script, name) for _, name in sorted(effect.items())]
            yield Together(children)
        else:
            yield effect


_Found = Iterable[tuple[dict[str, Any], Effect]]


def _transfers(ledger: Path | str, hosts: Sequence[str]) -> _Found:
    parcels: dict[int, dict[str, RecordedParcel]] = defaultdict(dict)
    for row in rows_of(ledger, "payloads"):
        parcels[row["transfer"]][row["kind"]] = RecordedParcel(
            row["bytes"], row["value_count"], row["sha256"]
        )
    for row in rows_of(ledger, "transfers"):
        if row["outcome"] != "delivered":
            raise ValueError(f"transfer {row['id']} was {row['outcome']}: timing steered this run")
        dst = tuple(hosts) if row["dst"] == "*" else row["dst"]
        yield row, Send(row["src"], dst, parcels[row["id"]])


def _computes(ledger: Path | str) -> _Found:
    for row in rows_of(ledger, "computes"):
        if row["outcome"] != "done":
            raise ValueError(f"compute {row['id']} was {row['outcome']}: timing steered this run")
        if not row["task"].startswith("queue "):
            yield row, Compute(row["host"], row["flops"], _nothing, row["what"])


def _offers(ledger: Path | str) -> _Found:
    for row in rows_of(ledger, "offers"):
        names = ("host", "queue", "place", "flops", "max_items", "what")
        yield row, Offer(item=None, serve=list, **{name: row[name] for name in names})


def _notes(ledger: Path | str) -> _Found:
    for table in ("steps", "rounds", "evals"):
        assert "at_s" in TABLES[table]
        for row in rows_of(ledger, table):
            yield row, Note(table, {name: value for name, value in row.items() if name not in _STAMPED})


def _nothing() -> None:
    """Stand in for a job whose outcome is on record."""
