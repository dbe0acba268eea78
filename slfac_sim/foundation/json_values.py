"""Values as JSON has them."""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any


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
