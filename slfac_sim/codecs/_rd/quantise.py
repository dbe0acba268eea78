"""The dead-zone uniform quantiser, and what its error is; it knows no bytes.

A magnitude a (in steps) becomes floor(a + 1 - dead_zone): below the dead zone it is zero. What is not zero is
rebuilt at its mean: magnitudes of 1 at `first`, larger ones q at q + `shift`.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from slfac_sim.codecs.kit.floats import Floats

_CODE = 128  # `first` and `shift` are sent in 1/128


@dataclass(frozen=True)
class Levels:
    """Coefficients quantised: where they are not zero, and the points at which others are rebuilt.

    `first` and `shift` are codes, rounded down, so that no magnitude is rebuilt beyond its mean.
    """

    where: NDArray[np.bool_]
    first: int
    shift: int


def quantise(coefficients: Floats, step: float, dead_zone: float) -> Levels:
    """Return where `coefficients` in `step` are not zero, and their means."""
    where = np.abs(coefficients) >= np.float32(step * dead_zone)
    sent = coefficients.reshape(-1)[np.flatnonzero(where)]
    magnitude, _ = values(sent, step, dead_zone)
    exact = np.abs(sent).astype(np.float64) / step
    ones = magnitude == 1
    first = min(255, int(_mean(exact[ones]) * _CODE))
    shift = int(np.clip(np.floor(_mean((exact - magnitude)[~ones]) * _CODE), -127, 127))
    return Levels(where, first, shift)


def values(sent: Floats, step: float, dead_zone: float) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """Return magnitude and sign of the coefficients `sent`, none of which is zero when quantised."""
    sizes = np.abs(sent) * np.float32(1.0 / step) + np.float32(1.0 - dead_zone)
    return np.maximum(sizes.astype(np.int32), 1), sent < 0


def rebuild(
    magnitude: NDArray[np.int32], negative: NDArray[np.bool_], first: int, shift: int, step: float
) -> Floats:
    """Return the values of the quantised ones that are not zero."""
    sizes = np.where(magnitude == 1, first / _CODE, magnitude + np.float32(shift / _CODE)).astype(np.float32)
    sizes *= np.where(negative, np.float32(-step), np.float32(step))
    return sizes


def _mean(exact: NDArray[np.float64]) -> float:
    return float(exact.mean()) if exact.size else 0.0
