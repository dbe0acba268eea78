"""The mean of a rate over fading, as the integral of its survival function. It knows no rate model."""

from collections.abc import Callable

import numpy as np

from slfac_sim.foundation.arrays import Floats

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(96)

NO_GAIN_ABOVE = 40.0
"""A gain of mean 1 exceeds this with a probability below 1e-17 (Rayleigh; less so for Rician)."""


def integral(scale: float, low: Floats, top: Floats, height: Callable[[Floats], Floats]) -> Floats:
    """Return `scale` times the integral of `height` from `low` to `top` [devices], by Gauss-Legendre."""
    total = np.zeros_like(top)
    for node, weight in zip(_NODES, _WEIGHTS, strict=True):
        total += weight * height(low + (top - low) * (node + 1.0) / 2.0)
    return scale * total * (top - low) / 2.0
