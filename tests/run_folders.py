"""Makes small run folders, as a finished run leaves them, and disks that are full; it holds no tests."""

import json
import resource
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from slfac_sim.ledger.tables import TABLES

ACCURACY = (0.0980, 0.4510, 0.8320, 0.9150, 0.9420, 0.9570, 0.9650, 0.9720, 0.9780)
TARGETS = (0.8, 0.9, 0.95, 0.97)

SELDOM = frozenset({"misses", "staleness", "topology", "link_load", "trajectories", "serving_cell"})
"""Figures that most runs lack: nobody was missing, no step was late, there were no wires, nobody moved."""

NOT_OF_FAKES = SELDOM | {"accuracy_by_device", "confusion", "energy_by_host", "energy_to_accuracy"}
"""Figures that `fake_run` has not either: its ledger holds neither joules nor counts."""


def fake_run(
    folder: Path,
    label: str = "SL-FAC (our reading), theta 0.9",
    round_s: float = 29.0,
    round_bytes: int = 121_000_000,
    accuracy: tuple[float, ...] = ACCURACY,
    changes: Mapping[str, Any] | None = None,
) -> Path:
    """Write summary and ledger of a run that was evaluated every `round_s`; return its folder."""
    folder.mkdir(parents=True)
    rows = [(i, i * round_s, a, a - 0.01, 1 - a, i * round_bytes) for i, a in enumerate(accuracy)]
    summary = {**_summary(label, rows), **(changes or {})}
    (folder / "summary.json").write_text(json.dumps(summary), encoding="utf-8")
    with closing(sqlite3.connect(folder / "ledger.sqlite")) as ledger, ledger:
        ledger.execute(
            "CREATE TABLE evals (round INTEGER, at_s REAL, accuracy REAL, accuracy_no_codec REAL,"
            " loss REAL, payload_bytes INTEGER, task TEXT DEFAULT '', seq INTEGER DEFAULT 0)"
        )
        ledger.executemany("INSERT INTO evals VALUES (?, ?, ?, ?, ?, ?, '', 0)", rows)
        for table in ("transfers", "payloads", "computes", "offers", "steps", "rounds"):
            ledger.execute(f"CREATE TABLE {table} ({', '.join(TABLES[table])})")
        marks = ", ".join("?" * len(TABLES["transfers"]))
        ledger.executemany(f"INSERT INTO transfers VALUES ({marks})", _transfers(round_s))
    return folder


def _transfers(round_s: float) -> list[tuple[Any, ...]]:
    """Return two transfers up that share the first round, the first of them twice as long."""
    head, tail = ("server", 1, 1000, 1060, 0.0, 0.0), (8480.0 / round_s, 12.5, 0.1, 1, "delivered")
    first = (0, "0.0", 0, "d000", *head, 0.5 * round_s, 0.5 * round_s, 0.25 * round_s, *tail)
    second = (1, "0.1", 0, "d001", *head, round_s, round_s, 0.75 * round_s, *tail)
    return [first, (*second[:14], None, *second[15:])]


def _summary(label: str, rows: list[tuple[Any, ...]]) -> dict[str, Any]:
    reached = {t: next((row[1] for row in rows if row[2] >= t), None) for t in TARGETS}
    accuracies = [row[2] for row in rows]
    return {
        "scenario": "100_devices",
        "status": "finished",
        "label": label,
        "seed": {"learning": 0, "air": 0},
        "simulated_s": rows[-1][1] if rows else 0.0,
        "rounds": max(len(rows) - 1, 0),
        "accuracy": {"final": accuracies[-1], "best": max(accuracies)}
        if rows
        else {"final": None, "best": None},
        "time_to_accuracy_s": {str(target): seconds for target, seconds in reached.items()},
        "bytes": _bytes(rows[-1][5] if rows else 0),
        "wire_bytes": rows[-1][5] * 26 // 25 if rows else 0,
    }


def _bytes(total: int) -> dict[str, int]:
    up = 2 * total // 5
    return {"smashed_up": up, "smashed_down": total - up, "labels": 0, "total": total}


@contextmanager
def largest_file(nbytes: int) -> Iterator[None]:
    """Have files grow no larger, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (nbytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
