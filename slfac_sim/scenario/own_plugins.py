"""Plug-ins of somebody's own in a scenario: which they are, where they lie, and the files that they need."""

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

from slfac_sim.foundation.beside import package_named
from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.files import whole
from slfac_sim.foundation.imported import Imported
from slfac_sim.foundation.plugin_sources import files_of
from slfac_sim.foundation.plugins import name_of
from slfac_sim.scenario.shape import hints_of, item_of, plugin_mark

FOLDER = "plugins"
"""Where they lie beside a resolved scenario; beside any other they may, too."""


def places_of(file: Path) -> tuple[Path, Path]:
    """Return the folders in which plug-ins of the scenario `file` are looked for."""
    return file.parent, file.parent / FOLDER


def places_beside(given: object) -> tuple[Path, ...]:
    """Return where names beside what is `given`, a file or something else, are looked for."""
    file = Path(given) if isinstance(given, str | PathLike) else Path()
    return (*(places_of(file) if file.is_file() else ()), Path())


class Own(NamedTuple):
    """A module that is not ours, at a `path` of a scenario: its name there, and as Python imports it."""

    path: str
    kind: str
    module: str


def plugins_in(settings: Any, path: str = "", hint: Any = None) -> Iterator[Own]:
    """Yield the module of each plug-in in `settings` that is not ours, and of each name in one.

    All of a list have one path.
    """
    if dataclasses.is_dataclass(settings):
        cls: Any = type(settings)
        if plugin_mark(hint) and not cls.__module__.startswith("slfac_sim."):
            yield Own(path, name_of(cls), cls.__module__)
        for field in dataclasses.fields(settings):
            at = f"{path}.{field.name}" if path else field.name
            yield from plugins_in(getattr(settings, field.name), at, hints_of(cls)[field.name])
    elif isinstance(settings, Mapping):
        for name, value in settings.items():
            yield from plugins_in(value, f"{path}.{name}", item_of(hint))
    elif isinstance(settings, list | tuple):
        for value in settings:
            yield from plugins_in(value, path, hint)
    elif isinstance(settings, Imported):
        yield Own(path, settings.kind, settings.module)


def folders_of(settings: Any) -> list[Path]:
    """Return the folders of the plug-ins in `settings` that lie beside a file."""
    packages = (package_named(own.module) for own in plugins_in(settings))
    return list(dict.fromkeys(package.folder for package in packages if package is not None))


def keep_plugins(folder: Path, scenarios: Iterable[Any]) -> None:
    """Put the files of all plug-ins that lie beside the file of one of `scenarios` where `folder` has them.

    They are as they were imported. Raises `BadInput` for two files of one name.
    """
    modules = dict.fromkeys(own.module for scenario in scenarios for own in plugins_in(scenario))
    kept: dict[str, bytes] = {}
    for module in (module for module in modules if package_named(module) is not None):
        for name, source in files_of(module).items():
            if kept.setdefault(name, source) != source:
                raise BadInput(f"{name}: plug-ins from two folders need a file of this name; rename one")
    for name, source in kept.items():
        place = folder / FOLDER / name
        place.parent.mkdir(parents=True, exist_ok=True)
        if not place.is_file() or place.read_bytes() != source:
            with whole(place) as part:
                part.write_bytes(source)
