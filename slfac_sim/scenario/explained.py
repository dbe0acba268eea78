"""What a setting is, for a person: found by its path in a JSON Schema, with its unit, bounds and default.

A path goes through plug-ins whose kind is open (``network.radius``), so that one setting may have several
meanings; a step may also choose a kind (``network.wifi.radius``).
"""

import json
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from slfac_sim.foundation.errors import BadInput, did_you_mean

Node = Mapping[str, Any]
_BOUNDS = {
    "minimum": "at least",
    "exclusiveMinimum": "above",
    "maximum": "at most",
    "exclusiveMaximum": "below",
}
_UNITLESS = {
    "number": "a number",
    "integer": "a whole number",
    "string": "a text",
    "boolean": "true or false",
}


@dataclass(frozen=True)
class Setting:
    """One meaning of a path: the `kinds` that it goes through, and its `schema`, without references."""

    kinds: tuple[str, ...]
    schema: Node


@dataclass(frozen=True, repr=False)
class Explanation:
    """What is at a `path`: all `settings` that it may mean, and the same in words (`text`)."""

    path: str
    settings: Sequence[Setting]
    text: str

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        from html import escape

        return f"<pre>{escape(self.text)}</pre>"


def explain(path: str, schema: Node) -> Explanation:
    """Return what `schema` says of the setting at `path`. Raises `BadInput` for a path that leads nowhere."""
    defined = schema["$defs"]
    places = [Setting((), schema)]
    for depth, step in enumerate(path.split(".")):
        further = [place for above in places for place in _step(above, step, defined)]
        if not further:
            known = sorted({name for above in places for name in _names(above.schema, defined)})
            where = ".".join(path.split(".")[:depth]) or "a scenario"
            listed = f": it has {', '.join(known)}" if known else ", which holds no settings"
            raise BadInput(f"{path}: no '{step}' in {where}{listed}{did_you_mean(step, known)}")
        places = further
    return Explanation(path, places, "\n".join(_lines(path, places, defined)))


def _branches(node: Node, defined: Node, kind: str | None = None) -> Iterator[tuple[str | None, Node]]:
    """Yield what `node` may be, with references resolved, and the kind of a plug-in that each is."""
    if "$ref" in node:
        name = node["$ref"].removeprefix("#/$defs/")
        yield from _branches(defined[name], defined)
    elif "else" in node:  # a scenario without a base
        yield from _branches(node["else"], defined)
        yield kind, node
    elif "anyOf" in node:
        for branch in node["anyOf"]:
            yield from _branches(branch, defined)
    elif node.get("type") == "array" and "items" in node:
        yield kind, node
        yield from (found for found in _branches(node["items"], defined) if "properties" in found[1])
    else:
        chosen = node.get("properties", {}).get("kind", {})
        yield chosen.get("const", kind), node


def _step(above: Setting, step: str, defined: Node) -> Iterator[Setting]:
    """Yield what `step` leads to from `above`: a setting of it, or one of its kinds."""
    given: list[Setting] = []
    for kind, node in _branches(above.schema, defined):
        kinds = above.kinds if kind is None or kind in above.kinds[-1:] else (*above.kinds, kind)
        settings = node.get("properties", {})
        if step in settings or (kind == step and settings):
            setting = Setting(kinds, settings.get(step, node))
            given += [setting] if setting not in given else []
    yield from given


def _names(node: Node, defined: Node) -> set[str]:
    found = set()
    for kind, branch in _branches(node, defined):
        found |= {*branch.get("properties", {}), *([kind] if kind else [])}
    return found


def _lines(path: str, places: Sequence[Setting], defined: Node) -> Iterator[str]:
    meanings: dict[tuple[str, ...], list[Setting]] = {}
    for place in places:
        meanings.setdefault(tuple(_meaning(place.schema, defined)), []).append(place)
    for number, (meaning, alike) in enumerate(meanings.items()):
        kinds = ", ".join(dict.fromkeys(place.kinds[-1] for place in alike if place.kinds))
        yield from [""] * bool(number)
        yield from _wrapped(f"{path} ({kinds})" if kinds not in ("", path.rpartition(".")[2]) else path, "")
        yield from meaning
        yield from _wrapped(_defaults(alike))
        yield from _inside(alike[0].schema, defined)


