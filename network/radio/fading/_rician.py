"""The law of Rician power gains of mean 1; Rayleigh is its case K = 0. It knows no device and no time.

A gain is |sqrt(K / (K + 1)) + sqrt(1 / (K + 1)) z|^2 with z complex normal, E|z|^2 = 1.
"""

from math import cos, pi, sqrt

import numpy as np

from slfac_sim.foundation.arrays import Floats
from slfac_sim.network.radio.rates import Survival


def power_gain(rng: np.random.Generator, k: float) -> float:
    """Draw a power gain: |z|^2 is exponential and the phase of z uniform.

    The two draws do not depend on `k`, so that links of any K are compared over the same scatterers.
    """
    scattered, angle = float(rng.standard_exponential()), 2.0 * pi * float(rng.random())
    return (k + 2.0 * sqrt(k * scattered) * cos(angle) + scattered) / (k + 1.0)


def survival(k: Floats) -> Survival:
    """Return P(power gain > x) [devices] for Rician factors `k` [devices].

    Twice (K + 1) times the gain is noncentral chi-squared with 2 degrees of freedom and noncentrality
    2 K, whose tail is Marcum's Q of order 1; for K = 0 it is exp(-x).
    """
    rician = k > 0.0
    if not rician.any():
        return rayleigh_survival

    def tail(x: Floats) -> Floats:
        from scipy.special import chndtr

        return np.where(rician, 1.0 - chndtr(2.0 * (k + 1.0) * x, 2.0, 2.0 * k), np.exp(-x))

    return tail


def rayleigh_survival(x: Floats) -> Floats:
    """Return P(power gain > `x`) under Rayleigh fading: exp(-x)."""
    return np.exp(-x)
