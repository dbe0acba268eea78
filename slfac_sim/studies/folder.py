"""The folder of a study: one file for each point that is done, written whole; that is how a study resumes.

It knows rows as they are written, and nothing of how they are made.
"""

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from slfac_sim.foundation.errors import BadInput
from slfac_sim.studies.files import STUDY, write_study
from slfac_sim.studies.plan import Plan, Point

POINTS, ASIDE = "points", "set_aside"


class StudyFolder:
    """The folder `path` of a study, made when it is opened for a plan."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def open(self, whole: Plan) -> int:
        """Make the folder, write the study, set aside points that are not in it, and return their number.

        Raises `BadInput` for a folder that holds something else.
        """
        points = self.path / POINTS
        if self.path.exists() and not self.path.is_dir():
            raise BadInput(f"--out {self.path}: exists and is no folder")
        if self.path.is_dir() and any(self.path.iterdir()) and not (self.path / STUDY).is_file():
            raise BadInput(f"--out {self.path}: holds something other than a study; name a new folder")
        try:
            points.mkdir(parents=True, exist_ok=True)
            write_study(self.path, whole.study, whole.base)
        except OSError as error:
            raise BadInput(f"--out {self.path}: cannot be written ({error.strerror})") from error
        return self._set_aside({point.key for point in whole.points})

    def row(self, point: Point) -> dict[str, Any] | None:
        """Return the row of `point`, or None when there is none, or one of another training."""
        try:
            row: dict[str, Any] = json.loads(self._file(point.key).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return row if row.get("training") == point.training and row.get("status") else None

    def write(self, row: Mapping[str, Any]) -> None:
        """Write `row` as its point's file, whole or not at all."""
        file = self._file(row["key"])
        part = file.with_name(f"{file.name}.{os.getpid()}.part")
        part.write_text(json.dumps(row, allow_nan=False) + "\n", encoding="utf-8")
        os.replace(part, file)

    def complete(self, points: Iterable[Point]) -> bool:
        """Say whether every one of `points` has a row, finished or failed."""
        return all(self._file(point.key).is_file() for point in points)

    def _file(self, key: str) -> Path:
        return self.path / POINTS / f"{key}.json"

    def _set_aside(self, wanted: set[str]) -> int:
        """Move the points of an earlier form of the study out of its tables; nothing is deleted."""
        others = [file for file in (self.path / POINTS).glob("*.json") if file.stem not in wanted]
        if others:
            (self.path / ASIDE).mkdir(exist_ok=True)
        for file in others:
            try:
                os.replace(file, self.path / ASIDE / file.name)
            except FileNotFoundError:
                continue  # another shard was first
        return len(others)
