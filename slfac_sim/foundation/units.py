"""Quantities with units at the boundary, plain SI numbers inside.

A scenario may write ``20 MHz``, ``5 ms``, ``23 dBm`` or ``1.6 MB``; a plain number is SI. Each field
states its dimension by its type (`Hertz`, `Seconds`, ...), and units are case-sensitive, so that milli
and mega can never be confused. 1 Mbit/s is 10^6 bit/s and 1 MB is 10^6 bytes; 1 MiB is 2^20 bytes.
"""

import difflib
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

_NUMBER = r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
_QUANTITY = re.compile(rf"\s*({_NUMBER})\s*(\S*)\s*")


def db_to_ratio(value_db: float) -> float:
    """Return the power ratio of `value_db` decibels: 3 dB is about 2."""
    return float(10.0 ** (value_db / 10.0))


def ratio_to_db(ratio: float) -> float:
    """Return the decibels of a power `ratio`; zero is minus infinity."""
    return 10.0 * math.log10(ratio) if ratio > 0 else -math.inf


def dbm_to_w(power_dbm: float) -> float:
    """Return the watts of `power_dbm`: 30 dBm is 1 W."""
    return db_to_ratio(power_dbm - 30.0)


def w_to_dbm(power_w: float) -> float:
    """Return the dBm of `power_w` watts; zero is minus infinity."""
    return ratio_to_db(power_w) + 30.0


