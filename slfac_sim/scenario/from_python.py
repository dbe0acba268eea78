"""Scenarios and overrides as Python has them: mappings, numbers and objects become what a file would say."""

import dataclasses
import enum
import importlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from os import PathLike, fspath
from typing import Any

import numpy as np

from slfac_sim.foundation.beside import looking_in
from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.plugins import Plugin, family_of, name_of
from slfac_sim.scenario.explained import explain
from slfac_sim.scenario.files import Report, load, plain, read, schema
from slfac_sim.scenario.located import ScenarioError
from slfac_sim.scenario.own_plugins import folders_of
from slfac_sim.scenario.schema import Scenario
from slfac_sim.scenario.schema_nodes import families
from slfac_sim.scenario.yaml_text import to_line, to_text

Given = str | PathLike[str] | Mapping[str, Any] | Scenario
"""A scenario: a shipped name, a file, what a file would hold as a mapping, or one that was read."""

Override = str | Mapping[str, Any]
"""``"network.bandwidth=5 MHz"``, or ``{"network.bandwidth": "5 MHz"}``."""


_ANY = Plugin("")


def scenario_of(
    given: Given, overrides: Sequence[str] = (), seed: int | None = None, report: Report = lambda line: None
) -> Scenario:
    """Return the scenario that is `given`, with `overrides`, as `files.load` does. Raises `ScenarioError`."""
    if isinstance(given, Scenario):
        if not overrides and seed is None:
            return given
        text = to_text(plain(given, brief=True))  # an override drops what was set, and no defaults
        with looking_in(*folders_of(given)):
            return _read(text, given.name, overrides, seed, report)
    if isinstance(given, Mapping):
        return _read(to_text(_plain(given)), "the scenario", overrides, seed, report)
    return load(fspath(given), overrides, seed, report)


def _read(text: str, source: str, overrides: Sequence[str], seed: int | None, report: Report) -> Scenario:
    """Return the scenario in `text`, of which nobody has seen a line: faults tell the path alone."""
    try:
        return read(text, source, overrides, seed, report=report)
    except ScenarioError as error:
        faults = enumerate(error.faults)  # in the order of their places
        raise ScenarioError(
            replace(fault, place=replace(fault.place, line=0, column=number)) for number, fault in faults
        ) from None


def texts_of(overrides: Iterable[Override]) -> list[str]:
    """Return `overrides` as the command line has them: ``key.path=value``. Raises `BadInput`."""
    texts = []
    for override in overrides:
        if isinstance(override, str):
            texts.append(override)
        elif isinstance(override, Mapping):
            texts += [f"{path}={value_text(value, path)}" for path, value in override.items()]
        else:
            kind = type(override).__name__
            raise BadInput(
                f"override: found {kind}, expected 'key.path=value' or a mapping of paths to values"
            )
    return texts


def value_text(value: Any, path: str = "") -> str:
    """Return one value, of the setting at `path`, as the command line has it; a text stands for itself."""
    return value if isinstance(value, str) else to_line(_plain(value, path))


def _plain(value: Any, path: str = "") -> Any:
    """Return `value` as mappings, lists and scalars. Raises `BadInput` for what no file can say."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item, f"{path}.{key}".lstrip(".")) for key, item in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if isinstance(value, list | tuple | range):
        return [_plain(item, path) for item in value]
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, PathLike):
        return fspath(value)
    if isinstance(value, type) and dataclasses.is_dataclass(value):
        return {"kind": name_of(value)}
    if dataclasses.is_dataclass(value):
        return plain(value, _ANY if _is_plugin(type(value)) else None, brief=True)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    found = f"the class {value.__name__}" if isinstance(value, type) else type(value).__name__
    raise BadInput(f"{path or 'value'}: found {found}; expected {_expected(path)}")


def _expected(path: str) -> str:
    """Return what may stand at `path`, for a fault: what a plug-in is there, if one may stand there."""
    whole = schema()
    try:
        places = explain(path.rstrip("+"), whole).settings
    except BadInput:
        places = []
    family = next((name for place in places for name in families(place.schema, whole["$defs"])), None)
    if family is None:
        return "a number, a text, a list, a mapping or a plug-in"
    return f"a plug-in: {family_of(family).in_words()}"


def _is_plugin(cls: type[Any]) -> bool:
    """Return whether settings of the class `cls` have a kind: somebody else's, or of one of our families."""
    if not cls.__module__.startswith("slfac_sim."):
        return True
    return "FAMILY" in vars(importlib.import_module(cls.__module__.rpartition(".")[0]))
