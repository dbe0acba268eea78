"""Callbacks: code of somebody's own that is told how a run goes on, and changes nothing in it.

Trackers are callbacks: those of `--log`, and anybody's that a dotted name leads to.
"""

import copy
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from slfac_sim.foundation.beside import looking_in, without_package
from slfac_sim.foundation.errors import BadInput, did_you_mean
from slfac_sim.foundation.imported import Imported, found
from slfac_sim.foundation.logs import TRACKERS
from slfac_sim.foundation.metrics import METRICS
from slfac_sim.foundation.plugins import HERE
from slfac_sim.runs.folder import RunFolder
from slfac_sim.scenario.plain import plain
from slfac_sim.scenario.schema import Scenario
from slfac_sim.simulation.simulate import OnNote

LOGGED = {"evals": "evaluation", "rounds": "round"}
"""The tables whose rows our logs take, and what they call one."""


@dataclass(frozen=True)
class Start:
    """What a callback is told when a run begins.

    `folder` is where the run lies, or the study whose point it is; `scenario` all settings as in
    ``scenario.yaml``, and `rounds` how many there are to be. A run that is gone on with has `resumed_after`,
    the round from which on it is told again (0: from the beginning); it is None for any other. A point of a
    study has its `key` there and the texts of its `axes`.
    """

    folder: Path
    scenario: Mapping[str, Any]
    rounds: int
    resumed_after: int | None = None
    key: str = ""
    axes: Mapping[str, str] = field(default_factory=dict)


class Callback:
    """Is told of a run, in this order: `begin` once, `note` many times, `end` once unless it is killed.

    What it is given is its own to change. What it raises ends its part in the run, and not the run.
    """

    def begin(self, start: Start) -> None:
        """Take what is run."""

    def note(self, table: str, row: Mapping[str, Any]) -> None:
        """Take a row of one of the tables `steps`, `evals`, `rounds`, `misses` and `staleness` of the ledger.

        It has the columns of the table, and `payload_bytes`, those delivered until then; of `evals` also each
        metric by its name (`balanced_accuracy`, ...), None where nothing was counted.
        """

    def end(self, summary: Mapping[str, Any]) -> None:
        """Take what is in ``summary.json``; its `status` is ``finished``, ``interrupted`` or ``failed``."""


Given = str | type[Callback] | Callback
"""A callback: a dotted name, a class that is made without arguments, or an object."""


@dataclass(frozen=True)
class Trackers:
    """Who is told of a run: logs by name, callbacks by name, which other processes find too, and objects."""

    logs: tuple[str, ...] = ()
    names: tuple[Imported, ...] = ()
    objects: tuple[Callback, ...] = ()

    def open(self) -> list[tuple[str, Callback]]:
        """Return the callbacks, each with what it is called in a sentence. Raises `BadInput`."""
        return [
            *((f"--log {name}", _log(name)) for name in self.logs),
            *((f"callback {name}", _made(name, name.load())) for name in self.names),
            *((f"callback {_called(type(one))}", one) for one in self.objects),
        ]


NOBODY = Trackers()


def trackers_of(logs: Sequence[str], given: Sequence[Given], places: Sequence[Path] = ()) -> Trackers:
    """Return who is told; names are looked for in the folders `places`, and then as Python finds modules.

    Nothing is imported. Raises `BadInput` for what can be no callback.
    """
    for log in logs:
        if log not in TRACKERS:
            raise BadInput(f"log: no '{log}' among {', '.join(TRACKERS)}{did_you_mean(log, TRACKERS)}")
    names, objects = [], []
    with looking_in(*places):
        for one in given:
            if isinstance(one, Callback):
                objects.append(one)
            elif isinstance(one, type) and issubclass(one, Callback):
                here = one.__module__ == HERE or "<locals>" in one.__qualname__
                objects.append(_made(_called(one), one)) if here else names.append(_named(one))
            elif isinstance(one, str):
                names.append(_found(one))
            else:
                wanted = (
                    "a dotted name, or a class that inherits from slfac_sim.Callback, or an object of one"
                )
                raise BadInput(f"callback: found {one!r}, expected {wanted}")
    return Trackers(tuple(dict.fromkeys(logs)), tuple(dict.fromkeys(names)), tuple(objects))


