"""Bytes: what the network was asked to carry was delivered, lost, cancelled, or is under way."""

from collections import Counter
from typing import Any

from slfac_sim.effects import Effect, Send
from slfac_sim.simulation.invariants.laws import Laws

LAW = "bytes"


class ByteLaws(Laws):
    """Counts the same bytes where the protocol sends them, at the network's door, and in the ledger."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._sent = 0  # by protocols
        self._ended: Counter[str] = Counter()  # in the ledger, by outcome
        self._parts = 0  # in rows of payloads

    def asked(self, task: str, seq: int, effect: Effect) -> None:
        """Count what a protocol sends."""
        if isinstance(effect, Send):
            self._sent += sum(parcel.nbytes for parcel in effect.payloads.values())

    def row(self, table: str, row: dict[str, Any]) -> None:
        """Count what became of it; after each round the sums must agree."""
        if table == "transfers":
            self._ended[row["outcome"]] += row["payload_bytes"]
            place = f"transfers, effect {row['seq']} of task '{row['task']}'"
            figures = f"{row['payload_bytes']} bytes of payload, {row['wire_bytes']} on the wire"
            self.hold(LAW, 0 <= row["payload_bytes"] <= row["wire_bytes"], place, figures)
        elif table == "payloads":
            self._parts += row["bytes"]
        elif table == "rounds":
            self._compare(f"round {row['round']}")

    def close(self) -> None:
        """In the end the sums must agree too."""
        self._compare("the end of the run")

    def _compare(self, place: str) -> None:
        watch, ended = self.watch, sum(self._ended.values())
        way = sum(watch.on_air.values())
        outcomes = ", ".join(f"{nbytes} {outcome}" for outcome, nbytes in sorted(self._ended.items()))
        figures = f"{watch.offered_bytes} bytes offered to the network, {outcomes or 'none'}, {way} under way"
        self.hold(LAW, watch.offered_bytes == ended + way, place, figures)
        self.hold(
            LAW, watch.offered_bytes == self._sent, place, f"{figures}, {self._sent} sent by the protocol"
        )
        self.hold(LAW, self._parts == ended, place, f"{figures}, {self._parts} in payloads")
        stalled = watch.network.stalled() if watch.network is not None else ()
        under_way = f"{len(watch.on_air)} transfers under way, {len(stalled)} by the network's own account"
        self.hold(LAW, bool(stalled) == bool(watch.on_air), place, under_way)