def _meaning(node: Node, defined: Node) -> Iterator[str]:
    """Yield what `node` is and what it takes, which kinds that have it may say alike."""
    yield from _wrapped(_plain(node.get("description", "")))
    yield from _wrapped(_allowed(node, defined))


def _plain(text: str) -> str:
    """Return a description without the words of its unit, which the allowed values show."""
    return re.sub(r" \([a-z ]+: a number in SI, or a text with a unit\)$", "", text).replace("``", "`")


def _wrapped(text: str, indent: str = "  ") -> list[str]:
    return [
        line
        for part in text.split("\n\n")
        for line in textwrap.wrap(part, 100, initial_indent=indent, subsequent_indent=indent)
    ]


def _allowed(node: Node, defined: Node) -> str:
    """Return in words what values `node` takes."""
    forms = [form for _, branch in _branches(node, defined) if (form := _form(branch))]
    return f"Takes {', or '.join(dict.fromkeys(forms))}." if forms else ""


def _form(branch: Node) -> str:
    if "enum" in branch:
        return f"one of {', '.join(map(str, branch['enum']))}"
    if branch.get("type") == "array":
        return "a list"
    if branch.get("type") == "object":
        return (
            "a mapping"
            if "properties" not in branch
            else ""
            if "kind" in branch["properties"]
            else "the settings below"
        )
    if "const" in branch or branch.get("pattern", "").startswith("\\."):
        return ""
    if "pattern" in branch:
        return (
            f"a text such as '{_example(branch['pattern'])}'" if ")?\\s*$" in branch["pattern"] else "a text"
        )
    words = "null" if branch.get("type") == "null" else _UNITLESS.get(branch.get("type", ""), "")
    bounds = [f"{word} {branch[key]:g}" for key, word in _BOUNDS.items() if abs(branch.get(key, 1e18)) < 1e9]
    return " ".join([words, " and ".join(bounds)]).strip() if words else ""


def _example(pattern: str) -> str:
    """Return a quantity in the unit that `pattern` names first, or in the one that is typed most."""
    units = pattern.rpartition("(")[2].partition(")")[0].split("|")
    usual = next(
        (unit for unit in ("MHz", "ms", "Mbit/s", "GFLOP/s", "dBm", "MB", "GB/s") if unit in units), units[0]
    )
    return f"10 {usual}"


def _defaults(alike: Sequence[Setting]) -> str:
    """Return the default, with the kinds that have it where they do not agree."""
    given: dict[str, dict[str, None]] = {}
    for place in alike:
        if "default" in place.schema:
            given.setdefault(json.dumps(place.schema["default"]), {}).update(dict.fromkeys(place.kinds[-1:]))
    if len(given) > 1:
        by_kind = (f"{text} in {', '.join(kinds)}" for text, kinds in given.items())
        return f"Default: {'; '.join(by_kind)}."
    return f"Default: {next(iter(given))}." if given else ""


def _inside(node: Node, defined: Node) -> Iterator[str]:
    """Yield a line for each kind that `node` may be, and for each setting that it holds whatever its kind."""
    branches = [(kind, branch) for kind, branch in _branches(node, defined) if "properties" in branch]
    kinds = {kind: branch["properties"]["kind"] for kind, branch in branches if kind}
    is_open = len(kinds) > 1
    for kind, said in kinds.items() if is_open else ():
        yield from _item(kind, said["description"])
    holds = [branch["properties"] for kind, branch in branches if not (kind and is_open)]
    for settings in holds[:1]:
        for name, setting in settings.items():
            if name != "kind":
                yield from _item(name, _plain(setting.get("description", "")))


def _item(name: str, text: str) -> list[str]:
    return textwrap.wrap(f"{name:<20} {text}", 100, initial_indent="    ", subsequent_indent=" " * 25)
