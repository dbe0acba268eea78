"""Seconds for 100,000 transfers through `python -m slfac_sim.network`, start of the interpreter included.

One link, which is busy all the time; files of three kinds: random starts, all at once, and random caps.
With `--smoke` there are 100. It checks no result.
"""

import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COUNT, SMOKE = 100_000, 100
LOAD = 1.3  # of the link, so that up to a quarter of the transfers are under way together

_Row = dict[str, object]
KINDS: dict[str, Callable[[random.Random, float], _Row]] = {
    "random starts": lambda rng, within_s: {"start_s": rng.uniform(0.0, within_s)},
    "all at once": lambda rng, within_s: {"start_s": 0.0},
    "random starts and caps": lambda rng, within_s: {
        "start_s": rng.uniform(0.0, within_s),
        "cap_bps": rng.uniform(1e4, 1e7),
    },
    "all at once, random caps": lambda rng, within_s: {"start_s": 0.0, "cap_bps": rng.uniform(1e3, 1e5)},
}


def case(kind: str, count: int) -> str:
    """Return the JSON text of a case of `count` transfers of 0.5 MB on average, on a link of 1 Gbit/s."""
    rng, within_s = random.Random(1), 8e-9 * 5e5 * count / LOAD
    rows = [
        {"id": i, "path": ["link"], "bytes": rng.randint(1, 1_000_000), **KINDS[kind](rng, within_s)}
        for i in range(count)
    ]
    return json.dumps({"links": {"link": {"capacity_bps": 1e9}}, "transfers": rows})


def command_s(kind: str, count: int) -> tuple[float, float]:
    """Return the wall time of the whole command, and of the simulation within, as the command says."""
    with tempfile.TemporaryDirectory() as folder:
        file, out = Path(folder, "case.json"), Path(folder, "out.json")
        file.write_text(case(kind, count))
        before_s = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "slfac_sim.network", str(file), "-o", str(out)], cwd=ROOT, check=True
        )
        wall_s = time.perf_counter() - before_s
        return wall_s, float(json.loads(out.read_text())["host_s"])


def measure(smoke: bool = False) -> list[str]:
    """Return the lines of the report, one for each kind of case."""
    lines, count = [], SMOKE if smoke else COUNT
    for kind in KINDS:
        wall_s, host_s = command_s(kind, count)
        lines.append(f"{count:,} transfers, {kind}: {wall_s:.2f} s in all, {host_s:.2f} s of it simulating")
    return lines


if __name__ == "__main__":
    print("\n".join(measure("--smoke" in sys.argv[1:])))
