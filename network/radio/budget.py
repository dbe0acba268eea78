"""The link budget: from powers, gains and losses to signal-to-noise ratios."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from slfac_sim.foundation.arrays import Bools, Floats
from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import Part, Watts, dbm_to_w, w_to_dbm
from slfac_sim.network.radio.pathloss import PathLoss
from slfac_sim.network.radio.penetration import Inside, outside
from slfac_sim.network.radio.shadowing import shadow_db
from slfac_sim.network.radio.signal import Signal, evenly, limited

Shadowing = Literal["none", "independent", "correlated"]

THERMAL_NOISE_DBM_PER_HZ = -174.0
_BLOCK_HZ = 180e3
_FILLED = 0.9
_INDOOR = 2  # a state beside those without and with a line of sight
_LOWEST_HZ, _HIGHEST_HZ, _WIDEST = 0.5e9, 100e9, 0.1


def noise_dbm(bandwidth_hz: float, noise_figure_db: float) -> float:
    """Return the noise power of a receiver: -174 dBm/Hz + 10 lg B + NF."""
    return THERMAL_NOISE_DBM_PER_HZ + 10.0 * float(np.log10(bandwidth_hz)) + noise_figure_db


def ratio(level_db: Floats) -> Floats:
    """Return the power ratios of `level_db`."""
    return np.power(10.0, level_db / 10.0)


@settings
class PowerControl:
    """Open-loop power control of devices, min(Pmax, P0 + 10 lg M + alpha PL) in M resource blocks."""

    references: ClassVar[tuple[str, ...]] = ("ts38213",)

    target: Watts = dbm_to_w(-80.0)
    """P0 of TS 38.213: the power on each resource block of 180 kHz with which a device without path loss
    would send, and which a station receives where `alpha` is 1. The more, the higher are rates, energy and
    interference. The default is an engineering value.
    """
    alpha: Part = 0.8
    """Part of the path loss in dB, with shadowing and antenna gains, that a device makes up for: with 1 all
    are received alike, with 0 all send alike. In between, distant devices are received weaker and disturb
    other cells less.
    """

    def __post_init__(self) -> None:
        if not 0.0 <= self.alpha <= 1.0:
            raise ValueError(f"alpha must lie in [0, 1] (got {self.alpha:g})")

    def power_w(self, loss_db: Floats, bandwidth_hz: float | Floats, most_w: float) -> Floats:
        """Return what each device sends with in `bandwidth_hz`; `loss_db` includes shadowing and antennas."""
        most_dbm, target_dbm = w_to_dbm(most_w), w_to_dbm(self.target)
        power_dbm = uplink_power_dbm(most_dbm, target_dbm, blocks(bandwidth_hz), self.alpha, loss_db)
        return ratio(power_dbm - 30.0)

    def w_per_hz(self, loss_db: Floats) -> Floats:
        """Return the density that each device sends with where its limit does not matter."""
        return np.asarray(self.target / _BLOCK_HZ * np.power(10.0, self.alpha * loss_db / 10.0))


def uplink_power_dbm(
    most_dbm: float, target_dbm: float, blocks: float | Floats, alpha: float, loss_db: Floats
) -> Floats:
    """Return min(Pmax, P0 + 10 lg M + alpha PL) of TS 38.213, clause 7.1.1, without closed loop.

    M counts resource blocks of 180 kHz: 2^mu N_PRB for numerology mu.
    """
    return np.asarray(np.minimum(most_dbm, target_dbm + 10.0 * np.log10(blocks) + alpha * loss_db))


def blocks(bandwidth_hz: float | Floats) -> float | Floats:
    """Return how many resource blocks of 180 kHz fill nine tenths of `bandwidth_hz`: 100 in 20 MHz."""
    return _FILLED * bandwidth_hz / _BLOCK_HZ


@dataclass(frozen=True, kw_only=True)
class Budget:
    """Stations and devices, all alike but for where they stand.

    `station_power_w` is a station's power in the whole band, `device_power_w` the most that a device sends
    with in any part of it.
    """

    pathloss: PathLoss
    carrier_hz: float
    bandwidth_hz: float
    device_power_w: float
    station_power_w: float
    antenna_gain_db: float
    station_noise_figure_db: float
    device_noise_figure_db: float
    shadowing: Shadowing
    rician: bool
    power_control: PowerControl | None

    def remarks(self) -> tuple[str, ...]:
        """Return what a user should know about this carrier and this bandwidth."""
        said = []
        if not _LOWEST_HZ <= self.carrier_hz <= _HIGHEST_HZ:
            said.append(
                f"a carrier of {self.carrier_hz / 1e9:g} GHz is outside 0.5 to 100 GHz, "
                "for which the models of path loss were made"
            )
        if self.bandwidth_hz > _WIDEST * self.carrier_hz:
            said.append(
                f"a band of {self.bandwidth_hz / 1e6:g} MHz is wider than a tenth of its carrier, "
                f"{self.carrier_hz / 1e6:g} MHz: one path loss for all of it is wrong"
            )
        return tuple(said)

    def inside(self, draws: Floats) -> Inside:
        """Return who is in a building, by `draws` [draws, devices] (see `Indoors`)."""
        indoors = self.pathloss.indoors
        return outside(draws.shape[1]) if indoors is None else indoors.inside(draws, self.carrier_hz)

    def gain_db(self, distance_m: Floats, los: Bools, inside: Inside, shadow: Floats, xy_m: Floats) -> Floats:
        """Return antenna gain less path loss, walls and shadowing, [stations, devices].

        `shadow` is standard normal, and independent between devices, which stand at `xy_m` [devices, 2].
        """
        loss_db = self.pathloss.loss_db(distance_m, los, self.carrier_hz)
        shadow_db = self._shadow_db(distance_m, los, inside.indoor, shadow, xy_m)
        return self.antenna_gain_db - loss_db - shadow_db - inside.loss_db

    def power_w(self, gain_db: Floats, part: float | Floats = 1.0) -> Floats:
        """Return what devices send with in `part` of the band, given their gains to their stations."""
        if self.power_control is None:
            return np.full(gain_db.shape, self.device_power_w)
        return self.power_control.power_w(-gain_db, part * self.bandwidth_hz, self.device_power_w)

    def noise_w(self, uplink: bool) -> float:
        """Return the noise power of the stations' receivers (`uplink`) or the devices'."""
        figure_db = self.station_noise_figure_db if uplink else self.device_noise_figure_db
        return dbm_to_w(noise_dbm(self.bandwidth_hz, figure_db))

    def up_signal(self, gain_db: Floats) -> Signal:
        """Return what arrives at the stations of devices that send alone, in any part of the band."""
        received = ratio(gain_db) / self._noise_w_per_hz(True)
        if self.power_control is None:
            return limited(self.device_power_w * received)
        return Signal(self.power_control.w_per_hz(-gain_db) * received, self.device_power_w * received)

    def down_signal(self, gain_db: Floats) -> Signal:
        """Return what arrives of the stations at each device: they spread their power evenly."""
        return evenly(ratio(self.down_snr_db(gain_db)))

    def up_snr_db(self, gain_db: Floats, power_w: Floats) -> Floats:
        """Return the SNR at the station of a device that sends alone with `power_w` in the whole band."""
        noise = noise_dbm(self.bandwidth_hz, self.station_noise_figure_db)
        return 10.0 * np.log10(power_w) + 30.0 + gain_db - noise

    def down_snr_db(self, gain_db: Floats) -> Floats:
        """Return the SNR at each device of the station's transmission."""
        noise = noise_dbm(self.bandwidth_hz, self.device_noise_figure_db)
        return w_to_dbm(self.station_power_w) + gain_db - noise

    def rician_k(self, los: Bools, normal: Floats) -> Floats:
        """Return the Rician factors as power ratios; 0 (Rayleigh) wherever they are not asked for."""
        if not self.rician:
            return np.zeros(los.shape)
        mean_db, sigma_db = self.pathloss.rician_k_db(los)
        return ratio(mean_db + sigma_db * normal)

    def _noise_w_per_hz(self, uplink: bool) -> float:
        return self.noise_w(uplink) / self.bandwidth_hz

    def _shadow_db(
        self, distance_m: Floats, los: Bools, indoor: Bools, shadow: Floats, xy_m: Floats
    ) -> Floats:
        if self.shadowing == "none":
            return np.zeros(los.shape)
        indoors = self.pathloss.indoors
        sigma_db = self.pathloss.shadowing_sigma_db(distance_m, los, self.carrier_hz)
        if indoors is not None:
            sigma_db = np.where(indoor, indoors.sigma_db, sigma_db)
        if self.shadowing == "independent":
            return shadow * sigma_db
        decorrelation_m = self.pathloss.decorrelation_m(los)
        if indoors is not None:
            decorrelation_m = np.where(indoor, indoors.decorrelation_m, decorrelation_m)
        return shadow_db(shadow, xy_m, np.where(indoor, _INDOOR, los), sigma_db, decorrelation_m)
