"""Names by which several runs are told apart in one table or figure: by what differs in their settings."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import yaml

from slfac_sim.ledger.folder import Run

_MOST = 3  # differing settings that still fit into a label


def names_of(runs: Sequence[Run]) -> list[str]:
    """Return a name for each run: its label and, where several have the same, the settings that differ.

    Runs whose settings are equal, unreadable, or differ in more than three places are told apart by
    their folders.
    """
    groups: dict[str, list[int]] = defaultdict(list)
    for place, run in enumerate(runs):
        groups[run.label].append(place)
    names = [run.label for run in runs]
    for label, places in groups.items():
        if len(places) > 1:
            additions = _differences([runs[place] for place in places])
            for place, addition in zip(places, additions, strict=True):
                names[place] = f"{label}, {addition}"
    return names


def _differences(runs: Sequence[Run]) -> list[str]:
    settings = [_settings(run) for run in runs]
    paths = [path for path in settings[0] if path != "name"]
    differing = [path for path in paths if len({repr(one.get(path)) for one in settings}) > 1]
    texts = [
        ", ".join(f"{path.rpartition('.')[2]} {_text(one.get(path))}" for path in differing)
        for one in settings
    ]
    if not 0 < len(differing) <= _MOST or len(set(texts)) < len(texts):
        return [run.folder.name for run in runs]
    return texts


def _settings(run: Run) -> dict[str, Any]:
    """Return {path: value} of the run's resolved scenario; nothing, if it cannot be read."""
    try:
        tree = yaml.safe_load((run.folder / "scenario.yaml").read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
        return {}
    return dict(_leaves(tree, ""))


def _leaves(node: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(node, dict):
        for key, inner in node.items():
            yield from _leaves(inner, f"{path}.{key}" if path else str(key))
    else:
        yield path, node


def _text(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
