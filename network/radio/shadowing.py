"""Shadowing that neighbours have in common: correlated in space and between sites. It draws nothing itself.

The autocorrelation over a distance d is exp(-d / d_cor) (Gudmundson 1991; TR 38.901, clause 7.4.4). Links
with and without line of sight, or into buildings, differ in sigma and d_cor, and are independent of each
other, as there.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from slfac_sim.foundation.arrays import Floats

MOST_CORRELATED = 2000
"""More devices than this are shadowed independently: the work grows with the cube of their number."""

_BETWEEN_SITES = 0.5
_OWN = 1e-9  # kept apart, so that devices at one place do not make the matrix singular


def between_sites(common: Floats, own: Floats) -> Floats:
    """Return normals [sites, devices] that have a correlation of 0.5 between the sites of a device.

    `common` [devices] and `own` [sites, devices] are independent standard normals.
    """
    return np.asarray(np.sqrt(_BETWEEN_SITES) * common + np.sqrt(1.0 - _BETWEEN_SITES) * own)


def shadow_db(
    normals: Floats, xy_m: Floats, states: NDArray[Any], sigma_db: Floats, decorrelation_m: Floats
) -> Floats:
    """Return the shadowing of devices at `xy_m` [devices, 2]; all else is [sites, devices].

    `states` tell links apart that have no shadow in common: with and without a line of sight.

    `normals` are standard normal and independent between devices; their correlation between sites stays
    (and is less for a device that has a line of sight to one site alone). A device's shadow depends on
    the normals of the devices before it, and on nobody's after it. With more than `MOST_CORRELATED`
    devices the normals are taken as they are.
    """
    if len(xy_m) > MOST_CORRELATED:
        return sigma_db * normals
    shadow = np.empty_like(normals)
    for site, state in enumerate(states):
        for one in np.unique(state):
            group = np.flatnonzero(state == one)
            d_cor_m = float(decorrelation_m[site, group[0]])
            shadow[site, group] = _root(xy_m[group], d_cor_m) @ normals[site, group]
    return sigma_db * shadow


def _root(xy_m: Floats, decorrelation_m: float) -> Floats:
    """Return the lower triangular root [devices, devices] of the matrix of correlations."""
    apart_m = np.hypot(*(coordinate[:, None] - coordinate[None, :] for coordinate in xy_m.T))
    correlation = (1.0 - _OWN) * np.exp(-apart_m / decorrelation_m)
    np.fill_diagonal(correlation, 1.0)
    return np.linalg.cholesky(correlation)
