"""Reads a run folder, `summary.json` and `ledger.sqlite`; it writes nothing and knows no figure."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.json_values import check_field, is_of_kind
from slfac_sim.foundation.metrics import METRICS
from slfac_sim.foundation.targets import ACCURACY, Target
from slfac_sim.ledger.measured import Series, measured, times_in
from slfac_sim.ledger.places import UNFINISHED, expected_run
from slfac_sim.ledger.reader import Column, LedgerReader

SUMMARY, LEDGER, DRAWN = "summary.json", "ledger.sqlite", "figures"
SCENARIO, ABOUT = "scenario.yaml", "about.json"  # as it was run, and what readers are told of it
WEIGHTS = "weights"  # trained ones, where they are kept
BEGUN = UNFINISHED  # there from the beginning of a run until it is finished
STATUSES = ("finished", "interrupted", "failed")


def weights_file(folder: Path, name: str) -> Path:
    """Return where the trained model called `name` lies in a run folder."""
    return folder / WEIGHTS / f"{name}.safetensors"


@dataclass(frozen=True)
class Curve:
    """The evaluations of one run, in order, one entry per evaluation; accuracies are fractions.

    `bytes_total` are the payload bytes delivered up to the evaluation, whatever their kind and direction.
    """

    round: NDArray[np.int64]
    simulated_s: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    accuracy_no_codec: NDArray[np.float64]
    bytes_total: NDArray[np.int64]


@dataclass(frozen=True)
class Run:
    """One run folder: its summary as written, and its tables on demand."""

    folder: Path
    summary: Mapping[str, Any]

    @property
    def label(self) -> str:
        """The run's short name in a legend: its codec, and whether it stopped before its end."""
        status = self.summary["status"]
        return str(self.summary["label"]) + ("" if status == "finished" else f" ({status})")

    @property
    def time_to_accuracy_s(self) -> dict[float, float | None]:
        """Simulated seconds to each target accuracy, None where it was not reached; ascending targets."""
        times = self.summary["time_to_accuracy_s"]
        return {float(target): times[target] for target in sorted(times, key=float)}

    @property
    def times_s(self) -> dict[Target, float | None]:
        """Simulated seconds to each target, of every metric, None where it was not reached."""
        return times_in(self.summary)

    @property
    def measured(self) -> Series:
        """The metrics, each over the evaluations; those of classes and devices None where none were counted.

        Raises `BadInput`.
        """
        return measured(self.ledger)

    @property
    def ledger(self) -> LedgerReader:
        """Its ledger, to be read."""
        return LedgerReader(self.folder / LEDGER)

    @property
    def altered(self) -> str:
        """Why the ledger is not the one that the summary is of; empty if it is, or if no digest tells.

        Raises `BadInput` if it cannot be read.
        """
        there = self.summary.get("digest")
        if there is None:
            return ""
        here = self.ledger.digest()
        digests = f"its digest is {here[:16]}, and {str(there)[:16]} in {SUMMARY}"
        return "" if here == there else f"{self.folder / LEDGER}: altered since the run: {digests}"

    def refuse_altered(self) -> None:
        """Raise `BadInput` for a ledger that is not the one that the summary is of, or without a digest."""
        if "digest" not in self.summary:
            raise BadInput(f"{self.folder / SUMMARY}: digest: missing, expected that of the ledger")
        if reason := self.altered:
            raise BadInput(reason)

    def tables(self) -> list[str]:
        """Return the names of the ledger's tables, sorted. Raises `BadInput` if it cannot be read."""
        return self.ledger.tables()

    def has(self, name: str) -> bool:
        """Return whether the ledger's table `name` is there with all columns that this version writes."""
        return self.ledger.has(name)

    def table(self, name: str) -> dict[str, Column]:
        """Return the ledger's table `name` by columns, as `LedgerReader.columns` does. Raises `BadInput`."""
        return self.ledger.columns(name)

    def curve(self) -> Curve:
        """Return the accuracy over time and bytes, from the table `evals`. Raises `BadInput`."""
        evals = self.table("evals")
        needed = ("round", "at_s", "accuracy", "accuracy_no_codec", "payload_bytes")
        rounds, at_s, accuracy, accuracy_no_codec, nbytes = (
            self._numbers(evals, name, may_lack=name == "accuracy_no_codec") for name in needed
        )
        return Curve(rounds.astype(np.int64), at_s, accuracy, accuracy_no_codec, nbytes.astype(np.int64))

    def final_no_codec(self) -> float | None:
        """Return the accuracy of the last evaluation without the codec; None where it was not measured."""
        measured: list[float | None] = [row[0] for row in self.ledger.tuples("evals", ("accuracy_no_codec",))]
        return measured[-1] if measured else None

    def _numbers(self, evals: Mapping[str, Any], name: str, may_lack: bool) -> NDArray[np.float64]:
        """Return the column `name`, which `may_lack` numbers: they are NaN then."""
        values = list(evals[name])  # which says so itself if it is not there
        try:
            numbers = np.asarray(values, dtype=np.float64)
        except (TypeError, ValueError):
            numbers = np.array([np.inf])
        if not (np.isfinite(numbers) | (may_lack & np.isnan(numbers))).all():
            raise BadInput(f"{self.folder / LEDGER}: column {name} of table evals holds more than numbers")
        return numbers


