"""Data that a scenario names by a key `file` or `folder`: where they are looked for, and what is kept.

A file lies beside the scenario, or in the working folder. What is not where it was named, for instance since
a run was brought from another machine, is looked for by its name: beside the scenario, in ``$SLFAC_DATA``.
"""

import dataclasses
import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

from slfac_sim.foundation.files import whole
from slfac_sim.scenario.located import Located

KEY = "file"
KEYS = (KEY, "folder")
KEPT = "files"
"""Where copies of small files lie beside a resolved scenario."""
MOST_BYTES = 10_000_000  # of a file of which a copy is kept


def with_files_beside(tree: Located, scenario: Path | None) -> Located:
    """Return `tree` with the paths of those files that lie beside `scenario`; None: it is a shipped one.

    Others that are not there stay as they are: relative to the working folder.
    """
    folder = Path(str(resources.files("slfac_sim.scenarios"))) if scenario is None else scenario.parent
    return _found(tree, folder)


def files_in(settings: Any) -> Iterator[tuple[str, Path]]:
    """Yield the key and the path of everything that checked `settings` name by one of `KEYS`."""
    if dataclasses.is_dataclass(settings):
        for field in dataclasses.fields(settings):
            value = getattr(settings, field.name)
            if field.name in KEYS and isinstance(value, str | Path):
                yield field.name, Path(value)
            else:
                yield from files_in(value)
    elif isinstance(settings, Mapping):
        for value in settings.values():
            yield from files_in(value)
    elif isinstance(settings, list | tuple):
        for value in settings:
            yield from files_in(value)


def moved(settings: Any, place: Callable[[Path], Path]) -> Any:
    """Return checked `settings` with what `place` says for everything that they name by one of `KEYS`."""
    if dataclasses.is_dataclass(settings) and not isinstance(settings, type):
        changes = {}
        for field in dataclasses.fields(settings):
            value = getattr(settings, field.name)
            is_named = field.name in KEYS and isinstance(value, str | Path)
            new = type(value)(place(Path(value))) if is_named else moved(value, place)
            if new is not value and new != value:
                changes[field.name] = new
        return replace(settings, **changes) if changes else settings
    if isinstance(settings, Mapping):
        return {key: moved(value, place) for key, value in settings.items()}
    return type(settings)(moved(value, place) for value in settings) if _is_plain(settings) else settings


def _is_plain(settings: Any) -> bool:
    return type(settings) in (list, tuple)


def keep_files(folder: Path, settings: Any) -> None:
    """Put a copy of each small file that `settings` name where a scenario in `folder` has it."""
    for key, path in files_in(settings):
        source, kept = path.expanduser(), kept_file(folder, str(path))
        if key != KEY or kept.exists() or not source.is_file() or source.stat().st_size > MOST_BYTES:
            continue
        kept.parent.mkdir(parents=True, exist_ok=True)
        with whole(kept) as part:
            part.write_bytes(source.read_bytes())


def kept_file(folder: Path, text: str) -> Path:
    """Return where the copy lies of the file that a scenario in `folder` names by `text`."""
    return folder / KEPT / hashlib.sha256(text.encode()).hexdigest()[:8] / Path(text).name


def _found(tree: Located, folder: Path) -> Located:
    if isinstance(tree.value, list):
        return replace(tree, value=[_found(child, folder) for child in tree.value])
    if not isinstance(tree.value, dict):
        return tree
    children = {
        key: _placed(child, folder, key) if key in KEYS else _found(child, folder)
        for key, child in tree.value.items()
    }
    return replace(tree, value=children)


def _placed(named: Located, folder: Path, key: str) -> Located:
    if not isinstance(named.value, str) or not named.value:
        return named
    try:
        place = _place(named.value, folder, Path.is_file if key == KEY else Path.is_dir)
    except (OSError, ValueError, RuntimeError):  # too long for a name, a null byte, an unknown user
        return named
    return named if place is None else replace(named, value=str(place))


def _place(text: str, folder: Path, is_there: Callable[[Path], bool]) -> Path | None:
    """Return where that is which a scenario in `folder` names by `text`; None leaves it to `text` itself."""
    if is_there is Path.is_file and is_there(folder / text):
        return folder / text
    if is_there(Path(text).expanduser()):
        return None
    name, root = Path(text).name, os.environ.get("SLFAC_DATA")
    places = [kept_file(folder, text), folder / name, *([Path(root).expanduser() / name] if root else [])]
    return next((place for place in places if is_there(place)), None)
