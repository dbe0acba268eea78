"""Scenario files: found by path or name, read, overridden, checked, and written out in full.

It knows where scenarios lie and how one is written; what it means is known in `slfac_sim.scenario.schema`.
Loading imports no torch.
"""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from slfac_sim.foundation.beside import looking_in
from slfac_sim.foundation.errors import BadSettings
from slfac_sim.scenario.examples import with_example
from slfac_sim.scenario.faults import faults_at, settings_of
from slfac_sim.scenario.json_schema import over_a_base, schema_of
from slfac_sim.scenario.located import Located, ScenarioError
from slfac_sim.scenario.overrides import Overridden, overridden
from slfac_sim.scenario.own_plugins import folders_of, places_of
from slfac_sim.scenario.plain import plain
from slfac_sim.scenario.schema import Scenario
from slfac_sim.scenario.sources import BASE, Layer, Source, find_source, laid_together, layers_of, shipped
from slfac_sim.scenario.yaml_text import to_text

__all__ = ["ScenarioError", "dump", "load", "plain", "read", "schema", "shipped"]

_BASE = "The scenario that this one is laid over: a file relative to this one, or the name of a shipped one."

Report = Callable[[str], None]
"""Takes one sentence about settings that are dropped because their node has another kind."""


def _silent(sentence: str) -> None:
    pass


def load(
    path_or_name: str | Path,
    overrides: Sequence[str] = (),
    seed: int | None = None,
    report: Report = _silent,
) -> Scenario:
    """Return the scenario of a file, or the shipped one of that name, with `overrides` applied.

    A file with a `base` is laid over that scenario: a file relative to its own, or a shipped name. An
    override is ``key.path=value``, or ``key.path+=value`` for one more in a list; its value is read as YAML.
    What is general is applied before what is particular, and a kind before its settings, so their order does
    not matter. Another kind keeps the settings that its family shares, and `report` gets a sentence about
    those that are dropped. `seed` sets both seeds. A scenario without a name is named after its file. Raises
    `ScenarioError` with all faults at once; where a key is missing it names the nearest shipped example.
    """
    source = find_source(str(path_or_name))
    try:
        return _read(source, overrides, seed, name_of(source.name) or "scenario", report)
    except ScenarioError as error:
        raise with_example(error, source) from error.__cause__


def name_of(file: str) -> str:
    """Return the name that a scenario or a study has from its `file`; empty where no letter is left."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", Path(file).stem).lstrip("-._")


def read(
    text: str,
    source: str,
    overrides: Sequence[str] = (),
    seed: int | None = None,
    name: str = "scenario",
    report: Report = _silent,
) -> Scenario:
    """Return the scenario in `text`, as `load` does; faults name `source`, `name` stands in for none.

    A base is looked for beside `source`.
    """
    return _read(Source(source, text, Path(source)), overrides, seed, name, report)


def _read(source: Source, overrides: Sequence[str], seed: int | None, name: str, report: Report) -> Scenario:
    layers = layers_of(source)
    with looking_in(*_places_of(layers, overrides)):
        whole, applied = _trees(layers, overrides, seed)
        tree = applied.tree
        if tree.child("name") is None:
            tree = tree.with_child("name", Located(name, tree.place, tree.place))
        scenario = settings_of(tree, Scenario, whole.faults + applied.faults)
    for note in sorted(whole.notes + applied.notes, key=lambda note: note.place):
        report(str(note))
    return scenario


def _trees(
    layers: Sequence[Layer], overrides: Sequence[str], seed: int | None
) -> tuple[Overridden, Overridden]:
    """Return the tree of all `layers` together, and with the overrides."""
    seeds = () if seed is None else (f"seed={seed}",)
    whole = laid_together(layers)
    return whole, overridden(whole.tree, [*seeds, *overrides], Scenario)


def placed(
    error: BadSettings, path_or_name: str | Path, overrides: Sequence[str], seed: int | None
) -> ScenarioError:
    """Return `error`, found in what `load` has returned for the same, with the places of its settings."""
    layers = layers_of(find_source(str(path_or_name)))
    with looking_in(*_places_of(layers, overrides)):
        _, applied = _trees(layers, overrides, seed)
    return ScenarioError(faults_at(error, applied.tree))


def _places_of(layers: Sequence[Layer], overrides: Sequence[str]) -> list[Path]:
    """Return where plug-ins are looked for: beside each file, and in the working folder for overrides."""
    files = [layer.source.file for layer in layers if layer.source.file is not None]
    places = [place for file in files for place in places_of(file)]
    return [*places, *([Path()] if overrides or not files else [])]


def changed(scenario: Scenario, source: str, overrides: Sequence[str], report: Report = _silent) -> Scenario:
    """Return `scenario` with `overrides`, as `read` does; its plug-ins are found where they lie."""
    with looking_in(*folders_of(scenario)):
        return read(dump(scenario), source, overrides, report=report)


def dump(scenario: Scenario) -> str:
    """Return `scenario` as YAML text with every kind and default written out, in plain SI numbers.

    Reading that text gives an equal scenario.
    """
    return to_text(plain(scenario))


def schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a scenario file, for editors.

    ``docs/scenario.schema.json`` holds it. A file may leave out `name`, which then is the file's, and with a
    `base` everything.
    """
    whole = schema_of(Scenario, "slfac_sim scenario")
    alone = {**whole, "required": [key for key in whole["required"] if key != "name"]}
    return over_a_base(alone, BASE, _BASE)
