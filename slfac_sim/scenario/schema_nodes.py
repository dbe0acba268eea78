"""Nodes of a JSON Schema that `json_schema` wrote, with their references resolved."""

from collections.abc import Iterator, Mapping
from typing import Any

Node = Mapping[str, Any]

OWN = r"\."
"""The pattern of what names a plug-in of one's own: a module with a dot."""


def branches(node: Node, defined: Node) -> Iterator[tuple[str | None, Node]]:
    """Yield what `node` may be, or a list's items, each with its kind if it is a plug-in."""
    if "$ref" in node:
        yield from branches(defined[_name(node)], defined)
    elif "else" in node:  # a scenario without a base
        yield from branches(node["else"], defined)
        yield None, node
    elif "anyOf" in node:
        for branch in node["anyOf"]:
            yield from branches(branch, defined)
    elif node.get("type") == "array" and "items" in node:
        yield None, node
        yield from (found for found in branches(node["items"], defined) if "properties" in found[1])
    else:
        yield node.get("properties", {}).get("kind", {}).get("const"), node


def families(node: Node, defined: Node) -> Iterator[str]:
    """Yield the families whose plug-ins may stand at `node`, or in a list there."""
    if "$ref" in node:
        found = defined[_name(node)]
        yield from [_name(node)] if "anyOf" in found else families(found, defined)
    for inner in [*node.get("anyOf", ()), *([node["items"]] if "items" in node else [])]:
        yield from families(inner, defined)


def alone(family: str, defined: Node) -> list[str]:
    """Return the kinds of `family` that need no settings, so that their name alone may stand."""
    return [form["const"] for form in defined[family]["anyOf"] if "const" in form]


def _name(node: Node) -> str:
    return str(node["$ref"]).removeprefix("#/$defs/")
