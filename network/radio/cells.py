"""What the cells of a network are made of, who is covered, and what arrives where. No clock here."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from slfac_sim.foundation.arrays import Bools, Floats
from slfac_sim.network.contract import Station
from slfac_sim.network.media import Medium
from slfac_sim.network.radio import interference
from slfac_sim.network.radio.budget import Budget, ratio
from slfac_sim.network.radio.fading import Fading
from slfac_sim.network.radio.placement import Ground
from slfac_sim.network.radio.rates import RateModel
from slfac_sim.network.radio.signal import Signal

Duplex = Literal["tdd", "fdd", "half"]
Interference = Literal["none", "full", "activity", "load"]


@dataclass(frozen=True, kw_only=True)
class Radio:
    """What the air is made of, one set for every kind of radio network.

    `goodput` is the part of the rate that is left by retransmissions. `offered_bps` is what each cell is
    taken to carry in each direction when neighbours disturb by their `load`. `latency_s` is that of
    downlinks.
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
    up_latency_s: float = 0.0

    def part(self, uplink: bool) -> float:
        """Return the part of the time that a direction has, when the other one wants its own too."""
        if self.duplex == "tdd":
            return self.uplink_share if uplink else 1.0 - self.uplink_share
        return 1.0

    def covered(self, ground: Ground) -> Bools:
        """Return who gets bits through both ways, in the narrowest part of the band and without any fade.

        Neither bandwidth, medium nor neighbours have a part in it: so they move nobody.
        """
        up, down = (self._alone(ground, uplink) for uplink in (True, False))
        return np.asarray(self.rates.covers(up, True) & self.rates.covers(down, False))

    def still_gains(self, devices: Sequence[str], seed: int, ground: Ground) -> Floats:
        """Return the gains [devices] of a fading that stands still; 1 where it moves, or there is none."""
        if self.fading.coherence_s is not None:
            return np.ones(len(devices))
        each = zip(devices, ground.k.tolist(), strict=True)
        return np.array([self.fading.gain(seed, device, 0, k) for device, k in each])

    def senders(self, uplink: bool, transfers: int) -> int:
        """Return how many senders the neighbours hear of a cell with so many transfers under way.

        A station is one, and so are devices that take turns on the whole band.
        """
        if transfers <= 1 or not uplink:
            return min(1, transfers)
        return int(min(self.medium.most_at_once, self.rates.most_parts(self.budget.bandwidth_hz), transfers))

    def signal(self, ground: Ground, others: Ground, uplink: bool, activity: Floats) -> Signal:
        """Return what arrives [devices] over noise and neighbours; `activity` [stations] is theirs.

        That is how many senders each cell has on average; what its devices do to another station is the
        mean over those among the `others`, who may be the same as those on the `ground`. Of m devices at
        once each puts its power, up to its limit, into its m-th of the band: so power limited ones are heard
        m times as loud. A station spreads its power over all of the band.
        """
        alone = self._alone(ground, uplink)
        if not activity.any():
            return alone
        if uplink:
            parts = 1.0 / np.maximum(1.0, activity)[others.serving]
            power_w = self.budget.power_w(_to_own_station(others), parts)
            gain = ratio(others.gain_db)
            heard_w = interference.uplink_w(others.serving, power_w, gain, activity)[ground.serving]
        else:
            gain = ratio(ground.gain_db)
            heard_w = interference.downlink_w(ground.serving, self.budget.station_power_w * gain, activity)
        return alone.times(1.0 / (1.0 + heard_w / self.budget.noise_w(uplink)))

    def _alone(self, ground: Ground, uplink: bool) -> Signal:
        gain_db = _to_own_station(ground)
        return self.budget.up_signal(gain_db) if uplink else self.budget.down_signal(gain_db)


def _to_own_station(ground: Ground) -> Floats:
    return np.asarray(ground.gain_db[ground.serving, np.arange(len(ground.serving))])
