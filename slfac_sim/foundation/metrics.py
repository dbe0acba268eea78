"""What a trained model is measured by, one definition each, on whole numbers of test samples; and targets.

>>> sure = Counts(classes=[(3, 4, 3), (1, 0, 0)], devices=[(2, 2), (2, 1)], accuracy=0.75, loss=0.5)
>>> METRICS["balanced_accuracy"].of(sure), METRICS["device_mean"].of(sure)
(0.5, 0.75)

Right answers are added as integers, shares of them exactly, and divided once: a mean of equal shares is that
share.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True)
class Counts:
    """What an evaluation counted, beside its `accuracy` and mean `loss`.

    `classes` are, for each class, its samples, the samples that were taken for it, and the right answers;
    `devices`, for each device, the samples of its own share of the test set and the right answers among them.
    """

    classes: Sequence[tuple[int, int, int]]
    devices: Sequence[tuple[int, int]]
    accuracy: float
    loss: float


@dataclass(frozen=True)
class Metric:
    """A figure of an evaluation: `of` returns it, None where nothing was counted that it could be of."""

    title: str
    words: str
    """A target in words, of which ``{}`` is the value."""
    of: Callable[[Counts], float | None]
    is_share: bool = True
    """Whether it lies from 0 to 1."""
    less_is_better: bool = False

    def reaches(self, value: float | None, target: float) -> bool:
        """Return whether `value` is as good as `target`, or better."""
        if value is None:
            return False
        return value <= target if self.less_is_better else value >= target


def recall(samples: int, taken: int, right: int) -> Fraction:
    """Return the share of a class's `samples` that were taken for it."""
    return Fraction(right, samples)


def precision(samples: int, taken: int, right: int) -> Fraction:
    """Return the share of the samples `taken` for a class that are of it; 0 where none were."""
    return Fraction(right, taken) if taken else Fraction(0)


def f1(samples: int, taken: int, right: int) -> Fraction:
    """Return the harmonic mean of precision and recall of a class."""
    return Fraction(2 * right, samples + taken)


def _balanced_accuracy(counts: Counts) -> float | None:
    """Return the mean recall of the classes that have samples."""
    return _mean(recall(*one) for one in counts.classes if one[0])


def _macro_f1(counts: Counts) -> float | None:
    """Return the mean F1 of the classes that have samples, or were answers."""
    return _mean(f1(*one) for one in counts.classes if one[0] or one[1])


def _worst_class(counts: Counts) -> float | None:
    """Return the least recall of a class that has samples."""
    return min((float(recall(*one)) for one in counts.classes if one[0]), default=None)


def _device_shares(counts: Counts) -> list[Fraction]:
    return [Fraction(right, samples) for samples, right in counts.devices if samples]


def _device_mean(counts: Counts) -> float | None:
    return _mean(_device_shares(counts))


def _device_spread(counts: Counts) -> float | None:
    """Return the standard deviation over devices."""
    shares = _device_shares(counts)
    if not shares:
        return None
    squares, mean = (_sum(each) / len(shares) for each in ((share**2 for share in shares), shares))
    return math.sqrt(squares - mean**2)


def _device_worst_tenth(counts: Counts) -> float | None:
    """Return the mean over the tenth of the devices that are worst, rounded up to whole devices."""
    shares = sorted(_device_shares(counts))
    return _mean(shares[: math.ceil(len(shares) / 10)])


METRICS: Mapping[str, Metric] = {
    "accuracy": Metric("accuracy", "{}", lambda counts: counts.accuracy),
    "balanced_accuracy": Metric("balanced accuracy", "{} balanced accuracy", _balanced_accuracy),
    "macro_f1": Metric("macro-F1", "{} macro-F1", _macro_f1),
    "worst_class": Metric("worst class", "{} in the worst class", _worst_class),
    "device_mean": Metric("mean of devices", "{} on the mean of devices", _device_mean),
    "device_worst_tenth": Metric(
        "worst tenth of devices", "{} in the worst tenth of devices", _device_worst_tenth
    ),
    "device_spread": Metric(
        "spread over devices", "a spread of {} over devices", _device_spread, less_is_better=True
    ),
    "loss": Metric(
        "test loss", "a test loss of {}", lambda counts: counts.loss, is_share=False, less_is_better=True
    ),
}
"""By the names that targets have in a scenario."""


def _mean(shares: Iterable[Fraction]) -> float | None:
    shares = list(shares)
    return float(_sum(shares) / len(shares)) if shares else None


def _sum(shares: Iterable[Fraction]) -> Fraction:
    """Return the exact sum; those of one denominator first, which is much faster for many devices."""
    by_denominator: Counter[int] = Counter()
    for share in shares:
        by_denominator[share.denominator] += share.numerator
    return sum((Fraction(sum_, below) for below, sum_ in by_denominator.items()), Fraction(0))
