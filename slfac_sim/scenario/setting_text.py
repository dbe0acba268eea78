"""A setting in words: what it is, what it takes, its default, an example, and what lies inside it."""

import json
import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from slfac_sim.foundation.units import IN_SI, dimension_of, written
from slfac_sim.scenario.schema_nodes import OWN, Node, alone, branches, families

_BOUNDS = {
    "minimum": "at least",
    "exclusiveMinimum": "above",
    "maximum": "at most",
    "exclusiveMaximum": "below",
}
_TYPES = {
    "number": "a number",
    "integer": "a whole number",
    "string": "a text",
    "boolean": "true or false",
    "null": "null",
}
_FAR = 1e9  # bounds of plain numbers from here on are those of what can be counted, and tell nothing
_USUAL = ("MHz", "Mbit/s", "GFLOP/s", "ms", "dBm", "MB", "GB/s")


def meaning(node: Node, defined: Node) -> tuple[str, ...]:
    """Return the lines that say what `node` is, what it takes and what lies in it, whatever its default."""
    allowed = takes(node, defined)
    said = [plain(node), f"Takes {allowed}." if allowed else ""]
    return (*wrapped(said), *_inside(node, defined))


def takes(node: Node, defined: Node) -> str:
    """Return in words what values `node` takes; empty for what has none of its own."""
    return ", or ".join(dict.fromkeys(_forms(node, defined)))


def plain(node: Node) -> str:
    """Return the description of `node` without the words of its unit, which what it takes has."""
    text = re.sub(rf" \([a-z ]+: {re.escape(IN_SI)}\)$", "", node.get("description", ""))
    sentence = node.get("properties", {}).get("kind", {}).get("description", "")  # of a kind
    return (text if text.startswith(sentence) else f"{sentence}\n\n{text}").strip().replace("``", "`")


def default_of(node: Node, defined: Node) -> str:
    """Return the default of `node` as a file would have it; there must be one."""
    value, dimension = node["default"], _dimension(node, defined)
    if dimension is not None and isinstance(value, (int, float)):
        return written(value, dimension)
    return value if isinstance(value, str) else json.dumps(value)


def example_of(node: Node, defined: Node) -> str | None:
    """Return a value for the setting `node`, another one than its default where there is a choice."""
    default, dimension = node.get("default"), _dimension(node, defined)
    choices: list[Any] = [kind for family in families(node, defined) for kind in alone(family, defined)]
    leaves = [leaf for _, leaf in branches(node, defined)]
    choices += [value for leaf in leaves for value in leaf.get("enum", ())]
    choices += [value for leaf in leaves if leaf.get("type") == "boolean" for value in ("true", "false")]
    other = next((value for value in choices if value != json.dumps(default).strip('"')), None)
    if isinstance(default, list) or leaves[0].get("type") == "array":
        items = default or ([other] if other is not None else [])
        return f"[{', '.join(map(str, items))}]" if items else None
    if other is not None or default is not None:
        return str(other) if other is not None else default_of(node, defined)
    if dimension is not None:
        units = next(filter(None, map(_units, leaves)))
        return f"10 {next((unit for unit in _USUAL if unit in units), units[0])}"
    return next((str(leaf["minimum"]) for leaf in leaves if "minimum" in leaf), None)


def _units(leaf: Node) -> list[str]:
    """Return the units that the text of a quantity may end with; none for what is no such text."""
    written = re.search(r"\\s\*\((.*)\)\?\\s\*\$$", leaf.get("pattern", ""))
    return re.sub(r"\\(.)", r"\1", written[1]).split("|") if written else []


def _dimension(node: Node, defined: Node) -> str | None:
    leaves = [leaf for _, leaf in branches(node, defined)]
    return next(filter(None, (dimension_of(_units(leaf)) for leaf in leaves)), None)


def _forms(node: Node, defined: Node) -> Iterator[str]:
    """Yield in words the values that `node` takes."""
    dimension, leaves = _dimension(node, defined), [leaf for _, leaf in branches(node, defined)]
    units = next(filter(None, map(_units, leaves)), [])
    for leaf in leaves:
        settings = leaf.get("properties", {})
        if "enum" in leaf:
            yield f"one of {', '.join(map(str, leaf['enum']))}"
        elif leaf.get("type") == "array":
            items = ", or ".join(dict.fromkeys(_forms(leaf["items"], defined))) if "items" in leaf else ""
            yield f"a list (each: {items})" if items else "a list"
        elif leaf.get("type") == "object":
            if "kind" not in settings:
                keys = ", ".join(leaf.get("propertyNames", {}).get("enum", ()))
                yield "the settings below" if settings else f"a mapping{keys and f', with keys among {keys}'}"
        elif dimension is not None and leaf.get("type") == "number":
            article = "an" if dimension[0] in "aeiou" else "a"
            values = f"a number in {units[0]}, or a text with {', '.join(units)}"
            yield f"{article} {dimension} ({values}){_bounds(leaf, dimension)}"
        elif leaf.get("type") in _TYPES and not _units(leaf) and leaf.get("pattern") != OWN:
            yield f"{_TYPES[leaf['type']]}{_bounds(leaf, None)}"
    is_list = any(leaf.get("type") == "array" for leaf in leaves)
    if any(families(node, defined)) and not is_list:
        yield "one of the kinds below, or a plug-in of one's own by its module"


def _bounds(leaf: Node, dimension: str | None) -> str:
    given = {word: leaf[key] for key, word in _BOUNDS.items() if key in leaf}
    if dimension is None:
        said = [f"{word} {bound:g}" for word, bound in given.items() if abs(bound) < _FAR]
    else:
        said = [f"{word} {written(bound, dimension)}" for word, bound in given.items()]
    return f", {' and '.join(said)}" if said else ""


def _inside(node: Node, defined: Node) -> Iterator[str]:
    """Yield a line for each setting that `node` holds and for each kind that it may be."""
    open_kinds = any(families(node, defined))
    held: dict[str, Node] = {}
    kinds: dict[str, Node] = {}
    for kind, branch in branches(node, defined):
        settings = branch.get("properties", {})
        if kind is not None and open_kinds:
            kinds[kind] = settings
        else:
            held |= {name: setting for name, setting in settings.items() if name != "kind"}
    yield from _items({name: plain(setting) for name, setting in held.items()})
    yield from _items({kind: settings["kind"]["description"] for kind, settings in kinds.items()})
    yield from _shared(list(kinds.values()))


def _shared(kinds: Sequence[Mapping[str, Node]]) -> Iterator[str]:
    """Yield the names of the settings that several of the kinds have."""
    names = [name for settings in kinds for name in settings if name != "kind"]
    several = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    everywhere = [name for name in several if names.count(name) == len(kinds)]
    some = [name for name in several if name not in everywhere]
    for whose, shared in (("All have", everywhere), ("Several have", some)):
        yield from wrapped([f"{whose} {', '.join(shared)}."] if shared else [])


def _items(texts: Mapping[str, str]) -> Iterator[str]:
    column = max(map(len, texts), default=0)
    for name, text in texts.items():
        yield from textwrap.wrap(
            f"{name:<{column}}  {text}", 100, initial_indent="    ", subsequent_indent=" " * (column + 6)
        )


def wrapped(texts: Iterable[str], indent: str = "  ") -> list[str]:
    """Return the paragraphs of `texts` in indented lines."""
    paragraphs = [part for text in texts for part in text.split("\n\n")]
    return [
        line
        for part in paragraphs
        for line in textwrap.wrap(part, 100, initial_indent=indent, subsequent_indent=indent)
    ]
