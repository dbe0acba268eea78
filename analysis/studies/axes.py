"""The axes of a study: their values in order, their names and units for people; it knows no points."""

import math
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from slfac_sim.analysis.format import three_digits

_QUANTITY = re.compile(r"\s*([+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?)\s*(\S*)\s*")
DECADE = 10.0


# what has names of its own
_NAMED = {"links": "the link ", "access": "the access network ", "servers": "the server ", "change": ""}


@dataclass(frozen=True)
class Axis:
    """One setting that a study varies: `texts` [values] as the study wrote them, in drawing order.

    `numbers` [values] is None where the setting is no quantity; else it is in `unit`, the one that the texts
    use, so ``500 kHz`` stands on an axis of MHz at 0.5.
    """

    path: str
    texts: tuple[str, ...]
    numbers: tuple[float, ...] | None
    unit: str

    @property
    def numeric(self) -> bool:
        """Whether the axis has an order and distances."""
        return self.numbers is not None

    @property
    def name(self) -> str:
        """The setting in words: ``bandwidth``, ``capacity of the link dsl``, ``speed of vehicles``."""
        parts = [part for part in self.path.split(".") if part != "network"] or [self.path]
        group, named, *own = parts if len(parts) > 2 else ("", "")
        whose = f" of {_NAMED[group]}{named}" if group in _NAMED else ""
        return " ".join(own if whose else parts).replace("_", " ") + whose

    @property
    def label(self) -> str:
        """The name with the unit, as it stands beside an axis."""
        return f"{self.name} ({self.unit})" if self.unit else self.name

    @property
    def logarithmic(self) -> bool:
        """Whether the numbers are all positive and span more than a decade."""
        low, high = min(self.numbers or (0.0,)), max(self.numbers or (0.0,))
        return low > 0 and high / low > DECADE * (1 + 1e-9)

    def shown(self, text: str) -> str:
        """Return one value for people: ``5 MHz``; for a plain number with the name, ``devices count 10``.

        Of ``{kind: epsl, rounds: 12, phi: 0.5}`` the kind is left, and the settings that tell values apart.
        """
        if self.numbers is None:
            return self._names.get(text, text)
        return text if self.unit or not text else f"{self.name} {text}"

    def tick(self, text: str) -> str:
        """Return one value as it stands on the axis, without the unit."""
        if self.numbers is None:
            return self._names.get(text, text)
        return f"{self.numbers[self.texts.index(text)]:,.6g}"

    def amount(self, number: float) -> str:
        """Return a place on the axis that need not be one of its values, to three digits."""
        written = three_digits(number)
        return f"{written} {self.unit}" if self.unit else f"{self.name} {written}"

    def rounded(self, number: float) -> str:
        """Return a place on the axis that is known roughly, to two digits."""
        return self.amount(float(f"{number:.2g}"))

    @cached_property
    def _names(self) -> dict[str, str]:
        """What values that are written as mappings are called, by their texts."""
        read = {text: _settings(text) for text in self.texts}
        some = [settings for settings in read.values() if settings]
        same = {key for own in some[:1] for key in own if all(s.get(key) == own[key] for s in some)}
        names = {text: _name(settings, same) if settings else text for text, settings in read.items()}
        return names if len(set(names.values())) == len(names) else {}


@dataclass(frozen=True)
class Roles:
    """What each axis does: `x` is drawn along, `line` makes the lines, `panels` are all others."""

    x: Axis | None
    line: Axis | None
    panels: tuple[Axis, ...]


def make_axis(path: str, values: Mapping[str, float | str], listed: Sequence[str]) -> Axis:
    """Return the axis of setting `path`, from its texts and their values in SI.

    Numbers are ordered by size; names in the order in which the study lists them, and those that it writes
    in another way behind, sorted.
    """
    numbers = {text: value for text, value in values.items() if not isinstance(value, str)}
    if len(numbers) == len(values) and values:
        texts = sorted(numbers, key=lambda text: numbers[text])
        shown, unit = _in_unit(texts, [float(numbers[text]) for text in texts])
        return Axis(path, tuple(texts), tuple(shown), unit)
    known = [text for text in listed if text in values]
    return Axis(path, (*known, *sorted(set(values) - set(known))), None, "")


def assign_roles(axes: Sequence[Axis]) -> Roles:
    """Give each axis its role: the longest numeric axis is x, the codec or another one makes the lines."""
    numeric = sorted((axis for axis in axes if axis.numeric), key=lambda axis: -len(axis.texts))
    named = sorted((axis for axis in axes if not axis.numeric), key=lambda axis: axis.path != "codec")
    x = numeric[0] if numeric else (named[1] if len(named) > 1 else None)
    line = next((axis for axis in [*named, *numeric] if axis is not x), None)
    return Roles(x, line, tuple(axis for axis in axes if axis is not x and axis is not line))


def _settings(text: str) -> dict[str, str]:
    """Return the settings of ``{kind: epsl, phi: 0.5}`` as texts; none of a plain word, or of nested ones."""
    if not (text.startswith("{kind: ") and text.endswith("}")) or set("{}[]\"'") & set(text[1:-1]):
        return {}
    return dict(part.partition(": ")[::2] for part in text[1:-1].split(", "))


def _name(settings: Mapping[str, str], same: Collection[str]) -> str:
    """Return the kind and, of the settings, those whose keys are not among the `same`."""
    told = [f"{key} {value}" for key, value in settings.items() if key not in {"kind", *same}]
    return ", ".join([settings["kind"], *told])


def _in_unit(texts: Iterable[str], values: Sequence[float]) -> tuple[list[float], str]:
    """Return the numbers in the unit that most texts use, if every text has one; else as they are."""
    read = [_QUANTITY.fullmatch(text) for text in texts]
    pairs = [(float(match[1]), match[2]) for match in read if match is not None]
    units = {unit for _, unit in pairs}
    if len(pairs) < len(values) or "" in units:
        return list(values), ""
    if len(units) == 1:  # also where a unit is no factor, such as dBm
        return [number for number, _ in pairs], units.pop()
    used = [unit for _, unit in pairs]
    place = max(range(len(pairs)), key=lambda i: (used.count(used[i]), i))
    number, unit = pairs[place]
    factor = values[place] / number if number else math.nan
    if math.isclose(factor, _factor(pairs, values, unit), rel_tol=1e-9):
        return [float(f"{value / factor:.12g}") for value in values], unit
    return list(values), ""


def _factor(pairs: Sequence[tuple[float, str]], values: Sequence[float], unit: str) -> float:
    """Return what one `unit` is worth, NaN if that differs from value to value (decibels) or is 0."""
    factors = [v / n for (n, u), v in zip(pairs, values, strict=True) if u == unit and n]
    same = bool(factors) and all(math.isclose(factor, factors[0], rel_tol=1e-9) for factor in factors)
    return factors[0] if same and factors[0] > 0 else math.nan
