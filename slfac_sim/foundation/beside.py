"""Plug-ins beside the file that names them: ``codec: my_codec`` in ``exp/s.yaml`` is ``exp/my_codec.py``.

Each folder is a package of its own under a name that nobody types, so that two folders may have files of one
name, and nothing is added to `sys.path`. What such a file imports by the name of a file beside it comes from
there. A file that was edited is imported anew, in another package.
"""

import ast
import secrets
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import module_from_spec
from pathlib import Path
from types import CodeType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tempfile import TemporaryDirectory

PREFIX = "slfac_beside_"
_LOOKED_IN: ContextVar[tuple[Path, ...]] = ContextVar("folders that are looked in", default=())
_NOT_BESIDE = {*sys.stdlib_module_names, "slfac_sim"}


@contextmanager
def looking_in(*folders: Path) -> Iterator[None]:
    """Have plug-ins looked for in these `folders` first, meanwhile, and then where they are looked for."""
    token = _LOOKED_IN.set(tuple(dict.fromkeys((*folders, *_LOOKED_IN.get()))))
    try:
        yield
    finally:
        _LOOKED_IN.reset(token)


def looked_in() -> tuple[Path, ...]:
    """Return the folders in which plug-ins are looked for."""
    return _LOOKED_IN.get()


def file_beside(kind: str) -> Path | None:
    """Return the file of the plug-in `kind` in the first folder that has it; None where none has."""
    found = (_file_in(folder, kind) for folder in looked_in())
    return next(filter(None, found), None) or _file_of_loaded(kind)


def _file_of_loaded(kind: str) -> Path | None:
    """Return the file of the loaded module `kind`: a plug-in of it was given as an object."""
    if "." in kind or kind in _NOT_BESIDE or kind not in sys.modules:
        return None
    file = vars(sys.modules[kind]).get("__file__")
    return Path(file) if file is not None and Path(file).stem == kind else None


def _file_in(folder: Path, kind: str) -> Path | None:
    steps = kind.split(".")
    if not all(step.isidentifier() for step in steps):
        return None
    place = folder.joinpath(*steps)
    files = (place.with_name(f"{steps[-1]}.py"), place / "__init__.py")
    return next((file for file in files if file.is_file()), None)


def module_in(file: Path, kind: str) -> str:
    """Return the name of the module to import for the plug-in `kind`, whose source is `file`."""
    up = len(kind.split(".")) + (file.name == "__init__.py")
    return f"{_package_of(file.resolve().parents[up - 1]).name}.{kind}"


def without_package(module: str) -> str:
    """Return the name of a module as a scenario has it: beside it, or as it stands."""
    return module.partition(".")[2] if module.startswith(PREFIX) else module


@dataclass
class Package:
    """The plug-ins in a `folder`, as a package; `read` are its files as they were when they were imported."""

    name: str
    folder: Path
    read: dict[Path, tuple[tuple[int, int], bytes]] = field(default_factory=dict)

    @property
    def is_current(self) -> bool:
        """Whether no file has changed since it was imported."""
        try:
            return all(_stamp(file) == stamp for file, (stamp, _) in self.read.items())
        except OSError:
            return False

    def has(self, module: str) -> bool:
        """Return whether what is imported as `module` comes from here."""
        top = module.partition(".")[0]
        place = self.folder / top
        is_package = (place / "__init__.py").is_file() or any(place.glob("*.py"))
        return top not in _NOT_BESIDE and (place.with_name(f"{top}.py").is_file() or is_package)

    def inward(self, module: str) -> str:
        """Return the whole name of what is imported as `module` by one of these files."""
        return f"{self.name}.{module}" if self.has(module) else module

    def source(self, file: Path) -> bytes:
        """Return the source of `file` as it was imported; as it is, if it was not."""
        return self.read[file][1] if file in self.read else file.read_bytes()


_NEWEST: dict[Path, Package] = {}
_BY_NAME: dict[str, Package] = {}


def package_named(module: str) -> Package | None:
    """Return the package of a `module` that lies beside a file; None for any other."""
    return _BY_NAME.get(module.partition(".")[0])


