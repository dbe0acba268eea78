"""Study files: found by path or name, read with the changes of the command line, and checked.

A scenario stands for the study of it without axes. What a study leads to is known in `studies.plan`.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike, fspath
from pathlib import Path
from typing import Any

from slfac_sim.foundation.files import read_text
from slfac_sim.foundation.targets import ACCURACY
from slfac_sim.scenario.axes import axis_of
from slfac_sim.scenario.faults import settings_of
from slfac_sim.scenario.files import dump, name_of, shipped
from slfac_sim.scenario.from_python import Given, scenario_of
from slfac_sim.scenario.json_schema import schema_of
from slfac_sim.scenario.located import Fault, Located, Place, ScenarioError
from slfac_sim.scenario.plain import plain
from slfac_sim.scenario.schema import Scenario
from slfac_sim.scenario.sources import is_study as is_of_a_study
from slfac_sim.scenario.yaml_text import to_text, to_tree
from slfac_sim.studies.study import BASE_AXIS, Study

STUDY, BASE = "study.yaml", "base.yaml"


@dataclass(frozen=True)
class Changes:
    """What the command line changes: texts as they were typed; None leaves the file's."""

    overrides: Sequence[str] = ()
    axes: Sequence[str] = ()
    seeds: str | None = None
    air_seeds: str | None = None
    targets: str | None = None
    threads: str | None = None


NO_CHANGES = Changes()


@dataclass(frozen=True)
class StudyFile:
    """A study that was read: its settings, where each was written, and the base to load.

    `bases` are those of the axis of bases, if there is one, by their values on it.
    """

    study: Study
    tree: Located
    base: Given
    bases: Mapping[str, Given]


def read_study(given: Given, changes: Changes = NO_CHANGES) -> StudyFile:
    """Return the study in a file, or the shipped one of that name; a scenario is a study too.

    Raises `ScenarioError` with all faults of the file and of the `changes` at once.
    """
    if not isinstance(given, str | PathLike):
        base = scenario_of(given)
        return _study(_named(_study_of(base.name), base.name), [], changes, lambda name: base)
    tree, faults, folder = _tree(fspath(given))
    return _study(tree, faults, changes, lambda name: _beside(folder, name))


def _study(
    tree: Located, faults: Sequence[Fault], changes: Changes, base_of: Callable[[str], Given]
) -> StudyFile:
    tree, further = _changed(tree, changes)
    tree = _named(tree, name_of(tree.place.source) or "study")
    found = [*faults, *further, *_seed_faults(tree), *_replaced_faults(tree)]
    study = settings_of(_with_a_base(tree), Study, found)
    bases = {str(name): base_of(str(name)) for name in study.axes.get(BASE_AXIS, ())}
    return StudyFile(study, tree, base_of(study.base), bases)


def _with_a_base(tree: Located) -> Located:
    """Return `tree` with the first value of its axis of bases as its `base`, if it has the axis."""
    axes = tree.child("axes")
    values = axes.child(BASE_AXIS) if axes is not None and isinstance(axes.value, dict) else None
    first = values.child(0) if values is not None and isinstance(values.value, list) else None
    return tree if first is None else tree.with_child("base", first)


def _beside(folder: Path, name: str) -> str:
    return str(folder / name) if (folder / name).is_file() else name


def is_study(path_or_name: str) -> bool:
    """Return whether `path_or_name` names a study's file, and no scenario's; what cannot be read is none.

    The name of a shipped scenario is that one's, if a study has it too.
    """
    if not Path(path_or_name).is_file() and {path_or_name, f"{path_or_name}.yaml"} & shipped().keys():
        return False
    source, text = _text(path_or_name) or (path_or_name, "")
    if not re.search("^(base|axes) *:", text, re.MULTILINE):
        return False
    return is_of_a_study(to_tree(text, source)[0])


def written(study: Study, base: Scenario, bases: Mapping[str, Scenario]) -> dict[str, str]:
    """Return the files of a study as it was understood, by name; read again they give the same points.

    `bases` are the scenarios of its axis of bases; without one there is the `base` alone.
    """
    files = {f"{name_of(name)}.yaml": dump(scenario) for name, scenario in bases.items()}
    axes = {path: list(values) for path, values in study.axes.items()}
    settings = {
        "name": study.name,
        **({} if bases else {"base": BASE}),
        "axes": {**axes, BASE_AXIS: list(files)} if bases else axes,
        "seeds": list(study.seed_numbers),
        "air_seeds": study.air_seeds,
        "targets": plain(study.targets or base.evaluation.targets),
        "threads": study.threads,
    }
    return {**(files or {BASE: dump(base)}), STUDY: to_text(settings)}


def schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a study file, for editors; `name` may be left to the file's."""
    axes = {"required": [BASE_AXIS], "description": "What is varied, the scenarios themselves among it."}
    bases = {"required": ["axes"], "properties": {"axes": axes}}
    whole = schema_of(Study, "slfac_sim study")
    return {**whole, "required": [], "anyOf": [{"required": ["base"]}, bases]}


def _tree(path_or_name: str) -> tuple[Located, list[Fault], Path]:
    """Return the study's tree, its faults, and the folder that its base is relative to."""
    named = _text(path_or_name)
    if named is None:
        return _study_of(path_or_name), [], Path()
    source, text = named
    tree, faults = to_tree(text, source)
    if isinstance(tree.value, dict) and not is_of_a_study(tree):
        return _study_of(path_or_name), [], Path()  # a scenario, with faults of its own
    if not isinstance(tree.value, dict):
        raise ScenarioError(
            [Fault(tree.place, (), "holds no mapping; a study is a mapping of settings"), *faults]
        )
    return tree, faults, Path(source).parent


