"""The values of an axis: as texts on the command line, in words, and as numbers in SI. It knows no study."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from slfac_sim.foundation.errors import BadInput

_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_OPEN, _CLOSE = "{[(", "}])"


def split_values(text: str) -> list[str]:
    """Return the values in ``1,2,5 MHz`` or ``raw,{kind: slfac, theta: 0.9}``, each as a text of its own.

    Commas inside braces, brackets or quotes part nothing. A unit after the last of several bare numbers is
    that of all of them. Raises `BadInput` for an empty value.
    """
    values = [value.strip() for value in _parts(text)]
    if not all(values):
        raise BadInput(f"an empty value in '{text}'; expected values with commas between them")
    unit = _common_unit(values)
    return [f"{value} {unit}" for value in values[:-1]] + values[-1:] if unit else values


def _parts(text: str) -> list[str]:
    parts, depth, quote = [""], 0, ""
    for character in text:
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        else:
            depth += (character in _OPEN) - (character in _CLOSE)
        if character == "," and not depth and not quote:
            parts.append("")
        else:
            parts[-1] += character
    return parts


def _common_unit(values: Sequence[str]) -> str:
    """Return the unit after the last value, if it has one and all others are bare numbers."""
    match = _NUMBER.match(values[-1])
    unit = values[-1][match.end() :].strip() if match else ""
    bare = all(_NUMBER.fullmatch(value) for value in values[:-1])
    return unit if bare and unit[:1].isalpha() else ""


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
