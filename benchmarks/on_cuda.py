"""The simulator on a CUDA device: `quick` and the main job there, and `quick` on the CPU, in under 8 minutes.

    python benchmarks/on_cuda.py [--smoke] [--quick-only] [--main-cpu ACCURACY,SECONDS]

Each run is a process of its own; `--main-cpu` are figures of the main job on the CPU, where it takes minutes.
Sums are made in another order there, so accuracies agree within noise: of 10,000 images with 97 % right one
standard deviation is 0.17 points. Without a device nothing is run; `--smoke` takes the CPU for one.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from _measuring import machine, parser, show

from slfac_sim.learning.world import World
from slfac_sim.ledger.store import FileLedger
from slfac_sim.runs.opening import build
from slfac_sim.runs.starting import set_threads
from slfac_sim.scenario.files import load
from slfac_sim.simulation.simulate import simulate

SMOKE = (
    "data={kind: synthetic, train_samples: 64, test_samples: 16}",
    *("learning.batch=2", "protocol.rounds=1", "protocol.steps=1"),
)
FEW = ("devices.count=2",)
LIMIT_S = 400.0  # of one run
QUICK_MAY_DIFFER = 0.02
NO_DEVICE = {"CUDA_VISIBLE_DEVICES": ""}

Found = dict[str, Any]


def trained(scenario: str, overrides: Sequence[str]) -> Found:
    """Run `scenario` on the host that is there; return accuracy, seconds and the peak of the GPU's memory."""
    set_threads(None)
    begun_s = time.perf_counter()
    world = build(load(scenario, overrides))
    ready_s = time.perf_counter()
    accuracy = last_accuracy(world)
    there = torch.cuda.is_available()
    return {
        "host": torch.cuda.get_device_name() if there else "CPU",
        "accuracy": accuracy,
        "setup_s": ready_s - begun_s,
        "wall_s": time.perf_counter() - ready_s,
        "gpu_bytes": torch.cuda.max_memory_allocated() if there else 0,
    }


def last_accuracy(world: World) -> float:
    """Simulate, and return the accuracy of the last evaluation."""
    with tempfile.TemporaryDirectory() as folder, FileLedger(Path(folder) / "ledger.sqlite") as ledger:
        simulate(world.scenario, world.scenario.protocol.run(world), ledger)
        return float(ledger.last("evals", "accuracy"))


def apart(scenario: str, overrides: Sequence[str], environment: dict[str, str]) -> Found:
    """Return what `trained` returns in a new process. Raises `subprocess.SubprocessError`."""
    command = [sys.executable, __file__, "--", scenario, *overrides]
    done = subprocess.run(
        command,
        env=os.environ | environment,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        timeout=LIMIT_S,
    )
    return dict(json.loads(done.stdout))


def line(scenario: str, found: Found) -> str:
    """Return the line of one run."""
    return (
        f"cuda, {scenario} on {found['host']}: accuracy {100 * found['accuracy']:.2f} %,"
        f" {found['wall_s']:.1f} s, set-up {found['setup_s']:.1f} s,"
        f" peak GPU memory {found['gpu_bytes'] / 1e9:.2f} GB"
    )


def beside(scenario: str, there: Found, accuracy: float, wall_s: float) -> str:
    """Return the line that compares the device with the CPU."""
    points = 100 * (there["accuracy"] - accuracy)
    return f"cuda, {scenario}: {points:+.2f} points, {wall_s / there['wall_s']:.2f} times as fast as the CPU"


def measure(main_job: bool, main_cpu: Sequence[float], smoke: bool) -> Iterator[str]:
    """Yield the lines of the report. Raises `AssertionError` if `quick` learns something else there."""
    overrides = SMOKE if smoke else ()
    there, here = apart("quick", overrides, {}), apart("quick", overrides, NO_DEVICE)
    yield line("quick", there)
    yield line("quick", here)
    yield beside("quick", there, here["accuracy"], here["wall_s"])
    differs = abs(there["accuracy"] - here["accuracy"])
    assert differs <= QUICK_MAY_DIFFER, f"accuracies differ by {100 * differs:.2f} points"
    if main_job:
        there = apart("100_devices", [*overrides, *FEW] if smoke else (), {})
        yield line("100_devices", there)
        if main_cpu:
            yield beside("100_devices", there, *main_cpu)


def main() -> None:
    """Read the command line and print what was measured."""
    options = parser(__doc__, "tiny runs, on the CPU where there is no device")
    options.add_argument("--quick-only", action="store_true", help="leave out the main job")
    options.add_argument("--main-cpu", default="", metavar="ACCURACY,SECONDS", help="such as 0.978,290")
    given = options.parse_args()
    if not (given.smoke or torch.cuda.is_available()):
        print("no CUDA device: nothing was run")
        return
    print(machine())
    main_cpu = [float(word) for word in given.main_cpu.split(",") if word]
    show(measure(not given.quick_only, main_cpu, given.smoke))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--"]:
        print(json.dumps(trained(sys.argv[2], sys.argv[3:])))
    else:
        main()
