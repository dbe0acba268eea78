"""What makes two scenarios one training: content hashes, and the differences that learning sees.

It compares settings and versions; it knows no run and imports no torch.
"""

import hashlib
import json
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import slfac_sim
from slfac_sim.scenario import Scenario
from slfac_sim.scenario_file import plain

INVISIBLE = ("name", "seed.air", "network", "devices.speed", "server", "evaluation.targets")
"""What learning cannot see, where timing does not steer it: every path here, and all below it."""

_LEARNS = (
    "build.py",
    "codecs",
    "datasets",
    "effects.py",
    "foundation",
    "learning",
    "models",
    "names.py",
    "optimisers",
    "partitions",
    "protocols",
    "scenario.py",
)


def learning_key(scenario: Scenario, threads: int) -> str:
    """Return 16 hexadecimal digits that are equal where the training is: bytes, work, order and figures.

    They hash all settings that learning sees, the host `threads`, the source files that learn (somebody
    else's plug-ins included) and the versions of Python, torch, numpy and slfac_sim.
    """
    settings = {path: value for path, value in _leaves(plain(scenario)) if not _invisible(path)}
    versions = {name: version(name) for name in ("torch", "numpy")}
    ours = [slfac_sim.__version__, _sources()]
    python = list(sys.version_info[:2])
    foreign = {kind: _file_hash(kind) for kind in sorted(_foreign_kinds(settings))}
    return _hash([settings, threads, python, versions, ours, foreign])


def point_key(scenario: Scenario) -> str:
    """Return 16 hexadecimal digits that are equal for scenarios that are equal but for their name."""
    return _hash({path: value for path, value in _leaves(plain(scenario)) if path != "name"})


def visible_differences(recorded: Scenario, wanted: Scenario) -> list[str]:
    """Return what differs and is visible to learning, as ``codec.uplink.theta: 0.9 there, 0.95 wanted``.

    Of a plug-in of another kind only the kind is told.
    """
    there, here = (dict(_leaves(plain(scenario))) for scenario in (recorded, wanted))
    differing = [path for path in there | here if there.get(path) != here.get(path) and not _invisible(path)]
    kinds = [path.removesuffix("kind") for path in differing if path.endswith(".kind")]
    return [
        f"{path}: {_words(there, path)} there, {_words(here, path)} wanted"
        for path in differing
        if path.endswith(".kind") or not path.startswith(tuple(kinds))
    ]


def _leaves(tree: Any, above: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every setting with its dotted path; a list is one value."""
    if isinstance(tree, Mapping) and tree:
        for key, value in tree.items():
            yield from _leaves(value, f"{above}.{key}" if above else str(key))
    else:
        yield above, tree


def _invisible(path: str) -> bool:
    return any(path == hidden or path.startswith(f"{hidden}.") for hidden in INVISIBLE)


def _words(settings: Mapping[str, Any], path: str) -> str:
    return json.dumps(settings[path]).strip('"') if path in settings else "nothing"


def _hash(content: Any) -> str:
    text = json.dumps(content, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _foreign_kinds(settings: Mapping[str, Any]) -> set[str]:
    return {value for path, value in settings.items() if path.endswith("kind") and "." in str(value)}


def _file_hash(module: str) -> str:
    spec = find_spec(module)
    file = Path(spec.origin) if spec is not None and spec.origin is not None else None
    return hashlib.sha256(file.read_bytes()).hexdigest() if file is not None and file.is_file() else ""


@cache
def _sources() -> str:
    """Return the hash of our own source files that learn; a checkout changes without its version."""
    root, whole = Path(slfac_sim.__file__).parent, hashlib.sha256()
    for name in _LEARNS:
        for file in sorted((root / name).rglob("*.py")) if (root / name).is_dir() else [root / name]:
            whole.update(f"{file.relative_to(root).as_posix()}\n".encode() + file.read_bytes())
    return whole.hexdigest()
