"""One file, one plug-in: `kind: slfac` is the one frozen dataclass in the family's file `slfac.py`.

There is no registry: a family is a package, a kind is a module in it, and files whose names begin with
an underscore are helpers. Any other kind (`my_codec`, `their_pkg.codec`) is a file beside the one that names
it, and one with a dot is otherwise imported as it stands, so somebody else's plug-in needs no change here. A
dataclass declares that it is the plug-in by being defined, frozen
and public, in the module; a second one is a defect, and is reported.
"""

import dataclasses
import functools
import importlib
import json
import os
import pkgutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from inspect import Parameter, getattr_static, isabstract, isfunction, signature
from pathlib import Path
from typing import Any, Protocol, TypeVar, dataclass_transform, get_type_hints

from pydantic import (
    ConfigDict,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
)
from pydantic_core import CoreSchema, InitErrorDetails, PydanticCustomError, core_schema

from slfac_sim.foundation.beside import file_beside, looked_in, module_in, reduced, without_package
from slfac_sim.foundation.errors import BadInput, did_you_mean
from slfac_sim.foundation.host import environment_kept
from slfac_sim.foundation.logs import LOG
from slfac_sim.foundation.plugin_sources import files_of, refuse_edited

T = TypeVar("T")

HERE = "__main__"
"""The module of a notebook, and of the script that runs: its classes are plug-ins too, each by its name."""

NO_PLUGINS = "SLFAC_NO_PLUGINS"
"""Set, and not to 0: modules that an input names are not imported, here or in processes begun here."""


@contextmanager
def without_plugins() -> Iterator[None]:
    """Have modules that an input names refused meanwhile."""
    with environment_kept(NO_PLUGINS):
        os.environ[NO_PLUGINS] = "1"
        yield


@dataclasses.dataclass(frozen=True)
class Family:
    """What the package of a family declares as its `FAMILY`.

    Each plug-in inherits from the `contract`, or has each of its members (as a method, a property or a
    setting) where that is a `typing.Protocol`. The settings named in `shared` mean the same in every kind
    that has them, and stay when the kind changes.
    """

    contract: type[Any]
    shared: tuple[str, ...] = ()

    def in_words(self) -> str:
        """Return what a plug-in of this is: ``a class with @settings and blocks(channels, classes)``."""
        if Protocol not in self.contract.__mro__:
            return f"a class with @settings that inherits from {self._name}"
        members = (_in_words(self.contract, member) for member in _members(self.contract))
        return f"a class with @settings and {', '.join(members)}"

    @property
    def _name(self) -> str:
        return f"{self.contract.__module__}.{self.contract.__name__}"

    def refuse_others(self, cls: type[Any], name: str) -> None:
        """Raise `BadInput` if `cls`, asked for as `name`, is no plug-in of this family."""
        wanted = self._name
        if Protocol not in self.contract.__mro__ and not issubclass(cls, self.contract):
            raise BadInput(f"{name}.{cls.__name__} does not inherit from {wanted}")
        home = vars(sys.modules.get(cls.__module__.rpartition(".")[0], object)).get("FAMILY", self)
        if home.contract is not self.contract:
            raise BadInput(f"{name}.{cls.__name__} is a {home.contract.__name__}, not what {wanted} asks for")
        has = {*dir(cls), *(field.name for field in dataclasses.fields(cls))}
        missing = [member for member in _members(self.contract) if member not in has]
        if missing:
            raise BadInput(f"{name}.{cls.__name__} has no {', '.join(missing)}, which {wanted} asks for")
        for member in _members(self.contract):
            method, own = vars(self.contract).get(member), getattr_static(cls, member, None)
            if isfunction(method) and isfunction(own) and not _takes(own, _positional(method)):
                form = _in_words(self.contract, member)
                raise BadInput(f"{name}.{cls.__name__}.{member} is not the {form} that {wanted} asks for")


def _members(contract: type[Any]) -> list[str]:
    """Return the public names that a `typing.Protocol` and those it extends ask for."""
    members = [name for base in contract.__mro__ if base not in (object, Protocol) for name in vars(base)]
    return sorted({name for name in members if not name.startswith("_")})


def _in_words(contract: type[Any], member: str) -> str:
    """Return a member as it is used: a method with the names of its arguments, anything else by its name."""
    method = getattr(contract, member)
    return f"{member}({', '.join([*signature(method).parameters][1:])})" if isfunction(method) else member


def _positional(method: Any) -> int:
    """Return how many arguments of `method` are given by their place, `self` included."""
    kinds = [parameter.kind for parameter in signature(method).parameters.values()]
    return len([kind for kind in kinds if kind is not Parameter.KEYWORD_ONLY])


def _takes(method: Any, arguments: int) -> bool:
    """Return whether `method` can be called with so many positional arguments, `self` included."""
    try:
        signature(method).bind(*range(arguments))
    except (TypeError, ValueError):
        return False
    return True


