"""Links: what was to cross one was carried, lost or is in flight; none carries more than it can."""

import math
from collections import Counter, defaultdict
from typing import Any

from slfac_sim.simulation.invariants.laws import PART, Laws, rounding_s

LAW = "link bits"
_SUM = 1e-6  # of a link's bits: what sums over hundreds of thousands of transfers may be off by


class LinkLaws(Laws):
    """Holds the account of each link in itself, against its wire, and against the transfers that crossed it.

    Which these are follows from the routes; a device that may change its station is left out there.
    """

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._capacity_bps: dict[str, float] = {}
        self._last: dict[str, Any] = {}
        self._left_s = 0.0
        self._limited_s: dict[str, list[float]] = defaultdict(list)
        self._node: dict[str, str] = {}
        self._routes: Counter[tuple[str, str]] = Counter()
        self._links: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
        self._delivered_bits: Counter[str] = Counter()

    def row(self, table: str, row: dict[str, Any]) -> None:
        """Hold a link's account, once the run is over; until then note what it must agree with."""
        if table == "wires":
            name, src, dst = row["name"], row["src"], row["dst"]
            ways = {f"{name} {src}->{dst}": row["capacity_bps"], f"{name} {dst}->{src}": row["back_bps"]}
            self._capacity_bps |= {name: row["capacity_bps"]} if row["half_duplex"] else ways
        elif table == "links" and row["station"] == row["access"]:
            self._node[row["device"]] = row["access"]
        elif table == "routes":
            self._routes[row["src"], row["dst"]] += row["hop"] == 0
            self._links[row["src"], row["dst"]][row["link"]] += 1
        elif table == "transfers":
            self._last, self._left_s = row, row["last_bit_s"] - row["asked_s"]
            self._deliver(row)
        elif table == "bottlenecks":
            self._limits(row)
        elif table == "link_use":
            self._account(row)

    def _deliver(self, row: dict[str, Any]) -> None:
        """Add the payload of a transfer to the links that it has crossed.

        These are on every route between its ends, of which there are several where devices have own lanes.
        """
        src, dst = (self._node.get(row[end], row[end]) for end in ("src", "dst"))
        if row["outcome"] == "delivered":
            bits, routes = 8 * row["payload_bytes"], self._routes[src, dst]
            crossed = [link for link, times in self._links[src, dst].items() if times == routes]
            self._delivered_bits.update(dict.fromkeys(crossed, bits))

    def _limits(self, row: dict[str, Any]) -> None:
        """No transfer was limited for longer than it waited and was sent; a multicast has branches."""
        place = f"bottlenecks, effect {self._last['seq']} of task '{self._last['task']}', {row['link']}"
        slack_s = rounding_s(self._last["last_bit_s"], 4) + PART
        self._limited_s[row["link"]].append(row["limited_s"])
        if self._last["dst"] != "*":
            self._left_s -= row["limited_s"]
        figures = f"limited for {row['limited_s']!r} s, of which {-self._left_s!r} s too long"
        self.hold(LAW, row["limited_s"] >= 0.0 and self._left_s >= -slack_s, place, figures)

    def _account(self, row: dict[str, Any]) -> None:
        place = f"link_use of {row['link']}"
        parts = [row[f"{part}_bits"] for part in ("carried", "lost", "in_flight")]
        offered, slack = row["offered_bits"], _SUM * row["offered_bits"] + 1e-3
        figures = f"{offered!r} bits offered, {', '.join(map(repr, parts))} carried, lost and in flight"
        whole = abs(offered - math.fsum(parts)) <= slack
        self.hold(LAW, whole and min(offered, *parts) >= -1e-3, place, figures)
        now_s = self.watch.now_s
        self.hold(LAW, 0.0 <= row["busy_s"] <= now_s * (1.0 + _SUM), place, f"busy {row['busy_s']!r} s")
        if (capacity_bps := self._capacity_bps.get(row["link"])) is not None:
            figures = f"{parts[0]!r} bits carried in {now_s!r} s at {capacity_bps!r} bit/s"
            self.hold(LAW, parts[0] <= capacity_bps * now_s * (1.0 + _SUM), place, figures)
        delivered = self._delivered_bits[row["link"]]
        figures = f"{parts[0]!r} bits carried, {delivered} of payloads that crossed it delivered"
        self.hold(LAW, parts[0] >= delivered * (1.0 - _SUM), place, figures)
        limited_s = math.fsum(self._limited_s[row["link"]])
        figures = f"limited {row['limited_s']!r} s, and transfers {limited_s!r} s"
        self.hold(LAW, limited_s <= row["limited_s"] * (1.0 + _SUM) + 1e-9, place, figures)
