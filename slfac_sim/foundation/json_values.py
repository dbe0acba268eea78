"""Values as JSON has them, and what a file of JSON must have."""

import dataclasses
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from slfac_sim.foundation.errors import BadInput

_TYPES: dict[str, tuple[type, ...]] = {
    "a text": (str,),
    "a number": (int, float),
    "a number or null": (int, float, type(None)),
    "an object": (dict,),
}
_ITEMS = {
    "a list of numbers": "a number",
    "a list of numbers or null": "a number or null",
    "a list of texts": "a text",
}
_MOST_SHOWN = 60  # letters


def json_value(value: Any) -> Any:
    """Return `value` as JSON has it: dataclasses are objects, NaN and infinities (an ideal SNR) null."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {key: json_value(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [json_value(inner) for inner in value]
    if isinstance(value, float):  # numpy's floats are such as well
        return float(value) if math.isfinite(value) else None
    return value


def check_field(path: Path, tree: Mapping[str, Any], place: str, kind: str) -> None:
    """Raise `BadInput` unless ``a.b``, the `place` in the object `tree` from the file `path`, is of `kind`.

    Kinds are ``a text``, ``a number``, ``a number or null``, ``an object``, ``true or false``, ``a list of
    numbers``, ``a list of numbers or null`` and ``a list of texts``.
    """
    value: Any = tree
    for key in place.split("."):
        if not isinstance(value, Mapping) or key not in value:
            raise BadInput(f"{path}: {place}: missing, expected {kind}")
        value = value[key]
    if not is_of_kind(value, kind):
        shown = repr(value) if len(repr(value)) < _MOST_SHOWN else repr(value)[:_MOST_SHOWN] + "..."
        raise BadInput(f"{path}: {place}: found {shown}, expected {kind}")


def is_of_kind(value: Any, kind: str) -> bool:
    """Say whether `value` is of a kind of `check_field`."""
    if kind == "true or false":
        return isinstance(value, bool)
    if kind in _TYPES:
        return isinstance(value, _TYPES[kind]) and not isinstance(value, bool)
    return isinstance(value, list) and all(is_of_kind(each, _ITEMS[kind]) for each in value)
