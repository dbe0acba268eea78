"""The cells of a study: a checked scenario for each combination of values, and every fault at its place.

It knows how a study file was written; seeds and trainings are the plan's.
"""

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from slfac_sim.foundation.beside import looking_in
from slfac_sim.scenario.files import Report
from slfac_sim.scenario.from_python import scenario_of
from slfac_sim.scenario.located import Fault, Located, Place, ScenarioError
from slfac_sim.scenario.own_plugins import places_of
from slfac_sim.scenario.schema import Scenario
from slfac_sim.studies.files import StudyFile
from slfac_sim.studies.study import BASE_AXIS

_Choice = Sequence[tuple[str, int]]  # a path and the number of its value, for each axis


def base_of(file: StudyFile) -> Scenario:
    """Return the base; what is wrong with finding it is a fault of the study's `base`."""
    try:
        return _scenario(file, ())
    except ScenarioError as error:
        place = _child(file.tree, "base").place
        faults = [_placed(fault, file, (), place) for fault in error.faults]
        raise ScenarioError(faults, error.hint) from error


def bases_of(file: StudyFile) -> dict[str, Scenario]:
    """Return the scenarios of the axis of bases, by their values on it, with the overrides of every point."""
    return {name: _scenario(file, [(BASE_AXIS, i)]) for i, name in enumerate(file.bases)}


def _scenario(file: StudyFile, choice: _Choice, report: Report = lambda sentence: None) -> Scenario:
    """Return the scenario of `choice`; plug-ins are looked for beside the study too."""
    axes = file.study.axes
    base = next((file.bases[str(axes[path][i])] for path, i in choice if path == BASE_AXIS), file.base)
    texts = [f"{path}={json.dumps(axes[path][i], ensure_ascii=False)}" for path, i in _settings(choice)]
    with looking_in(*places_of(Path(file.tree.place.source))):
        return scenario_of(base, [*_common(file), *texts], report=report)


def _settings(choice: _Choice) -> list[tuple[str, int]]:
    """Return what `choice` says of settings, which are overrides of its base."""
    return [(path, i) for path, i in choice if path != BASE_AXIS]


def _common(file: StudyFile) -> list[str]:
    """Return the overrides of every point."""
    targets = [f"evaluation.targets={json.dumps(file.study.targets)}"] if file.study.targets else []
    return [*targets, *file.study.overrides]


def cells_of(file: StudyFile, report: Report) -> Iterator[tuple[Mapping[str, Any], Scenario]]:
    """Yield the value of each axis and the scenario, for every combination. Raises `ScenarioError`.

    `report` gets a sentence for each kind that is changed, once for each combination. Each value is tried
    alone first, so that its fault is reported once and not for every combination.
    """
    axes = file.study.axes
    alone: list[_Choice] = [((path, i),) for path, values in axes.items() for i in range(len(values))]
    _, faults = _tried(file, alone, lambda sentence: None)
    if not faults:
        whole = itertools.product(*([(path, i) for i in range(len(values))] for path, values in axes.items()))
        scenarios, faults = _tried(file, list(whole), report)
    if faults:
        raise ScenarioError(_merged(file, faults))
    yield from (({path: axes[path][i] for path, i in choice}, scenario) for choice, scenario in scenarios)


def _tried(
    file: StudyFile, choices: Sequence[_Choice], report: Report
) -> tuple[list[tuple[_Choice, Scenario]], list[Fault]]:
    scenarios, faults = [], []
    for choice in choices:
        try:
            scenarios.append((choice, _scenario(file, choice, report)))
        except ScenarioError as error:
            faults += [_placed(fault, file, choice, fault.place) for fault in error.faults]
    return scenarios, faults


def _placed(fault: Fault, file: StudyFile, choice: _Choice, otherwise: Place) -> Fault:
    """Return `fault` at the place in the study from which the override came that is to blame."""
    first = len(_common(file)) - len(file.study.overrides)
    number = fault.place.rank - 1 - first
    if 0 <= number < len(file.study.overrides):
        return replace(fault, place=_child(_child(file.tree, "overrides"), number).place)
    number -= len(file.study.overrides)
    settings = _settings(choice)
    if 0 <= number < len(settings):
        return replace(fault, place=_value(file, *settings[number]).place)
    base = next((i for path, i in choice if path == BASE_AXIS), None)
    if base is not None and not fault.place.line:
        name = file.study.axes[BASE_AXIS][base]
        place = _value(file, BASE_AXIS, base).place
        return replace(fault, place=place, path=(BASE_AXIS,), text=f"{name}: {fault.text}")
    if not fault.place.line and fault.place.source == file.base and file.tree.place.source != file.base:
        return replace(fault, place=otherwise, path=("base",), text=f"{file.base}: {fault.text}")
    return fault


def _value(file: StudyFile, path: str, i: int) -> Located:
    return _child(_child(_child(file.tree, "axes"), path), i)


def _child(node: Located, step: str | int) -> Located:
    child = node.child(step)
    assert child is not None, step
    return child


def _merged(file: StudyFile, faults: Sequence[Fault]) -> list[Fault]:
    """Return `faults`; one that every value of an axis has becomes one of the axis."""
    kept = list(faults)
    axes = file.tree.child("axes")
    for values in axes.children() if axes is not None else ():
        places = {value.place for value in values.children()}
        for fault in faults:
            alike = [other for other in kept if other.text == fault.text and other.place in places]
            if len(places) > 1 and {other.place for other in alike} == places:
                kept = [other for other in kept if other not in alike]
                kept.append(replace(fault, place=values.key_place))
    return kept
