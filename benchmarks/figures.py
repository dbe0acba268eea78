"""CPU of drawing the figures of a small run, against the run itself.

    python benchmarks/figures.py [--smoke] [KEY=VALUE ...]

Of the scenario `small`, 6 devices on made-up pictures: the run without figures, the command `run` as it is by
default, whose difference is the summary and the main figures, and `slfac_sim.analysis`, which draws all.
"""

import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from _measuring import command_s, last_of, parser, show
from whole_run import simulated

from slfac_sim.runs.opening import build
from slfac_sim.runs.starting import set_threads
from slfac_sim.scenario.files import load

SMALL = "small"
SMOKE = ("devices.count=2", "protocol.rounds=1", "protocol.steps=1")


def measure(overrides: Sequence[str]) -> Iterator[str]:
    """Yield the lines of the report."""
    with tempfile.TemporaryDirectory() as folder:
        run = str(Path(folder) / "run")
        alone_s = command_s([__file__, "--alone", *overrides])
        yield f"figures, a small run without them: {alone_s:.2f} CPU s"
        default_s = command_s(["-m", "slfac_sim", "run", SMALL, *overrides, "--quiet", "--out", run])
        more_s = default_s - alone_s
        yield (
            f"figures, the run as by default: {default_s:.2f} CPU s, {more_s:.2f} more"
            f" ({more_s / alone_s:.2f} of the run)"
        )
        every_s = command_s(["-m", "slfac_sim.analysis", run, "--out", str(Path(folder) / "figures")])
        yield f"figures, all of them on demand: {every_s:.2f} CPU s ({every_s / alone_s:.2f} of the run)"


def main() -> None:
    """Read the command line and print what was measured."""
    options = parser(__doc__)
    options.add_argument("overrides", nargs="*", metavar="KEY=VALUE")
    given = options.parse_args()
    show(measure(last_of([*(SMOKE if given.smoke else ()), *given.overrides])))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--alone"]:
        set_threads(None)
        simulated(build(load(SMALL, sys.argv[2:])))
    else:
        main()
