"""A JSON Schema (2020-12) of settings, for editors: every plug-in of every family, and the short forms.

It knows no scenario: the tree of settings is an argument. pydantic leaves a mark where a plug-in stands;
here each family is written out once, under ``$defs``, and its marks become references. What a setting is in
words comes from where it is defined (`foundation.descriptions`).
"""

from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from slfac_sim.foundation.descriptions import descriptions, module_sentence
from slfac_sim.foundation.plugins import adapter, find, kinds

_MARK = "x-family"


class _Described(GenerateJsonSchema):
    """Gives each setting the words under its field, and after them those of its quantity."""

    def dataclass_schema(self, schema: core_schema.DataclassSchema) -> JsonSchemaValue:
        """Return the schema of a class of settings."""
        whole = super().dataclass_schema(schema)
        node = self.resolve_ref_schema(whole)
        cls: Any = schema["cls"]
        for name, text in descriptions(cls).items():
            if name in node.get("properties", {}):
                setting = node["properties"][name]
                unit = setting.get("description")
                setting["description"] = f"{text} ({unit})" if unit else text
        return whole


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
        words = {key: value for key, value in node.items() if key == "description"}
        return {**_reference(node[_MARK], node["x-otherwise"], definitions), **words}
    kept = {key: value for key, value in node.items() if not _is_noise(key, value)}
    linked = {key: _linked(value, definitions) for key, value in kept.items() if key != "properties"}
    if "properties" in kept:
        linked["properties"] = {
            name: _linked(inner, definitions) for name, inner in kept["properties"].items()
        }
    return linked


def _reference(family: str, otherwise: str | None, definitions: dict[str, Any]) -> dict[str, Any]:
    """Return the reference to `family`; with `otherwise`, the kind may be left out of a mapping."""
    reference = {"$ref": _family(family, definitions)}
    if otherwise is None:
        return reference
    node = definitions[f"{family}.{otherwise}"]
    unnamed = {key: value for key, value in node.items() if key != "required"}
    return {"anyOf": [reference, unnamed]}


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
            "pattern": r"\.",
            "description": "A plug-in of one's own, by its module.",
        }
        definitions[family]["anyOf"] = [
            *({"$ref": f"#/$defs/{family}.{kind}"} for kind in nodes),
            *(nodes[kind]["properties"]["kind"] for kind in short),
            foreign,
            {"type": "object", "required": ["kind"], "properties": {"kind": foreign}},
        ]
    return f"#/$defs/{family}"


def _kind(family: str, kind: str, definitions: dict[str, Any]) -> dict[str, Any]:
    name = f"{family}.{kind}"
    schema = _written_out(find(family, kind), definitions, f"{name}.")
    said = module_sentence(find(family, kind))
    schema["description"] = "\n\n".join(filter(None, (said, schema.get("description"))))
    chosen = {"const": kind, "description": said}
    schema["properties"] = {"kind": chosen, **schema.get("properties", {})}
    schema["required"] = ["kind", *schema.get("required", [])]
    definitions[name] = schema
    return schema
