"""What a run folder says of its scenario: its text, its tree, and what differs, what it is, whom to cite."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from slfac_sim.foundation.errors import BadInput
from slfac_sim.ledger.folder import ABOUT, SCENARIO, Run

TOO_OLD = (
    "This run was recorded by a version that did not write down which settings differ from their defaults and"
    " what its parts are."
)
_LEARNT = ("what", "value")  # of runs alone, and of those of earlier versions not
_WRITTEN = {"differ": ("path", "value"), "parts": ("path", "kind", "what"), "references": ("part", "bibtex")}


@dataclass(frozen=True)
class About:
    """What the version that ran it said of the scenario; see `slfac_sim.scenario.about`."""

    version: str
    differ: tuple[Mapping[str, str], ...]
    parts: tuple[Mapping[str, str], ...]
    references: tuple[Mapping[str, str], ...]
    learnt: tuple[Mapping[str, str], ...] = ()

    def kind(self, path: str) -> str:
        """Return the kind of the plug-in at `path`; empty where there is none."""
        return next((part["kind"] for part in self.parts if part["path"] == path), "")


def made_up(runs: Sequence[Run]) -> str:
    """Return the sentence that warns of data that are made up; empty where those of all runs are real."""
    those = [run.summary.get("data", {}).get("real") is False for run in runs]
    which = "The data" if all(those) else "The data of some runs"
    return f"{which} are made up: what is learnt from them says nothing of real data." if any(those) else ""


def about(run: Run) -> About | None:
    """Return what is said of the scenario; None where the run is too old. Raises `BadInput`."""
    return about_in(run.folder)


def about_in(folder: Path) -> About | None:
    """Return what is said in the folder of a run, a study or an answer; None where that is too old.

    Of a study and an answer the references are those of all their scenarios. Raises `BadInput`.
    """
    path = folder / ABOUT
    if not path.exists():
        return None
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadInput(f"{path}: cannot be read ({error})") from error
    if not isinstance(said, dict) or not _is_whole(said):
        expected = "version; " + "; ".join(f"{name}: {', '.join(keys)}" for name, keys in _WRITTEN.items())
        raise BadInput(f"{path}: is not what a run wrote; expected texts ({expected})")
    lists = {name: tuple(said[name]) for name in _WRITTEN}
    return About(said["version"], **lists, learnt=tuple(said.get("learnt", ())))


def _is_whole(said: Mapping[str, Any]) -> bool:
    has_lists = all(_sound(said.get(name), keys) for name, keys in _WRITTEN.items())
    has_lists = has_lists and _sound(said.get("learnt", []), _LEARNT)
    return has_lists and isinstance(said.get("version"), str)


def _sound(rows: Any, keys: tuple[str, ...]) -> bool:
    return isinstance(rows, list) and all(
        isinstance(row, dict) and all(isinstance(row.get(key), str) for key in keys) for row in rows
    )


def scenario_text(run: Run) -> str:
    """Return the resolved scenario as it stands in the folder. Raises `BadInput`."""
    return text_of(run.folder / SCENARIO)


def text_of(path: Path) -> str:
    """Return the text of a file. Raises `BadInput`."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise BadInput(f"{path}: cannot be read ({error})") from error


def scenario_tree(run: Run) -> dict[str, Any]:
    """Return the resolved scenario as mappings, lists and scalars. Raises `BadInput`."""
    try:
        tree = yaml.load(
            scenario_text(run), Loader=yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
        )
    except (yaml.YAMLError, ValueError) as error:
        raise BadInput(f"{run.folder / SCENARIO}: is not YAML ({_line(error)})") from error
    if not isinstance(tree, dict):
        raise BadInput(f"{run.folder / SCENARIO}: found {type(tree).__name__}, expected a scenario")
    return tree


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
