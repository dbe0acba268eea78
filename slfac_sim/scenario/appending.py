"""``key.path+=value``: one more for a list, which begins with its default where nobody has written it."""

import dataclasses
from dataclasses import replace
from typing import Any

from slfac_sim.foundation.words import got
from slfac_sim.scenario.edits import node_at, put, spread
from slfac_sim.scenario.located import Fault, Located, Path, Place, ScenarioError
from slfac_sim.scenario.plain import plain
from slfac_sim.scenario.shape import class_of, hint_at, holds_list, walk


def appended(tree: Located, path: Path, item: Located, root: type[Any]) -> Located:
    """Return `tree`, which will be read as a `root`, with `item` at the end of the list at `path`.

    Raises `ScenarioError` where there is something else.
    """
    tree = spread(tree, path, root)
    there = node_at(tree, path, item.place)
    if there.value is None:
        there = _beginning(tree, path, root, item.place)
    if not isinstance(there.value, list):
        what = "" if there.value is None else f" (got {got(there.plain())})"
        raise ScenarioError([Fault(item.place, path, f"is no list, and only a list is appended to{what}")])
    return put(tree, path, replace(there, value=[*there.value, item]))


def _beginning(tree: Located, path: Path, root: type[Any], place: Place) -> Located:
    """Return the default of what is at `path`; an empty list where a list has none, or nothing says."""
    hint, default = hint_at(root, tree, path), _default_at(tree, path, root)
    if default is None and (hint is None or holds_list(hint)):
        default = ()
    return _located(plain(default, hint), place)


def _default_at(tree: Located, path: Path, root: type[Any]) -> Any:
    """Return the setting that is at `path` where `tree` does not say it; None where there is no default."""
    *above, name = path
    if len(walk(tree, above)[1]) < len(above):
        holder = _default_at(tree, tuple(above), root)
        return vars(holder).get(str(name)) if dataclasses.is_dataclass(holder) else None
    cls: Any = class_of(hint_at(root, tree, above), tree, above)
    fields = dataclasses.fields(cls) if cls is not None else ()
    default = next((field.default for field in fields if field.name == name), None)
    return None if default is dataclasses.MISSING else default


def _located(value: Any, place: Place) -> Located:
    """Return a plain `value` as if it had been written at `place`."""
    if isinstance(value, dict):
        value = {key: _located(inner, place) for key, inner in value.items()}
    elif isinstance(value, list):
        value = [_located(inner, place) for inner in value]
    return Located(value, place, place)
