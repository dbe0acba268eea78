"""What one mini-batch of one device costs: CPU of a whole simulated run against a plain loop, memory.

    python benchmarks/device_steps.py [--smoke] [ratio|memory|startup] [DEVICES ...] [KEY=VALUE ...]

`ratio` (aim: at most 1.05) trains the same batches in the same cohorts, by `parallel` with the codec `raw`,
once in the simulator (events, queues, network, bodies with their checksums and fingerprints, ledger) and once
by the fastest plain loop; both must end in the same weights. `memory` (aim: 2 GB) has 50 of 1,000 devices
take part in each round. `startup` (aim: 20 s) is the time until 10,000 devices are there. Each measurement is
a process of its own with one thread. KEY=VALUE overrides the scenario.
"""

import hashlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from _measuring import spent
from whole_run import Learnt, bare, simulated

from slfac_sim.learning.world import World
from slfac_sim.ledger.store import FileLedger
from slfac_sim.ledger.summary import peak_rss_bytes
from slfac_sim.runs.opening import build
from slfac_sim.runs.starting import set_threads
from slfac_sim.scenario.files import load
from slfac_sim.simulation.simulate import simulate

MODES = {"ratio": (10, 100, 1000), "memory": (1000,), "startup": (10_000,)}
SMOKE = {"ratio": (2,), "memory": (60,), "startup": (50,)}
PLAIN = ("codec=raw", "data.test_samples=50", "protocol.rounds=1", "evaluation.every_rounds=1000")
STEPS, PAIRS = {10: 10, 100: 3}, 3
FEW = ("protocol={kind: parallel, rounds: 40, steps: 1, participation: {select: {kind: random, count: 50}}}",)
SMALL = ("data.test_samples=50", "evaluation.every_rounds=1000")
TINY = ("model={kind: small_cnn, width: 2}", "cut=conv1", "protocol.rounds=1", "data=synthetic")


def trained(way: str, overrides: Sequence[str]) -> dict[str, Any]:
    """Train in the `way`, `simulated` or `bare`."""
    ways: dict[str, Callable[[World], Learnt]] = {"simulated": simulated, "bare": bare}
    world = build(load("100_devices", overrides))
    steps = world.device_steps
    learnt, cpu_s = spent(lambda: ways[way](world))
    weights = hashlib.sha256(b"".join(part.tobytes() for part in learnt[:2])).hexdigest()
    return {"cpu_s": cpu_s, "peak_bytes": peak_rss_bytes(), "steps": steps, "learnt": weights}


def startup(overrides: Sequence[str]) -> dict[str, Any]:
    """Build a world, survey its air, and let the clock come to the first thing that is written down."""

    class Begun(Exception):
        pass

    def stop(table: str, row: Any) -> None:
        raise Begun

    began_s = time.perf_counter()
    world = build(load("100_devices", overrides))
    with tempfile.TemporaryDirectory() as folder, FileLedger(Path(folder) / "l") as ledger, suppress(Begun):
        simulate(world.scenario, world.scenario.protocol.run(world), ledger, stop)
    return {"wall_s": time.perf_counter() - began_s, "peak_bytes": peak_rss_bytes()}


def apart(what: str, overrides: Sequence[str]) -> dict[str, Any]:
    """Return what `what` (`simulated`, `bare`, `startup`) gives in a new process with one thread."""
    command = [sys.executable, __file__, "--", what, *overrides]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return dict(json.loads(done.stdout))


def ratio(devices: int, overrides: Sequence[str], pairs: int) -> str:
    """Return the line for `devices`: medians of runs in turn."""
    chosen = (*PLAIN, f"devices.count={devices}", f"protocol.steps={STEPS.get(devices, 1)}", *overrides)
    ours, plain = zip(
        *((apart("simulated", chosen), apart("bare", chosen)) for _ in range(pairs)), strict=True
    )
    assert ours[0]["learnt"] == plain[0]["learnt"], "the plain loop does not train the same model"
    steps = ours[0]["steps"]
    costs = [float(np.median([run["cpu_s"] for run in runs])) / steps for runs in (ours, plain)]
    peaks = [max(run["peak_bytes"] for run in runs) / 1e9 for runs in (ours, plain)]
    return (
        f"{devices:,} devices, {steps} device-steps: {1e3 * costs[0]:.2f} ms of CPU each simulated,"
        f" {1e3 * costs[1]:.2f} ms by the plain loop, ratio {costs[0] / costs[1]:.3f} (aim: at most 1.05);"
        f" peak memory {peaks[0]:.2f} GB, {peaks[1]:.2f} GB"
    )


def memory(devices: int, overrides: Sequence[str], _: int) -> str:
    """Return the line for `devices` of which 50 take part in each round."""
    found = apart("simulated", (*SMALL, *FEW, f"devices.count={devices}", *overrides))
    peak_gb = found["peak_bytes"] / 1e9
    return f"{devices:,} devices, 50 a round: peak {peak_gb:.2f} GB (aim: 2 GB), {found['cpu_s']:.0f} CPU s"


def started(devices: int, overrides: Sequence[str], _: int) -> str:
    """Return the line for the start with `devices`."""
    found = apart("startup", (*SMALL, *FEW, f"devices.count={devices}", *overrides))
    return (
        f"{devices:,} devices are there after {found['wall_s']:.1f} s (aim: 20 s),"
        f" with {found['peak_bytes'] / 1e9:.2f} GB"
    )


def measure(modes: Sequence[str], sizes: Sequence[int], overrides: Sequence[str], smoke: bool) -> None:
    """Print the lines of all `modes`, for `sizes` or those of the aims."""
    lines = {"ratio": ratio, "memory": memory, "startup": started}
    usual, pairs, more = (SMOKE, 1, TINY) if smoke else (MODES, PAIRS, ())
    for mode in modes:
        for devices in sizes or usual[mode]:
            print(f"{mode}: {lines[mode](devices, [*more, *overrides], pairs)}", flush=True)


def main(given: Sequence[str]) -> None:
    """Read the command line and print what was measured."""
    smoke = "--smoke" in given
    measure(
        [word for word in given if word in MODES] or tuple(MODES),
        [int(word) for word in given if word.isdigit()],
        [word for word in given if "=" in word],
        smoke,
    )


def child(what: str, overrides: Sequence[str]) -> None:
    """Print one measurement as JSON."""
    set_threads(1)
    print(json.dumps(startup(overrides) if what == "startup" else trained(what, overrides)))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--"]:
        child(sys.argv[2], sys.argv[3:])
    else:
        main(sys.argv[1:])
