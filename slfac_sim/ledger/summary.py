"""The summary of a run: what its ledger says in a few numbers, and what the host spent on it."""

import math
import platform
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from slfac_sim.foundation.metrics import METRICS
from slfac_sim.foundation.plugins import kind_of
from slfac_sim.foundation.roles import is_device
from slfac_sim.foundation.targets import ACCURACY, Target
from slfac_sim.foundation.units import exact
from slfac_sim.foundation.version import versions
from slfac_sim.ledger.measured import Series, measured, times_to
from slfac_sim.ledger.store import Ledger
from slfac_sim.ledger.tables import ENERGY
from slfac_sim.scenario.schema import Codecs, ModelCodecs, Scenario
from slfac_sim.scenario.steering import cuts_a_model, exchanges_models

KINDS = (
    *("smashed_up", "smashed_down", "middle_down", "middle_up", "labels", "model_up", "model_down"),
    *("edge_up", "edge_down"),
)


@dataclass(frozen=True)
class HostClock:
    """What this host spends on a run, from its construction on; never a part of simulated time."""

    threads: int
    wall_s: float = field(default_factory=time.perf_counter)
    cpu_s: float = field(default_factory=time.process_time)

    def spent(self) -> dict[str, Any]:
        """Return wall and CPU seconds, peak memory, threads, the commit and the versions of what computes."""
        return {
            "wall_s": time.perf_counter() - self.wall_s,
            "cpu_s": time.process_time() - self.cpu_s,
            "peak_rss_bytes": peak_rss_bytes(),
            "threads": self.threads,
            **versions(),
        }


def peak_rss_bytes() -> int | None:
    """Return the largest resident size of this process so far; None where the system does not tell."""
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(peak) if platform.system() == "Darwin" else int(peak) * 1024  # kilobytes on Linux


def summary_of(
    scenario: Scenario,
    data: Mapping[str, Any],
    ledger: Ledger,
    host: Mapping[str, Any],
    status: str,
    reason: str,
    series: Series | None = None,
) -> dict[str, Any]:
    """Return the summary as it is written to ``summary.json``; `docs/results.md` explains every key.

    `data` are the name of the data set and whether it is real, `host` is what `HostClock` says.
    The `series` of metrics are measured, unless they are known.
    """
    evaluations = ledger.tuples("evals", ("round", "at_s"))
    numbers, at_s = [number for number, _ in evaluations], [at_s for _, at_s in evaluations]
    series = measured(ledger) if series is None else series
    times = times_to(at_s, series, scenario.evaluation.aims)
    untrained = [target.text for target in times if at_s and target.met(series[target.metric][0])]
    payloads = _by_kind(ledger)
    air = ledger.tuples("transfers", ("wire_bytes", "energy_j", "outcome"))
    return {
        "scenario": scenario.name,
        "label": label_of(scenario),
        "status": status,
        "reason": reason,
        "seed": {"learning": scenario.seed.learning, "air": scenario.seed.air},
        "data": dict(data),
        "devices": scenario.devices.count,
        "positions_redrawn": sum(redraws for (redraws,) in ledger.tuples("air", ("redraws",))),
        "simulated_s": _last_s(ledger),
        "rounds": len(ledger.tuples("rounds", ("round",))),
        "stopped": _stopped(scenario, numbers, series),
        "accuracy": _ends(series, "accuracy"),
        "metrics": {name: _ends(series, name) for name in METRICS if name != ACCURACY},
        "time_to_accuracy_s": {exact(aim.value): s for aim, s in times.items() if aim.metric == ACCURACY},
        "time_to_metrics_s": _by_metric(times),
        "targets_met_untrained": untrained,
        "bytes": {
            **{kind: payloads.get(kind, (0, 0))[0] for kind in KINDS},
            "total": sum(nbytes for nbytes, _ in payloads.values()),
        },
        "wire_bytes": sum(nbytes for nbytes, _, _ in air),
        "bits_per_value": {
            **{way: _bits_per_value(payloads.get(f"smashed_{way}")) for way in ("up", "down")},
            **{kind: _bits_per_value(payloads.get(kind)) for kind in ("model_up", "model_down")},
        },
        "transfers": len(air),
        "lost": sum(outcome == "lost" for _, _, outcome in air),
        "missed": len(ledger.tuples("misses", ("round",))),
        "handovers": _handovers(ledger),
        "energy_j": math.fsum(energy_j for _, energy_j, _ in air),
        "energy": _energy(ledger),
        "host": dict(host),
        "digest": ledger.digest(),
    }


