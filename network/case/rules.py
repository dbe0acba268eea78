"""What a value in a case must be, and what is said when it is not. It knows no case."""

import difflib
from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

from slfac_sim.foundation.errors import BadInput

MISSING: Any = object()  # stands for a key that is not there
_MOST_NAMES = 10


class Number(NamedTuple):
    """A finite number between bounds, that hold too; or null, where that is an answer."""

    low: float
    high: float
    or_null: bool = False

    def holds(self, value: Any) -> bool:
        """Tell whether `value` is allowed; a NaN is not, and true is no number."""
        if type(value) is float or type(value) is int:
            return self.low <= value <= self.high
        return self.or_null and value is None

    def wants(self) -> str:
        """Return what is allowed, in words."""
        return f"must be a number from {self.low:g} to {self.high:g}" + (" or null" if self.or_null else "")


class Text:
    """A text that is not empty."""

    def holds(self, value: Any) -> bool:
        """Tell whether `value` is allowed."""
        return type(value) is str and value != ""

    def wants(self) -> str:
        """Return what is allowed, in words."""
        return "must be a text"


class Name:
    """What a transfer goes by: an integer or a text."""

    def holds(self, value: Any) -> bool:
        """Tell whether `value` is allowed."""
        return type(value) is int or type(value) is str

    def wants(self) -> str:
        """Return what is allowed, in words."""
        return "must be an integer or a text"


Rule = Number | Text | Name

# The bounds are far beyond any network, and near enough that no quotient of such numbers overflows.
AMOUNT = Number(0.0, 1e18)  # bytes, and a capacity, which may be none
TIME = Number(0.0, 1e9)  # seconds
POSITIVE = Number(1e-18, 1e18)  # a rate, a weight, a consumption
CAP = Number(1e-18, 1e18, or_null=True)
PART = Number(0.0, 1.0)
LEVEL = Number(-300.0, 300.0, or_null=True)  # dB


def check(where: str, value: Any, rule: Rule) -> Any:
    """Return `value` if `rule` holds for it, and raise `BadInput` if not."""
    if not rule.holds(value):
        raise BadInput(f"{where}: {rule.wants()} (got {got(value)})")
    return value


def setting(where: str, node: Mapping[str, Any], key: str, rule: Rule, default: Any = MISSING) -> Any:
    """Return ``node[key]``, or its default, if `rule` holds for it."""
    if key in node:
        return check(f"{where}.{key}", node[key], rule)
    if default is MISSING:
        raise BadInput(f"{where}: missing key '{key}'")
    return default


def mapping(where: str, value: Any, known: Collection[str] | None = None) -> Mapping[str, Any]:
    """Return `value` if it is a mapping without unknown keys; any key is known if `known` is None."""
    if type(value) is not dict:
        raise BadInput(f"{where}: must be a mapping (got {got(value)})")
    if known is not None:
        for key in value:
            if key not in known:
                raise BadInput(f"{where}: {unknown_key(key, known)}")
    return value


def unknown_key(key: str, known: Collection[str]) -> str:
    """Return that `key` is unknown, with the nearest of the `known` keys, or all of them."""
    names = list(known)
    near = difflib.get_close_matches(key, names, n=1)
    return f"unknown key '{key}'; " + (
        f"did you mean '{near[0]}'?" if near else f"known are {', '.join(names)}"
    )


def no_link(name: Any, known: Iterable[str]) -> str:
    """Return that there is no link `name` among the `known`, with the nearest."""
    names = list(known)
    shown = ", ".join(names[:_MOST_NAMES]) + (", ..." if len(names) > _MOST_NAMES else "")
    near = difflib.get_close_matches(name, names, n=1) if isinstance(name, str) else []
    return f"no link {got(name)} among {shown or 'none'}" + (f"; did you mean '{near[0]}'?" if near else "")


def got(value: Any) -> str:
    """Return `value` as JSON has it, in short."""
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, float):
        return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}.get(repr(value), repr(value))
    shown = repr(value)
    return shown if len(shown) <= 60 else f"{shown[:57]}..."
