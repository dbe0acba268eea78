"""Reads a study folder, `study.yaml` and `points/*.json`; it writes nothing and draws nothing."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from slfac_sim.analysis.studies.axes import Axis, make_axis
from slfac_sim.analysis.studies.study import JOULES, StudyPoints
from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.json_values import check_field
from slfac_sim.foundation.metrics import METRICS
from slfac_sim.foundation.targets import ACCURACY, Target, targets_of

STUDY, POINTS = "study.yaml", "points"
STATUSES = ("finished", "failed")
MEASURED = tuple(name for name in METRICS if name not in ("accuracy", "loss"))  # not of earlier versions
CURVE = ("round", "at_s", "accuracy", "accuracy_no_codec", "loss", "payload_bytes")


def is_study(folder: Path) -> bool:
    """Say whether `folder` is the folder of a study, rather than of a run."""
    return (folder / STUDY).is_file()


def load_study(folder: str | Path, damage: list[str] | None = None) -> StudyPoints:
    """Return the study in `folder`.

    Raises `BadInput` that names the file, what was found and what is allowed. Where `damage` is given, files
    of points that cannot be used are left out, and told there, as long as there is another one.
    """
    folder = Path(folder)
    if not is_study(folder):
        raise BadInput(f"{folder}: no {STUDY} in it; a study folder holds {STUDY} and {POINTS}/*.json")
    described = _study(folder / STUDY)
    files = sorted((folder / POINTS).glob("*.json"))
    if not files:
        raise BadInput(f"{folder / POINTS}: no point in it; expected a file KEY.json for each point")
    points = _points(files, damage)
    listed = described["axes"]
    axes = tuple(_axis(path, points, listed.get(path, ())) for path in _paths(points, listed))
    points.sort(key=lambda point: _order(point, axes))
    columns = _columns(points, axes)
    return StudyPoints(
        folder, described["name"], tuple(sorted(targets_of(described["targets"]))), axes, columns
    )


def _study(path: Path) -> dict[str, Any]:
    import yaml

    try:
        study = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: not YAML ({' '.join(str(error).split())})") from error
    if not isinstance(study, dict):
        raise BadInput(f"{path}: found {type(study).__name__}, expected a mapping with the study")
    targets, axes = study.get("targets"), study.get("axes")
    if not isinstance(study.get("name"), str):
        raise BadInput(f"{path}: name: found {study.get('name')!r}, expected a text")
    if not _are_targets(targets):
        raise BadInput(f"{path}: targets: found {targets!r}, expected a list of fractions such as [0.8]")
    if not isinstance(axes, dict) or not all(isinstance(values, list) for values in axes.values()):
        raise BadInput(f"{path}: axes: found {axes!r}, expected a mapping of settings to lists of values")
    return study


def _are_targets(given: Any) -> bool:
    """Say whether `given` is a list of accuracies, or a mapping of lists by metric."""
    by_metric = given if isinstance(given, dict) else {ACCURACY: given}
    return by_metric.keys() <= METRICS.keys() and all(
        isinstance(values, list) and all(_is_one(metric, value) for value in values)
        for metric, values in by_metric.items()
    )


def _is_one(metric: str, value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and Target(metric, value).can_be


# What the analysis uses of a point file; the rest may change without it.
_ALWAYS = {
    **dict.fromkeys(("key", "training", "status", "reason"), "a text"),
    **dict.fromkeys(("axes", "values"), "an object"),
    **dict.fromkeys(("seed.learning", "seed.air"), "a number"),
    "air_draw": "true or false",
}
_FINISHED = {
    **dict.fromkeys(("label", "digest"), "a text"),
    **dict.fromkeys(("simulated_s", "rounds", "transfers", "energy_j", "wire_bytes"), "a number"),
    **dict.fromkeys(("bytes", "bits_per_value", "curve", "parts_s"), "an object"),
    "bytes.total": "a number",
    **{f"curve.{name}": "a list of numbers" for name in CURVE},
    "curve.accuracy_no_codec": "a list of numbers or null",
}

# points of earlier versions lack them
_ADDED = {"lost": "a number", "missed": "a number", "handovers": "an object"}


def _point(path: Path) -> dict[str, Any]:
    try:
        point = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:  # bad JSON and bad UTF-8 alike
        raise BadInput(f"{path}: not JSON ({error}); expected a point of a study") from error
    if not isinstance(point, dict):
        raise BadInput(f"{path}: found {type(point).__name__}, expected an object with a point of a study")
    for place, kind in _ALWAYS.items():
        check_field(path, point, place, kind)
    if point["status"] not in STATUSES:
        raise BadInput(f"{path}: status: found {point['status']!r}, expected one of {', '.join(STATUSES)}")
    if point["status"] == "finished":
        for place, kind in _FINISHED.items():
            check_field(path, point, place, kind)
        for name in (name for name in _ADDED if point.get(name) is not None):
            check_field(path, point, name, _ADDED[name])
        further = [name for name in (JOULES, *MEASURED) if point["curve"].get(name) is not None]
        for name in further:
            kind = "a list of numbers" if name == JOULES else "a list of numbers or null"
            check_field(path, point, f"curve.{name}", kind)
        names = (*CURVE, *further)
        lengths = {name: len(point["curve"][name]) for name in names}
        if len(set(lengths.values())) > 1:
            raise BadInput(f"{path}: curve: found lists of lengths {lengths}, expected equal ones")
    return point


def _points(files: Sequence[Path], damage: list[str] | None) -> list[dict[str, Any]]:
    points: list[dict[str, Any]] = []
    for file in files:
        try:
            point = _point(file)
            _check_axes(file, point, points[0] if points else point)
        except BadInput as error:
            if damage is None or (file is files[-1] and not points):
                raise
            damage.append(str(error))
        else:
            points.append(point)
    return points


def _check_axes(path: Path, point: Mapping[str, Any], first: Mapping[str, Any]) -> None:
    wanted = set(first["axes"])
    for field in ("axes", "values"):
        if set(point[field]) != wanted:
            got = ", ".join(sorted(point[field])) or "none"
            raise BadInput(f"{path}: {field}: found {got}, expected {', '.join(sorted(wanted))}")


def _paths(points: Sequence[Mapping[str, Any]], listed: Mapping[str, Any]) -> list[str]:
    paths = points[0]["axes"]
    return [path for path in listed if path in paths] + [path for path in paths if path not in listed]


def _axis(path: str, points: Sequence[Mapping[str, Any]], listed: Sequence[Any]) -> Axis:
    values = {str(point["axes"][path]): point["values"][path] for point in points}
    return make_axis(path, values, [_words(value) for value in listed])


def _words(value: Any) -> str:
    """Return a value of an axis as points write it: ``{kind: slfac, theta: 0.9}``."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_words(inner)}" for key, inner in value.items()) + "}"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _order(point: Mapping[str, Any], axes: Sequence[Axis]) -> tuple[Any, ...]:
    places = (axis.texts.index(str(point["axes"][axis.path])) for axis in axes)
    return (*places, point["air_draw"], point["seed"]["learning"], point["seed"]["air"])


def _columns(points: Sequence[Mapping[str, Any]], axes: Sequence[Axis]) -> dict[str, list[Any]]:
    paths = [axis.path for axis in axes]
    columns: dict[str, list[Any]] = {path: [str(point["axes"][path]) for point in points] for path in paths}
    columns |= {f"seed_{of}": [point["seed"][of] for point in points] for of in ("learning", "air")}
    fields = [*_ALWAYS, *_FINISHED, *_ADDED, "bounds_s", "straggler"]
    for field in (field for field in fields if "." not in field and field != "axes"):
        columns[field] = [point.get(field) for point in points]
    columns["energy"] = [_flat(point.get("energy")) for point in points]
    return columns


def _flat(energy: Any) -> dict[str, float] | None:
    """Return what was drawn as {``devices.total_j``: joules}; None for points of earlier versions."""
    if not isinstance(energy, dict):
        return None
    return {f"{who}.{name}": joules for who, drawn in energy.items() for name, joules in drawn.items()}