def family_of(package: str) -> Family:
    """Return what the package (``"slfac_sim.codecs"``) declares of its plug-ins."""
    declared: Family = importlib.import_module(package).FAMILY
    return declared


def kinds(family: str) -> tuple[str, ...]:
    """Return the names of the plug-ins in the package `family` (``"slfac_sim.codecs"``), sorted."""
    return _kinds_in(tuple(importlib.import_module(family).__path__))


@functools.cache
def _kinds_in(folders: tuple[str, ...]) -> tuple[str, ...]:
    modules = pkgutil.iter_modules(folders)
    return tuple(sorted(file.name for file in modules if not (file.ispkg or file.name.startswith("_"))))


def find(family: str, kind: str) -> type[Any]:
    """Return the dataclass that is the plug-in `kind` of `family`.

    Raises `BadInput` for an unknown kind, with the known ones and the nearest name, and for a class that
    leaves out a part of the contract that it inherits.
    """
    known = kinds(family)
    if kind in known:
        return _whole(_of_ours(f"{family}.{kind}"))
    if kind.startswith(f"{HERE}."):
        return _whole(_here(kind))
    file = file_beside(kind)
    if file is not None or "." in kind:
        return _whole(_foreign(kind, file))
    near = did_you_mean(kind, known)
    raise BadInput(f"no '{kind}' among {', '.join(known)}{near}{nor_beside(kind, hints=not near)}")


def nor_beside(kind: str, hints: bool = True) -> str:
    """Return where else `kind` was looked for, if it can be a file's name; with `hints` the nearest one."""
    places = [folder for folder in looked_in() if folder.is_dir()]
    names = [str(folder) for folder in places]
    there = [file.stem for folder in places for file in folder.glob("*.py")] if hints else []
    near = did_you_mean(kind, there)
    folders = " or ".join("the working folder" if name == "." else name for name in names)
    is_name = all(step.isidentifier() for step in kind.split("."))
    return f" (and no {kind.replace('.', '/')}.py in {folders}){near}" if folders and is_name else ""


def kind_of(plugin: object) -> str:
    """Return the name under which a scenario asks for `plugin`: short for ours, its module for others'."""
    return name_of(type(plugin))


def name_of(cls: type[Any]) -> str:
    """Return the name under which a scenario asks for a plug-in of the class `cls`; see `kind_of`."""
    if cls.__module__ == HERE:
        return f"{HERE}.{cls.__qualname__}"
    ours = cls.__module__.startswith("slfac_sim.")
    return cls.__module__.rpartition(".")[2] if ours else without_package(cls.__module__)


def _here(kind: str) -> Any:
    """Return the class of a notebook, or of the script that runs, which no other process can import."""
    name = kind.removeprefix(f"{HERE}.")
    if "<locals>" in name:
        raise BadInput(f"{name} is defined within a function; a plug-in stands at the top level")
    cls = vars(sys.modules[HERE]).get(name)
    if cls is None:
        raise BadInput(
            f"'{name}' was a class of the notebook or script that asked for it, and is not one of this; in a"
            " file of its own, such as my_codec.py, every process finds it"
        )
    if not (isinstance(cls, type) and dataclasses.is_dataclass(cls)):
        raise BadInput(f"{name} is no dataclass: decorate the class with @settings")
    return _readable(_frozen(cls, HERE), HERE)


def _foreign(kind: str, file: Path | None) -> Any:
    """Return the class of the plug-in `kind`, which lies in `file` or is imported as it stands."""
    if os.environ.get(NO_PLUGINS, "") not in ("", "0"):
        raise BadInput(f"'{kind}' is a module of somebody's own, and --no-plugins imports none")
    try:
        cls: Any = _only_dataclass(kind if file is None else module_in(file, kind), kind)
    except BadInput:
        raise
    except (Exception, SystemExit) as error:  # somebody else's module may fail in any way
        reason = f"{type(error).__name__}: {error}"
        if file is not None:
            raise BadInput(f"{file} cannot be imported ({reason})") from error
        is_missing = isinstance(error, ModuleNotFoundError) and f"{kind}.".startswith(f"{error.name}.")
        nor = nor_beside(kind) if is_missing else ""
        raise BadInput(f"no module '{kind}' can be imported ({reason}){nor}") from error
    if file is None:
        refuse_edited(kind)
    elif cls.__reduce__ is object.__reduce__:
        cls.__reduce__ = _reduced
    return _readable(cls, kind)


def _reduced(plugin: object) -> tuple[Any, ...]:
    return reduced(plugin, files_of(type(plugin).__module__))


def _readable(cls: Any, module: str) -> Any:
    try:
        get_type_hints(cls)
        adapter(cls)
    except Exception as error:  # a field of a type that nothing can be read as
        reason = str(error).partition("\n")[0]
        raise BadInput(f"{module}.{cls.__name__}: its settings cannot be read ({reason})") from error
    return cls


def _whole(cls: type[Any]) -> type[Any]:
    if isabstract(cls):
        missing = ", ".join(sorted(cls.__abstractmethods__))
        raise BadInput(
            f"{without_package(cls.__module__)}: {cls.__name__} has no {missing}, which its contract asks for"
        )
    return cls


