"""pydantic's kinds of errors in plain words: what is allowed, what was got, the nearest name."""

import re
from collections.abc import Sequence
from typing import Any

from pydantic_core import ErrorDetails

from slfac_sim.foundation.errors import did_you_mean

_WANTED = {
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "multiple_of": "must be a multiple of {multiple_of}",
    "finite_number": "must be a finite number",
    "int_type": "must be an integer",
    "int_from_float": "must be an integer",
    "int_parsing": "must be an integer",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "string_type": "must be a text",
    "path_type": "must be a text",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "string_pattern_mismatch": "must match the pattern {pattern}",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "dict_type": "must be a mapping",
    "mapping_type": "must be a mapping",
    "dataclass_type": "must be a mapping",
    "none_required": "must be null",
    "too_short": "must have at least {min_length} items",
    "too_long": "must have at most {max_length} items",
    "quantity": "must be {what}",
    "plugin": "{reason}",
    "kind": "{reason}",
    "value_error": "{error}",
    "assertion_error": "{error}",
}
_COMPLETE = ("kind", "value_error", "assertion_error")  # these say themselves what was got


def in_words(details: ErrorDetails, value: Any) -> str:
    """Return what is wrong with the plain `value` in plain words; `details` are one of pydantic's errors."""
    kind = details["type"]
    if kind == "missing":
        what = "key" if isinstance(details["loc"][-1], str) else "item"
        return f"missing {what} '{details['loc'][-1]}'"
    context = {name: _number(value) for name, value in details.get("ctx", {}).items()}
    if kind in ("literal_error", "enum"):
        return not_among(value, str(context["expected"]))
    wanted = _WANTED.get(kind, details["msg"].replace("Input should", "must")).format(**context)
    if kind in _COMPLETE:
        return wanted
    unquoted = kind == "string_type" and isinstance(value, (bool, int, float))
    return f"{wanted} (got {got(value)})" + ("; write it in quotes" if unquoted else _as_part(kind, value))


def _as_part(kind: str, value: Any) -> str:
    """Return what to write in place of a percentage, where a number is wanted."""
    percent = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*%\s*", value) if isinstance(value, str) else None
    if percent is None or _WANTED.get(kind) != "must be a number":
        return ""
    return f"; write {float(percent[1]) / 100:g}"


def not_among(value: Any, expected: str) -> str:
    """Return that `value` is none of the `expected`, pydantic's text such as ``'plane' or 'channel'``."""
    names = [name.strip("'") for name in re.split(r", | or ", expected)]
    hint = did_you_mean(value, names) if isinstance(value, str) else ""
    return f"no {got(value)} among {', '.join(names)}{hint}"


def unknown_key(key: str, known: Sequence[str]) -> str:
    """Return that `key` is unknown, with the nearest of the `known` keys, or all of them."""
    all_known = f"; known are {', '.join(known)}" if known else ""
    above, _, below = key.partition(".")
    hint = f"; write {above}: {{{below}: ...}}" if below and above in known else did_you_mean(key, known)
    return f"unknown key '{key}'{hint or all_known}"


def got(value: Any) -> str:
    """Return `value` as a user wrote it, in short."""
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, str):
        return repr(value) if len(value) <= 60 else f"{value[:57]!r}..."
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return repr(value) if len(repr(value)) <= 60 else f"{repr(value)[:57]}..."


def _number(value: Any) -> Any:
    return f"{value:.12g}" if isinstance(value, float) else value
