"""What makes two scenarios one training: content hashes, and the differences that learning sees.

It compares settings and versions; it knows no run and imports no torch.
"""

import hashlib
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import slfac_sim
from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.files import hash_of
from slfac_sim.foundation.plugin_sources import source_hashes
from slfac_sim.foundation.plugins import HERE
from slfac_sim.scenario.hosts import homes_of, paths_of
from slfac_sim.scenario.named_files import KEYS
from slfac_sim.scenario.own_plugins import plugins_in
from slfac_sim.scenario.plain import plain
from slfac_sim.scenario.schema import Scenario
from slfac_sim.scenario.steering import steered, work_needs_speed

INVISIBLE = (
    "name",
    "seed.air",
    "network",
    "devices.speed",
    "devices.codec_speed",
    "devices.slowdowns",
    "devices.power",
    "devices.memory",
    "evaluation.targets",
)
"""What learning cannot see, where timing does not steer it: every path here, and all below it."""

_OF_A_SERVER = ("speed", "codec_speed", "discipline", "slowdowns", "power")
"""The same of each server."""

READ_AFTERWARDS = ("name", "evaluation.targets")
"""What nothing that happens depends on, wherever timing steers."""

LEARNING_SOURCES = (
    "codecs",
    "effects.py",
    "foundation",
    "learning",
    "protocols",
    "runs/starting.py",
    "hosts/names.py",
    "hosts/settings.py",
    "scenario/schedule.py",
    "scenario/schema.py",
)
"""Our own source files and folders that learn."""

TIMING_SOURCES = (
    "forecast",
    "hosts",
    "network",
    "runs/opening.py",
    "simulation",
)
"""Those that make the clock."""


def learning_key(scenario: Scenario, threads: int) -> str:
    """Return 16 hexadecimal digits that are equal where the training is: bytes, work, order and figures.

    They hash all settings that learning sees, what is in the files that they name, wherever these lie, the
    host `threads`, the source files
    that learn (somebody else's plug-ins and what these import of theirs included) and the versions of Python,
    torch, numpy and slfac_sim. Where timing steers learning, they hash every setting, and the sources that
    make the clock as well.
    """
    hidden = _hidden(scenario)
    settings = {path: value for path, value in _seen(scenario) if not _within(path, hidden)}
    return _hash([_by_content(settings), threads, *_programs(scenario)])


def sources_key(scenario: Scenario) -> str:
    """Return 16 hexadecimal digits that are equal where what computes is: the sources and their versions."""
    return _hash([*_programs(scenario)])


def settings_key(scenario: Scenario) -> str:
    """Return 16 hexadecimal digits that are equal for scenarios of equal settings.

    Files count by their own names, whatever they hold and wherever they lie.
    """
    return _hash(_by_name(_settings(scenario)))


def named_files(scenario: Scenario) -> dict[str, str]:
    """Return the hashes of all files that settings name, by ``data.file: my.npz``; none of one not there."""
    return _files(_settings(scenario))


def _hidden(scenario: Scenario) -> tuple[str, ...]:
    return READ_AFTERWARDS if steered(scenario) is not None else invisible_in(scenario)


def _programs(scenario: Scenario) -> Iterator[Any]:
    """Yield the versions of Python and of libraries, and the hashes of our sources and of plug-ins'."""
    clocked = steered(scenario) is not None
    yield list(sys.version_info[:2])
    yield {name: version(name) for name in ("torch", "numpy", *(("simpy",) if clocked else ()))}
    sources = [LEARNING_SOURCES, *([TIMING_SOURCES] if clocked else [])]
    yield [slfac_sim.__version__, *map(hash_of_sources, sources)]
    yield _foreign(scenario, _hidden(scenario))


def refuse_notebook_classes(scenario: Scenario, who: str) -> None:
    """Raise `BadInput` if a plug-in of `scenario` is a class of a notebook or script, and no module's.

    `who` needs it in another process, or must know whether it has changed.
    """
    for path, value in _leaves(plain(scenario)):
        if path.endswith("kind") and str(value).startswith(f"{HERE}."):
            place, name = path.removesuffix(".kind"), str(value).removeprefix(f"{HERE}.")
            raise BadInput(
                f"{place}: {name} is a class of the notebook or script itself, and {who} needs it in a file"
                f" of its own: put it into my_plugin.py beside it, and say {place}=my_plugin"
            )


def invisible_in(scenario: Scenario) -> tuple[str, ...]:
    """Return the paths that learning cannot see in `scenario`, nor its record; those of servers too.

    The speeds of devices are on record where the work in it depends on them (`devices.memory_bandwidth`).
    """
    seen = ("devices.speed",) if work_needs_speed(scenario) else ()
    servers = [f"{path}.{name}" for path in paths_of(scenario) for name in _OF_A_SERVER]
    return (*(path for path in INVISIBLE if path not in seen), *servers)


def invisible(path: str, scenario: Scenario) -> bool:
    """Return whether learning cannot see the setting `path` of `scenario`."""
    return _within(path, invisible_in(scenario))


def point_key(scenario: Scenario) -> str:
    """Return 16 hexadecimal digits that are equal for scenarios that are equal but for their name.

    Files that they name are equal by their own names and by what is in them, wherever they lie.
    """
    return _hash(_by_content(_settings(scenario)))


def _settings(scenario: Scenario) -> dict[str, Any]:
    return {path: value for path, value in _leaves(plain(scenario)) if path != "name"}


