"""The source files of somebody else's plug-in: its module, and what that imports of theirs, one from another.

Imports are read, not followed by running them; what is imported under a name that is computed is not seen.
"""

import ast
import functools
import hashlib
import sys
from collections.abc import Iterator
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path

from slfac_sim.foundation.beside import package_named, without_package
from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.files import hash_of

_OURS = "slfac_sim"
_IMPORTED: dict[str, tuple[ModuleSpec | None, tuple[int, int]]] = {}  # how each file was when it was imported


def sources_of(module: str) -> dict[str, Path]:
    """Return the files of `module` and of all modules that it needs, by name, sorted.

    Those of Python, of slfac_sim and of installed packages are left out, but for the package of `module`.
    """
    home, files, waiting = module.partition(".")[0], {}, [*_with_parents(module)]
    package = package_named(module)
    while waiting:
        name = waiting.pop()
        if without_package(name) in files or not (name.partition(".")[0] == home or _is_theirs(name)):
            continue
        file = _file_of(name)
        if file is not None:
            files[without_package(name)] = file
            found = _imports(file, name)
            waiting += found if package is None else map(package.inward, found)
    return dict(sorted(files.items()))


def files_of(module: str) -> dict[str, bytes]:
    """Return the sources of `module`, which lies beside a file, by their places in its folder.

    They are as they were imported. What it needs from elsewhere is not among them.
    """
    package = package_named(module)
    assert package is not None, module
    files = sources_of(module).values()
    inside = [file for file in files if file.is_relative_to(package.folder)]
    return {file.relative_to(package.folder).as_posix(): package.source(file) for file in inside}


def source_hashes(module: str) -> dict[str, str]:
    """Return the SHA-256 of each of `sources_of` the module, as it was imported where that is known."""
    package = package_named(module)
    if package is None:
        return {name: hash_of(file) for name, file in sources_of(module).items()}
    sources = {name: package.source(file) for name, file in sources_of(module).items()}
    return {name: hashlib.sha256(source).hexdigest() for name, source in sources.items()}


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
