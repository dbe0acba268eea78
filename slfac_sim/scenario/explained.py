"""What a setting is, for a person: found by its path in a JSON Schema.

A path goes through plug-ins whose kind is open (``network.radius``), so that one setting may have several
meanings. A step may also choose a kind, as ``network.wifi.radius`` or, as an override does,
``network=wifi``; after ``=`` a plug-in of one's own may stand: ``codec.uplink=their_pkg.half``.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from slfac_sim.foundation.beside import file_beside, looking_in
from slfac_sim.foundation.errors import BadInput, did_you_mean
from slfac_sim.scenario.json_schema import with_own_kind
from slfac_sim.scenario.schema_nodes import Node, branches, by_any_name, families
from slfac_sim.scenario.setting_text import default_of, example_of, meaning, wrapped

_DEEPEST = 4  # steps of a path that is looked for by its end
_MOST = 4  # paths that are named
_KIND = re.compile(r"\.kind\b")  # in `network.kind=cell`, which is `network=cell`


@dataclass(frozen=True)
class Setting:
    """One meaning of a path: the `kinds` that it goes through, and its `schema`, which may hold references.

    `path` is that of an override: without the kinds.
    """

    kinds: tuple[str, ...]
    schema: Node
    path: str = ""
    required: bool = False

    def steps_to(self, step: str, defined: Node) -> Iterator["Setting"]:
        """Yield what `step` leads to: a setting, or one of the kinds."""
        for kind, node in branches(self.schema, defined):
            kinds = self.kinds if kind in (None, *self.kinds[-1:]) else (*self.kinds, str(kind))
            settings = node.get("properties", {})
            if step in settings:
                path = f"{self.path}.{step}".lstrip(".")
                yield Setting(kinds, settings[step], path, step in node.get("required", ()))
            elif kind == step and settings:
                yield Setting(kinds, node, self.path)
            elif (held := by_any_name(node)) is not None:
                yield Setting(kinds, held, f"{self.path}.{step}")

    def names(self, defined: Node) -> Iterator[str]:
        """Yield the steps that lead on from here."""
        for kind, node in branches(self.schema, defined):
            yield from (name for name in node.get("properties", {}) if name != "kind")
            if kind is not None and kind not in self.kinds[-1:]:
                yield kind


@dataclass(frozen=True, repr=False)
class Explanation:
    """What is at a `path`: all `settings` that it may mean, the same in words, and as a JSON Schema."""

    path: str
    settings: Sequence[Setting]
    text: str
    schema: Node

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return f"<pre>{escape(self.text)}</pre>"


def explain(path: str, schema: Node) -> Explanation:
    """Return what `schema` says of the setting at `path`. Raises `BadInput` for a path that leads nowhere.

    Plug-ins of one's own are looked for in the working folder too.
    """
    with looking_in(Path()):
        return _explained(path, schema)


def _explained(path: str, schema: Node) -> Explanation:
    places, passed, steps = [Setting((), schema)], "", re.findall(r"[.=]?[^.=]+", _KIND.sub("", path))
    while steps or not passed:
        step = steps.pop(0) if steps else ""
        may_be_own = step.startswith("=") and (steps or file_beside(step[1:]))
        if may_be_own and not _leads_on(places, step[1:], schema):
            try:
                schema, step, steps = _own(places, [step, *steps], schema)
            except BadInput as error:
                raise BadInput(f"{path}: {error}") from error
        found = [further for place in places for further in place.steps_to(step.strip(".="), schema["$defs"])]
        if not found:
            whole = "" if passed else _whole([step, *steps], places[0], schema["$defs"])
            raise BadInput(f"{path}: {whole or _nothing(step.strip('.='), passed, places, schema['$defs'])}")
        places = [place for i, place in enumerate(found) if place not in found[:i]]
        passed = f"{passed}{step}".lstrip(".")
    return Explanation(
        passed, places, "\n".join(_lines(passed, places, schema["$defs"])), _piece(places, schema)
    )


def _leads_on(places: Sequence[Setting], step: str, schema: Node) -> bool:
    return any(any(place.steps_to(step, schema["$defs"])) for place in places)


def _own(places: Sequence[Setting], steps: Sequence[str], schema: Node) -> tuple[Node, str, list[str]]:
    """Return the schema with the plug-in whose module `steps` begin with, its step, and those after it."""
    family = next((name for place in places for name in families(place.schema, schema["$defs"])), None)
    if family is None:
        raise BadInput("no plug-in stands here")
    reason = BadInput("")
    for end in range(1, len(steps) + 1):
        kind = "".join(steps[:end])[1:]
        if "." not in kind and file_beside(kind) is None:
            continue
        try:
            return with_own_kind(family, kind, schema), f"={kind}", list(steps[end:])
        except BadInput as error:
            reason = error
    raise reason


def _whole(asked: Sequence[str], top: Setting, defined: Node) -> str:
    """Return the sentence for a path whose beginning was left out: whole ones that end so; empty for none."""
    first, *others = (step.strip(".=") for step in asked)
    found = [
        ".".join((*path, *others))
        for path, places in _below(top, defined)
        if path[-1] == first and _leads_to(others, places, defined)
    ]
    more = f" and {len(found) - _MOST} more" if len(found) > _MOST else ""
    return f"no '{first}' in the file; there is {', '.join(found[:_MOST])}{more}" if found else ""


def _below(top: Setting, defined: Node) -> Iterator[tuple[tuple[str, ...], list[Setting]]]:
    """Yield the paths below `top`, short ones first, with what each leads to; a kind ends one."""
    level: dict[tuple[str, ...], list[Setting]] = {(): [top]}
    for _ in range(_DEEPEST):
        below: dict[tuple[str, ...], dict[str, Setting]] = {}
        for path, places in level.items():
            for place in places:
                for name in place.names(defined):
                    alike = below.setdefault((*path, name), {})
                    alike |= {json.dumps(one.schema): one for one in place.steps_to(name, defined)}
        yield from ((path, list(alike.values())) for path, alike in below.items())
        level = {
            path: [one for one in alike.values() if one.path == ".".join(path)]
            for path, alike in below.items()
        }


def _leads_to(steps: Sequence[str], places: Sequence[Setting], defined: Node) -> bool:
    for step in steps:
        places = [further for place in places for further in place.steps_to(step, defined)]
    return bool(places)


def _nothing(step: str, passed: str, places: Sequence[Setting], defined: Node) -> str:
    """Return the sentence for a `step` that leads nowhere from `places`: the nearest name, or all."""
    known = sorted({name for place in places for name in place.names(defined)})
    hint = did_you_mean(step, known) or f", which has {', '.join(known) or 'no settings'}"
    return f"no '{step}' in {passed or 'the file'}{hint}"


def _lines(path: str, places: Sequence[Setting], defined: Node) -> Iterator[str]:
    groups: dict[tuple[str, ...], list[Setting]] = {}
    for place in places:
        groups.setdefault(meaning(place.schema, defined), []).append(place)
    for number, (lines, alike) in enumerate(groups.items()):
        kinds = ", ".join(dict.fromkeys(place.kinds[-1] for place in alike if place.kinds))
        yield from [""] * bool(number)
        yield from wrapped([f"{path} ({kinds})" if kinds and not path.endswith(kinds) else path], "")
        yield from lines
        yield from wrapped([_defaults(alike, defined), _example(alike, defined)])


def _defaults(alike: Sequence[Setting], defined: Node) -> str:
    """Return the default of the settings, by kind where they differ, or that they must be given."""
    said: dict[str, list[str]] = {}
    for place in alike:
        text = f"Default: {default_of(place.schema, defined)}" if "default" in place.schema else ""
        said.setdefault(text or "Must be given" * place.required, []).append(
            place.kinds[-1] if place.kinds else ""
        )
    if len(said) > 1:
        said = {f"{text} in {', '.join(kinds)}": [] for text, kinds in said.items() if text}
    first, *others = said
    return "; ".join([first, *(text.removeprefix("Default: ") for text in others)]) + "." * bool(first)


def _example(alike: Sequence[Setting], defined: Node) -> str:
    """Return an override that sets one of the settings; empty for what is set by its parts."""
    place = alike[0]
    value = example_of(place.schema, defined)
    if value is None or not place.path:
        return ""
    quoted = f'"{value}"' if re.search(r"[^\w.+-]", value) else value
    return f"Example: {place.path}={quoted}"


def _piece(places: Sequence[Setting], whole: Node) -> dict[str, Any]:
    """Return the JSON Schema of what the places mean, titled by kind, and of all that it refers to."""
    titles: dict[str, list[str]] = {}
    for place in places:
        titles.setdefault(json.dumps(place.schema), []).append(place.kinds[-1] if place.kinds else "")
    forms = [{"title": ", ".join(kinds), **json.loads(text)} for text, kinds in titles.items()]
    top = {"anyOf": forms} if len(forms) > 1 else dict(places[0].schema)
    return {"$schema": whole["$schema"], **top, "$defs": _needed(top, whole["$defs"])}


def _needed(node: Any, defined: Mapping[str, Any]) -> dict[str, Any]:
    """Return the definitions that `node` refers to, itself or through them."""
    needed: dict[str, Any] = {}
    waiting = [node]
    while waiting:
        for name in re.findall(r'"#/\$defs/([^"]+)"', json.dumps(waiting.pop())):
            if name not in needed:
                needed[name] = defined[name]
                waiting.append(defined[name])
    return dict(sorted(needed.items()))
