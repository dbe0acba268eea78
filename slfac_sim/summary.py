"""The summary of a run: what its ledger says in a few numbers, and what the host spent on it."""

import platform
import time
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

from slfac_sim.build import World
from slfac_sim.ledger import Ledger
from slfac_sim.scenario import Scenario

KINDS = ("smashed_up", "smashed_down", "labels", "model_up", "model_down")


@dataclass(frozen=True)
class HostClock:
    """What this host spends on a run, from its construction on; never a part of simulated time."""

    threads: int
    wall_s: float = field(default_factory=time.perf_counter)
    cpu_s: float = field(default_factory=time.process_time)

    def spent(self) -> dict[str, Any]:
        """Return wall and CPU seconds, peak memory, threads and the versions of what computes."""
        return {
            "wall_s": time.perf_counter() - self.wall_s,
            "cpu_s": time.process_time() - self.cpu_s,
            "peak_rss_bytes": peak_rss_bytes(),
            "threads": self.threads,
            "python": platform.python_version(),
            **{name: version(name) for name in ("torch", "numpy", "simpy")},
        }


def peak_rss_bytes() -> int | None:
    """Return the largest resident size of this process so far; None where the system does not tell."""
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(peak) if platform.system() == "Darwin" else int(peak) * 1024  # kilobytes on Linux


def summarise(
    scenario: Scenario, world: World, ledger: Ledger, clock: HostClock, status: str, reason: str
) -> dict[str, Any]:
    """Return the summary as it is written to ``summary.json``; `docs/results.md` explains every key."""
    evals = ledger.query("SELECT at_s, accuracy FROM evals ORDER BY rowid")
    accuracies = [accuracy for _, accuracy in evals]
    payloads = {
        kind: (nbytes, values)
        for kind, nbytes, values in ledger.query(
            "SELECT kind, sum(bytes), sum(value_count) FROM payloads GROUP BY kind"
        )
    }
    sent = {kind: payloads.get(kind, (0, 0))[0] for kind in KINDS}
    ((transfers, wire_bytes, energy_j),) = ledger.query(
        "SELECT count(*), coalesce(sum(wire_bytes), 0), coalesce(sum(energy_j), 0.0) FROM transfers"
    )
    return {
        "scenario": scenario.name,
        "label": codec_label(scenario),
        "status": status,
        "reason": reason,
        "seed": {"learning": scenario.seed.learning, "air": scenario.seed.air},
        "data": {"name": world.data.name, "real": world.data.real},
        "devices": scenario.devices.count,
        "simulated_s": _last_s(ledger),
        "rounds": ledger.query("SELECT count(*) FROM rounds")[0][0],
        "accuracy": {
            "final": accuracies[-1] if accuracies else None,
            "best": max(accuracies, default=None),
        },
        "time_to_accuracy_s": {
            f"{target:g}": next((at_s for at_s, accuracy in evals if accuracy >= target), None)
            for target in scenario.evaluation.targets
        },
        "bytes": {**sent, "total": sum(nbytes for nbytes, _ in payloads.values())},
        "wire_bytes": wire_bytes,
        "bits_per_value": {way: _bits_per_value(payloads.get(f"smashed_{way}")) for way in ("up", "down")},
        "transfers": transfers,
        "energy_j": energy_j,
        "host": clock.spent(),
        "digest": ledger.digest(),
    }


def codec_label(scenario: Scenario) -> str:
    """Return the codecs' names for people, as figures show them."""
    up, down = scenario.codec.uplink, scenario.codec.downlink
    if up == down:
        return str(up.label)
    return f"up {up.label}, down {down.label}"


def _last_s(ledger: Ledger) -> float:
    columns = {"transfers": "end_s", "computes": "end_s", "steps": "at_s", "rounds": "at_s"}
    latest = (ledger.query(f"SELECT max({column}) FROM {table}")[0][0] for table, column in columns.items())
    return max((at_s for at_s in latest if at_s is not None), default=0.0)


def _bits_per_value(figures: tuple[int, int] | None) -> float | None:
    return 8.0 * figures[0] / figures[1] if figures is not None and figures[1] else None
