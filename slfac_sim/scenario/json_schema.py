"""A JSON Schema (2020-12) of settings, for editors: every plug-in of every family, and the short forms.

It knows no scenario: the tree of settings is an argument. pydantic leaves a mark where a plug-in stands;
here each family is written out once, under ``$defs``, and its marks become references. What a setting is in
words comes from where it is defined (`foundation.descriptions`).
"""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from slfac_sim.foundation.descriptions import descriptions, module_sentence
from slfac_sim.foundation.plugins import adapter, family_of, find, kind_of, kinds
from slfac_sim.foundation.units import IN_SI
from slfac_sim.scenario.schema_nodes import OWN

_MARK, _DEFINED = "x-family", "#/$defs/"


class _Described(GenerateJsonSchema):
    """Gives each setting the words under its field, and after them those of its quantity."""

    def dataclass_schema(self, schema: core_schema.DataclassSchema) -> JsonSchemaValue:
        """Return the schema of a class of settings."""
        whole = super().dataclass_schema(schema)
        cls: Any = schema["cls"]
        settings = self.resolve_ref_schema(whole).get("properties", {})
        for name, text in descriptions(cls).items():
            if name in settings:
                settings[name]["description"] = _with_unit(text, settings[name])
        for field in dataclasses.fields(cls):
            if _MARK in settings.get(field.name, {}) and dataclasses.is_dataclass(field.default):
                settings[field.name]["default"] = _short_form(field.default)
        return whole


def _with_unit(text: str, setting: JsonSchemaValue) -> str:
    """Return `text` and, in brackets, the words of the quantity that `setting` is, or may be."""
    forms = [setting, *setting.get("anyOf", ())]
    said = [form["description"] for form in forms if form.get("description", "").endswith(IN_SI)]
    return f"{text} ({said[0]})" if said else text


def _short_form(plugin: Any) -> Any:
    """Return the least that a file needs to hold for `plugin`: its kind, and settings that differ."""
    differing = {
        field.name: getattr(plugin, field.name)
        for field in dataclasses.fields(plugin)
        if getattr(plugin, field.name) != field.default
    }
    return {"kind": kind_of(plugin), **differing} if differing else kind_of(plugin)


def schema_of(root: type[Any], title: str) -> dict[str, Any]:
    """Return the self-contained schema of a YAML file that holds the settings `root`.

    It is looser than reading: checks between settings, and somebody else's plug-ins, are not in it.
    """
    definitions: dict[str, Any] = {}
    top = _written_out(root, definitions, "")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **top,
        "title": title,
        "$defs": dict(sorted(definitions.items())),
    }


def _written_out(cls: Any, definitions: dict[str, Any], prefix: str) -> dict[str, Any]:
    """Return the schema of `cls`; what it refers to is added to `definitions`, named after `prefix`."""
    schema = adapter(cls).json_schema(ref_template=f"#/$defs/{prefix}{{model}}", schema_generator=_Described)
    for name, inner in schema.pop("$defs", {}).items():
        definitions[prefix + name] = _linked(inner, definitions)
    linked: dict[str, Any] = _linked(schema, definitions)
    return linked


def _linked(node: Any, definitions: dict[str, Any]) -> Any:
    """Return `node` with each mark of a family replaced by a reference, and pydantic's titles left out."""
    if isinstance(node, list):
        return [_linked(item, definitions) for item in node]
    if not isinstance(node, dict):
        return node
    if _MARK in node:
        words = {key: value for key, value in node.items() if key in ("description", "default")}
        return {**_reference(node[_MARK], node["x-otherwise"], node["x-short"], definitions), **words}
    kept = {key: value for key, value in node.items() if not _is_noise(key, value)}
    linked = {key: _linked(value, definitions) for key, value in kept.items() if key != "properties"}
    if "properties" in kept:
        linked["properties"] = {
            name: _linked(inner, definitions) for name, inner in kept["properties"].items()
        }
    return linked


def _reference(
    family: str, otherwise: str | None, short: str | None, definitions: dict[str, Any]
) -> dict[str, Any]:
    """Return the reference to `family`; with `otherwise`, the kind may be left out of a mapping.

    What its setting `short` takes may stand in place of it all.
    """
    reference = {"$ref": _family(family, definitions)}
    if otherwise is None:
        return reference
    node = definitions[f"{family}.{otherwise}"]
    unnamed = {key: value for key, value in node.items() if key != "required"}
    if short is None:
        return {"anyOf": [reference, unnamed]}
    single = {key: value for key, value in node["properties"][short].items() if key != "default"}
    return {"anyOf": [reference, unnamed, single]}


def _is_noise(key: str, value: Any) -> bool:
    return key == "title" or (key == "default" and isinstance(value, dict))  # such defaults lack their kind


