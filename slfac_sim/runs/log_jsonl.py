"""`--log jsonl`: a run as lines of JSON in one file, for whatever reads a file line by line."""

import json
import math
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from slfac_sim.runs.callbacks import LOGGED, Callback, Start
from slfac_sim.runs.folder import write_whole

FILE = "log.jsonl"
_SUMMARY = (
    *("status", "reason", "simulated_s", "rounds", "accuracy", "metrics", "time_to_accuracy_s"),
    *("bytes", "wire_bytes", "transfers", "energy_j", "digest"),
)


class JsonLines(Callback):
    """Writes ``log.jsonl``, each line at once; `docs/results.md` says what is in it.

    Of a run that is gone on with it keeps the lines that are there, which would come out the same again.
    """

    def __init__(self) -> None:
        self._path = Path()
        self._there: set[tuple[Any, Any]] = set()

    def begin(self, start: Start) -> None:
        """Begin the file, or go on after the lines that it has."""
        self._path = start.folder / (f"log/{start.key}.jsonl" if start.key else FILE)
        self._path.parent.mkdir(exist_ok=True)
        there = list(_lines_of(self._path)) if self._path.is_file() else []
        self._there = {_place(line) for line in there}
        write_whole(self._path, "".join(_text(line) for line in there))
        self._write(line_of_start(start))

    def note(self, table: str, row: Mapping[str, Any]) -> None:
        """Write a line for an evaluation or a round."""
        if table in LOGGED:
            self._write(line_of_note(table, row))

    def end(self, summary: Mapping[str, Any]) -> None:
        """Write the last line."""
        self._write(line_of_end(summary))

    def _write(self, line: Mapping[str, Any]) -> None:
        if _place(line) not in self._there:
            with open(self._path, "a", encoding="utf-8") as file:  # closed, so that a kill leaves it whole
                file.write(_text(line))


def line_of_start(start: Start) -> dict[str, Any]:
    """Return the first line; that of a point of a study has its axes."""
    scenario = start.scenario
    point = {"key": start.key, "axes": dict(start.axes)} if start.key else {}
    named = {"scenario": scenario["name"], "seed": scenario["seed"], "rounds": start.rounds}
    return {"event": "begin", **named, **point}


def line_of_note(table: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the line of an evaluation or a round."""
    rest = {name: value for name, value in row.items() if name not in ("round", "at_s")}
    return {"event": LOGGED[table], "round": row["round"], "simulated_s": row["at_s"], **rest}


def line_of_end(summary: Mapping[str, Any]) -> dict[str, Any]:
    """Return the last line."""
    return {"event": "end", **{name: summary[name] for name in _SUMMARY}}


def _lines_of(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the lines of a run that is gone on with: without its end, and what a kill cut short."""
    for text in path.read_text(encoding="utf-8", errors="replace").splitlines():
        with suppress(ValueError):
            line = json.loads(text)
            if isinstance(line, dict) and line.get("event") != "end":
                yield line


def _place(line: Mapping[str, Any]) -> tuple[Any, Any]:
    return line.get("event"), line.get("round")


def _text(line: Mapping[str, Any]) -> str:
    return json.dumps({name: _finite(value) for name, value in line.items()}, allow_nan=False) + "\n"


def _finite(value: Any) -> Any:
    """Return `value`; None for a number that JSON has no name for."""
    return None if isinstance(value, float) and not math.isfinite(value) else value
