"""Setting paths and their values, from the JSON Schema of scenarios and what the scenario at hand says.

Only the branch in question is walked: ``network.ba`` looks at the network's settings alone, of the kind that
the scenario has.
"""

import json
import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from slfac_sim.cli.completing.places import Offered, merged, package_file
from slfac_sim.scenario.schema_nodes import Node, alternatives, by_any_name

EVERY = "*"
"""In place of what a scenario says: whatever any could say, of every kind."""


def overridden(tree: dict[str, Any], overrides: Sequence[str]) -> dict[str, Any]:
    """Return the plain `tree` with the `overrides` that were typed so far, as well as they can be read."""
    import yaml

    from slfac_sim.scenario.yaml_text import to_plain

    for text in overrides:
        path, equals, written = text.partition("=")
        *above, last = path.removesuffix("+").split(".")
        try:
            value = to_plain(written)
        except yaml.YAMLError:
            continue
        if not equals or path.endswith("+"):
            continue
        change: Any = {last: value}
        for step in reversed(above):
            change = {step: change}
        tree = merged(tree, change)
    return tree


def paths(prefix: str, tree: Any, ending: str = "=") -> Offered:
    """Return the settings of a scenario that says `tree` whose paths begin with `prefix`.

    One that takes a value ends in `ending`, one that has settings below it in a dot.
    """
    above, _, start = prefix.rpartition(".")
    stem = f"{above}." if above else ""
    offered: Offered = {}
    for node, value in _at(above.split(".") if above else [], tree):
        children = {name: child for name, child in _children(node, value) if name.startswith(start)}
        for name, child in children.items():
            text = _said(child)
            inner = {key for key, _ in _children(child, _value_of(node, value, name))} - {"kind"}
            if any(branch.get("type") != "object" for branch in _branches(child)) or not inner:
                offered[f"{stem}{name}{ending}"] = text
            if inner:
                offered[f"{stem}{name}."] = text
    if len(offered) == 1 and (alone := next(iter(offered))).endswith("."):
        return paths(alone, tree, ending)
    return offered


def values(prefix: str, tree: Any) -> Offered:
    """Return what the setting before the ``=`` in `prefix` may be: kinds, names, true and false."""
    path, _, start = prefix.partition("=")
    steps = path.removesuffix("+").split(".")
    is_kind = len(steps) > 1 and steps[-1] == "kind"
    offered: Offered = {}
    for node, _value in _at(steps[:-1] if is_kind else steps, tree):
        for branch in _branches(node):
            offered.update(_named(branch, is_kind))
    return {f"{path}={name}": text for name, text in offered.items() if name.startswith(start)}


def kinds(family: str) -> Offered:
    """Return the kinds of a family, such as ``slfac_sim.codecs``, each with what it is."""
    return dict(item for branch in _branches({"$ref": f"#/$defs/{family}"}) for item in _kind_of(branch))


def _named(branch: Node, kinds_alone: bool) -> Iterator[tuple[str, str]]:
    """Yield the values that `branch` names."""
    if branch.get("type") == "object":
        yield from _kind_of(branch)
    elif not kinds_alone:
        text = _said(branch)
        listed = branch.get("enum", [branch["const"]] if "const" in branch else [])
        yield from ((str(value), text) for value in listed if value is not None)
        if branch.get("type") == "boolean":
            yield from (("true", ""), ("false", ""))


def _kind_of(branch: Node) -> Iterator[tuple[str, str]]:
    kind = branch.get("properties", {}).get("kind", {})
    if "const" in kind:
        yield kind["const"], _said(kind)


def _said(node: Node) -> str:
    """Return what is said of `node`, as far as there is room for it beside a word."""
    return re.split(r"[.:;](?:\s|$)| \(", str(node.get("description", "")), maxsplit=1)[0]


def _at(steps: Sequence[str], tree: Any) -> Iterator[tuple[Node, Any]]:
    """Yield the place at the path `steps`, with what the scenario says there; nothing if there is none."""
    node, value = _schema(), tree
    for step in steps:
        child = dict(_children(node, value)).get(step)
        if child is None:
            return
        node, value = child, _value_of(node, value, step)
    yield node, value


def _children(node: Node, value: Any) -> Iterator[tuple[str, Node]]:
    """Yield the settings below `node`, of the kind that `value` has there or that is the default."""
    kind = _kind(node, value)
    for branch in _branches(node):
        if branch.get("type") == "array" and isinstance(value, list):
            yield from ((str(place), branch.get("items", {})) for place in range(len(value)))
        if isinstance(value, dict) and (held := by_any_name(branch)) is not None:
            yield from ((name, held) for name in value)
        own = branch.get("properties", {})
        if "kind" not in own or own["kind"].get("const", "") == kind or kind == EVERY:
            yield from own.items()
        elif kind is None and "const" in own["kind"]:
            yield "kind", {}


def _kind(node: Node, value: Any) -> Any:
    if isinstance(value, str):
        return value
    if isinstance(value, dict) and "kind" in value:
        return value["kind"]
    optional = (branch for branch in _branches(node) if "kind" not in branch.get("required", ()))
    default = (branch.get("properties", {}).get("kind", {}).get("const") for branch in optional)
    return next(filter(None, default), None)


def _value_of(node: Node, value: Any, step: str) -> Any:
    """Return what lies at `step` below `value`, which may be the one that stands for a pair."""
    if isinstance(value, list):
        return value[int(step)] if step.isdecimal() and int(step) < len(value) else None
    if isinstance(value, dict) and step in value:
        return value[step]
    if value == EVERY:
        return EVERY
    child = dict(_children(node, value)).get(step, {})
    single = {branch.get("$ref") for branch in node.get("anyOf", ())} - {None}
    return value if child.get("$ref") in single else None


def _branches(node: Node) -> Iterator[Node]:
    """Yield the alternatives at `node`."""
    return alternatives(node, _schema()["$defs"])


@cache
def _schema() -> Node:
    file = package_file("docs", "scenario.schema.json")
    whole: Node = json.loads(file.read_bytes()) if file is not None else {"$defs": {}}
    return whole