_PREFIXES = {"": 1.0, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}
_Unit = float | Callable[[float], float]
_UNITS: dict[str, dict[str, _Unit]] = {
    "duration": {"s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9, "min": 60.0, "h": 3600.0},
    "frequency": {p + "Hz": f for p, f in _PREFIXES.items()},
    "data rate": {p + u: f for p, f in _PREFIXES.items() for u in ("bit/s", "bps")},
    "size": {**{p + "B": f for p, f in _PREFIXES.items()}, "KiB": 2.0**10, "MiB": 2.0**20, "GiB": 2.0**30},
    "length": {"m": 1.0, "km": 1e3, "cm": 1e-2},
    "speed": {"m/s": 1.0, "km/h": 1.0 / 3.6},
    "power": {"W": 1.0, "mW": 1e-3, "kW": 1e3, "dBm": dbm_to_w, "dBW": db_to_ratio},
    "level": {"dB": 1.0, "dBi": 1.0},
    "computing speed": {p + "FLOP/s": f for p, f in _PREFIXES.items()},
    "memory bandwidth": {p + "B/s": f for p, f in _PREFIXES.items()},
    "energy": {"J": 1.0, "mJ": 1e-3, "kJ": 1e3, "Wh": 3600.0},
}

IN_SI = "a number in SI, or a text with a unit"
"""What may be written for a quantity, as its schema says."""

_RANGES: dict[str, tuple[float, float]] = {
    "duration": (1e-9, 1e9),
    "frequency": (1e-3, 1e12),
    "data rate": (1.0, 1e18),
    "size": (1.0, 1e15),
    "length": (1e-3, 1e7),
    "speed": (1e-3, 1e6),
    "power": (1e-21, 1e9),
    "level": (0.0, 400.0),
    "computing speed": (1.0, 1e30),
    "memory bandwidth": (1.0, 1e18),
    "energy": (1e-9, 1e15),
}
"""The least and the largest magnitude of each dimension in SI, beside 0: all that hosts and links can be."""


def parse_quantity(text: str, dimension: str) -> float:
    """Return the SI value of `text` (``"20 MHz"``) read in `dimension` (``"frequency"``).

    Raises `ValueError` that names the unknown unit, the nearest known one or what it measures, or the form
    expected.
    """
    match = _QUANTITY.fullmatch(text)
    if match is None:
        raise ValueError(f"expected {_example(dimension)} (got {text!r})")
    number, unit = float(match[1]), match[2]
    if unit == "":
        return number
    if unit not in _UNITS[dimension]:
        raise ValueError(_not_a_unit(text.strip(), unit, dimension))
    factor = _UNITS[dimension][unit]
    try:
        return factor(number) if callable(factor) else number * factor
    except OverflowError as error:  # decibels of thousands
        raise ValueError(f"too large for a {dimension} (got {text!r})") from error


def written(value: float, dimension: str) -> str:
    """Return the shortest text with a unit of `dimension` that reads back as `value` in SI: ``3.5 GHz``."""
    factors = {unit: factor for unit, factor in _UNITS[dimension].items() if isinstance(factor, float)}
    texts = [f"{exact(value / factor)} {unit}" for unit, factor in factors.items()]
    if dimension == "power" and value > 0.0:
        texts.append(f"{exact(round(w_to_dbm(value), 6))} dBm")
    return min((text for text in texts if parse_quantity(text, dimension) == value), key=len)


def is_unit(word: str) -> bool:
    """Return whether `word` is a unit of any dimension."""
    return any(word in units for units in _UNITS.values())


def dimension_of(units: Sequence[str]) -> str | None:
    """Return the dimension that these are all the units of, None for units of no dimension."""
    return next((dimension for dimension, known in _UNITS.items() if list(known) == list(units)), None)


def dimension_in(text: str, value: float) -> str | None:
    """Return the dimension in which `text`, a number with a unit, is `value` in SI; None where it is in none.

    >>> dimension_in("10 MHz", 1e7), dimension_in("0.5", 0.5)
    ('frequency', None)
    """
    match = _QUANTITY.fullmatch(text)
    known = (dimension for dimension, units in _UNITS.items() if match is not None and match[2] in units)
    return next((dimension for dimension in known if parse_quantity(text, dimension) == value), None)


def exact(value: float) -> str:
    """Return the shortest text that reads back as the same number: ``0.8``, ``0.10000001``."""
    short = f"{value:g}"
    return short if float(short) == value else repr(float(value))


def _a(dimension: str) -> str:
    return f"{'an' if dimension[0] in 'aeiou' else 'a'} {dimension}"


def _example(dimension: str) -> str:
    return f"{_a(dimension)} such as '10 {next(iter(_UNITS[dimension]))}'"


def _range(dimension: str) -> str:
    (least, most), unit = _RANGES[dimension], next(iter(_UNITS[dimension]))
    return f"{_a(dimension)} of {least:g} to {most:g} {unit}"


def _not_a_unit(text: str, unit: str, dimension: str) -> str:
    """Return the advice for an unknown unit: another case or the nearest spelling; or what it is of."""
    folded = {known.casefold(): known for known in _UNITS[dimension]}
    other = next((one for one, known in _UNITS.items() if unit in known), None)
    cutoff = 0.5 if other is None else 0.6
    near = difflib.get_close_matches(unit.casefold(), folded, n=1, cutoff=cutoff)
    if not near and other is not None:
        return f"'{text}' is {_a(other)}, expected {_example(dimension)}"
    unknown = f"unknown {dimension} unit '{unit}'"
    if not near:
        return f"{unknown}; known are {', '.join(_UNITS[dimension])}"
    eightfold = " (rates are in bits: 1 B is 8 bit)" if dimension == "data rate" and "B" in unit else ""
    return f"{unknown}; did you mean '{folded[near[0]]}'?{eightfold}"


@dataclass(frozen=True)
class Quantity:
    """Annotation of a float field: a number in SI or a text with a unit of `dimension`.

    `ge`, `gt` and `le` bound the SI value further than its dimension does.
    """

    dimension: str
    ge: float | None = None
    gt: float | None = None
    le: float | None = None

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        bounds = core_schema.float_schema(ge=self.ge, gt=self.gt, le=self.le, allow_inf_nan=False)
        return core_schema.no_info_before_validator_function(self._read, bounds)

    def _read(self, value: Any) -> Any:
        number = parse_quantity(value, self.dimension) if isinstance(value, str) else value
        if isinstance(number, bool) or not isinstance(number, (int, float)):
            raise PydanticCustomError("quantity", "must be {what}", {"what": _example(self.dimension)})
        least, most = _RANGES[self.dimension]
        beyond = math.isfinite(number) and number != 0 and not least <= abs(number) <= most
        if beyond and not self._refuses(number):
            raise PydanticCustomError("quantity", "must be {what}", {"what": _range(self.dimension)})
        return number

    def _refuses(self, number: float) -> bool:
        """Return whether a bound of the field itself, which has a plainer message, refuses `number`."""
        below = (self.ge is not None and number < self.ge) or (self.gt is not None and number <= self.gt)
        return below or (self.le is not None and number > self.le)

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        units = "|".join(re.escape(unit) for unit in _UNITS[self.dimension])
        pattern = rf"^\s*{_NUMBER}\s*({units})?\s*$"
        most = _RANGES[self.dimension][1]
        least = -most if self.ge is None and self.gt is None else self.ge
        upmost = most if self.le is None else min(self.le, most)
        bounds = {"minimum": least, "exclusiveMinimum": self.gt, "maximum": upmost}
        number = {"type": "number", **{name: bound for name, bound in bounds.items() if bound is not None}}
        return {
            "anyOf": [number, {"type": "string", "pattern": pattern}],
            "description": f"{self.dimension}: {IN_SI}",
        }


Seconds = Annotated[float, Quantity("duration", ge=0.0, le=1e9)]
Hertz = Annotated[float, Quantity("frequency", gt=0.0)]
BitsPerSecond = Annotated[float, Quantity("data rate", gt=0.0)]
Bytes = Annotated[float, Quantity("size", ge=0.0)]
Metres = Annotated[float, Quantity("length", ge=0.0)]
Coordinate = Annotated[float, Quantity("length")]
MetresPerSecond = Annotated[float, Quantity("speed", gt=0.0)]
BytesPerSecond = Annotated[float, Quantity("memory bandwidth", gt=0.0)]
Watts = Annotated[float, Quantity("power", gt=0.0)]
PowerDraw = Annotated[float, Quantity("power", ge=0.0)]
Joules = Annotated[float, Quantity("energy", gt=0.0)]
Decibels = Annotated[float, Quantity("level")]
FlopPerSecond = Annotated[float, Quantity("computing speed", gt=0.0)]

_MOST = 1_000_000_000  # of anything that is counted


def _block_name(value: Any) -> Any:
    """Return a number as the text of it: the blocks of an `nn.Sequential` are called `0`, `1` and so on."""
    return str(value) if type(value) is int else value


BlockName = Annotated[str, BeforeValidator(_block_name)]
Count = Annotated[int, Field(ge=1, le=_MOST)]
CountOrZero = Annotated[int, Field(ge=0, le=_MOST)]
SeedNumber = Annotated[int, Field(ge=0, lt=2**63)]
Positive = Annotated[float, Field(gt=0.0, le=1e12)]
Part = Annotated[float, Field(ge=0.0, le=1.0)]
NotNegative = Annotated[float, Field(ge=0.0, le=1e12)]
