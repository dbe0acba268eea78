"""The folder of a study: one file for each point that is done, written whole; that is how a study resumes.

It knows rows as they are written, and nothing of how they are made.
"""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.files import lock, write_text
from slfac_sim.ledger.folder import ABOUT
from slfac_sim.ledger.places import RUNS
from slfac_sim.scenario.about import about_text
from slfac_sim.scenario.own_plugins import keep_plugins
from slfac_sim.studies.files import STUDY, written
from slfac_sim.studies.plan import Plan, Point, cells_in

POINTS, ASIDE, LOCK = "points", "set_aside", "in_use"


def place_of(name: str) -> Path:
    """Return the folder of the study `name`, where no other is asked for."""
    return RUNS / "studies" / name


class StudyFolder:
    """The folder `path` of a study, made when it is opened for a plan."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def in_use(self, whole: Plan) -> Iterator[int]:
        """Open the folder for `whole` and keep it so; give the number of points that were set aside.

        Several processes may use it at once, shards for instance, if all are at the same study. Raises
        `BadInput` for a folder that holds something else, or in which others are at another form of it.
        """
        aside = 0
        self._make()
        with open(self.path / LOCK, "a", encoding="utf-8") as file:
            with suppress(BlockingIOError):
                lock(file)
                aside = self.open(whole)
            lock(file, shared=True, wait=True)  # who has it alone has it for a moment
            for name, text in written(whole.study, whole.base, whole.bases).items():
                if (self.path / name).read_text(encoding="utf-8") != text:
                    raise BadInput(f"--out {self.path}: other processes are at another form of this study")
            yield aside

    def open(self, whole: Plan) -> int:
        """Make the folder, write the study, set aside points that are not in it, and return their number.

        Raises `BadInput` for a folder that holds something else.
        """
        self._make()
        try:
            for name, text in written(whole.study, whole.base, whole.bases).items():
                write_text(self.path / name, text)
            scenarios = cells_in(whole)
            write_text(self.path / ABOUT, about_text(whole.base, *scenarios))
            keep_plugins(self.path, scenarios)
        except OSError as error:
            raise BadInput(f"--out {self.path}: cannot be written ({error.strerror})") from error
        return self._set_aside({point.key for point in whole.points})

    @property
    def aside(self) -> Path:
        """Where points of earlier forms of the study lie."""
        return self.path / ASIDE

    def check(self) -> None:
        """Raise `BadInput` for a folder that holds something other than a study."""
        if self.path.exists() and not self.path.is_dir():
            raise BadInput(f"--out {self.path}: exists and is no folder")
        held = {path.name for path in self.path.iterdir()} if self.path.is_dir() else set()
        if held - {LOCK, POINTS} and STUDY not in held:
            raise BadInput(f"--out {self.path}: holds something other than a study; name a new folder")

    def _make(self) -> None:
        self.check()
        try:
            (self.path / POINTS).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BadInput(f"--out {self.path}: cannot be written ({error.strerror})") from error

    def row(self, point: Point) -> dict[str, Any] | None:
        """Return the row of `point`, or None when there is none, or one of another training or other axes."""
        try:
            row = json.loads(self._file(point.key).read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            return None
        if not isinstance(row, dict):
            return None
        same = (row.get("training"), row.get("axes")) == (point.training, dict(point.axes))
        return row if same and row.get("status") else None

    def write(self, row: Mapping[str, Any]) -> None:
        """Write `row` as its point's file, whole or not at all."""
        write_text(self._file(row["key"]), json.dumps(row, allow_nan=False) + "\n")

    def complete(self, points: Iterable[Point]) -> bool:
        """Say whether every one of `points` has a row, finished or failed."""
        return all(self._file(point.key).is_file() for point in points)

    def _file(self, key: str) -> Path:
        return self.path / POINTS / f"{key}.json"

    def _set_aside(self, wanted: set[str]) -> int:
        """Move the points of an earlier form of the study out of its tables; nothing is deleted."""
        others = [file for file in (self.path / POINTS).glob("*.json") if file.stem not in wanted]
        if others:
            self.aside.mkdir(exist_ok=True)
        for file in others:
            try:
                os.replace(file, self.aside / file.name)
            except FileNotFoundError:
                continue  # another shard was first
        return len(others)
