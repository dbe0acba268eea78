"""All benchmarks in one run, each a process of its own: `python benchmarks/all.py`.

It prints the machine, then server step, whole job and device steps against plain loops, the codecs, the
sharing engine, replay, start, figures and reports, with ratios: machines are noisy. `--smoke` runs every file
of this folder that does not begin with `_` with its own `--smoke`, which judges nothing. Exits with 1 if one
fails.
"""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from _measuring import machine, parser

from slfac_sim.runs.starting import set_threads

HERE = Path(__file__).resolve().parent
REPORT = (
    ("server_step.py",),
    ("whole_run.py",),
    ("device_steps.py", "ratio", "100"),
    ("codecs.py", "slfac", "slfac_rd", "uniform", "raw"),
    ("network.py",),
    ("network_case.py",),
    ("replay.py",),
    ("startup.py",),
    ("figures.py",),
    ("report.py",),
    ("on_cuda.py",),
)


def every() -> list[tuple[str, ...]]:
    """Return every benchmark with its `--smoke`."""
    files = sorted(path.name for path in HERE.glob("*.py") if not path.name.startswith("_"))
    return [(name, "--smoke") for name in files if name != Path(__file__).name]


def failed(commands: Sequence[tuple[str, ...]]) -> list[str]:
    """Run `commands`, one after the other; return those that fail."""
    wrong = []
    for file, *arguments in commands:
        done = subprocess.run([sys.executable, str(HERE / file), *arguments], check=False)
        if done.returncode:
            wrong.append(" ".join([file, *arguments]))
    return wrong


def main() -> int:
    """Read the command line, run, and return the exit status."""
    options = parser(__doc__, "run every benchmark at a tiny size")
    smoke = options.parse_args().smoke
    set_threads(1)  # as the benchmarks do
    print(machine(), flush=True)
    wrong = failed(every() if smoke else REPORT)
    for command in wrong:
        print(f"FAILED: {command}", file=sys.stderr)
    return int(bool(wrong))


if __name__ == "__main__":
    raise SystemExit(main())
