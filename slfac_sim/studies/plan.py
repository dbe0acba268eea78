"""The plan of a study: its points, each a whole scenario that was checked, and the trainings that they share.

It runs nothing and writes nothing.
"""

import math
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from slfac_sim.foundation.beside import package_named
from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.imported import Imported
from slfac_sim.learning.partitions import require_samples
from slfac_sim.scenario.files import name_of
from slfac_sim.scenario.fingerprint import learning_key, point_key, refuse_notebook_classes
from slfac_sim.scenario.hosts import servers_of
from slfac_sim.scenario.located import Fault, Place, ScenarioError
from slfac_sim.scenario.own_plugins import plugins_in
from slfac_sim.scenario.schema import Scenario, Seed
from slfac_sim.simulation.simulate import check_air
from slfac_sim.studies.cells import base_of, bases_of, cells_of
from slfac_sim.studies.files import StudyFile
from slfac_sim.studies.study import BASE_AXIS, Study
from slfac_sim.studies.values import in_words, number_at

MOST_POINTS = 100_000


@dataclass(frozen=True)
class Point:
    """One cell of a study: a scenario, the training that it replays, and where it lies on the axes.

    `axes` has the values as they were written, `values` in SI where they are numbers. `air_draw` says that it
    is a further draw of the air, not one of the paired seeds.
    """

    key: str
    training: str
    axes: Mapping[str, str]
    values: Mapping[str, float | str]
    scenario: Scenario
    air_draw: bool


@dataclass(frozen=True)
class Plan:
    """All `points` of `study`, in the order of its axes and seeds, and the `trainings` by their key.

    `bases` are the scenarios of an axis of bases, by their names in the study. `notes` say which settings of
    the base another kind drops.
    """

    study: Study
    base: Scenario
    bases: Mapping[str, Scenario]
    trainings: Mapping[str, Scenario]
    points: Sequence[Point]
    notes: Sequence[str] = ()


def plan(file: StudyFile) -> Plan:
    """Return the plan of a study file, every point's scenario checked.

    Raises `ScenarioError` with all faults of the base and of the points at once.
    """
    base = base_of(file)
    _check_size(file)
    notes: dict[str, None] = {}  # in order, each once
    cells = list(cells_of(file, notes.setdefault))
    draws = [(Seed(learning=n, air=n), False) for n in file.study.seed_numbers]
    draws += [
        (Seed(learning=n, air=air), True) for n in file.study.seed_numbers for air in file.study.air_draws
    ]
    points = [
        _point(file.study, axes, replace(scenario, seed=seed), air_draw)
        for axes, scenario in cells
        for seed, air_draw in draws
    ]
    for _, scenario in cells:
        refuse_notebook_classes(scenario, "a study")
    _check_points(file, points)
    trainings: dict[str, Scenario] = {}
    for point in points:
        trainings.setdefault(point.training, point.scenario)
    return Plan(file.study, base, bases_of(file), trainings, points, _told_once(notes, file.study.axes))


def _told_once(notes: Iterable[str], axes: Container[str]) -> tuple[str, ...]:
    """Return `notes` on overrides; those that differ in the value of one of the `axes` alone become one."""
    alike: dict[tuple[str, str], list[str]] = {}
    for note in notes:
        override, _, text = note.partition("': ")
        path = override.removeprefix("override '").partition("=")[0]
        alike.setdefault((path, text) if path in axes else (note, ""), []).append(note)
    return tuple(
        same[0] if len(same) == 1 else f"override '{path}=...': {text}"
        for (path, text), same in alike.items()
    )


def shard(whole: Plan, number: int, count: int) -> Plan:
    """Return part `number` (from 1) of `count`: whole trainings with their points, dealt out by key.

    The parts are disjoint and make the whole; which is which depends on the keys alone.
    """
    mine = set(sorted(whole.trainings)[number - 1 :: count])
    trainings = {key: scenario for key, scenario in whole.trainings.items() if key in mine}
    points = [point for point in whole.points if point.training in mine]
    return replace(whole, trainings=trainings, points=points)