def adopt(name: str, folder: Path, files: Mapping[str, bytes]) -> None:
    """Have the package `name` of another process here too, in its `folder` if the `files` there are these.

    Otherwise it lies in a folder that goes with this process.
    """
    if name in _BY_NAME:
        return
    if any(not (folder / at).is_file() or (folder / at).read_bytes() != text for at, text in files.items()):
        folder = Path(_folder_of_ours().name) / name
        for at, text in files.items():
            (folder / at).parent.mkdir(parents=True, exist_ok=True)
            (folder / at).write_bytes(text)
    _open(Package(name, folder))


def _package_of(folder: Path) -> Package:
    newest = _NEWEST.get(folder)
    if newest is None or not newest.is_current:
        newest = _NEWEST[folder] = Package(PREFIX + secrets.token_hex(6), folder)
        _open(newest)
    return newest


def _open(package: Package) -> None:
    """Have Python import the modules of `package`."""
    _BY_NAME[package.name] = package
    spec = ModuleSpec(package.name, None, is_package=True)
    spec.submodule_search_locations = [str(package.folder)]
    sys.modules[package.name] = module_from_spec(spec)
    if _FINDER not in sys.meta_path:
        sys.meta_path.insert(0, _FINDER)


class _Finder(MetaPathFinder):
    """Finds modules of these packages, and no others."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: Any = None) -> ModuleSpec | None:
        if not name.startswith(PREFIX):
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and isinstance(spec.loader, SourceFileLoader):
            spec.loader = _Loader(name, str(spec.loader.path))
        return spec


_FINDER = _Finder()


class _Loader(SourceFileLoader):
    """Reads a source as it is, never from a cache; imports of what lies beside it are from the package."""

    def get_code(self, fullname: str) -> CodeType:
        package = _BY_NAME[fullname.partition(".")[0]]
        file = Path(self.path)
        stamp, source = _stamp(file), file.read_bytes()
        package.read[file] = stamp, source
        tree = _Inward(package).visit(ast.parse(source, self.path))
        return compile(ast.fix_missing_locations(tree), self.path, "exec", dont_inherit=True)


class _Inward(ast.NodeTransformer):
    """Turns imports of what lies in a package's folder into imports from the package."""

    def __init__(self, package: Package) -> None:
        self._package = package

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST:
        """Import from the whole name."""
        if node.module is not None and not node.level:
            node.module = self._package.inward(node.module)
        return node

    def visit_Import(self, node: ast.Import) -> list[ast.AST]:
        """Import the whole name, and bind what the short one would."""
        statements: list[ast.stmt] = []
        for alias in node.names:
            if not self._package.has(alias.name):
                statements.append(ast.Import([alias]))
                continue
            whole = self._package.inward(alias.name)
            if alias.asname or "." in alias.name:
                statements.append(ast.Import([ast.alias(whole, alias.asname or "_")]))
            if not alias.asname:
                top = alias.name.partition(".")[0]
                statements.append(ast.ImportFrom(self._package.name, [ast.alias(top)], 0))
        return [ast.copy_location(statement, node) for statement in statements]


class _ClassOf:
    """A class of a package, which travels between processes with the sources of the package."""

    def __init__(self, cls: type[Any], files: Mapping[str, bytes]) -> None:
        self.cls, self.files = cls, files

    def __reduce__(self) -> tuple[Any, ...]:
        package = _BY_NAME[self.cls.__module__.partition(".")[0]]
        where = package.name, package.folder, dict(self.files)
        return _class_in, (*where, self.cls.__module__, self.cls.__qualname__)


def _class_in(name: str, folder: Path, files: Mapping[str, bytes], module: str, qualname: str) -> Any:
    adopt(name, folder, files)
    found: Any = import_module(module)
    for step in qualname.split("."):
        found = getattr(found, step)
    return found


def reduced(plugin: object, files: Mapping[str, bytes]) -> tuple[Any, ...]:
    """Return how `plugin`, of a package of these `files`, is pickled: its class before all that it holds."""
    return _made, (_ClassOf(type(plugin), files), dict(vars(plugin)))


def _made(cls: Any, state: Mapping[str, Any]) -> Any:
    plugin = object.__new__(cls.cls if isinstance(cls, _ClassOf) else cls)  # copied, or unpickled
    vars(plugin).update(state)
    return plugin


def _stamp(file: Path) -> tuple[int, int]:
    there = file.stat()
    return there.st_mtime_ns, there.st_size


@cache
def _folder_of_ours() -> "TemporaryDirectory[str]":
    """Return a folder that lives as long as this process."""
    import tempfile

    return tempfile.TemporaryDirectory(prefix="slfac_sim-plugins-")
