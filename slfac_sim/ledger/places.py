"""Where runs lie, below the folder that we are in, and which one was meant. It reads no run."""

from collections.abc import Iterator
from pathlib import Path

from slfac_sim.foundation.errors import did_you_mean
from slfac_sim.foundation.program import program

RUNS = Path("runs")
LATEST = RUNS / "latest"
UNFINISHED = "checkpoints/begun.json"
_MARK = "run.log"  # of every run, replay and interrupted run
_DEEPEST = 3  # folders below `RUNS`: ``--out`` may put a run at any
_NAMED = 3  # runs that are told


def run_folders(unfinished: bool = False) -> Iterator[Path]:
    """Yield ``runs/latest`` and each run up to three folders below ``runs``, or only those to be resumed."""
    mark = UNFINISHED if unfinished else _MARK
    if (LATEST / mark).is_file():
        yield LATEST
    found = (file for depth in range(1, _DEEPEST + 1) for file in RUNS.glob(f"{'*/' * depth}{mark}"))
    folders = (file.parents[len(Path(mark).parts) - 1] for file in found)
    yield from sorted(folder for folder in folders if LATEST not in (folder, *folder.parents))


def expected_run(folder: Path, what: str = "a run") -> str:
    """Return what was expected in place of `folder`, which is none: the nearest run that is there."""
    if folder != RUNS / folder and (RUNS / folder).is_dir():
        return f"expected the folder of {what}; did you mean '{RUNS / folder}'?"
    here = list(map(str, run_folders()))
    text = f"expected the folder of {what}, such as {', '.join(here[:_NAMED] or [str(LATEST)])}"
    if here or folder.is_absolute():
        return text + did_you_mean(str(folder), here)
    return f"{text}; there are no runs in {RUNS}/ yet: `{program()} quick` makes one"