def _stopped(scenario: Scenario, rounds: Sequence[int], series: Series) -> str | None:
    """Return after which round, and why, `learning.until` has ended the training; None if it has not.

    `rounds` are those that were evaluated, `series` what came of it.
    """
    until = scenario.learning.until
    if until is None:
        return None
    values = zip(rounds, *(series[name] for name in until.metrics), strict=True)
    met = until.met([dict(zip(until.metrics, row, strict=True)) for number, *row in values if number])
    return met and f"after round {rounds[-1]} of {scenario.protocol.rounds}: {met}"


def _ends(series: Series, name: str) -> dict[str, float | None]:
    """Return the last value of a metric, and the best one."""
    values = [value for value in series[name] if value is not None]
    best = min if METRICS[name].less_is_better else max
    return {"final": series[name][-1] if series[name] else None, "best": best(values, default=None)}


def _by_metric(times: Mapping[Target, float | None]) -> dict[str, dict[str, float | None]]:
    """Return the times to targets of other metrics than accuracy, by metric and value."""
    by_metric: dict[str, dict[str, float | None]] = {}
    for target, at_s in times.items():
        if target.metric != ACCURACY:
            by_metric.setdefault(target.metric, {})[exact(target.value)] = at_s
    return by_metric


def label_of(scenario: Scenario) -> str:
    """Return what figures call a run: its codecs; of whole models theirs, and the protocol."""
    models = scenario.codec.model if exchanges_models(scenario) else None
    if not cuts_a_model(scenario):
        kind = kind_of(scenario.protocol)
        return kind if models is None else f"{codec_label(models)}, {kind}"
    label = codec_label(scenario.codec)
    return (
        label if models in (None, ModelCodecs()) else f"{label}, models {codec_label(scenario.codec.model)}"
    )


def codec_label(codecs: Codecs | ModelCodecs) -> str:
    """Return the codecs' names for people."""
    up, down = codecs.uplink, codecs.downlink
    if up == down:
        return str(up.label)
    return f"up {up.label}, down {down.label}"


def _by_kind(ledger: Ledger) -> dict[str, tuple[int, int]]:
    """Return bytes sent and the numbers that they stand for, of each kind of payload."""
    sums: dict[str, tuple[int, int]] = {}
    for kind, nbytes, values in ledger.tuples("payloads", ("kind", "bytes", "value_count")):
        before = sums.get(kind, (0, 0))
        sums[kind] = before[0] + nbytes, before[1] + values
    return sums


def _energy(ledger: Ledger) -> dict[str, dict[str, float]]:
    """Return what all devices together drew, and what all servers drew, by what it was for."""
    names = [name for name in ENERGY["energy"] if name.endswith("_j")]
    rows = ledger.tuples("energy", ("host", *names))
    parts = {
        "devices": [row[1:] for row in rows if is_device(row[0])],
        "server": [row[1:] for row in rows if not is_device(row[0])],
    }
    return {
        part: {name: math.fsum(row[place] for row in drawn) for place, name in enumerate(names)}
        for part, drawn in parts.items()
    }


def _handovers(ledger: Ledger) -> dict[str, Any]:
    """Return how many handovers there were, of how many devices, and how long they interrupted these."""
    rows = ledger.tuples("handovers", ("device", "is_ping_pong", "interruption_s"))
    return {
        "count": len(rows),
        "ping_pongs": sum(is_ping_pong for _, is_ping_pong, _ in rows),
        "devices": len({device for device, _, _ in rows}),
        "interruption_s": math.fsum(seconds for _, _, seconds in rows),
    }


def _last_s(ledger: Ledger) -> float:
    """Return when the last thing ended; rows are written in the order of what they tell of."""
    columns = {"transfers": "end_s", "computes": "end_s", "steps": "at_s", "rounds": "at_s"}
    latest = (ledger.last(table, column) for table, column in columns.items())
    return max((at_s for at_s in latest if at_s is not None), default=0.0)


def _bits_per_value(figures: tuple[int, int] | None) -> float | None:
    return 8.0 * figures[0] / figures[1] if figures is not None and figures[1] else None