def _family(family: str, definitions: dict[str, Any]) -> str:
    """Return the reference to `family`, written into `definitions` on the first call."""
    if family not in definitions:
        definitions[family] = {}  # a family may hold itself
        nodes = {kind: _kind(family, kind, definitions) for kind in kinds(family)}
        short = [kind for kind, node in nodes.items() if node["required"] == ["kind"]]
        foreign = {
            "type": "string",
            "pattern": OWN,
            "description": "A plug-in of one's own, by its module.",
        }
        definitions[family]["anyOf"] = [
            *({"$ref": f"#/$defs/{family}.{kind}"} for kind in nodes),
            *(nodes[kind]["properties"]["kind"] for kind in short),
            foreign,
            {"type": "object", "required": ["kind"], "properties": {"kind": foreign}},
        ]
    return f"#/$defs/{family}"


def with_own_kind(family: str, kind: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return `schema` with the plug-in of one's own `kind`, a module, among those of `family`.

    The module is imported. Raises `BadInput` if it holds no plug-in of the family.
    """
    family_of(family).refuse_others(find(family, kind), kind)
    definitions = dict(schema["$defs"])
    _kind(family, kind, definitions)
    choice = [{"$ref": f"#/$defs/{family}.{kind}"}, *definitions[family]["anyOf"]]
    definitions[family] = {**definitions[family], "anyOf": choice}
    return {**schema, "$defs": definitions}


def _kind(family: str, kind: str, definitions: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a mapping that has the `kind` of `family`, written into `definitions`."""
    name = f"{family}.{kind}"
    schema = _written_out(find(family, kind), definitions, f"{name}.")
    said = module_sentence(find(family, kind))
    schema["description"] = "\n\n".join(filter(None, (said, schema.get("description"))))
    chosen = {"const": kind, "description": said}
    schema["properties"] = {"kind": chosen, **schema.get("properties", {})}
    schema["required"] = ["kind", *schema.get("required", [])]
    definitions[name] = schema
    return schema


def over_a_base(strict: dict[str, Any], key: str, described: str) -> dict[str, Any]:
    """Return the schema `strict` for files that may also name a base: a text, by `key`, so `described`.

    With a base nothing has to be there, at any depth; the definitions that this makes looser are there twice.
    """
    defined = strict["$defs"]
    looser = _looser_names(defined)
    base = {key: {"type": "string", "minLength": 1, "description": described}}
    within = {"properties": {**base, **_looser(strict["properties"], looser, defined)}}
    alone = {name: strict[name] for name in ("properties", "required")}
    closed = {"additionalProperties": False}
    kept = {name: value for name, value in strict.items() if name not in (*alone, *closed, "$defs")}
    return {
        **kept,
        "properties": base,
        "if": {"required": [key]},
        "then": {**within, **closed},
        "else": {**alone, **closed},
        "$defs": {
            **defined,
            **{f"partial.{name}": _looser(defined[name], looser, defined) for name in looser},
        },
    }


def _looser_names(defined: dict[str, Any]) -> list[str]:
    """Return the names of the definitions in which something has to be there, or that refer to such a one."""
    names = {name for name, node in defined.items() if _looser(node, (), defined) != node}
    while more := {name for name, node in defined.items() if not names.isdisjoint(_references(node))} - names:
        names |= more
    return sorted(names)


def _looser(node: Any, looser: Sequence[str], defined: dict[str, Any]) -> Any:
    """Return `node` without what has to be there; for the definitions `looser` it has their partial ones."""
    if isinstance(node, list):
        return [_looser(item, looser, defined) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        name = node["$ref"].removeprefix(_DEFINED)
        return {**node, "$ref": f"{_DEFINED}partial.{name}"} if name in looser else node
    is_foreign = "pattern" in node.get("properties", {}).get("kind", {})
    kept = {key: value for key, value in node.items() if key != "required" or is_foreign}
    found = {key: _looser(value, looser, defined) for key, value in kept.items()}
    if "anyOf" in node:
        kinds = [defined[name].get("properties", {}).get("kind", {}) for name in _own_references(node)]
        named = [{"const": kind["const"]} for kind in kinds if "const" in kind]
        found["anyOf"] = [*found["anyOf"], *(one for one in named if one not in found["anyOf"])]
    return found | _taken_back(found)


def _taken_back(node: dict[str, Any]) -> dict[str, Any]:
    """Return what is looser in a mapping of settings by name: null takes back one of them, or all."""
    all_or_none = {"type": ["object", "null"]}
    named = {name: item for name, item in node.get("patternProperties", {}).items() if any(_references(item))}
    if named:
        return {**all_or_none, "patternProperties": {name: _or_null(item) for name, item in named.items()}}
    item = node.get("additionalProperties")
    if isinstance(item, dict) and any(_references(item)):
        return {**all_or_none, "additionalProperties": _or_null(item)}
    return {}


def _or_null(node: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [node, {"type": "null"}]}


def _references(node: Any) -> Iterator[str]:
    """Yield the names of the definitions to which `node` refers, at any depth."""
    if isinstance(node, dict) and "$ref" in node:
        yield node["$ref"].removeprefix(_DEFINED)
    for inner in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _references(inner)


def _own_references(node: dict[str, Any]) -> list[str]:
    return [one["$ref"].removeprefix(_DEFINED) for one in node["anyOf"] if "$ref" in one]