def foreign_packages(whole: Plan, names: Sequence[Imported] = ()) -> list[Path]:
    """Return the folders of somebody else's packages that hold plug-ins of the study's scenarios, or `names`.

    What lies beside a file is not among them: it travels with the scenario.
    """
    modules = {own.module for given in (*cells_in(whole), names) for own in plugins_in(given)}
    tops = sorted({module.partition(".")[0] for module in modules if package_named(module) is None})
    specs = map(find_spec, tops)
    return sorted({Path(place) for spec in specs if spec for place in spec.submodule_search_locations or ()})


def cells_in(whole: Plan) -> list[Scenario]:
    """Return one scenario for each combination of the values of the study's axes."""
    return list({tuple(point.axes.items()): point.scenario for point in whole.points}.values())


def title(point: Point) -> str:
    """Return the point in words, for people."""
    seed = point.scenario.seed
    where = ", ".join(f"{path} = {text}" for path, text in point.axes.items())
    return f"{where}{', ' if where else ''}seeds {seed.learning}/{seed.air}"


def _point(study: Study, axes: Mapping[str, Any], scenario: Scenario, air_draw: bool) -> Point:
    texts = {
        path: name_of(str(value)) if path == BASE_AXIS else in_words(value) for path, value in axes.items()
    }
    numbers = {path: number_at(scenario, path) for path in axes}
    values = {path: texts[path] if number is None else number for path, number in numbers.items()}
    training = learning_key(scenario, study.threads)
    return Point(point_key(scenario), training, texts, values, scenario, air_draw)


def _check_size(file: StudyFile) -> None:
    """Raise `ScenarioError` for a study that nobody could run, before its points are laid out."""
    study = file.study
    cells = math.prod(len(values) for values in study.axes.values())
    points = cells * len(study.seed_numbers) * (1 + study.air_seeds)
    if points > MOST_POINTS:
        text = f"a study has at most {MOST_POINTS:,} points (got {points:,}: {cells:,} of the axes, each with"
        text += f" {points // cells:,} seeds and draws of the air)"
        raise ScenarioError([Fault(_place_of_axes(file), (), text)])


def _place_of_axes(file: StudyFile) -> Place:
    axes = file.tree.child("axes")
    return file.tree.place if axes is None else axes.key_place


def _check_points(file: StudyFile, points: Sequence[Point]) -> None:
    """Raise `ScenarioError` for points that are one and the same, too few samples, and air that cannot be.

    Air comes last, since the survey of many devices takes long, and once for all points that have the same.
    """
    place = _place_of_axes(file)
    first: dict[str, Point] = {}
    twice = [(first[point.key], point) for point in points if first.setdefault(point.key, point) is not point]
    faults = [Fault(place, ("axes",), f"one and the same: {title(a)}, and {title(b)}") for a, b in twice]
    refusals = (_refusal(_require_shares, point.scenario) for point in first.values())
    faults += [Fault(place, (), reason) for reason in dict.fromkeys(refusals) if reason]
    if faults:
        raise ScenarioError(faults)
    airs: dict[str, str] = {}
    for point in (point for point in first.values() if not point.air_draw):
        scenario = point.scenario
        air = repr((scenario.devices, servers_of(scenario), scenario.network, scenario.seed.air))
        if air not in airs:
            airs[air] = _refusal(check_air, scenario)
        if airs[air]:
            faults.append(Fault(place, (), f"{title(point)}: {airs[air]}"))
    if faults:
        raise ScenarioError(faults)


def _require_shares(scenario: Scenario) -> None:
    """Raise `BadInput` if there cannot be a sample for each device, as far as is known without the data."""
    most = scenario.data.most_samples
    if most is not None:
        require_samples(most, scenario.devices.count)


def _refusal(check: Callable[[Scenario], object], scenario: Scenario) -> str:
    """Return why `check` refuses `scenario`; empty if it does not."""
    try:
        check(scenario)
    except BadInput as error:
        return str(error)
    return ""
