"""When a training ends before its last round: a function of what was measured until then."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Annotated, Any, Literal

from pydantic import Field

from slfac_sim.foundation.metrics import METRICS
from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.targets import ACCURACY
from slfac_sim.foundation.units import Count, Part, exact

Accuracy = Annotated[float, Field(gt=0.0, le=1.0)]
Evaluation = Mapping[str, float | None]
"""The metrics of an evaluation, by name."""


@settings
class Plateau:
    """So many evaluations in a row that are no better than the best before them."""

    of: Literal[
        "accuracy", "balanced_accuracy", "macro_f1", "worst_class", "device_mean", "device_worst_tenth"
    ] = "accuracy"
    """What is to grow."""
    evaluations: Count = 3
    """Evaluations in a row without a gain."""
    gain: Part = 0.0
    """By how much one must be above the best before it to count as better."""

    def met(self, evaluations: Sequence[Evaluation]) -> str | None:
        """Return in words that the last of `evaluations` are no gain; None if one is, or they are too few."""
        values = [value for one in evaluations if (value := one[self.of]) is not None]
        before, last = values[: -self.evaluations], values[-self.evaluations :]
        if not before or max(last) > max(before) + self.gain:
            return None
        title = METRICS[self.of].title
        return f"{title} {max(last):.4f} at most in {len(last)} evaluations, after {max(before):.4f}"


@settings
class Until:
    """At the first evaluation, from round 1 on, at which one of these holds, the training ends.

    Up to there it is the same as without; what would follow its last round, a model for all, is left out.
    """

    accuracy: Accuracy | None = None
    """Test accuracy that is enough."""
    balanced_accuracy: Accuracy | None = None
    """Balanced accuracy that is enough."""
    macro_f1: Accuracy | None = None
    """Macro-F1 that is enough."""
    worst_class: Accuracy | None = None
    """Recall of the worst class that is enough."""
    device_mean: Accuracy | None = None
    """Mean accuracy of devices, each on its own share of the test set, that is enough."""
    device_worst_tenth: Accuracy | None = None
    """The same of the worst tenth of them."""
    plateau: Plateau | None = None
    """When something no longer grows: so many evaluations in a row without a gain."""

    def __post_init__(self) -> None:
        if self.plateau is None and not self._enough:
            raise ValueError("needs an accuracy, another metric or a plateau")

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metrics that it goes by, accuracy among them."""
        plateau = () if self.plateau is None else (self.plateau.of,)
        return tuple(dict.fromkeys((ACCURACY, *self._enough, *plateau)))

    def in_words(self) -> str:
        """Return what it waits for: ``accuracy 0.97, or no gain in 3 evaluations``."""
        words = [f"{METRICS[name].title} {exact(value)}" for name, value in self._enough.items()]
        if self.plateau is not None:
            what = "" if self.plateau.of == ACCURACY else f" of {METRICS[self.plateau.of].title}"
            words.append(f"no gain{what} in {self.plateau.evaluations} evaluations")
        return ", or ".join(words)

    def met(self, evaluations: Sequence[Evaluation]) -> str | None:
        """Return in words why a training ends after `evaluations`, if it does."""
        return next(self._reasons(evaluations), None)

    def _reasons(self, evaluations: Sequence[Evaluation]) -> Iterator[str]:
        for name, enough in self._enough.items() if evaluations else ():
            value = evaluations[-1][name]
            if value is not None and METRICS[name].reaches(value, enough):
                yield f"{METRICS[name].title} {value:.4f} is at least {exact(enough)}"
        if self.plateau is not None and (flat := self.plateau.met(evaluations)):
            yield flat

    @property
    def _enough(self) -> dict[str, float]:
        """What is enough of each metric that is aimed at."""
        given: dict[str, Any] = {
            field.name: getattr(self, field.name) for field in fields(self) if field.name in METRICS
        }
        return {name: value for name, value in given.items() if value is not None}
