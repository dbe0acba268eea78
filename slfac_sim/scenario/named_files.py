"""Data that a scenario names by a key `file`: it lies beside the scenario, or in the working folder."""

from dataclasses import replace
from importlib import resources
from pathlib import Path

from slfac_sim.scenario.located import Located

KEY = "file"


def with_files_beside(tree: Located, scenario: Path | None) -> Located:
    """Return `tree` with the paths of those files that lie beside `scenario`; None: it is a shipped one.

    All others stay as they are: relative to the working folder.
    """
    folder = Path(str(resources.files("slfac_sim.scenarios"))) if scenario is None else scenario.parent
    return _found(tree, folder)


def _found(tree: Located, folder: Path) -> Located:
    if isinstance(tree.value, list):
        return replace(tree, value=[_found(child, folder) for child in tree.value])
    if not isinstance(tree.value, dict):
        return tree
    children = {
        key: _beside(child, folder) if key == KEY else _found(child, folder)
        for key, child in tree.value.items()
    }
    return replace(tree, value=children)


def _beside(named: Located, folder: Path) -> Located:
    if not isinstance(named.value, str) or not named.value:
        return named
    try:
        path = folder / named.value
        return replace(named, value=str(path)) if path.is_file() else named
    except (OSError, ValueError):  # too long for a name, a null byte
        return named
