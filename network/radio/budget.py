"""The link budget: from powers, gains and losses to signal-to-noise ratios. No interference (one cell)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from slfac_sim.foundation.units import w_to_dbm
from slfac_sim.network.radio.pathloss import PathLoss

Floats = NDArray[np.float64]

THERMAL_NOISE_DBM_PER_HZ = -174.0


def noise_dbm(bandwidth_hz: float, noise_figure_db: float) -> float:
    """Return the noise power of a receiver: -174 dBm/Hz + 10 lg B + NF."""
    return THERMAL_NOISE_DBM_PER_HZ + 10.0 * float(np.log10(bandwidth_hz)) + noise_figure_db


def ratio(level_db: Floats) -> Floats:
    """Return the power ratios of `level_db`."""
    return np.power(10.0, level_db / 10.0)


@dataclass(frozen=True, kw_only=True)
class Budget:
    """One station and its devices, all alike but for where they stand; every sender uses the whole band."""

    pathloss: PathLoss
    carrier_hz: float
    bandwidth_hz: float
    device_power_w: float
    station_power_w: float
    antenna_gain_db: float
    station_noise_figure_db: float
    device_noise_figure_db: float
    shadowing: bool

    def gain_db(self, distance_m: Floats, los: NDArray[np.bool_], shadow: Floats) -> Floats:
        """Return antenna gain less path loss and shadowing; `shadow` [devices] is standard normal."""
        shadow_db = shadow * self.pathloss.shadowing_sigma_db(los) * float(self.shadowing)
        return self.antenna_gain_db - self.pathloss.loss_db(distance_m, los, self.carrier_hz) - shadow_db

    def up_snr_db(self, gain_db: Floats) -> Floats:
        """Return the SNR at the station of a device that transmits alone."""
        noise = noise_dbm(self.bandwidth_hz, self.station_noise_figure_db)
        return w_to_dbm(self.device_power_w) + gain_db - noise

    def down_snr_db(self, gain_db: Floats) -> Floats:
        """Return the SNR at each device of the station's transmission."""
        noise = noise_dbm(self.bandwidth_hz, self.device_noise_figure_db)
        return w_to_dbm(self.station_power_w) + gain_db - noise