def load(folder: str | Path) -> Run:
    """Return the run in `folder` (a link such as ``runs/latest`` is followed).

    Raises `BadInput` that names the file, what was found and what was expected.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise BadInput(f"{folder}: no such folder; {expected_run(folder)}")
    if is_unfinished(folder):
        raise BadInput(f"{folder}: the run is not finished: it goes on, or was killed and can be resumed")
    for name in (SUMMARY, LEDGER):
        if not (folder / name).is_file():
            raise BadInput(
                f"{folder}: no {name} in it; a run folder holds {SUMMARY} and {LEDGER}{_hint(folder)}"
            )
    return Run(folder.resolve(), _summary(folder / SUMMARY))


def is_unfinished(folder: Path) -> bool:
    """Say whether `folder` is that of a run which has begun and left no summary yet."""
    return (folder / BEGUN).is_file() and not (folder / SUMMARY).exists()


def _hint(folder: Path) -> str:
    inside = sorted(path.parent for path in folder.glob(f"*/{SUMMARY}"))
    return f"; did you mean {inside[-1]}?" if inside else ""


class Told(dict[str, Any]):
    """An object of a summary, which says what it lacks: `where` is the file, and the place in it."""

    def __init__(self, where: str, tree: Mapping[str, Any]) -> None:
        super().__init__(
            (key, Told(f"{where}: {key}", value) if isinstance(value, dict) else value)
            for key, value in tree.items()
        )
        self._where = where

    def __missing__(self, key: str) -> Any:
        raise BadInput(f"{self._where}: no '{key}' in it")


def _summary(path: Path) -> Told:
    summary = _object(path)
    for _, check in _checks(path, summary):
        check()
    return Told(str(path), summary)


def sound_entries(path: Path) -> dict[str, Any]:
    """Return the entries of the summary `path` that are what a run writes, as far as can be told."""
    try:
        summary = _object(path)
    except (OSError, BadInput):
        return {}
    for key, check in _checks(path, dict(summary)):
        try:
            check()
        except (BadInput, AttributeError, TypeError):
            summary.pop(key, None)
    return summary


def _object(path: Path) -> dict[str, Any]:
    try:
        summary = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:  # bad JSON and bad UTF-8 alike
        raise BadInput(f"{path}: not JSON ({error}); expected the summary that a run wrote") from error
    if not isinstance(summary, dict):
        raise BadInput(
            f"{path}: found {type(summary).__name__}, expected an object with the summary of a run"
        )
    return summary


# What the analysis itself uses; the rest of a summary may change without it.
_FIELDS = {
    "label": "a text",
    "status": "a text",
    "scenario": "a text",
    "simulated_s": "a number",
    "accuracy.final": "a number or null",
    "bytes.total": "a number",
    "time_to_accuracy_s": "an object",
}


def _checks(path: Path, summary: Mapping[str, Any]) -> Iterator[tuple[str, Callable[[], None]]]:
    """Yield the checks of a summary, each with the key that it is of; each raises `BadInput`."""
    for place, kind in _FIELDS.items():
        yield place.partition(".")[0], partial(check_field, path, summary, place, kind)
    yield "time_to_accuracy_s", lambda: _check_times(path, "time_to_accuracy_s", ACCURACY, summary)
    yield "time_to_metrics_s", lambda: _check_metrics(path, summary.get("time_to_metrics_s", {}))
    yield "status", lambda: _check_status(path, summary["status"])


def _check_times(path: Path, place: str, metric: str, summary: Mapping[str, Any]) -> None:
    for target, seconds in summary[place].items():
        _check_target(path, place, metric, target, seconds)


def _check_metrics(path: Path, by_metric: Any) -> None:
    for metric, times in _objects(path, by_metric).items():
        for target, seconds in times.items():
            _check_target(path, f"time_to_metrics_s: {metric}", metric, target, seconds)


def _check_status(path: Path, status: str) -> None:
    if status not in STATUSES:
        raise BadInput(f"{path}: status: found {status!r}, expected one of {', '.join(STATUSES)}")


def _objects(path: Path, by_metric: Any) -> Mapping[str, Mapping[str, Any]]:
    """Return `by_metric` if it is one: an object by metric of objects by target."""
    sound = isinstance(by_metric, dict) and by_metric.keys() <= METRICS.keys()
    if not sound or not all(isinstance(times, dict) for times in by_metric.values()):
        raise BadInput(f"{path}: time_to_metrics_s: found {by_metric!r}, expected objects by metric")
    return cast(Mapping[str, Mapping[str, Any]], by_metric)


def _check_target(path: Path, place: str, metric: str, target: str, seconds: Any) -> None:
    try:
        known = Target(metric, float(target)).can_be
    except ValueError:
        known = False
    if not known:
        expected = "a fraction" if METRICS[metric].is_share else "a number"
        raise BadInput(f"{path}: {place}: found target {target!r}, expected {expected} such as '0.95'")
    if not is_of_kind(seconds, "a number or null"):
        raise BadInput(f"{path}: {place}: {target}: found {seconds!r}, expected a number or null")
