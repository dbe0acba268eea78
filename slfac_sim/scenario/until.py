"""When a training ends before its last round: a function of the accuracies that were measured."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import Count, Part, exact

Accuracy = Annotated[float, Field(gt=0.0, le=1.0)]


@settings
class Plateau:
    """So many evaluations in a row that are no better than the best before them."""

    evaluations: Count = 3
    """Evaluations in a row without a gain."""
    gain: Part = 0.0
    """By how much an accuracy must be above the best before it to count as better."""

    def met(self, accuracies: Sequence[float]) -> str | None:
        """Return in words that the last of `accuracies` are no gain; None if one is, or they are too few."""
        before, last = accuracies[: -self.evaluations], accuracies[-self.evaluations :]
        if not before or max(last) > max(before) + self.gain:
            return None
        return f"accuracy {max(last):.4f} at most in {len(last)} evaluations, after {max(before):.4f}"


@settings
class Until:
    """At the first evaluation, from round 1 on, at which one of these holds, the training ends.

    Up to there it is the same as without; what would follow its last round, a model for all, is left out.
    """

    accuracy: Accuracy | None = None
    """Test accuracy that is enough."""
    plateau: Plateau | None = None
    """When accuracy no longer grows: so many evaluations in a row without a gain."""

    def __post_init__(self) -> None:
        if self.accuracy is None and self.plateau is None:
            raise ValueError("needs an accuracy, a plateau, or both")

    def in_words(self) -> str:
        """Return what it waits for: ``accuracy 0.97, or no gain in 3 evaluations``."""
        enough = None if self.accuracy is None else f"accuracy {exact(self.accuracy)}"
        flat = None if self.plateau is None else f"no gain in {self.plateau.evaluations} evaluations"
        return ", or ".join(filter(None, (enough, flat)))

    def met(self, accuracies: Sequence[float]) -> str | None:
        """Return in words why a training ends after evaluations with `accuracies`, if it does."""
        if self.accuracy is not None and accuracies and accuracies[-1] >= self.accuracy:
            return f"accuracy {accuracies[-1]:.4f} is at least {exact(self.accuracy)}"
        return None if self.plateau is None else self.plateau.met(accuracies)
