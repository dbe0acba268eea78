"""Nodes of a JSON Schema that `json_schema` wrote, with their references resolved."""

from collections.abc import Iterator, Mapping
from typing import Any

Node = Mapping[str, Any]

OWN = r"\."
"""The pattern of what names a plug-in of one's own: a module with a dot."""


def alternatives(node: Node, defined: Node) -> Iterator[Node]:
    """Yield what `node` may be, whatever it refers to; of a file with or without a base, that without."""
    if "$ref" in node:
        yield from alternatives(defined[_name(node)], defined)
    elif "else" in node:
        yield from alternatives(node["else"], defined)
    elif "anyOf" in node and "properties" not in node:  # beside properties it says which must be there
        for branch in node["anyOf"]:
            yield from alternatives(branch, defined)
    else:
        yield node


def branches(node: Node, defined: Node) -> Iterator[tuple[str | None, Node]]:
    """Yield what `node` may be, or a list's items, each with its kind if it is a plug-in."""
    for branch in alternatives(node, defined):
        if branch.get("type") == "array" and "items" in branch:
            yield None, branch
            yield from (found for found in branches(branch["items"], defined) if "properties" in found[1])
        else:
            yield branch.get("properties", {}).get("kind", {}).get("const"), branch
    if "else" in node:  # what a scenario has beside that: its base
        yield None, node


def families(node: Node, defined: Node) -> Iterator[str]:
    """Yield the families whose plug-ins may stand at `node`, or in a list there."""
    if "$ref" in node:
        found = defined[_name(node)]
        yield from [_name(node)] if "anyOf" in found else families(found, defined)
    for inner in [*node.get("anyOf", ()), *([node["items"]] if "items" in node else [])]:
        yield from families(inner, defined)


def by_any_name(node: Node) -> Node | None:
    """Return what a mapping `node` holds by the names that a user gives; None where it has its own."""
    for held in (node.get("additionalProperties"), *node.get("patternProperties", {}).values()):
        if isinstance(held, Mapping):
            return held
    return None


def alone(family: str, defined: Node) -> list[str]:
    """Return the kinds of `family` that need no settings, so that their name alone may stand."""
    return [form["const"] for form in defined[family]["anyOf"] if "const" in form]


def _name(node: Node) -> str:
    return str(node["$ref"]).removeprefix("#/$defs/")