def visible_differences(
    recorded: Scenario, wanted: Scenario, hidden: Iterable[str] | None = None
) -> list[str]:
    """Return what differs and is visible to learning, as ``codec.uplink.theta: 0.9 there, 0.95 wanted``.

    Of a plug-in of another kind only the kind is named. What is below a path in `hidden` (None: what learning
    sees in neither scenario) is not.
    """
    there, here = (dict(_seen(scenario)) for scenario in (recorded, wanted))
    hidden = set(invisible_in(recorded)) & set(invisible_in(wanted)) if hidden is None else set(hidden)
    differing = [
        path
        for path in there | here
        if not _within(path, hidden) and not _alike(path, there.get(path), here.get(path))
    ]
    kinds = [path.removesuffix("kind") for path in differing if path.endswith(".kind")]
    return [
        f"{path}: {_words(there, path)} there, {_words(here, path)} wanted"
        for path in differing
        if path.endswith(".kind") or not path.startswith(tuple(kinds))
    ]


def _seen(scenario: Scenario) -> Iterator[tuple[str, Any]]:
    """Yield every setting with its path; where there are several servers, also whom each device learns with.

    The network says that, and nothing else of it is seen by learning.
    """
    yield from _leaves(plain(scenario))
    if scenario.servers is not None:
        yield from _leaves(homes_of(scenario), "homes")


def _leaves(tree: Any, above: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every setting with its dotted path; a list is one value."""
    if isinstance(tree, Mapping) and tree:
        for key, value in tree.items():
            yield from _leaves(value, f"{above}.{key}" if above else str(key))
    else:
        yield above, tree


def _within(path: str, above: Iterable[str]) -> bool:
    return any(path == node or path.startswith(f"{node}.") for node in above)


def _words(settings: Mapping[str, Any], path: str) -> str:
    return json.dumps(settings[path]).strip('"') if path in settings else "nothing"


def _hash(content: Any) -> str:
    text = json.dumps(content, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _texts(tree: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield every text below `tree` with the path of its setting; those in a list have one path."""
    if isinstance(tree, str):
        yield path, tree
    elif isinstance(tree, Mapping):
        for key, value in tree.items():
            yield from _texts(value, f"{path}.{key}" if path else str(key))
    elif isinstance(tree, list):
        for value in tree:
            yield from _texts(value, path)


def _foreign(scenario: Scenario, hidden: Iterable[str]) -> dict[str, dict[str, str]]:
    """Return the hashes of the sources of every plug-in that is not ours nor `hidden`, by kind and module."""
    seen = [own for own in plugins_in(scenario) if not _within(own.path, hidden)]
    modules = {own.kind: own.module for own in seen if own.module != HERE}
    return {kind: source_hashes(modules[kind]) for kind in sorted(modules)}


def _files(settings: Mapping[str, Any]) -> dict[str, str]:
    """Return the hashes of what settings name: every text that is a file, and every `folder` that is one."""
    there = ((path, text, _content(path, text)) for path, text in _texts(settings))
    return {f"{path}: {Path(text).name}": sha256 for path, text, sha256 in there if sha256 is not None}


def _by_content(tree: Any, path: str = "") -> Any:
    """Return `tree` with name and hash of what is there in place of each text that leads to it."""
    if isinstance(tree, str):
        sha256 = _content(path, tree)
        return tree if sha256 is None else {"name": Path(tree).name, "sha256": sha256}
    if isinstance(tree, Mapping):
        return {key: _by_content(value, f"{path}.{key}" if path else str(key)) for key, value in tree.items()}
    return [_by_content(value, path) for value in tree] if isinstance(tree, list) else tree


def _by_name(tree: Any, key: str = "") -> Any:
    """Return `tree` with the mere name of each file and folder in place of its path."""
    if isinstance(tree, str):
        return Path(tree).name if key.rpartition(".")[2] in KEYS else tree
    if isinstance(tree, Mapping):
        return {name: _by_name(value, str(name)) for name, value in tree.items()}
    return [_by_name(value, key) for value in tree] if isinstance(tree, list) else tree


def _alike(path: str, one: Any, other: Any) -> bool:
    """Return whether two values of the setting `path` are equal, or name files of equal content."""
    return bool(one == other) or _by_content(one, path) == _by_content(other, path)


def _content(path: str, text: str) -> str | None:
    """Return the hash of the file that `text`, at the setting `path`, names; None if it names none."""
    if path == "name" or path.endswith("kind"):
        return None
    place = _place(text, path.endswith("folder"))
    return None if place is None else hash_of(place)


def _place(text: str, may_be_folder: bool) -> Path | None:
    if not text:  # no path, where Path has the working folder
        return None
    try:
        place = Path(text).expanduser()
        return place if place.is_file() or (may_be_folder and place.is_dir()) else None
    except (OSError, ValueError, RuntimeError):  # too long for a name, a null byte, an unknown user
        return None


@cache
def hash_of_sources(names: tuple[str, ...]) -> str:
    """Return the hash of our own source files `names`; a checkout changes without its version."""
    whole = hashlib.sha256()
    for name in names:
        for root in map(Path, slfac_sim.__path__):
            top = root / name
            for file in sorted(top.rglob("*.py")) if top.is_dir() else [top] if top.is_file() else []:
                whole.update(f"{file.relative_to(root).as_posix()}\n".encode() + file.read_bytes())
    return whole.hexdigest()
