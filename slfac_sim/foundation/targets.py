"""Targets: a metric and the value of it that is aimed at.

>>> Target.read("0.95"), Target.read("balanced_accuracy=0.7").text
(Target(metric='accuracy', value=0.95), 'balanced_accuracy=0.7')
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from slfac_sim.foundation.errors import BadInput, did_you_mean
from slfac_sim.foundation.metrics import METRICS, Metric
from slfac_sim.foundation.units import exact

ACCURACY = "accuracy"


@dataclass(frozen=True)
class Target:
    """A `value` of `metric`, one of `METRICS`, to be reached; the harder one of two is the greater."""

    metric: str
    value: float

    @classmethod
    def read(cls, text: str) -> Self:
        """Return the target of ``0.95``, an accuracy, or ``balanced_accuracy=0.7``. Raises `BadInput`."""
        name, equals, value = text.rpartition("=")
        name = name.strip() if equals else ACCURACY
        if name not in METRICS:
            known = ", ".join(METRICS)
            raise BadInput(f"target '{text}': no metric '{name}' among {known}{did_you_mean(name, METRICS)}")
        try:
            target = cls(name, float(value))
        except ValueError:
            raise BadInput(f"target '{text}': must be a number, or METRIC=NUMBER (got '{value}')") from None
        if not target.can_be:
            raise BadInput(f"target '{text}': {target.bounds}")
        return target

    @property
    def of(self) -> Metric:
        """What is measured."""
        return METRICS[self.metric]

    @property
    def can_be(self) -> bool:
        """Whether the metric can have such a value, and does not have it always."""
        return 0.0 < self.value <= (1.0 if self.of.is_share else math.inf) and math.isfinite(self.value)

    @property
    def bounds(self) -> str:
        """What values can be, in words."""
        return f"must lie above 0{' and at most at 1, such as 0.95' if self.of.is_share else ''}"

    @property
    def text(self) -> str:
        """What `read` reads: the number alone, of an accuracy."""
        return exact(self.value) if self.metric == ACCURACY else f"{self.metric}={exact(self.value)}"

    @property
    def plain(self) -> float | str:
        """The same, of an accuracy as a number."""
        return self.value if self.metric == ACCURACY else self.text

    def met(self, value: float | None) -> bool:
        """Return whether `value` is as good as it, or better."""
        return self.of.reaches(value, self.value)

    @property
    def difficulty(self) -> float:
        """A number that is the greater the harder it is, among targets of its metric."""
        return -self.value if self.of.less_is_better else self.value

    def __lt__(self, other: "Target") -> bool:
        return self._rank < other._rank

    @property
    def _rank(self) -> tuple[int, float]:
        return list(METRICS).index(self.metric), self.difficulty


def targets_of(given: Sequence[float] | Mapping[Any, Sequence[float]]) -> tuple[Target, ...]:
    """Return the targets that a list, of accuracies, or a mapping by metric gives, as they stand there."""
    by_metric = given if isinstance(given, Mapping) else {ACCURACY: given}
    return tuple(Target(metric, float(value)) for metric, values in by_metric.items() for value in values)


def hardest_first(targets: Iterable[Target]) -> list[Target]:
    """Return `targets` by metric, in the order of `METRICS`, the harder ones of each first."""
    names = list(METRICS)
    return sorted(targets, key=lambda target: (names.index(target.metric), -target.difficulty))
