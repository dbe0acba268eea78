"""A question in one line, ``time_to_accuracy(0.95) <= 600 s``: read, and put to the rows of a run.

It knows the ledger's tables and nothing of how they came about. The grammar is fixed: a measure, ``<=`` or
``>=``, a quantity with its unit.
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from slfac_sim.analysis.format import target_words
from slfac_sim.foundation.errors import BadInput, did_you_mean
from slfac_sim.foundation.metrics import METRICS
from slfac_sim.foundation.targets import Target
from slfac_sim.foundation.units import exact, parse_quantity
from slfac_sim.ledger.measured import measured, times_to
from slfac_sim.ledger.store import Ledger

Sense = Literal["<=", ">="]

_FORM = re.compile(r"\s*([A-Za-z_]\w*)\s*(?:\(\s*([^()]*?)\s*\))?\s*(<=|>=)\s*(.*?)\s*")
_TIME_TO = "time_to_"  # before the name of a metric
_EXAMPLE = 'such as "time_to_accuracy(0.95) <= 600 s"'


@dataclass(frozen=True)
class Measure:
    """A number of a run: `name`, its SI `dimension`, and the `target` where it needs one."""

    name: str
    dimension: str
    target: Target | None = None

    @property
    def text(self) -> str:
        """The measure as a question writes it."""
        return self.name if self.target is None else f"{self.name}({exact(self.target.value)})"

    @property
    def title(self) -> str:
        """What a figure calls it."""
        return _MEASURES[self.name].title if self.target is None else f"time to {target_words(self.target)}"

    def is_untrained(self, measured: float) -> bool:
        """Return whether the untrained model of a run met the target: then its time is 0 s on any network."""
        return self.target is not None and measured == 0.0

    def of(self, ledger: Ledger) -> float:
        """Return the measure of the run in `ledger`, in SI; infinity for a target that it never reached.

        It is 0 for a target that the untrained model met.
        """
        return _MEASURES[self.name].read(ledger, self.target)


@dataclass(frozen=True)
class Question:
    """Whether `measure` stands on the right side of `bound` (SI); `text` is the question."""

    measure: Measure
    sense: Sense
    bound: float
    text: str

    def holds(self, measured: float) -> bool:
        """Return whether a run with that measure meets the bound."""
        return measured <= self.bound if self.sense == "<=" else measured >= self.bound


def read_question(text: str) -> Question:
    """Return the question in `text`. Raises `BadInput` that says what is wrong with it."""
    match = _FORM.fullmatch(text)
    if match is None:
        raise BadInput(f"question {text!r}: expected MEASURE <= QUANTITY or MEASURE >= QUANTITY, {_EXAMPLE}")
    name, argument, sense, quantity = match.groups()
    measure = _measure(text, name, argument)
    try:
        bound = parse_quantity(quantity, measure.dimension)
    except ValueError as error:
        raise BadInput(f"question {text!r}: {error}") from error
    return Question(measure, "<=" if sense == "<=" else ">=", bound, " ".join(text.split()))


def time_to(target: Target) -> Measure:
    """Return the measure of the time to `target`. Raises `BadInput` for a value that cannot be."""
    if not target.can_be:
        raise BadInput(f"target {target.of.title} {exact(target.value)}: {target.bounds}")
    return Measure(f"{_TIME_TO}{target.metric}", "duration", target)


def _measure(text: str, name: str, argument: str | None) -> Measure:
    if name not in _MEASURES:
        hint = did_you_mean(name, _MEASURES)
        raise BadInput(f"question {text!r}: no measure '{name}' among {', '.join(_MEASURES)}{hint}")
    if name.startswith(_TIME_TO):
        return time_to(Target(name.removeprefix(_TIME_TO), _number(text, name, argument or "")))
    if argument is not None:
        raise BadInput(f"question {text!r}: {name} takes no argument (got '{argument}')")
    return Measure(name, _MEASURES[name].dimension)


def _number(text: str, name: str, argument: str) -> float:
    try:
        percent = argument.endswith("%")
        return float(argument.removesuffix("%")) / (100.0 if percent else 1.0)
    except ValueError:
        metric = METRICS[name.removeprefix(_TIME_TO)].title
        reason = f"{name} needs a target {metric} such as 0.95 (got '{argument}')"
        raise BadInput(f"question {text!r}: {reason}") from None


def _time_to(ledger: Ledger, target: Target | None) -> float:
    assert target is not None
    at_s = [row[0] for row in ledger.tuples("evals", ("at_s",))]
    reached = times_to(at_s, measured(ledger, [target.metric]), [target])[target]
    return math.inf if reached is None else reached


def _simulated_s(ledger: Ledger, _: Target | None) -> float:
    ends = {"transfers": "end_s", "computes": "end_s", "steps": "at_s", "rounds": "at_s"}
    return max(
        (at_s for table, name in ends.items() for (at_s,) in ledger.tuples(table, [name])), default=0.0
    )


def _bytes_total(ledger: Ledger, _: Target | None) -> float:
    return float(sum(nbytes for (nbytes,) in ledger.tuples("payloads", ["bytes"])))


def _energy_j(ledger: Ledger, _: Target | None) -> float:
    return float(sum(energy_j for (energy_j,) in ledger.tuples("transfers", ["energy_j"])))


@dataclass(frozen=True)
class _Kind:
    dimension: str
    title: str
    read: Callable[[Ledger, Target | None], float]


_MEASURES = {
    **{
        f"{_TIME_TO}{name}": _Kind("duration", f"time to a target {metric.title}", _time_to)
        for name, metric in METRICS.items()
    },
    "simulated_s": _Kind("duration", "simulated time", _simulated_s),
    "bytes_total": _Kind("size", "payload bytes", _bytes_total),
    "energy_j": _Kind("energy", "radiated energy", _energy_j),
}
