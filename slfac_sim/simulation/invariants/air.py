"""The air: no link is faster than it can be, and no medium is in use for longer than there is time."""

from collections import defaultdict
from typing import Any

from slfac_sim.hosts.names import SERVER
from slfac_sim.simulation.invariants.laws import PART, Laws, rounding_s

RATE, AIRTIME = "rate <= capacity", "airtime <= elapsed"
CRUMB_S = 1e-9  # of a transfer's airtime: what a medium by slots may take for nothing
Stretch = tuple[
    float, float, float, float
]  # first bit, last bit, airtime between, and by what that may be off


class AirLaws(Laws):
    """Holds transfers against what the survey offered.

    Airtime is added up over every stretch in which a medium was in use without a break, for each direction
    that has a part of the time of its own.
    """

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._shared = self.scenario.network.shared
        self._air: dict[str, Any] = {}
        self._stations = 0
        self._links: dict[str, dict[str, Any]] = {}
        self._used: dict[str, list[Stretch]] = defaultdict(list)
        self._shares: dict[str, float] = {}

    def row(self, table: str, row: dict[str, Any]) -> None:
        """Hold a transfer against its link, once the air is known."""
        if table == "air":
            self._air = row
        elif table == "stations":
            self._stations += 1
        elif table == "links":
            self._links[row["device"]] = row
        elif table == "transfers" and row["airtime_s"] > 0.0:
            self._check(row, f"transfers, effect {row['seq']} of task '{row['task']}'")

    def close(self) -> None:
        """No stretch of use holds more airtime than time."""
        for lane, stretches in sorted(self._used.items()):
            share = self._shares[lane]
            for first_s, last_s, airtime_s, slack_s in _busy(stretches):
                figures = f"{airtime_s!r} s of airtime within {last_s - first_s!r} s, at most {share:g} of it"
                held = airtime_s <= share * (last_s - first_s) + slack_s
                self.hold(AIRTIME, held, f"{lane}, {first_s:.9g} s to {last_s:.9g} s", figures)

    def _check(self, row: dict[str, Any], place: str) -> None:
        up = row["dst"] == SERVER
        share = float(self._air["up_share" if up else "down_share"])
        senders = (
            max(self._stations, 1) if row["dst"] == "*" else 1
        )  # each station sends its part of a multicast
        length_s = row["last_bit_s"] - row["start_s"]
        figures = f"{row['airtime_s']!r} s of airtime within {length_s!r} s, of which it may have {share:g}"
        self.hold(AIRTIME, row["airtime_s"] <= senders * share * length_s + _slack_s(row), place, figures)
        self._note(row, up, share, senders)
        capacity_bps = self._capacity_bps(row, up)
        if capacity_bps is not None:
            held = row["rate_bps"] <= capacity_bps * (1.0 + PART)
            self.hold(RATE, held, place, f"{row['rate_bps']!r} bit/s of airtime, at best {capacity_bps!r}")
        self._whole(row, place)

    def _whole(self, row: dict[str, Any], place: str) -> None:
        """Rate x airtime are the bits of a transfer: those on the wire, or for 802.11 of the payload."""
        bits = row["rate_bps"] * row["airtime_s"]
        due = 8.0 * row["payload_bytes" if self._shared.adds_headers else "wire_bytes"]
        least = due if row["outcome"] == "delivered" else 0.0
        held = least * (1.0 - 1e-6) <= bits <= due * (1.0 + 1e-6)
        self.hold(RATE, held, place, f"{bits!r} bits sent of {due:g}")

    def _capacity_bps(self, row: dict[str, Any], up: bool) -> float | None:
        """Return the most that the link can have; None where the survey tells means only, not the most.

        That is so where rates fade in blocks, where other cells come and go, and where the network says so.
        """
        bounded = self._shared.multicasts_bounded if row["dst"] == "*" else self._shared.bounded
        if self._air["coherence_s"] is not None or self._stations > 1 or not bounded:
            return None
        best = "up_best_bps" if up else "down_best_bps"
        if row["dst"] != "*":
            return float(self._links[row["src"] if up else row["dst"]][best])
        return max(float(link[best]) for link in self._links.values())

    def _note(self, row: dict[str, Any], up: bool, share: float, senders: int) -> None:
        lane, share = self._lane(row, up), share * senders
        self._shares[lane] = max(self._shares.get(lane, 0.0), share)
        self._used[lane].append((row["start_s"], row["last_bit_s"], row["airtime_s"], _slack_s(row)))

    def _lane(self, row: dict[str, Any], up: bool) -> str:
        """Return the medium of a transfer: its direction, and its station or, if alone, its device."""
        device = row["src"] if up else row["dst"]
        way = "the air" if self._air["duplex"] == "half" else ("the uplink" if up else "the downlink")
        if self._shared.alone:
            return f"{way} of {device}"
        if row["dst"] == "*" and self._stations > 1:
            return f"{way} of all stations"
        return (
            f"{way} of {self._links[device]['station'] or SERVER}" if row["dst"] != "*" else self._only(way)
        )

    def _only(self, way: str) -> str:
        return f"{way} of {next(iter(self._links.values()))['station'] or SERVER}"


def _slack_s(row: dict[str, Any]) -> float:
    return CRUMB_S + PART * float(row["airtime_s"]) + rounding_s(row["last_bit_s"])


def _busy(stretches: list[Stretch]) -> list[Stretch]:
    """Return the stretches without a break that `stretches` make, each with all the airtime in it."""
    merged: list[Stretch] = []
    for first_s, last_s, airtime_s, slack_s in sorted(stretches):
        if merged and first_s <= merged[-1][1]:
            begun_s, end_s, sum_s, slacks_s = merged[-1]
            merged[-1] = begun_s, max(end_s, last_s), sum_s + airtime_s, slacks_s + slack_s
        else:
            merged.append((first_s, last_s, airtime_s, slack_s))
    return merged
