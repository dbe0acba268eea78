"""Makes small study folders, as a sweep leaves them, for the tests of the analysis.

Learning is made up: the accuracy of codec, seed and round is a saturating curve. So is the air: a round takes
`FIXED_S` plus its bytes over the bandwidth, and a draw of the air makes it longer or shorter.
"""

import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from slfac_sim.foundation.units import parse_quantity

LABELS = {"raw": "raw fp32", "slfac": "SL-FAC (our reading), theta 0.9, 2..8 bits", "topk": "top-k 5 %"}
ROUND_BYTES = {"raw": 64_000_000, "slfac": 12_000_000, "topk": 5_000_000}
FIXED_S = {"raw": 6.0, "slfac": 9.0, "topk": 7.5}  # of a round: computing, and the codec's own work
BITS_PER_HZ, DEVICES_W = 3.0, 8.0
KINDS = ("smashed_up", "smashed_down", "labels", "model_up", "model_down")

Change = Callable[[dict[str, Any]], None]


def fake_study(
    folder: Path,
    axes: Mapping[str, Sequence[str]] | None = None,
    seeds: int = 3,
    air_seeds: int = 0,
    targets: Sequence[float] = (0.8, 0.85),
    rounds: int = 12,
    change: Change | None = None,
) -> Path:
    """Write `study.yaml` and the points of a finished study; `change` edits each point before that."""
    axes = axes or {"network.bandwidth": ["1 MHz", "10 MHz", "100 MHz"], "codec": ["raw", "slfac"]}
    (folder / "points").mkdir(parents=True)
    study = {"name": "bandwidth", "base": "quick", "axes": {k: list(v) for k, v in axes.items()}}
    study |= {"seeds": list(range(seeds)), "air_seeds": air_seeds, "targets": list(targets)}
    (folder / "study.yaml").write_text(yaml.safe_dump(study, sort_keys=False), encoding="utf-8")
    number = 0
    for texts in itertools.product(*axes.values()):
        for seed, air in _seeds(seeds, air_seeds):
            point = fake_point(dict(zip(axes, texts, strict=True)), seed, air, rounds)
            point["key"] = f"{number:016x}"
            if change is not None:
                change(point)
            file = folder / "points" / f"{point['key']}.json"
            file.write_text(json.dumps(point), encoding="utf-8")
            number += 1
    return folder


def _seeds(seeds: int, air_seeds: int) -> list[tuple[int, int]]:
    own = [(seed, seed) for seed in range(seeds)]
    return own + [(seed, 1000 + draw) for seed in range(seeds) for draw in range(air_seeds)]


def fake_point(axes: Mapping[str, str], seed: int, air: int, rounds: int = 12) -> dict[str, Any]:
    """Return a finished point; only codec, bandwidth, latency and the two seeds make a difference."""
    codec = axes.get("codec", "slfac").split("_")[0]  # slfac_3: another line of the same numbers
    hertz = parse_quantity(axes.get("network.bandwidth", "5 MHz"), "frequency")
    latency_s = parse_quantity(axes.get("network.latency", "0 s"), "duration")
    draw = np.random.default_rng(air).normal() * 0.1 + 1.0
    airtime_s = 8 * ROUND_BYTES[codec] / (BITS_PER_HZ * hertz) * draw
    round_s = FIXED_S[codec] + airtime_s + 60 * latency_s
    total = ROUND_BYTES[codec] * rounds
    return {
        "key": "",
        "training": f"{codec}{seed}",
        "axes": dict(axes),
        "values": {path: _value(path, text) for path, text in axes.items()},
        "seed": {"learning": seed, "air": air},
        "air_draw": air >= 1000,
        "status": "finished",
        "reason": "",
        "label": LABELS[codec],
        "simulated_s": round_s * rounds,
        "rounds": rounds,
        "transfers": 40 * rounds,
        "bytes": {**_bytes(total), "total": total},
        "bits_per_value": {"up": 6.0, "down": 7.0},
        "energy_j": 0.5 * rounds,
        "wire_bytes": int(1.04 * total),
        "energy": {
            who: {"compute_j": 3.0 * round_s, "total_j": 8.0 * round_s} for who in ("devices", "server")
        },
        "digest": f"{codec}{seed}{air}",
        "curve": _curve(codec, seed, rounds, round_s),
        "parts_s": _parts(FIXED_S[codec] * rounds, airtime_s * rounds, round_s * rounds),
        "bounds_s": {"infinite bandwidth": FIXED_S[codec] * rounds, "zero compute": airtime_s * rounds},
        "straggler": {"d003": 7, "d001": 5},
    }


def _value(path: str, text: str) -> float | str:
    dimension = {"network.bandwidth": "frequency", "network.latency": "duration"}.get(path)
    if dimension is not None:
        return parse_quantity(text, dimension)
    return int(text) if text.isdecimal() else text


def _bytes(total: int) -> dict[str, int]:
    shares = dict(zip(KINDS, (0.45, 0.48, 0.01, 0.05, 0.01), strict=True))
    return {kind: round(share * total) for kind, share in shares.items()}


def _curve(codec: str, seed: int, rounds: int, round_s: float) -> dict[str, list[float]]:
    rng = np.random.default_rng(seed)
    index = np.arange(rounds + 1)
    best, speed = {"raw": (0.89, 0.45), "slfac": (0.885, 0.44), "topk": (0.84, 0.3)}[codec]
    learnt = best - (best - 0.1) * np.exp(-speed * index * (1 + 0.08 * rng.normal()))
    accuracy = np.clip(learnt + 0.006 * rng.normal(size=index.size), 0.0, 1.0)
    return {
        "round": index.tolist(),
        "at_s": (index * round_s).tolist(),
        "accuracy": accuracy.tolist(),
        "accuracy_no_codec": (accuracy + 0.002).tolist(),
        "loss": (1.0 - accuracy).tolist(),
        "payload_bytes": (index * ROUND_BYTES[codec]).tolist(),
        "devices_j": (index * round_s * DEVICES_W).tolist(),
    }


def _parts(fixed_s: float, airtime_s: float, whole_s: float) -> dict[str, float]:
    parts = {
        "device compute": 0.6 * fixed_s,
        "codec": 0.1 * fixed_s,
        "waiting for air": 0.3 * airtime_s,
        "airtime": 0.7 * airtime_s,
        "propagation": whole_s - fixed_s - airtime_s,
        "server queue": 0.05 * fixed_s,
        "server compute": 0.15 * fixed_s,
        "waiting at the barrier": 0.1 * fixed_s,
    }
    return {part: max(seconds, 0.0) for part, seconds in parts.items()}
