"""Checkpoints of a run: when one is written, what it says of the run, and which is the newest that is whole.

They lie in ``checkpoints/`` of the run folder while the run is unfinished. It knows states as trees, no
model and no clock; host time decides how often one is written, which changes nothing but where a run that
was cut off goes on.
"""

import json
import shutil
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from platform import python_version
from typing import Any, Protocol

import slfac_sim
from slfac_sim.foundation.errors import BadInput
from slfac_sim.ledger.folder import BEGUN
from slfac_sim.runs.checkpoint_file import BadCheckpoint, read_tree, write_tree
from slfac_sim.runs.folder import RunFolder, write_whole
from slfac_sim.scenario.fingerprint import named_files, settings_key, sources_key
from slfac_sim.scenario.schema import Scenario

FOLDER = BEGUN.partition("/")[0]
_WHY_NONE = "none.txt"
NAMED = "file "  # what begins the name of a file that settings name
_KEPT = 2  # the newest, and one in case that is damaged
_WORTH = 50.0  # by default, time between two checkpoints by the time that one takes
_FIRST_S = 0.02  # what one is taken to need before the first was written


class State(Protocol):
    """What is to be kept: a `World`."""

    def get_state(self) -> dict[str, Any]:
        """Return everything that later rounds depend on."""
        ...


@dataclass(frozen=True)
class Begun:
    """How a run was begun, so that it can be gone on with in the same way, and by the same versions only.

    `every` is the number of rounds between checkpoints, 0 for none, and None for as often as it costs little.
    `data` is the SHA-256 of what was loaded. `resumed` counts how often it has been gone on with. The trained
    model is kept if its `weights` are wanted. `logs` and `callbacks` are told of it, each by its name.
    """

    threads: int
    every: int | None
    strict: bool
    versions: Mapping[str, str]
    data: str
    resumed: int = 0
    weights: bool = True
    logs: Sequence[str] = ()
    callbacks: Sequence[str] = ()

    def write(self, run: Path) -> None:
        """Write it into the run folder `run`, which is ours. Raises `BadInput` if that has changed hands."""
        if self.resumed and Begun.read(run).resumed != self.resumed - 1:
            raise BadInput(f"{run}: another process has gone on with it in the meantime")
        (run / FOLDER).mkdir(exist_ok=True)
        write_whole(run / BEGUN, json.dumps(asdict(self), indent=2) + "\n")

    def _refuse_odd(self) -> None:
        """Raise `TypeError` for a field of another type than is written."""
        types = {"threads": (int,), "every": (int, type(None)), "strict": (bool,), "versions": (dict,)}
        others = {
            "data": (str,),
            "resumed": (int,),
            "weights": (bool,),
            "logs": (list, tuple),  # a tuple where an older run tells none
            "callbacks": (list, tuple),
        }
        for name, allowed in {**types, **others}.items():
            if type(getattr(self, name)) not in allowed:
                raise TypeError(f"{name} is {getattr(self, name)!r}")

    @classmethod
    def read(cls, run: Path) -> "Begun":
        """Return what is written in `run`. Raises `BadInput`."""
        path = run / BEGUN
        try:
            begun = cls(**json.loads(path.read_text(encoding="utf-8")))
            begun._refuse_odd()
            return begun
        except FileNotFoundError as error:
            raise BadInput(f"{run}: no {BEGUN} in it; expected the folder of an unfinished run") from error
        except (OSError, ValueError, TypeError) as error:
            raise BadInput(f"{path}: cannot be read ({error}); it says how the run was begun") from error


def versions_of(scenario: Scenario) -> dict[str, str]:
    """Return what must be equal for two processes to do the same, in the same number of threads."""
    return {
        "slfac_sim": slfac_sim.__version__,
        "python": python_version(),
        **{name: version(name) for name in ("torch", "numpy", "simpy")},
        "settings": settings_key(scenario),
        "source files": sources_key(scenario),
        **{f"{NAMED}{file}": sha256[:16] for file, sha256 in named_files(scenario).items()},
    }


class Checkpoints:
    """Writes the checkpoints of the run in `folder`, every so many rounds (see `Begun`); two are kept."""

    def __init__(self, folder: RunFolder, every: int | None) -> None:
        self._folder = folder.path / FOLDER
        self._every = every
        self._log = folder.log
        self._cost_s, self._last_s = _FIRST_S, time.monotonic()

    def keep(self, round_number: int, state: State, under_way: Iterable[str]) -> None:
        """Write `state` after round `round_number`, if one is due then and nothing is `under_way`.

        Work under way would yet change what learns, and no state tells of it: a run that went on from there
        would be another.
        """
        if not self._due(round_number):
            return
        work = next(iter(under_way), None)
        if work is not None:
            text = "round %d: no checkpoint, for work is under way, such as: %s"
            self._log.info(text, round_number, work)
            return
        began_s = time.monotonic()
        self._folder.mkdir(exist_ok=True)
        try:
            write_tree(_path(self._folder, round_number), state.get_state())
        except TypeError as error:  # somebody else's plug-in
            self._every = 0
            write_whole(self._folder / _WHY_NONE, f"no checkpoint can be written: {error}\n")
            return
        for old in _paths(self._folder)[:-_KEPT]:
            old.unlink()
        self._last_s = time.monotonic()
        self._cost_s = self._last_s - began_s
        size = _path(self._folder, round_number).stat().st_size
        self._log.debug("round %d: checkpoint of %d bytes in %.3f s", round_number, size, self._cost_s)

    def _due(self, round_number: int) -> bool:
        if self._every is not None:
            return self._every > 0 and round_number % self._every == 0
        return time.monotonic() - self._last_s >= _WORTH * self._cost_s


def newest(run: Path, rounds: int) -> tuple[int, Any, list[str]]:
    """Return the last round, of the first `rounds`, with a whole checkpoint, its state, and what was wrong.

    Without one the round is 0 and the state None.
    """
    why_none = run / FOLDER / _WHY_NONE
    faults = [why_none.read_text(encoding="utf-8", errors="replace").strip()] if why_none.is_file() else []
    for path in reversed(_paths(run / FOLDER)):
        round_number = int(path.stem.rpartition("_")[2])
        if round_number > rounds:
            continue
        try:
            return round_number, read_tree(path), faults
        except BadCheckpoint as fault:
            faults.append(str(fault))
    return 0, None, faults


def forget(folder: RunFolder) -> None:
    """Remove what is only needed while the run in `folder` is unfinished, if it is finished."""
    if folder.summary["status"] == "finished":
        shutil.rmtree(folder.path / FOLDER, ignore_errors=True)


def _path(folder: Path, round_number: int) -> Path:
    return folder / f"round_{round_number:06d}.checkpoint"


def _paths(folder: Path) -> list[Path]:
    numbered = {path: path.stem.rpartition("_")[2] for path in folder.glob("round_*.checkpoint")}
    paths = [path for path, number in numbered.items() if number.isascii() and number.isdecimal()]
    return sorted(paths, key=lambda path: int(numbered[path]))
