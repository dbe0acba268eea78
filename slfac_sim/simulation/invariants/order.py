"""Causality: nothing starts before it is asked for or ends before it starts; hosts do one thing at a time."""

from dataclasses import dataclass
from typing import Any

from slfac_sim.effects import Compute, Effect, Offer, Send
from slfac_sim.ledger.tables import MOVES
from slfac_sim.scenario.hosts import servers_of
from slfac_sim.simulation.invariants.laws import Laws

LAW = "causality"
_QUEUE = "queue "  # tasks of the player itself: the work that offers wait for
_TIMES = {
    "transfers": ("asked_s", "start_s", "last_bit_s", "end_s"),
    "computes": ("asked_s", "start_s", "end_s"),
    "offers": ("asked_s", "end_s"),
    "withdrawals": ("asked_s", "end_s"),
}
_LEAVE_ROWS: dict[type, str] = {
    Compute: "computes",
    Send: "transfers",
    Offer: "offers or withdrawals",
}


@dataclass
class _Open:
    """What a task waits for: effect number `seq`, asked for at `asked_s`; and how many rows tell of it."""

    seq: int
    asked_s: float
    tables: str
    rows: int = 0


class OrderLaws(Laws):
    """What a row says of its times is what the clock showed when the protocol asked and was answered."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._open: dict[str, _Open] = {}
        self._free_s: dict[str, float] = {}
        servers = servers_of(self.scenario)
        self._sharing = {name for name, server in servers.items() if server.discipline != "fifo"}

    def asked(self, task: str, seq: int, effect: Effect) -> None:
        """Note when an effect was asked for."""
        tables = _LEAVE_ROWS.get(type(effect))
        if tables is not None:
            self._open[task] = _Open(seq, self.watch.now_s, tables)

    def left(self, task: str, seq: int, effect: Effect) -> None:
        """An effect has left one row, whichever way it ended."""
        asked = self._open.pop(task, None)
        if asked is not None:
            figures = f"{asked.rows} rows of {asked.tables} tell of it, not one"
            self.hold(LAW, asked.rows == 1, f"effect {seq} of task '{task}'", figures)

    def row(self, table: str, row: dict[str, Any]) -> None:
        """The times of a row are in order, end now, and begin when the effect was asked for.

        How devices have moved is told afterwards.
        """
        if table in _TIMES:
            self._in_order(table, row)
            if not row["task"].startswith(_QUEUE):
                self._as_asked(table, row)
            if table == "computes":
                self._one_at_a_time(row)
        elif "at_s" in row:
            place = _place(table, row) if "task" in row else table
            now_s = self.watch.now_s
            held = 0.0 <= row["at_s"] <= now_s if table in MOVES else row["at_s"] == now_s
            self.hold(LAW, held, place, f"stamped {row['at_s']!r} s at {now_s!r} s")

    def _in_order(self, table: str, row: dict[str, Any]) -> None:
        times = [row[name] for name in _TIMES[table]]
        held = times == sorted(times) and times[-1] == self.watch.now_s
        figures = ", ".join(f"{name} {row[name]!r}" for name in _TIMES[table])
        self.hold(LAW, held, _place(table, row), f"{figures}, at {self.watch.now_s!r} s")

    def _as_asked(self, table: str, row: dict[str, Any]) -> None:
        asked, now_asked = self._open.get(row["task"]), "nothing was asked for"
        if asked is not None:
            now_asked = f"effect {asked.seq} was asked for at {asked.asked_s!r} s"
            asked.rows += 1
        held = asked is not None and asked.seq == row["seq"] and asked.asked_s == row["asked_s"]
        self.hold(LAW, held, _place(table, row), f"asked_s {row['asked_s']!r}, but {now_asked}")

    def _one_at_a_time(self, row: dict[str, Any]) -> None:
        """A processor that serves in turn begins with nothing before it is through with the last."""
        host = row["host"]
        if host in self._sharing or row["outcome"] == "down":
            return
        began = row["outcome"] == "done" or row["start_s"] > row["asked_s"]
        free_s = self._free_s.get(host, 0.0)
        if began:
            figures = f"began at {row['start_s']!r} s, free at {free_s!r} s"
            self.hold(LAW, row["start_s"] >= free_s, _place("computes", row), figures)
            self._free_s[host] = max(free_s, row["end_s"])


def _place(table: str, row: dict[str, Any]) -> str:
    return f"{table}, effect {row['seq']} of task '{row['task']}'"
