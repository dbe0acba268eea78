"""A name in somebody's own module, such as `my_nets.Net`, as a setting: found where plug-ins are."""

import os
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from slfac_sim.foundation.beside import adopt, file_beside, module_in, package_named
from slfac_sim.foundation.errors import BadInput, did_you_mean
from slfac_sim.foundation.plugin_sources import files_of, refuse_edited
from slfac_sim.foundation.plugins import NO_PLUGINS, nor_beside


class Imported(str):
    """The name as a scenario has it; `module` is what Python imports for it in this process."""

    module: str
    nor_beside: str
    """Where else it was looked for, for who is told that Python finds none."""

    def __new__(cls, name: str, module: str, nor_beside: str = "") -> "Imported":
        """Return `name`, of the `module`."""
        made = super().__new__(cls, name)
        made.module, made.nor_beside = module, nor_beside
        return made

    @property
    def kind(self) -> str:
        """The name of the module as a scenario has it."""
        return self.rpartition(".")[0]

    def load(self) -> Any:
        """Return what the module has by this name. Raises `BadInput` for what cannot be imported."""
        if os.environ.get(NO_PLUGINS, "") not in ("", "0"):
            raise BadInput(f"'{self.kind}' is a module of somebody's own, and --no-plugins imports none")
        try:
            module = import_module(self.module)
        except (Exception, SystemExit) as error:  # somebody else's module may fail in any way
            reason = f"{type(error).__name__}: {error}".partition("\n")[0]
            is_missing = isinstance(error, ModuleNotFoundError) and f"{self.kind}.".startswith(
                f"{error.name}."
            )
            nor = self.nor_beside if is_missing else ""
            raise BadInput(f"no module '{self.kind}' can be imported ({reason}){nor}") from error
        if package_named(self.module) is None:
            refuse_edited(self.module)
        name = self.rpartition(".")[2]
        if name not in vars(module):
            known = [known for known in vars(module) if not known.startswith("_")]
            raise BadInput(f"the module {self.kind} has no '{name}'{did_you_mean(name, known)}")
        return vars(module)[name]

    def __reduce__(self) -> tuple[Any, ...]:
        package = package_named(self.module)
        if package is None:
            return Imported, (str(self), self.module)
        return _adopted, (str(self), self.module, package.name, package.folder, files_of(self.module))


def found(name: str) -> Imported:
    """Return `name` with the module that it is of: beside the scenario, or as Python finds it.

    Nothing is imported. Raises `ValueError` for a name that has no module before its last dot.
    """
    if isinstance(name, Imported):
        return name
    kind, _, last = name.rpartition(".")
    if not kind or not all(step.isidentifier() for step in (*kind.split("."), last)):
        raise ValueError(f"expected a module and a name in it, such as my_nets.Net (got '{name}')")
    file = file_beside(kind)
    if file is None:
        return Imported(name, kind, nor_beside(kind))
    return Imported(name, module_in(file, kind))


def _adopted(name: str, module: str, package: str, folder: Path, files: Mapping[str, bytes]) -> Imported:
    adopt(package, folder, files)
    return Imported(name, module)