@functools.cache
def _of_ours(module_name: str) -> type[Any]:
    return _only_dataclass(module_name, module_name)


def _only_dataclass(module_name: str, told: str) -> type[Any]:
    """Return the one plug-in of a module, which is `told` as this."""
    module = importlib.import_module(module_name)
    if not module_name.startswith("slfac_sim."):
        LOG.debug("plug-in %s imported from %s", told, module.__file__)
    classes = [
        value
        for name, value in vars(module).items()
        if isinstance(value, type)
        and dataclasses.is_dataclass(value)
        and value.__module__ == module_name
        and not name.startswith("_")
    ]
    if len(classes) != 1:
        names = ", ".join(value.__name__ for value in classes) or "none"
        raise BadInput(f"{told} must define one public dataclass, its plug-in (found: {names})")
    return _frozen(classes[0], told)


def _frozen(cls: type[Any], module: str) -> type[Any]:
    params: Any = cls.__dataclass_params__  # of every dataclass
    if not params.frozen:
        raise BadInput(f"{module}.{cls.__name__} must be frozen: decorate it with @settings")
    return cls


@functools.cache
def adapter(cls: Any) -> TypeAdapter[Any]:
    """Return the pydantic adapter of a plain frozen dataclass: unknown keys are faults."""
    return TypeAdapter(strict(cls))


def strict(cls: type[Any]) -> type[Any]:
    """Make the plain dataclass `cls` refuse unknown keys, infinities and NaN when read from a file.

    It has `references`, keys of `references.bib` or whole BibTeX entries; none unless it names some.
    """
    cls.__pydantic_config__ = ConfigDict(extra="forbid", allow_inf_nan=False)
    if not any("references" in vars(base) for base in cls.__mro__):
        cls.references = ()
    return cls


@dataclass_transform(frozen_default=True, kw_only_default=True)
def settings(cls: type[T]) -> type[T]:
    """Decorate a class of settings: a frozen dataclass whose fields are the schema of its YAML node."""
    return strict(dataclasses.dataclass(frozen=True, kw_only=True)(cls))


def read_as(cls: Any, value: Any, info: ValidationInfo) -> Any:
    """Return `value` read as settings of the class `cls`, within a reading of more. Raises `ValidationError`.

    From a file it is read strictly: a text is no number and 1 is not true.
    """
    if info.mode == "json":
        return adapter(cls).validate_json(json.dumps(value), strict=True)
    return adapter(cls).validate_python(value)


@dataclasses.dataclass(frozen=True)
class Plugin:
    """Annotation of a field that holds a plug-in of `family`: ``codec: {kind: slfac, theta: 0.9}``.

    A bare name is short for a mapping with nothing but its kind; a mapping without a kind has that of
    `otherwise`, if there is one, so that a setting of a default plug-in can be changed alone. With `short`, a
    number or a quantity is short for that setting of `otherwise`: ``speed: 10 GFLOP/s``. A plug-in of another
    family is refused.
    """

    family: str
    otherwise: str | None = None
    short: str | None = None

    def in_full(self, value: Any) -> Any:
        """Return the mapping that a number or a quantity is short for; another `value` as it is."""
        is_quantity = isinstance(value, str) and not value[:1].isidentifier()  # kinds are names
        is_short = is_quantity or (isinstance(value, int | float) and not isinstance(value, bool))
        return {"kind": self.otherwise, self.short: value} if self.short and is_short else value

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.with_info_plain_validator_function(self._read)

    def _read(self, value: Any, info: ValidationInfo) -> Any:
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            family_of(self.family).refuse_others(type(value), kind_of(value))
            return value
        value = self.in_full(value)
        node = {"kind": value} if isinstance(value, str) else value
        if self.otherwise is not None and isinstance(node, Mapping):
            node = {"kind": self.otherwise, **node}
        if not isinstance(node, Mapping) or "kind" not in node:
            raise PydanticCustomError("plugin", "{reason}", {"reason": self._wants()})
        settings = {key: setting for key, setting in node.items() if key != "kind"}
        cls: Any = self._find(node["kind"])
        return read_as(cls, settings, info)  # its faults keep their places below this one

    def _wants(self) -> str:
        return f"needs a kind among {', '.join(kinds(self.family))}"

    def _find(self, kind: object) -> type[Any]:
        try:
            if isinstance(kind, str):
                cls = find(self.family, kind)
                family_of(self.family).refuse_others(cls, kind)
                return cls
            reason = self._wants()
        except BadInput as error:
            reason = str(error)
        fault = PydanticCustomError("kind", "{reason}", {"reason": reason})
        raise ValidationError.from_exception_data(
            "kind", [InitErrorDetails(type=fault, loc=("kind",), input=kind)]
        )

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {
            "x-family": self.family,
            "x-otherwise": self.otherwise,
            "x-short": self.short,
        }  # slfac_sim.scenario.json_schema writes the family out
