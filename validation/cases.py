"""The cases that an independent packet simulator and our own code both run. It runs nothing itself.

A case says the same traffic over the same channel in two tongues: as the command line of its ns-3 program
(`programs/wifi.cc`, `programs/wired.cc`, `programs/handover.cc`) and as a CASE of `python -m
slfac_sim.network`, or as the settings of a network.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from handover import HANDOVER, HandoverCase
from wired import WiredCase
from wired_cases import MEGABYTE, WIRED


@dataclass(frozen=True)
class WifiCase:
    """Stations that upload `payload_bytes` each from one instant on, `rates_mbps` being their PHY rates.

    `packet_bytes` are UDP payload, to which `header_bytes` of UDP and IP are added, and 8 of LLC/SNAP.
    Every station hears every other one at `power_dbm`. With `down` the access point sends as much to each
    of them from the same instant on, to its receivers in turn.
    `ask_again` is what the sender of an A-MPDU does when no BlockAck comes: a BlockAckReq (True, the ns-3
    default), or the A-MPDU once more (False). `replications` are runs 1, 2, ... of the random streams of
    `seed`. `mcs` is the scheme of all stations, by which ns-3 knows the rates of 802.11ac and ax.
    """

    name: str
    standard: str
    rates_mbps: tuple[float, ...]
    replications: int
    ask_again: bool = True
    payload_bytes: int = MEGABYTE
    packet_bytes: int = 1400
    header_bytes: int = 28
    power_dbm: float = -40.0
    seed: int = 1
    down: bool = False
    width_mhz: int = 20
    mcs: int | None = None

    program = "wifi"

    def arguments(self, run: int) -> list[str]:
        """Return the command line of programs/wifi.cc for replication number `run`."""
        return [
            f"--standard={self.standard.removeprefix('802.11')}",
            "--rates=" + ",".join(f"{rate:g}" for rate in self.rates_mbps),
            f"--bytes={self.payload_bytes}",
            f"--payload={self.packet_bytes}",
            f"--headers={self.header_bytes}",
            f"--rss={self.power_dbm:g}",
            f"--bar={int(self.ask_again)}",
            f"--seed={self.seed}",
            f"--run={run}",
            *(["--down=1"] if self.down else []),
            *([f"--width={self.width_mhz}"] if self.width_mhz != 20 else []),
            *(["--mcs=" + ",".join([str(self.mcs)] * len(self.rates_mbps))] if self.mcs is not None else []),
        ]

    def tree(self, medium: Mapping[str, Any]) -> dict[str, Any]:
        """Return the CASE in which `medium` (its kind, and what only this kind has) is the channel."""
        air = {
            "standard": self.standard,
            "bandwidth": 1e6 * self.width_mhz,
            "packet_bytes": self.packet_bytes,
            "block_ack_request": self.ask_again,
            **medium,
        }
        ways = [("station {}", "access point"), ("access point", "station {}")]
        transfers = [
            {
                "id": number * len(self.rates_mbps) + i,
                "path": ["air"],
                "start_s": 0.0,
                "bytes": self.payload_bytes,
                "src": src.format(i),
                "dst": dst.format(i),
                "phy_rate_bps": rate * 1e6,
            }
            for number, (src, dst) in enumerate(ways[: 1 + self.down])
            for i, rate in enumerate(self.rates_mbps)
        ]
        return {"links": {"air": air}, "transfers": transfers}


def _equal(
    standard: str,
    n: int,
    replications: int,
    ask_again: bool = True,
    payload_bytes: int = MEGABYTE,
    down: bool = False,
) -> WifiCase:
    rate, letter = {"802.11a": (54.0, "a"), "802.11n": (65.0, "n")}[standard]
    size = "" if payload_bytes == MEGABYTE else f"-{payload_bytes / MEGABYTE:g}MB"
    name = f"{letter}-{n}{size}" + ("" if ask_again else "-again") + ("-both" if down else "")
    return WifiCase(name, standard, (rate,) * n, replications, ask_again, payload_bytes, down=down)


WIDE = (  # standard, MHz, MCS, and its rate in Mbit/s
    ("802.11ac", 20, 4, 39.0),
    ("802.11ac", 80, 9, 390.0),
    ("802.11ax", 20, 4, 702 / 13.6),
    ("802.11ax", 80, 11, 8166 / 13.6),
    ("802.11ax", 160, 7, 9800 / 13.6),
)


def _wide(standard: str, width_mhz: int, mcs: int, rate_mbps: float, n: int, down: bool) -> WifiCase:
    name = f"{standard.removeprefix('802.11')}-{width_mhz}-mcs{mcs}-{n}" + ("-both" if down else "")
    nbytes = (2 if width_mhz == 20 else 10) * MEGABYTE
    return WifiCase(
        name, standard, (rate_mbps,) * n, 20, payload_bytes=nbytes, down=down, width_mhz=width_mhz, mcs=mcs
    )


FAMILIES: Mapping[str, tuple[WifiCase | WiredCase | HandoverCase, ...]] = {
    "wifi_a": (
        _equal("802.11a", 1, 20),
        _equal("802.11a", 5, 20),
        _equal("802.11a", 10, 20),
        _equal("802.11a", 20, 10),
        _equal("802.11a", 50, 5),
    ),
    "wifi_mixed": (WifiCase("a-54-54-54-6", "802.11a", (54.0, 54.0, 54.0, 6.0), 30),),
    "wifi_n": (
        _equal("802.11n", 1, 20),
        _equal("802.11n", 5, 40),
        _equal("802.11n", 10, 40),
        _equal("802.11n", 20, 20),
        _equal("802.11n", 50, 10),
    ),
    "wifi_n_again": (
        _equal("802.11n", 5, 40, ask_again=False),
        _equal("802.11n", 10, 40, ask_again=False),
        _equal("802.11n", 20, 20, ask_again=False),
        _equal("802.11n", 50, 10, ask_again=False),
    ),
    "wifi_n_long": tuple(
        _equal("802.11n", n, replications, ask_again, size)
        for ask_again in (True, False)
        for n, replications, size in ((10, 5, 10 * MEGABYTE), (20, 3, 10 * MEGABYTE), (50, 2, 5 * MEGABYTE))
    ),
    "wifi_both": (
        *(_equal("802.11n", n, runs, down=True) for n, runs in ((1, 20), (2, 20), (5, 20), (10, 20))),
        *(
            _equal("802.11n", n, runs, payload_bytes=MEGABYTE // 10, down=True)
            for n, runs in ((1, 160), (2, 120), (5, 120), (10, 80))
        ),
        *(_equal("802.11a", n, 10, down=True) for n in (1, 2, 5, 10)),
    ),
    "wifi_wide": tuple(_wide(*one, n, down) for one in WIDE for down in (False, True) for n in (1, 5)),
    **WIRED,
    **HANDOVER,
}
