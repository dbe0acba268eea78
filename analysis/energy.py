"""What hosts drew energy for, from the table `energy`: all devices together, one device, and the servers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from slfac_sim.analysis.rows import rows_if_there
from slfac_sim.analysis.structure import is_server
from slfac_sim.ledger.folder import Run

PARTS = ("computing", "codec", "sending", "receiving", "idling")
Bars = list[tuple[str, Mapping[str, float]]]


@dataclass(frozen=True)
class Drawn:
    """One run: the joules of each host, by what they were for; devices in the order of their names."""

    label: str
    hosts: Mapping[str, Mapping[str, float]]


def drawn(run: Run) -> Drawn | None:
    """Return what every host drew; None where the run is too old to tell."""
    hosts = {row["host"]: _parts(row) for row in rows_if_there(run, ("energy",))["energy"]}
    return Drawn(run.label, hosts) if hosts else None


def _parts(row: Mapping[str, Any]) -> dict[str, float]:
    rest = (row[f"{name}_j"] for name in ("codec", "transmit", "receive", "idle"))
    return dict(zip(PARTS, (row["compute_j"] - row["codec_j"], *rest), strict=True))


def together(run: Drawn) -> Bars:
    """Return what all devices drew, and each server, with its name."""
    devices = [parts for host, parts in run.hosts.items() if not is_server(host)]
    summed = {part: sum(parts[part] for parts in devices) for part in PARTS}
    bars: Bars = [(f"{len(devices)} devices", summed)] if devices else []
    return bars + [(host, parts) for host, parts in run.hosts.items() if is_server(host)]


def single(run: Drawn) -> Bars:
    """Return the devices that drew least, most, and the median, with their names; the latter one of them."""
    devices = sorted((sum(parts.values()), host) for host, parts in run.hosts.items() if not is_server(host))
    if not devices:
        return []
    places = {"least": 0, "median": (len(devices) - 1) // 2, "most": len(devices) - 1}
    return [(f"{word}: {devices[place][1]}", run.hosts[devices[place][1]]) for word, place in places.items()]
