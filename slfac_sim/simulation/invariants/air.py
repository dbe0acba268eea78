"""The air: no link is faster than it can be, and no medium is in use for longer than there is time."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from slfac_sim.hosts.names import SERVER
from slfac_sim.simulation.invariants.accesses import Accesses
from slfac_sim.simulation.invariants.laws import PART, Laws, rounding_s

RATE, AIRTIME = "rate <= capacity", "airtime <= elapsed"
CRUMB_S = 1e-9  # of a transfer's airtime: what a medium by slots may take for nothing
Stretch = tuple[
    float, float, float, float
]  # first bit, last bit, airtime between, and by what that may be off


class AirLaws(Laws):
    """Holds transfers against what the survey offered, on each access network by itself.

    Airtime is added up over every stretch in which a medium was in use without a break, for each direction
    that has a part of the time of its own.
    """

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._accesses = Accesses(self.scenario)
        self._used: dict[str, list[Stretch]] = defaultdict(list)
        self._shares: dict[str, float] = {}

    def row(self, table: str, row: dict[str, Any]) -> None:
        """Hold a transfer against its link, once the air is known."""
        self._accesses.row(table, row)
        if table == "transfers" and row["airtime_s"] > 0.0 and self._accesses.on_air(row):
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
        networks = self._accesses.of(row)
        share = self._share(row, networks)
        length_s = row["last_bit_s"] - row["start_s"]
        figures = f"{row['airtime_s']!r} s of airtime within {length_s!r} s, of which it may have {share:g}"
        self.hold(AIRTIME, row["airtime_s"] <= share * length_s + _slack_s(row), place, figures)
        lane = self._lane(row, networks)
        of_all = self._share_of_all(row) if self.scenario.network.hands_over else share
        self._shares[lane] = max(self._shares.get(lane, 0.0), of_all)
        self._used[lane].append((row["start_s"], row["last_bit_s"], row["airtime_s"], _slack_s(row)))
        capacity_bps = self._capacity_bps(row, networks)
        if capacity_bps is not None:
            held = row["rate_bps"] <= capacity_bps * (1.0 + PART)
            self.hold(RATE, held, place, f"{row['rate_bps']!r} bit/s of airtime, at best {capacity_bps!r}")
        self._whole(row, networks, place)

    def _share(self, row: dict[str, Any], networks: Sequence[str]) -> float:
        """Return the part of the time that all its senders together may have, each on its own medium."""
        share, of = "up_share" if self._accesses.is_up(row) else "down_share", self._accesses
        return sum(of.senders(name, row) * float(of.air[name][share]) for name in networks)

    def _share_of_all(self, row: dict[str, Any]) -> float:
        """Return the part of the time that all media of its direction have, on all access networks."""
        share, of = "up_share" if self._accesses.is_up(row) else "down_share", self._accesses
        return sum(of.stations(name) * float(air[share]) for name, air in of.air.items())

    def _whole(self, row: dict[str, Any], networks: Sequence[str], place: str) -> None:
        """Rate x airtime are the bits of a transfer: those on the wire, or for 802.11 of the payload.

        Where messages are in packets, 802.11 has some of their headers, and what is sent again, besides.
        """
        bits = row["rate_bps"] * row["airtime_s"]
        payload, wire = 8.0 * len(networks) * row["payload_bytes"], 8.0 * row["wire_bytes"]
        headers = {self._accesses.settings(name).shared.adds_headers for name in networks}
        most = wire if False in headers or self.scenario.network.in_packets else payload
        least = 0.0 if row["outcome"] != "delivered" else wire if headers == {False} else payload
        if row["dst"] == "*" and self.scenario.network.may_lose:  # some branches may have got nothing
            least = min(least, 8.0 * row["payload_bytes"])
        if row["dst"] == "*" and self.scenario.network.hands_over:  # parts of it need not be whole bytes
            least -= 8.0
        held = least * (1.0 - 1e-6) <= bits <= most * (1.0 + 1e-6)
        self.hold(RATE, held, place, f"{bits!r} bits sent of {most:g}")

    def _capacity_bps(self, row: dict[str, Any], networks: Sequence[str]) -> float | None:
        """Return the most that the link can have; None where the survey tells means only, not the most.

        That is so where rates fade in blocks, where other cells come and go, and where the network says so.
        """
        if not all(self._is_bounded(name, row["dst"] == "*") for name in networks):
            return None
        up, links = self._accesses.is_up(row), self._accesses.links
        best = "up_best_bps" if up else "down_best_bps"
        if row["dst"] != "*":
            return float(links[row["src"] if up else row["dst"]][best])
        return max(float(link[best]) for link in links.values() if link["access"] in networks)

    def _is_bounded(self, name: str, is_multicast: bool) -> bool:
        shared = self._accesses.settings(name).shared
        steady = self._accesses.air[name]["coherence_s"] is None and self._accesses.stations(name) == 1
        return steady and (shared.multicasts_bounded if is_multicast else shared.bounded)

    def _lane(self, row: dict[str, Any], networks: Sequence[str]) -> str:
        """Return the medium of a transfer: its direction, and its station or, if alone, its device.

        Where devices go from station to station it may be of several: they are one here.
        """
        up = self._accesses.is_up(row)
        device, network = row["src" if up else "dst"], networks[0]
        half = self._accesses.air[network]["duplex"] == "half"
        way = "the air" if half else "the uplink" if up else "the downlink"
        if self._accesses.settings(network).shared.alone:
            return f"{way} of {device}"
        if device != "*" and not self.scenario.network.hands_over:
            return f"{way} of {self._accesses.links[device]['station'] or network or SERVER}"
        if len(networks) > 1 or self._accesses.stations(network) > 1 or self.scenario.network.hands_over:
            return f"{way} of all stations"
        links = self._accesses.links.values()
        stations = (link["station"] for link in links if link["access"] == network)
        return f"{way} of {next(stations) or network or SERVER}"


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
