"""Scenario files: found by path or name, read, overridden, checked, and written out in full.

It knows where scenarios lie and how one is written; what it means is known in `slfac_sim.scenario.schema`.
Loading imports no torch.
"""

import dataclasses
import difflib
import enum
import re
from collections.abc import Callable, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from slfac_sim.foundation.files import read_bytes
from slfac_sim.foundation.plugins import kind_of
from slfac_sim.scenario.faults import settings_of
from slfac_sim.scenario.json_schema import schema_of
from slfac_sim.scenario.located import Fault, Located, Place, ScenarioError
from slfac_sim.scenario.overrides import overridden
from slfac_sim.scenario.schema import Scenario
from slfac_sim.scenario.shape import hints_of, plugin_mark
from slfac_sim.scenario.yaml_text import to_text, to_tree

__all__ = ["ScenarioError", "dump", "load", "plain", "read", "schema", "shipped"]

OF_STUDIES = {"base", "axes"}
"""Keys that a study has and no scenario."""

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

    An override is ``key.path=value``; its value is read as YAML. What is general is applied before what is
    particular, and a kind before its settings, so their order does not matter. Another kind keeps the
    settings that its family shares, and `report` gets a sentence about those that are dropped. `seed` sets
    both seeds. A scenario without a name is named after its file. Raises `ScenarioError` with all faults at
    once.
    """
    source, raw = _named(str(path_or_name))
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        column = error.start - raw.rfind(b"\n", 0, error.start)
        place = Place(0, line, column, source)
        raise ScenarioError([Fault(place, (), f"not UTF-8 text (byte {raw[error.start]:#04x})")]) from error
    return read(text, source, overrides, seed, name_of(source) or "scenario", report)


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
    """Return the scenario in `text`, as `load` does; faults name `source`, `name` stands in for none."""
    tree, faults = to_tree(text, source)
    if not isinstance(tree.value, dict):
        state = "is empty" if tree.value is None else "holds no mapping"
        raise ScenarioError([Fault(tree.place, (), f"{state}; a scenario is a mapping of settings"), *faults])
    of_a_study = sorted(OF_STUDIES & tree.value.keys())
    if of_a_study:
        text = f"is a study, not a scenario (it has '{of_a_study[0]}'); `sweep` runs it, `check` reads both"
        raise ScenarioError([Fault(tree.value[of_a_study[0]].key_place, (), text)])
    seeds = () if seed is None else (f"seed={seed}",)
    applied = overridden(tree, [*seeds, *overrides], Scenario)
    tree = applied.tree
    if tree.child("name") is None:
        tree = tree.with_child("name", Located(name, tree.place, tree.place))
    scenario = settings_of(tree, Scenario, faults + applied.faults)
    for note in sorted(applied.notes, key=lambda note: note.place):
        report(str(note))
    return scenario


def dump(scenario: Scenario) -> str:
    """Return `scenario` as YAML text with every kind and default written out, in plain SI numbers.

    Reading that text gives an equal scenario.
    """
    return to_text(plain(scenario))


def plain(settings: Any, hint: Any = None, brief: bool = False) -> dict[str, Any]:
    """Return a scenario as mappings, lists and scalars, with every kind and default written out.

    So other settings of its tree; they have their kind where `hint`, the type of their place, asks for one.
    What is `brief` has no defaults.
    """
    tree: dict[str, Any] = _plain(settings, hint, brief)
    return tree


def schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a scenario file, for editors.

    ``docs/scenario.schema.json`` holds it. A file may leave out `name`, which then is the file's.
    """
    whole = schema_of(Scenario, "slfac_sim scenario")
    return {**whole, "required": [key for key in whole["required"] if key != "name"]}


def shipped(folder_name: str = "") -> dict[str, Any]:
    """Return the scenarios (or the ``"studies"``) that come with the package: file name to its resource."""
    folder = resources.files("slfac_sim.scenarios").joinpath(folder_name)
    return {item.name: item for item in folder.iterdir() if item.name.endswith(".yaml")}


def _named(asked: str) -> tuple[str, bytes]:
    """Return name and bytes of the file `asked`, or of the shipped scenario of that name."""
    try:
        return asked, read_bytes(asked)
    except OSError as error:
        known = shipped()
        for name in (asked, f"{asked}.yaml"):
            if name in known:
                return name, known[name].read_bytes()
        raise _no_file(asked, _why_not(asked, error, sorted(known))) from error


def _why_not(asked: str, error: OSError, known: Sequence[str]) -> str:
    if isinstance(error, IsADirectoryError):
        return "is a folder, not a scenario file"
    if not isinstance(error, FileNotFoundError):
        return f"cannot be read ({error.strerror})"
    names = [name.removesuffix(".yaml") for name in known]
    near = difflib.get_close_matches(Path(asked).name.removesuffix(".yaml"), names, n=1)
    hint = f"did you mean '{near[0]}'?" if near else "shipped are " + ", ".join(names)
    return f"no such file, and no shipped scenario of that name; {hint}"


def _no_file(source: str, text: str) -> ScenarioError:
    return ScenarioError([Fault(Place(0, 0, 0, source), (), text)])


def _plain(value: Any, hint: Any, brief: bool) -> Any:
    """Return settings as mappings, lists and scalars; `hint` tells a plug-in, which has a kind."""
    if dataclasses.is_dataclass(value):
        cls: Any = type(value)
        hints = hints_of(cls)
        fields = {
            field.name: _plain(own, hints[field.name], brief)
            for field in dataclasses.fields(value)
            if (own := getattr(value, field.name)) != field.default or not brief
        }
        return {"kind": kind_of(value), **fields} if plugin_mark(hint) else fields
    if isinstance(value, Mapping):
        return {key: _plain(item, hint, brief) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item, hint, brief) for item in value]
    if isinstance(value, enum.Enum):
        return value.value
    return str(value) if isinstance(value, Path) else value
