"""A setting that is varied: its place in the scenario, its dimension, and how its values are written.

It knows scenarios as trees of settings, and nothing of what a setting does.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from slfac_sim.analysis.format import three_digits
from slfac_sim.foundation.errors import BadInput, did_you_mean
from slfac_sim.foundation.units import Quantity, parse_quantity
from slfac_sim.scenario.files import changed
from slfac_sim.scenario.fingerprint import invisible
from slfac_sim.scenario.schema import Scenario
from slfac_sim.scenario.shape import hints_of, item_of
from slfac_sim.studies.search.bisection import SearchResult

_UNITS = {
    "duration": (("µs", 1e-6), ("ms", 1e-3), ("s", 1.0)),
    "frequency": (("Hz", 1.0), ("kHz", 1e3), ("MHz", 1e6), ("GHz", 1e9)),
    "data rate": (("bit/s", 1.0), ("kbit/s", 1e3), ("Mbit/s", 1e6), ("Gbit/s", 1e9)),
    "size": (("B", 1.0), ("kB", 1e3), ("MB", 1e6), ("GB", 1e9)),
    "length": (("m", 1.0), ("km", 1e3)),
    "power": (("mW", 1e-3), ("W", 1.0)),
    "level": (("dB", 1.0),),
    "computing speed": (("MFLOP/s", 1e6), ("GFLOP/s", 1e9), ("TFLOP/s", 1e12)),
    "memory bandwidth": (("MB/s", 1e6), ("GB/s", 1e9)),
    "energy": (("mJ", 1e-3), ("J", 1.0), ("kJ", 1e3)),
}
_SPAN = 10.0  # without a range, values from a tenth to ten times the scenario's own are looked at


@dataclass(frozen=True)
class Setting:
    """The setting at `path`: its `value` in the scenario (SI), and its `dimension`, None for a number."""

    path: str
    value: float
    dimension: str | None

    def in_scenario(self, scenario: Scenario, value: float) -> Scenario:
        """Return `scenario` with this setting at `value`. Raises `BadInput` where that is not allowed."""
        return changed(scenario, self.path, [f"{self.path}={value!r}"])

    def shown(self, value: float) -> str:
        """Return `value` for people: ``8.42 MHz``."""
        return shown(value, self.dimension)

    def range_text(self, result: SearchResult) -> str:
        """Return the range that was searched, in words."""
        return f"from {self.shown(result.samples[0].value)} to {self.shown(result.samples[-1].value)}"

    def between(self, text: str | None) -> tuple[float, float]:
        """Return the range in `text`, ``"1 MHz,100 MHz"``; without one, a decade around the own value."""
        if text is None:
            if self.value > 0.0:
                return self.value / _SPAN, self.value * _SPAN
            raise BadInput(f"--vary {self.path}: is {self.value:g}; give a range, --between LOW,HIGH")
        ends = text.split(",")
        try:
            low, high = (parse_quantity(end, self.dimension or "level") for end in ends)
        except ValueError as error:
            reason = str(error) if len(ends) == 2 else f"expected LOW,HIGH (got '{text}')"
            raise BadInput(f"--between: {reason}") from error
        if not 0.0 < low < high:
            raise BadInput(f"--between: needs 0 < LOW < HIGH, for a logarithmic scale (got '{text}')")
        return low, high


def setting_at(scenario: Scenario, path: str) -> Setting:
    """Return the setting of `scenario` at `path`, such as ``network.bandwidth``.

    Raises `BadInput` for a path that leads nowhere, for what is no real number, and for what learning
    sees: there each value would be a training of its own.
    """
    value: Any = scenario
    hint: Any = Scenario
    for step in path.split("."):
        held, cls = _held(value), cast(Any, type(value))
        if step not in held:
            known = ", ".join(held) or "none: it is a single value"
            raise BadInput(f"--vary {path}: no '{step}' among {known}{did_you_mean(step, held)}")
        hint = item_of(hint) if isinstance(value, Mapping) else hints_of(cls)[step]
        value = held[step]
    if not invisible(path, scenario):
        reason = "learning sees it, so each value is another training; `sweep` runs several"
        raise BadInput(f"--vary {path}: {reason}")
    if not isinstance(value, float):
        raise BadInput(f"--vary {path}: is {value!r}, and only a quantity or a real number can be varied")
    return Setting(path, value, _dimension(hint))


def _held(value: Any) -> Mapping[str, Any]:
    """Return the settings in `value`: its fields, or those that it holds by name."""
    if dataclasses.is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    return value if isinstance(value, Mapping) else {}


def _dimension(hint: Any) -> str | None:
    marks = getattr(hint, "__metadata__", ())
    return next((mark.dimension for mark in marks if isinstance(mark, Quantity)), None)


def shown(value: float, dimension: str | None) -> str:
    """Return an SI `value` with three digits and a unit that suits it."""
    name, factor = unit_for(value, dimension)
    return f"{three_digits(value / factor)} {name}".rstrip()


def shown_apart(values: Sequence[float], dimension: str | None) -> list[str]:
    """Return each of `values` as `shown`, with as many digits more as it takes to tell all of them apart."""
    texts = [shown(value, dimension) for value in values]
    for digits in range(4, 18):
        if len(set(texts)) == len(set(values)):
            break
        units = [unit_for(value, dimension) for value in values]
        texts = [
            f"{f'{value / factor:#.{digits}g}'.rstrip('.')} {name}".rstrip()
            for value, (name, factor) in zip(values, units, strict=True)
        ]
    return texts


def unit_for(value: float, dimension: str | None) -> tuple[str, float]:
    """Return the unit, and its SI value, that shows `value` with the fewest digits before the point."""
    units = _UNITS.get(dimension or "", (("", 1.0),))
    fitting = [unit for unit in units if unit[1] <= abs(value) * 1.0000001]
    return (fitting or units)[-1 if fitting else 0]
