"""What the cells of a network are made of, who is covered, and how they disturb each other. No clock here."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from slfac_sim.network.contract import Station
from slfac_sim.network.media import Medium
from slfac_sim.network.radio import interference
from slfac_sim.network.radio.budget import Budget, Floats, ratio
from slfac_sim.network.radio.fading import Fading
from slfac_sim.network.radio.placement import Bools, Ground
from slfac_sim.network.radio.rates import RateModel

Duplex = Literal["tdd", "fdd", "half"]
Interference = Literal["none", "full", "activity", "load"]


@dataclass(frozen=True, kw_only=True)
class Radio:
    """What the air is made of, one set for every kind of radio network.

    `goodput` is the part of the rate that is left by retransmissions. `offered_bps` is what each cell is
    taken to carry in each direction when neighbours disturb by their `load`.
    """

    stations: tuple[Station, ...]
    budget: Budget
    rates: RateModel
    fading: Fading
    medium: Medium
    duplex: Duplex
    uplink_share: float
    interference: Interference = "none"
    offered_bps: float = 0.0
    goodput: float = 1.0
    latency_s: float = 0.0

    def part(self, uplink: bool) -> float:
        """Return the part of the time that a direction has, when the other one wants its own too."""
        if self.duplex == "tdd":
            return self.uplink_share if uplink else 1.0 - self.uplink_share
        return 1.0

    def covered(self, devices: Sequence[str], seed: int, ground: Ground) -> Bools:
        """Return who gets bits through both ways, judged without fades that pass and with every cell busy.

        The mean over fades is never quite 0, however far the device.
        """
        busy = np.full(len(self.stations), float(self.interference != "none"))
        still = self.still_gains(devices, seed, ground)
        rates_bps = [
            self.rates.rate_bps(still * self.sinr(ground, uplink, busy), self.budget.bandwidth_hz, uplink)
            for uplink in (True, False)
        ]
        return np.asarray((rates_bps[0] > 0.0) & (rates_bps[1] > 0.0))

    def still_gains(self, devices: Sequence[str], seed: int, ground: Ground) -> Floats:
        """Return the gains [devices] of a fading that stands still; 1 where it moves, or there is none."""
        if self.fading.coherence_s is not None:
            return np.ones(len(devices))
        each = zip(devices, ground.k.tolist(), strict=True)
        return np.array([self.fading.gain(seed, device, 0, k) for device, k in each])

    def sinr(self, ground: Ground, uplink: bool, activity: Floats, n: int = 1) -> Floats:
        """Return the mean SINR [devices] at the receivers, when each has the n-th part of the band.

        Station j's cell is on the air for the part `activity[j]` of the time; what its devices do to another
        station is the mean over them. Where the uplink is limited by power, a device puts its own, up to
        its limit, into its part: its power per hertz grows, as does that of those who disturb it. A station
        spreads its power over all, and no part of the band is better than the whole.
        """
        if not uplink:
            snr, power_w = ratio(ground.down_snr_db), None
        elif n > 1 and self.medium.crowd == "power":
            mine_db = ground.gain_db[ground.serving, np.arange(len(ground.serving))]
            power_w = n * self.budget.power_w(mine_db, 1.0 / n)
            snr = ratio(self.budget.up_snr_db(mine_db, power_w))
        else:
            snr, power_w = ratio(ground.up_snr_db), ground.power_w
        if not activity.any():
            return snr
        gain = ratio(ground.gain_db)
        if power_w is None:
            heard_w = interference.downlink_w(ground.serving, self.budget.station_power_w * gain, activity)
        else:
            heard_w = interference.uplink_w(ground.serving, power_w, gain, activity)
        return np.asarray(snr / (1.0 + heard_w / self.budget.noise_w(uplink)))
