"""The values of an axis, in words and as numbers in SI. It knows no study."""

from collections.abc import Mapping
from typing import Any


def in_words(value: Any) -> str:
    """Return a value of an axis as one line: ``5 MHz``, ``raw``, ``{kind: slfac, theta: 0.9}``."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {in_words(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(in_words, value)) + "]"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return value if isinstance(value, str) else f"{value:.12g}"


def number_at(settings: object, path: str) -> float | None:
    """Return the number at the dotted `path` below `settings`, or None where there is no number."""
    value: Any = settings
    for step in path.split("."):
        if isinstance(value, list | tuple) and step.isdecimal():
            value = value[int(step)] if int(step) < len(value) else None
        elif isinstance(value, Mapping):
            value = value.get(step)
        else:
            value = getattr(value, step, None)
    return None if isinstance(value, bool) or not isinstance(value, int | float) else value
