"""Scenarios, studies and run folders that a word may become, each with a word about it."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import slfac_sim
from slfac_sim.ledger.places import LATEST, run_folders

Offered = dict[str, str]
"""What a word may become, and what is said about each by shells that show it."""

_YAML = (".yaml", ".yml")


def package_file(*steps: str) -> Path | None:
    """Return a file of the package, or of the checkout, by its path below `slfac_sim`."""
    paths = (Path(folder, *steps) for folder in slfac_sim.__path__)
    return next((path for path in paths if path.exists()), None)


def shipped(folder: str = "") -> dict[str, Path]:
    """Return the scenarios, or the ``studies``, that come with the package, by name."""
    there = package_file("scenarios", folder)
    return {file.stem: file for file in sorted(there.glob("*.yaml"))} if there else {}


def scenarios(prefix: str, studies: bool = False) -> Offered:
    """Return the shipped scenarios, with `studies` these too, and the YAML files that begin with `prefix`."""
    names = {**shipped(), **(shipped("studies") if studies else {})}
    named = {name: _first_comment(file) for name, file in names.items() if name.startswith(prefix)}
    return {**named, **files(prefix, _YAML)}


def files(prefix: str, endings: tuple[str, ...]) -> Offered:
    """Return the files with one of these `endings` that begin with `prefix`, and the folders."""
    head, _, start = prefix.rpartition("/")
    at = f"{head}/" if prefix.startswith("/") or head else ""
    try:
        entries = sorted(os.scandir(at or "."), key=lambda entry: entry.name)
    except OSError:
        return {}
    seen = [
        entry
        for entry in entries
        if entry.name.startswith(start) and (start or not entry.name.startswith("."))
    ]
    folders = {f"{at}{entry.name}/": "" for entry in seen if entry.is_dir()}
    return {**{f"{at}{entry.name}": "" for entry in seen if entry.name.endswith(endings)}, **folders}


def runs(prefix: str, unfinished: bool = False) -> Offered:
    """Return the runs below ``runs/`` that begin with `prefix`, or only those to be resumed, and folders."""
    there = {str(path): "" for path in run_folders(unfinished)}
    return {**{path: text for path, text in there.items() if path.startswith(prefix)}, **files(prefix, ())}


def studies(prefix: str) -> Offered:
    """Return the folders of studies below ``runs/studies/`` that begin with `prefix`."""
    there = (str(path.parent) for path in sorted(Path("runs/studies").glob("*/study.yaml")))
    return {path: "a study" for path in there if path.startswith(prefix)}


def columns() -> Iterator[str]:
    """Yield the figures and the settings of the last run, which are columns of a list."""
    try:
        summary = json.loads((LATEST / "summary.json").read_bytes())
    except (OSError, ValueError, RecursionError):
        summary = {}
    yield from ("accuracy", "codec", *_paths(summary, ""), *_paths(plain(LATEST), ""))


def _paths(tree: Any, path: str) -> Iterator[str]:
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield from _paths(value, f"{path}.{key}".lstrip("."))
    else:
        yield path


def plain(named: str | Path, depth: int = 3) -> dict[str, Any]:
    """Return what the scenario `named`, a file, a name or a run folder, says; nothing if it is broken.

    What it builds upon (`base`) is under it.
    """
    path = next((path for path in _files_of(str(named)) if path.is_file()), None)
    if path is None or depth == 0:
        return {}
    import yaml

    from slfac_sim.scenario.yaml_text import to_plain

    try:
        tree = to_plain(path.read_bytes())
    except (OSError, ValueError, RecursionError, yaml.YAMLError):
        return {}
    if not isinstance(tree, dict):
        return {}
    base = tree.get("base")
    if isinstance(base, str):
        beside = path.parent / base
        return merged(plain(beside if beside.is_file() else base, depth - 1), tree)
    return merged(base if isinstance(base, dict) else {}, tree)


def merged(under: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """Return the tree `under` with all that is in `over` in its place; another kind takes it whole."""
    whole = dict(under)
    for key, value in over.items():
        before = whole.get(key)
        if isinstance(before, dict) and isinstance(value, dict):
            same = value.get("kind", before.get("kind")) == before.get("kind")
            whole[key] = merged(before, value) if same else value
        else:
            whole[key] = value
    return whole


def _files_of(named: str) -> Iterator[Path]:
    yield Path(named)
    yield Path(named, "scenario.yaml")
    for names in (shipped(), shipped("studies")):
        if (name := named.removesuffix(".yaml")) in names:
            yield names[name]


def _first_comment(file: Path) -> str:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()[:3]
    except (OSError, ValueError):
        return ""
    said = (line.strip("# ") for line in lines if line.startswith("#") and "language-server" not in line)
    return next(said, "")
