"""What the scenarios of 3GPP TR 38.901 have in common: two slopes, a breakpoint, tables by line of sight."""

from dataclasses import dataclass

import numpy as np

from slfac_sim.foundation.arrays import Bools, Floats

_C_M_PER_S = 3.0e8  # Note 1 of Table 7.4.1-1 rounds the speed of light
EFFECTIVE_ENVIRONMENT_M = 1.0


@dataclass(frozen=True)
class TwoSlopes:
    """A row pair of Table 7.4.1-1, in dB: losses at 1 m and 1 GHz, and what a decade adds to them.

    `blocked_height_db` is taken off for each metre of the device's antenna above 1.5 m.
    """

    seen_db: float
    seen_decade_db: float
    breakpoint_db: float
    blocked_db: float
    blocked_decade_db: float
    blocked_carrier_db: float
    blocked_height_db: float


def breakpoint_m(carrier_hz: float, station_height_m: float, device_height_m: float) -> float:
    """Return the breakpoint distance d'BP of Table 7.4.1-1, Note 1."""
    effective_m2 = (station_height_m - EFFECTIVE_ENVIRONMENT_M) * (device_height_m - EFFECTIVE_ENVIRONMENT_M)
    return 4.0 * effective_m2 * carrier_hz / _C_M_PER_S


def two_slopes_db(
    law: TwoSlopes,
    d2d_m: Floats,
    d3d_m: Floats,
    carrier_hz: float,
    station_height_m: float,
    device_height_m: float,
    los: Bools,
) -> Floats:
    """Return the loss of `law`, from horizontal and slant distances; never less when blocked."""
    carrier_db = 20.0 * np.log10(carrier_hz / 1e9)
    break_m = breakpoint_m(carrier_hz, station_height_m, device_height_m)
    break_3d_m2 = break_m**2 + (station_height_m - device_height_m) ** 2
    near_db = law.seen_db + law.seen_decade_db * np.log10(d3d_m) + carrier_db
    far_db = law.seen_db + 40.0 * np.log10(d3d_m) + carrier_db - law.breakpoint_db * np.log10(break_3d_m2)
    los_db = np.where(d2d_m <= break_m, near_db, far_db)
    blocked_db = (
        law.blocked_decade_db * np.log10(d3d_m)
        + law.blocked_db
        + law.blocked_carrier_db * np.log10(carrier_hz / 1e9)
        - law.blocked_height_db * (device_height_m - 1.5)
    )
    loss_db: Floats = np.where(los, los_db, np.maximum(los_db, blocked_db))
    return loss_db


def rician_k_db(los: Bools, mean_db: float, sigma_db: float) -> tuple[Floats, Floats]:
    """Return mean and deviation of K with a line of sight; without one, those of Rayleigh fading."""
    return np.where(los, mean_db, -np.inf), np.where(los, sigma_db, 0.0)
