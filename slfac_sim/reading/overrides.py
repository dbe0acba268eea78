"""Overrides ``key.path=value``: each is grafted on the located tree before anything is checked.

They are applied from left to right. It knows the shape of the tree only: a path that leads nowhere is
found by the check that follows, which names the nearest key.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from slfac_sim.foundation.plugins import EveryField
from slfac_sim.reading.located import Fault, Located, Path, Place, ScenarioError
from slfac_sim.reading.yaml_text import to_tree

Pairs = Mapping[Path, tuple[Sequence[str], EveryField]]
"""The places at which a single value stands for each of so many fields."""


def graft(tree: Located, overrides: Sequence[str], pairs: Pairs) -> tuple[Located, list[Fault]]:
    """Return `tree` with all `overrides` applied, and the faults of those that could not be.

    `pairs` are the places, such as ``codec``, at which one value may stand for several fields; an override
    of one field (``codec.uplink.theta=0.9``) first gives each field its own.
    """
    faults: list[Fault] = []
    for rank, text in enumerate(overrides, start=1):
        place = Place(rank, 0, 0, f"override '{text}'")
        try:
            path, value, found = _parsed(text, place)
            faults += found
            for depth in range(1, len(path)):
                tree = _spread(tree, path[:depth], path[depth], pairs)
            tree = _set(tree, path, value, ())
        except ScenarioError as error:
            faults += error.faults
    return tree, faults


def _parsed(text: str, place: Place) -> tuple[Path, Located, list[Fault]]:
    name, equals, value = text.partition("=")
    path = tuple(name.split("."))
    if not equals:
        raise ScenarioError([Fault(place, (), "expected key.path=value")])
    if not all(step and step == step.strip() for step in path):
        text = f"expected key.path=value, with a name on each side of a dot (got '{name}')"
        raise ScenarioError([Fault(place, (), text)])
    tree, faults = to_tree(value, place.source, place.rank)
    return path, tree, [replace(fault, path=(*path, *fault.path)) for fault in faults]


def _spread(tree: Located, path: Path, field: str | int, pairs: Pairs) -> Located:
    """Return `tree` with the pair at `path` written out, if one value stands there and it has `field`."""
    fields, every = pairs.get(path, ((), EveryField()))
    node = _at(tree, path)
    if node is None or field not in fields or (isinstance(node.value, dict) and "kind" not in node.value):
        return tree
    plain = node.plain()
    written_out = {
        name: node if value == plain else replace(node, value=value)
        for name, value in every.spread(fields, plain).items()
    }
    return _with(tree, path, replace(node, value=written_out))


def _at(tree: Located, path: Path) -> Located | None:
    """Return the node of `tree` at `path`, if there is one."""
    node: Located | None = tree
    for step in path:
        node = node.child(step) if node is not None else None
    return node


def _with(tree: Located, path: Path, node: Located) -> Located:
    """Return `tree` with `node` in place of the one at `path`."""
    if not path:
        return node
    child = tree.child(path[0])
    assert child is not None
    return tree.with_child(path[0], _with(child, path[1:], node))


def _set(node: Located, path: Path, value: Located, above: Path) -> Located:
    """Return `node`, which lies at `above`, with `value` at `path` below it."""
    if not path:
        return replace(value, key_place=value.place)
    if path == ("kind",) and above:  # another kind has other settings: the old ones go with it
        return Located({"kind": value}, value.place, value.place)
    step = _index(node.value, path[0], above, value.place) if isinstance(node.value, list) else path[0]
    if not isinstance(node.value, (dict, list)):
        node = _opened(node, value.place)
    child = node.child(step) or Located(None, value.place, value.place)
    return node.with_child(step, _set(child, path[1:], value, (*above, step)))


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
