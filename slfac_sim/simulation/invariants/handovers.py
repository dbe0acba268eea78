"""Handovers: a device goes from where it is, its bits go along, and none crosses in an interruption."""

from bisect import bisect_right
from collections import defaultdict
from math import inf
from typing import Any, NamedTuple

from slfac_sim.simulation.invariants.accesses import Accesses
from slfac_sim.simulation.invariants.air import CRUMB_S
from slfac_sim.simulation.invariants.laws import PART, Laws, rounding_s

LAW = "handovers"
_BACK_S = 1.0  # who is back within that has gone to and fro


class _Sent(NamedTuple):
    """A transfer: when it was under way and on the air, its airtime, the bits on the wire, and its row."""

    asked_s: float
    start_s: float
    last_s: float
    airtime_s: float
    bits: float
    up: bool
    place: str


class HandoverLaws(Laws):
    """Holds the table of handovers in itself, against where devices were seen, and against the transfers."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._accesses = Accesses(self.scenario)
        self._hands_over = self.scenario.network.hands_over
        self._sent: dict[str, list[_Sent]] = defaultdict(list)
        self._at: dict[str, list[tuple[float, str]]] = {}  # who was where from when on
        self._off: dict[str, list[tuple[float, float]]] = defaultdict(list)
        self._left_s: dict[tuple[str, str], float] = {}  # who left which station when
        self._last_s = 0.0

    def row(self, table: str, row: dict[str, Any]) -> None:
        """Note transfers, then hold the handovers against them, and places against the handovers."""
        self._accesses.row(table, row)
        if not self._hands_over:
            return
        if table == "links":
            self._at[row["device"]] = [(0.0, row["station"])]
        elif table == "transfers" and self._accesses.on_air(row):
            self._note(row)
        elif table == "handovers":
            self._check(row)
        elif table == "trajectories":
            self._seen(row)

    def close(self) -> None:
        """No transfer has more airtime than there was time outside of interruptions."""
        for device, off in self._off.items():
            for sent in self._sent[device]:
                off_s = sum(
                    max(0.0, min(end_s, sent.last_s) - max(at_s, sent.start_s)) for at_s, end_s in off
                )
                length_s = sent.last_s - sent.start_s - off_s
                share = self._share(device, sent.up)
                slack_s = CRUMB_S + PART * sent.airtime_s + rounding_s(sent.last_s, 2 + 2 * len(off))
                figures = f"{sent.airtime_s!r} s of airtime within {length_s!r} s without interruptions"
                held = sent.airtime_s <= share * length_s + slack_s
                self.hold(LAW, held, sent.place, f"{figures}, of which it may have {share:g}")

    def _note(self, row: dict[str, Any]) -> None:
        up = self._accesses.is_up(row)
        times = row["asked_s"], row["start_s"], row["last_bit_s"]
        place = f"transfers, effect {row['seq']} of task '{row['task']}'"
        sent = _Sent(*times, row["airtime_s"], 8.0 * row["wire_bytes"], up, place)
        self._sent[row["src"] if up else row["dst"]].append(sent)

    def _check(self, row: dict[str, Any]) -> None:
        device, at_s = row["device"], row["at_s"]
        place, way = f"handovers, {device} at {at_s!r} s", self._at[row["device"]]
        in_order = max(self._last_s, way[-1][0]) <= at_s <= self.watch.now_s
        self.hold(LAW, in_order, place, f"after {self._last_s!r} s, at {self.watch.now_s!r} s")
        goes = way[-1][1] == row["source"] != row["target"]
        self.hold(LAW, goes, place, f"from {row['source']} to {row['target']}, but it was at {way[-1][1]}")
        back = at_s - self._left_s.get((device, row["target"]), -inf) < _BACK_S
        self.hold(LAW, bool(row["is_ping_pong"]) == back, place, f"is_ping_pong {row['is_ping_pong']}")
        self._carried(row, place)
        way.append((at_s, row["target"]))
        self._left_s[device, row["source"]] = at_s
        self._last_s = at_s
        self._interrupt(device, at_s, at_s + row["interruption_s"])

    def _carried(self, row: dict[str, Any], place: str) -> None:
        """What went along was left of transfers under way; of some that never end there are no rows."""
        at_s = row["at_s"]
        asked = [*self._sent[row["device"]], *self._sent["*"]]
        bits = sum(sent.bits for sent in asked if sent.asked_s < at_s <= sent.last_s)
        figures = f"{row['carried_bits']!r} bits carried of {bits!r} under way"
        held = 0.0 <= row["carried_bits"] <= bits * (1.0 + PART)
        self.hold(LAW, held or bool(self.watch.on_air), place, figures)

    def _interrupt(self, device: str, at_s: float, until_s: float) -> None:
        """Note when nothing of the device crosses the air; a handover in an interruption prolongs it."""
        off = self._off[device]
        if off and at_s <= off[-1][1]:
            off[-1] = off[-1][0], max(until_s, off[-1][1])
        else:
            off.append((at_s, until_s))

    def _seen(self, row: dict[str, Any]) -> None:
        way, at_s = self._at[row["device"]], row["at_s"]
        station = way[bisect_right(way, at_s, key=lambda one: one[0]) - 1][1]
        place = f"trajectories, {row['device']} at {at_s!r} s"
        self.hold(
            LAW, row["station"] == station, place, f"at {row['station']}, by its handovers at {station}"
        )

    def _share(self, device: str, up: bool) -> float:
        air = self._accesses.air[self._accesses.links[device]["access"]]
        return float(air["up_share" if up else "down_share"])
