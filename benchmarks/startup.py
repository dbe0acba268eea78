"""What commands cost before they do anything: CPU of whole processes, against importing what they must.

    python benchmarks/startup.py [--smoke] [--times N]

`import slfac_sim` costs next to nothing, and the API when it is first used little (aim: at most 0.3 s);
completion in a shell, of verbs and of setting paths, too (aim: at most 0.2 s).
`check scenarios/quick.yaml` must import torch (aim: at most 1.5 times a bare import), `--help` nothing; a
small `replay --quiet`, which draws the main figures, numpy and matplotlib (aim: at most 1.5 times).
Medians of processes in turn; the first round, in which files come into the cache, is not counted.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from _measuring import command_s, parser, show

ROOT = Path(__file__).resolve().parent.parent
QUICK, SMALL = "quick", "small"
US = ("-m", "slfac_sim")
BESIDE = {
    "check scenarios/quick.yaml": "import torch",
    "replay --quiet": "import numpy, matplotlib.figure",
}
AIMS_S = {"slfac-sim <TAB>": 0.2, "slfac-sim quick network.ba<TAB>": 0.2, "import slfac_sim, sf.run": 0.3}
_TAB = """import os, sys
line = {line!r}
os.environ.update(COMP_LINE=line, COMP_POINT=str(len(line)), _ARGCOMPLETE="1", _ARGCOMPLETE_SHELL="bash")
os.environ["_ARGCOMPLETE_STDOUT_FILENAME"] = os.devnull
sys.argv[0] = "slfac-sim"
from slfac_sim.cli import entry
entry()"""


def commands(run: Path) -> dict[str, tuple[str, ...]]:
    """Return the commands to measure, by name; `run` is a finished one."""
    return {
        "bare python": ("-c", "pass"),
        "import slfac_sim": ("-c", "import slfac_sim as sf"),
        "import slfac_sim, sf.run": ("-c", "import slfac_sim as sf; sf.run"),
        "import torch": ("-c", "import torch"),
        "import numpy, matplotlib.figure": ("-c", "import numpy, matplotlib.figure"),
        "slfac-sim <TAB>": ("-c", _TAB.format(line="slfac-sim ")),
        "slfac-sim quick network.ba<TAB>": ("-c", _TAB.format(line="slfac-sim quick network.ba")),
        "--help": (*US, "--help"),
        "check scenarios/quick.yaml": (*US, "check", QUICK),
        "replay --quiet": (*US, "replay", str(run), "--quiet"),
    }


def medians_s(run: Path, times: int) -> dict[str, float]:
    """Return the median CPU seconds of each command, with a folder of its own for each replay."""
    found: dict[str, list[float]] = {name: [] for name in commands(run)}
    for number in range(times + 1):
        for name, command in commands(run).items():
            out = ("--out", f"{run}-{number}") if name.startswith("replay") else ()
            found[name].append(command_s([*command, *out]))
    return {name: float(np.median(all_s[1:] or all_s)) for name, all_s in found.items()}


def measure(times: int) -> Iterator[str]:
    """Yield a line for each command."""
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        command_s([*US, "run", SMALL, "protocol.rounds=2", "protocol.steps=2", "--quiet", "--out", str(run)])
        took_s = medians_s(run, times)
    for name, cpu_s in took_s.items():
        other = BESIDE.get(name)
        ratio = f", {cpu_s / took_s[other]:.2f} times {other} (aim: at most 1.5)" if other else ""
        aim = f" (aim: at most {AIMS_S[name]} s)" if name in AIMS_S else ""
        yield f"start, {name}: {cpu_s:.2f} CPU s{ratio}{aim}"


def main() -> None:
    """Read the command line and print what was measured."""
    options = parser(__doc__, "each command once")
    options.add_argument("--times", type=int, default=5)
    given = options.parse_args()
    show(measure(0 if given.smoke else given.times))


if __name__ == "__main__":
    main()