class Audience:
    """The callbacks of a run as one; who raises is left out from then on, and `say` gets a sentence of it."""

    def __init__(self, callbacks: Sequence[tuple[str, Callback]], say: Callable[[str], object]) -> None:
        self._callbacks = list(callbacks)
        self._say = say
        self.log: logging.Logger | None = None
        self.listens = True

    @contextmanager
    def told_of(
        self, folder: RunFolder, scenario: Scenario, resumed_after: int | None = None
    ) -> Iterator[None]:
        """Tell of the start of a run of `scenario`; after the block, which fills its `folder`, of its end.

        Notes of a run that is gone on with are not told before `listens` is set again.
        """
        self.log, self.listens = folder.log, not resumed_after
        self.begin(Start(folder.path, plain(scenario), scenario.protocol.rounds, resumed_after))
        yield
        self.end(folder.summary)

    def beside(self, on_note: OnNote) -> OnNote:
        """Return who hears of notes: this one, and then `on_note`."""
        if not self._callbacks:
            return on_note

        def both(table: str, row: Mapping[str, Any]) -> None:
            self.note(table, row)
            on_note(table, row)

        return both

    def begin(self, start: Start) -> None:
        """Tell of the start."""
        self._tell("at the start", lambda callback: callback.begin(copy.deepcopy(start)))

    def note(self, table: str, row: Mapping[str, Any]) -> None:
        """Tell of a row that was written, unless it is one that was told of before."""
        if self._callbacks and self.listens:
            told = in_public(table, row)
            self._tell(f"at {row['at_s']:.6g} simulated s", lambda callback: callback.note(table, {**told}))

    def end(self, summary: Mapping[str, Any]) -> None:
        """Tell of the end."""
        self._tell("at the end", lambda callback: callback.end(copy.deepcopy(dict(summary))))

    def _tell(self, when: str, tell: Callable[[Callback], None]) -> None:
        for name, callback in list(self._callbacks):
            try:
                tell(callback)
            except (Exception, SystemExit) as error:  # somebody else's code may fail in any way
                self._callbacks.remove((name, callback))
                if self.log is not None:
                    self.log.warning("%s failed %s", name, when, exc_info=True)
                reason = f"{type(error).__name__}: {error}".partition("\n")[0]
                self._say(f"{name} failed {when} ({reason}); the run goes on without it")


def in_public(table: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row that was written as callbacks have it: an evaluation has its metrics by name."""
    counts = {"counts": row["counts"]} if "counts" in row else {}
    own = {name: value for name, value in row.items() if name not in ("task", "seq", "counts")}
    told = {name: None if value != value else value for name, value in own.items()}  # NaN: not measured
    if table != "evals" or not counts:
        return told
    from slfac_sim.learning.counting import metrics_of

    return told | metrics_of({**told, **counts}, METRICS)


def _found(name: str) -> Imported:
    try:
        return found(name)
    except ValueError as error:
        raise BadInput(f"callback: {error}") from error


def _named(cls: type[Callback]) -> Imported:
    return Imported(f"{without_package(cls.__module__)}.{cls.__qualname__}", cls.__module__)


def _called(cls: type[Callback]) -> str:
    return cls.__qualname__ if cls.__module__ == HERE else str(_named(cls))


def _made(name: str, cls: Any) -> Callback:
    """Return the callback of the class `cls`. Raises `BadInput` if it is none, or cannot be made."""
    if not (isinstance(cls, type) and issubclass(cls, Callback)):
        raise BadInput(f"callback {name}: is no class that inherits from slfac_sim.Callback")
    try:
        return cls()
    except (Exception, SystemExit) as error:
        reason = f"{type(error).__name__}: {error}"
        raise BadInput(f"callback {name}: cannot be made without arguments ({reason})") from error


def _log(name: str) -> Callback:
    if name == "jsonl":
        from slfac_sim.runs.log_jsonl import JsonLines

        return JsonLines()
    from slfac_sim.runs.log_tensorboard import TensorBoard

    return TensorBoard()
