"""Changes of a located tree: what lies at a path, and the tree with something else there."""

from dataclasses import replace
from typing import Any

from slfac_sim.foundation.errors import did_you_mean
from slfac_sim.scenario.located import Fault, Located, Path, Place, ScenarioError
from slfac_sim.scenario.shape import every_field, hint_at, in_full, pair_of, walk


def node_at(tree: Located, path: Path, place: Place) -> Located:
    """Return what lies at `path`, or nothing, put there by an override."""
    nodes, steps = walk(tree, [int(step) if str(step).isdecimal() else step for step in path])
    return nodes[-1] if len(steps) == len(path) else Located(None, place, place)


def spread(tree: Located, path: Path, root: type[Any]) -> Located:
    """Return `tree` with all that `path` enters written out, where one value stands for it."""
    for depth in range(1, len(path)):
        nodes, steps = walk(tree, path[:depth])
        if len(steps) == depth:
            hint = hint_at(root, tree, path[:depth])
            tree = put(tree, path[:depth], _each_written_out(in_full(nodes[-1], hint), path[depth], hint))
    return tree


def _each_written_out(node: Located, step: str | int, hint: Any) -> Located:
    """Return `node` as the mapping that it is short for, where one value stands for the field `step` too."""
    every, fields = every_field(hint), tuple(pair_of(hint))
    is_single = not isinstance(node.value, dict) or "kind" in node.value
    if every is None or step not in fields or not is_single:
        return node
    plain = node.plain()
    written_out = {
        name: node if value == plain else replace(node, value=value)
        for name, value in every.spread(fields, plain).items()
    }
    return replace(node, value=written_out)


def put(node: Located, path: Path, value: Located, above: Path = ()) -> Located:
    """Return `node`, which lies at `above`, with `value` at `path` below it. Raises `ScenarioError`."""
    if not path:
        return value
    step = _index(node.value, path[0], above, value.place) if isinstance(node.value, list) else path[0]
    if not isinstance(node.value, (dict, list)):
        node = _opened(node, value.place)
    child = node.child(step) or Located(None, value.place, value.place)
    return node.with_child(step, put(child, path[1:], value, (*above, step)))


def taken_out(tree: Located, path: Path, place: Place) -> Located:
    """Return `tree` without what has a name of one's own at `path`. Raises `ScenarioError` for no such."""
    *above, name = path
    holder = node_at(tree, tuple(above), place)
    names = list(holder.value) if isinstance(holder.value, dict) else []
    if name not in names:
        near = did_you_mean(str(name), names)
        raise ScenarioError([Fault(place, path, f"no '{name}' to take out{near}")])
    return put(tree, tuple(above), holder.without(str(name)))


def _opened(scalar: Located, place: Place) -> Located:
    """Return the mapping that a bare kind name is short for, or an empty one for anything else."""
    value = {"kind": scalar} if isinstance(scalar.value, str) else {}
    return Located(value, place, scalar.key_place)


def _index(items: list[Located], step: str | int, above: Path, place: Place) -> int:
    if not (str(step).isascii() and str(step).isdecimal()):
        raise ScenarioError([Fault(place, above, f"a list of {len(items)}, where '{step}' is no number")])
    if int(step) >= len(items):
        text = f"no item {step} in a list of {len(items)} (the first is 0)"
        raise ScenarioError([Fault(place, above, text)])
    return int(step)