def _text(path_or_name: str) -> tuple[str, str] | None:
    """Return name and text of the file, or of the shipped study; None leaves it to the scenarios."""
    try:
        return path_or_name, read_text(path_or_name)
    except (OSError, UnicodeDecodeError):
        known = shipped("studies")
    name = next((name for name in (path_or_name, f"{path_or_name}.yaml") if name in known), None)
    return None if name is None else (name, known[name].read_text(encoding="utf-8"))


def _study_of(scenario: str) -> Located:
    place = Place(0, 0, 0, scenario)
    return Located({"base": Located(scenario, place, place)}, place, place)


def _named(tree: Located, name: str) -> Located:
    if tree.child("name") is not None:
        return tree
    return tree.with_child("name", Located(name, tree.place, tree.place))


def _changed(tree: Located, changes: Changes) -> tuple[Located, list[Fault]]:
    """Return `tree` with the changes of the command line, each a place of its own, and their faults."""
    faults: list[Fault] = []
    numbers = {"seeds": changes.seeds, "air-seeds": changes.air_seeds, "threads": changes.threads}
    given = {option: text for option, text in numbers.items() if text is not None}
    for rank, (option, text) in enumerate(given.items(), start=1):
        listed = f"[{text}]" if option == "seeds" and "," in text and "[" not in text else text
        value, wrong = to_tree(listed, f"--{option} {text}", rank)
        tree, faults = tree.with_child(option.replace("-", "_"), value), [*faults, *wrong]
    if changes.targets is not None:
        value, wrong = to_tree(_targets(changes.targets), f"--targets {changes.targets}", 4)
        tree, faults = tree.with_child("targets", value), [*faults, *wrong]
    for rank, text in enumerate(changes.axes, start=5):
        tree, wrong = _with_axis(tree, text, rank)
        faults += wrong
    for rank, text in enumerate(changes.overrides, start=5 + len(changes.axes)):
        tree = _appended(tree, text, Place(rank, 0, 0, f"override '{text}'"))
    return tree, faults


def _targets(text: str) -> str:
    """Return the YAML of a list of targets: ``0.8,macro_f1=0.6`` is a mapping of lists by metric."""
    if "=" not in text:
        return f"[{text}]"
    by_metric: dict[str, list[str]] = {}
    for item in text.split(","):
        metric, equals, value = item.rpartition("=")
        by_metric.setdefault(metric.strip() if equals else ACCURACY, []).append(value)
    return "{" + ", ".join(f"{metric}: [{','.join(values)}]" for metric, values in by_metric.items()) + "}"


def _with_axis(tree: Located, text: str, rank: int) -> tuple[Located, list[Fault]]:
    try:
        path, values = axis_of(text, rank)
    except ScenarioError as error:
        return tree, error.faults
    axes = tree.child("axes")
    if axes is None or not isinstance(axes.value, dict):
        axes = Located({}, values.place, values.place)
    return tree.with_child("axes", axes.with_child(path, values)), []


def _appended(tree: Located, text: str, place: Place) -> Located:
    """Return `tree` with a further override of the base, in place of those in the file that it replaces."""
    before = tree.child("overrides")
    if before is None:
        before = Located([], place, place)
    if not isinstance(before.value, list):
        return tree  # which is a fault already
    path = None if _appends(text) else _path_of(text)
    kept = [
        item
        for item in before.value
        if item.place.is_override or path is None or not _within(_path_of(item.value), path)
    ]
    items = [*kept, Located(text, place, place)]
    return tree.with_child("overrides", Located(items, before.place, before.key_place))


def _path_of(override: object) -> str:
    return str(override).partition("=")[0].removesuffix("+")


def _appends(override: object) -> bool:
    return str(override).partition("=")[0].endswith("+")


def _within(path: str, above: str) -> bool:
    """Return whether `path` is `above` or lies below it."""
    return f"{path}.".startswith(f"{above}.")


def _replaced_faults(tree: Located) -> list[Fault]:
    """Return a fault for each override that every value of an axis would replace."""
    axes, overrides, base = tree.child("axes"), tree.child("overrides"), tree.child("base")
    if axes is None or not isinstance(axes.value, dict):
        return []
    text = "has no effect: every value of the axis '{}' replaces it"
    bases = axes.child(BASE_AXIS)
    idle = bases is not None and base is not None and base.value not in bases.plain()
    return (
        [Fault(base.place, ("base",), text.format(BASE_AXIS))]
        if idle and base is not None
        else [
            Fault(item.place, (_path_of(item.value),), text.format(axis))
            for item in (overrides.children() if overrides is not None else ())
            if not _appends(item.value)
            for axis, values in axes.value.items()
            if _replaces(axis, values, _path_of(item.value))
        ]
    )


def _replaces(axis: str, values: Located, path: str) -> bool:
    """Return whether every value of `axis` replaces what is at `path`: a bare kind is the kind alone."""
    are_kinds = all(isinstance(value.value, str) for value in values.children())
    return path in (axis, f"{axis}.kind") or (not are_kinds and _within(path, axis))


def _seed_faults(tree: Located) -> list[Fault]:
    """Seeds are paired over all points, so neither an axis nor an override may set one."""
    axes, overrides = tree.child("axes"), tree.child("overrides")
    named: list[tuple[str, Place]] = []
    if axes is not None and isinstance(axes.value, dict):
        named += [(path, values.key_place) for path, values in axes.value.items()]
    if overrides is not None:
        named += [(_path_of(item.value), item.place) for item in overrides.children()]
    text = "is set by seeds and air_seeds of a study, for all points alike"
    return [Fault(place, (path,), text) for path, place in named if path.partition(".")[0] == "seed"]
