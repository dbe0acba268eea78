"""The source files of somebody else's plug-in: its module, and what that imports of theirs, one from another.

Imports are read, not followed by running them; what is imported under a name that is computed is not seen.
"""

import ast
import functools
import sys
from collections.abc import Iterator
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path

from slfac_sim.foundation.errors import BadInput

_OURS = "slfac_sim"
_IMPORTED: dict[str, tuple[ModuleSpec | None, tuple[int, int]]] = {}  # how each file was when it was imported


def sources_of(kind: str) -> dict[str, Path]:
    """Return the files of the module `kind` and of all modules that it needs, by name, sorted.

    Those of Python, of slfac_sim and of installed packages are left out, but for the package of `kind`.
    """
    home, files, waiting = kind.partition(".")[0], {}, [*_with_parents(kind)]
    while waiting:
        name = waiting.pop()
        if name in files or not (name.partition(".")[0] == home or _is_theirs(name)):
            continue
        file = _file_of(name)
        if file is not None:
            files[name] = file
            waiting += _imports(file, name)
    return dict(sorted(files.items()))


def refuse_edited(name: str) -> None:
    """Raise `BadInput` if the file of the loaded module `name` is another than the one that was imported.

    A notebook lives long: the old code would run, and the new one be taken for what was run.
    """
    file, spec = _file_of(name), sys.modules[name].__spec__
    if file is None:
        return
    now = file.stat().st_mtime_ns, file.stat().st_size
    imported, then = _IMPORTED.get(name, (None, now))
    if imported is spec and then != now:
        again = f"importlib.reload({name.rpartition('.')[2]})"
        raise BadInput(f"{file}: has changed since it was imported; {again} takes it in, or a new process")
    _IMPORTED[name] = spec, now


def _with_parents(name: str) -> Iterator[str]:
    """Yield ``a``, ``a.b`` and ``a.b.c`` for ``a.b.c``: all of them are run when it is imported."""
    steps = name.split(".")
    yield from (".".join(steps[: end + 1]) for end in range(len(steps)))


def _is_theirs(name: str) -> bool:
    top = name.partition(".")[0]
    if top == _OURS or top in sys.stdlib_module_names:
        return False
    file = _file_of(top)
    return file is None or not _holds_installed(file.parent.parent if _is_package(file) else file.parent)


@functools.cache
def _holds_installed(folder: Path) -> bool:
    return any(folder.glob("*.dist-info"))


def _file_of(name: str) -> Path | None:
    """Return the source of a module, loaded or not; None where there is none, as in a namespace."""
    loaded = sys.modules.get(name)
    spec = _spec_of(name) if loaded is None else loaded.__spec__
    origin = spec.origin if spec is not None and spec.has_location else getattr(loaded, "__file__", None)
    return Path(origin) if origin is not None and Path(origin).is_file() else None


def _spec_of(name: str) -> ModuleSpec | None:
    """Return where `name` would be imported from, without importing what is above it."""
    above, _, _ = name.rpartition(".")
    if not above:
        return PathFinder.find_spec(name)
    parent = sys.modules[above].__spec__ if above in sys.modules else _spec_of(above)
    places = parent.submodule_search_locations if parent is not None else None
    return None if places is None else PathFinder.find_spec(name, list(places))


def _imports(file: Path, name: str) -> Iterator[str]:
    """Yield the modules that the source `file` of `name` imports, wherever in it; not all need be modules."""
    try:
        tree = ast.parse(file.read_bytes()) if file.suffix == ".py" else ast.Module([], [])
    except (SyntaxError, ValueError):  # a module that cannot be imported either
        return
    package = name if _is_package(file) else name.rpartition(".")[0]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _with_parents(alias.name)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) + 1 - node.level] if node.level else []
            whole = ".".join([*above, *([node.module] if node.module else [])])
            yield from _with_parents(whole)
            yield from (f"{whole}.{alias.name}" for alias in node.names)


def _is_package(file: Path) -> bool:
    return file.name == "__init__.py"
