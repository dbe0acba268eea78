"""In which settings runs differ, in words: quantities with their units where a run says them."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from slfac_sim.analysis.format import three_digits
from slfac_sim.analysis.told import about, scenario_tree
from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.units import dimension_in, written
from slfac_sim.ledger.folder import Run

NONE = "-"
_CAPACITY = re.compile(r"links\.[^.]+\.capacity$")
_BPS = re.compile(r"bps$")  # shorter, and read back; our texts have the other
_PLAIN = 1e4  # from here on a number without a unit is written out


def differences(runs: Sequence[Run]) -> dict[str, list[str]]:
    """Return each setting that is not the same in all runs, by its path, with its value in each run.

    The name of the scenario is none. A run whose settings cannot be read has none of them.
    """
    settings = [settings_of(run) for run in runs]
    paths = dict.fromkeys(path for own in settings for path in own if path != "name")
    differing = [path for path in paths if len({repr(own.get(path)) for own in settings}) > 1]
    dimensions = _dimensions(runs, settings)
    return {
        path: [_text(own[path], dimensions.get(path)) if path in own else NONE for own in settings]
        for path in differing
    }


def settings_of(run: Run) -> dict[str, Any]:
    """Return {path: value} of the run's resolved scenario; nothing, if it cannot be read."""
    try:
        return dict(_leaves(scenario_tree(run), ""))
    except BadInput:
        return {}


def _leaves(node: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(node, dict):
        for key, inner in node.items():
            yield from _leaves(inner, f"{path}.{key}" if path else str(key))
    else:
        yield path, node


def _dimensions(runs: Sequence[Run], settings: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return the dimensions of the settings that a run tells with their units: those that are no defaults."""
    found = {}
    for run, own in zip(runs, settings, strict=True):
        for path, text in _told(run):
            value = own.get(path)
            dimension = dimension_in(text, value) if isinstance(value, float) else None
            if dimension is not None:
                found[path] = dimension
    wires = {path for own in settings for path in own if _CAPACITY.search(path)}  # also those of defaults
    return found | dict.fromkeys(wires, "data rate")


def _told(run: Run) -> Iterator[tuple[str, str]]:
    try:
        said = about(run)
    except BadInput:
        return
    for row in said.differ if said is not None else ():
        yield row["path"], row["value"]


def _text(value: Any, dimension: str | None) -> str:
    if not isinstance(value, float):
        return NONE if value is None else str(value)
    if dimension is not None:
        return _BPS.sub("bit/s", written(value, dimension))
    return three_digits(value) if abs(value) >= _PLAIN else f"{value:.4g}"
