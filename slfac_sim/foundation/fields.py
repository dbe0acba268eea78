"""Annotations of fields of settings: what may be switched off, and one value that stands for several."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationInfo
from pydantic_core import CoreSchema, core_schema

from slfac_sim.foundation.plugins import read_as


@dataclasses.dataclass(frozen=True)
class OrNone:
    """Annotation of a field that may be switched off: the text ``none`` is null."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self._read, handler(source))

    def _read(self, value: Any) -> Any:
        return None if value == "none" else value

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"anyOf": [handler(schema), {"const": "none"}]}


@dataclasses.dataclass(frozen=True)
class EveryField:
    """Annotation of a field of settings of which one value, in their place, stands for every field.

    ``seed: 3`` is short for ``seed: {learning: 3, air: 3}``, and ``codec: raw`` for the same codec in both
    directions. Whatever is no mapping, or is a mapping with a `kind`, is such a single value. The first field
    gets it as it is, each other one what `others` makes of it; it does not stand for the fields `but`.
    """

    others: Callable[[Any], Any] = lambda value: value
    but: tuple[str, ...] = ()

    def spread(self, fields: Sequence[str], value: Any) -> dict[str, Any]:
        """Return what the one `value` is short for: a value for each of `fields` that it stands for."""
        rest = self.others(value)
        names = [name for name in fields if name not in self.but]
        return {name: rest if place else value for place, name in enumerate(names)}

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        names = [field.name for field in dataclasses.fields(source)]

        def written_out(value: Any) -> Any:
            is_whole = isinstance(value, source) or (isinstance(value, Mapping) and "kind" not in value)
            return value if is_whole else self.spread(names, value)

        return core_schema.no_info_before_validator_function(written_out, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        written_out = handler.resolve_ref_schema(handler(schema))
        single = dict(next(iter(written_out["properties"].values())))
        for words in ("title", "default", "description"):
            single.pop(words, None)
        return {"anyOf": [written_out, single]}


@dataclasses.dataclass(frozen=True)
class ShortFor:
    """Annotation of a field of settings in whose place a single value stands for their field `name`.

    ``devices: 30`` is short for ``devices: {count: 30}``. A number or a text is such a value. Where it is
    `nullable`, null stands for the settings of which nothing is said, whatever a base says of them.
    """

    name: str
    nullable: bool = False

    def in_full(self, value: Any) -> Any:
        """Return the mapping that `value` is short for; itself where it is no short form."""
        is_short = isinstance(value, int | float | str) and not isinstance(value, bool)
        return {self.name: value} if is_short else value

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        def read(value: Any, info: ValidationInfo) -> Any:
            value = {} if value is None and self.nullable else self.in_full(value)
            return read_as(source, value, info)

        return core_schema.with_info_plain_validator_function(read, json_schema_input_schema=handler(source))

    def __get_pydantic_json_schema__(self, schema: Any, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        written_out = handler(schema["json_schema_input_schema"])
        single = dict(handler.resolve_ref_schema(written_out)["properties"][self.name])
        single.pop("title", None)
        single.pop("default", None)
        return {"anyOf": [written_out, single, *([{"type": "null"}] if self.nullable else [])]}
