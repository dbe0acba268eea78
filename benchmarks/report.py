"""CPU and size of the report of a run: one as large as the main job, and one of 1,000 devices.

    python benchmarks/report.py [--smoke] [RUN ...]

The CPU is that of the whole command, start included. Without RUN, the folder of a run, two runs are played
first: the main job with a small model on made-up pictures, which leaves as many rows, and one of 1,000
devices.
"""

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from _measuring import command_s, parser, show

MAIN_JOB = "100_devices"
LIGHT = (
    *("data={kind: synthetic, train_samples: 8000, test_samples: 100, size: 12, classes: 10}", "cut=conv1"),
    *("model={kind: small_cnn, width: 4}", "codec.model=fp16"),
)
MANY = ("devices.count=1000", "protocol.rounds=2", "protocol.steps=2")
SMOKE = ("devices.count=4", "protocol.rounds=2", "protocol.steps=2")


def measure(runs: Sequence[Path], page: Path) -> Iterator[str]:
    """Yield a line for each run; `page` is written anew for each."""
    for run in runs:
        took_s = command_s(["-m", "slfac_sim", "report", str(run), "--out", str(page)])
        yield f"report, {run.name}: {took_s:.2f} CPU s, {page.stat().st_size / 1e6:.2f} MB"


def played(folder: Path, name: str, overrides: Sequence[str]) -> Path:
    """Play the light main job with `overrides` in `folder`; return that of the run."""
    run = folder / name
    command_s(["-m", "slfac_sim", "run", MAIN_JOB, *LIGHT, *overrides, "--quiet", "--out", str(run)])
    return run


def main() -> None:
    """Read the command line and print what was measured."""
    options = parser(__doc__)
    options.add_argument("runs", nargs="*", type=Path, metavar="RUN")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        smoke = SMOKE if given.smoke else ()
        made = given.runs or [
            played(here, "as the main job", smoke),
            played(here, "1,000 devices", smoke or MANY),
        ]
        show(measure(made, here / "report.html"))


if __name__ == "__main__":
    main()
