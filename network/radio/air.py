"""The air of one cell: an uplink and a downlink lane, and every device's rate in every block. No clock."""

import functools
from collections.abc import Sequence

import numpy as np

from slfac_sim.network.radio.budget import Budget, Floats, ratio
from slfac_sim.network.radio.fading import Fading
from slfac_sim.network.radio.placement import Ground
from slfac_sim.network.radio.rates import RateModel
from slfac_sim.network.transfers import Path

_DEAD_BPS = 1.0
"""A mean rate below this is none: a fade up to the lowest MCS would come once in days, if at all."""

_SURVEYED_BLOCKS = 100


class CellAir:
    """An `Air` where the devices of one cell share its time, each transmission on the whole band."""

    def __init__(
        self,
        devices: Sequence[str],
        server: str,
        seed: int,
        ground: Ground,
        budget: Budget,
        rates: RateModel,
        fading: Fading,
        uplink_share: float,
        latency_s: float,
    ) -> None:
        self.coherence_s = fading.coherence_s
        self.latency_s = latency_s
        self._index = {device: i for i, device in enumerate(devices)}
        self._server = server
        self._budget, self._rates, self._fading = budget, rates, fading
        self._share = {"up": uplink_share, "down": 1.0 - uplink_share}
        self._snr_db = {True: ground.up_snr_db, False: ground.down_snr_db}
        self._snr = {uplink: ratio(level_db) for uplink, level_db in self._snr_db.items()}
        self._power_w = {True: budget.device_power_w, False: budget.station_power_w}
        self._mean_bps = {uplink: self._mean_rates(uplink) for uplink in (True, False)}
        self._gain = functools.lru_cache(maxsize=4 * len(devices))(functools.partial(fading.gain, seed))
        self._paths = functools.cache(self._new_path)
        self._slowest_bps = functools.cache(self._slowest_mean)

    def path(self, src: str, dsts: tuple[str, ...], multicast: bool) -> Path:
        """Return the path between the server and devices. Raises `KeyError` for any other pair."""
        return self._paths(src, dsts)

    def _new_path(self, src: str, dsts: tuple[str, ...]) -> Path:
        uplink = dsts == (self._server,)
        devices = (src,) if uplink else dsts
        if not devices or (not uplink and src != self._server):
            raise KeyError(f"{src} -> {', '.join(dsts)}: one end must be {self._server}")
        indices = [self._index[device] for device in devices]
        return Path(
            lane="up" if uplink else "down",
            uplink=uplink,
            devices=devices,
            snr_db=float(self._snr_db[uplink][indices].min()),
            power_w=self._power_w[uplink],
            hopeless=not self._mean_bps[uplink][indices].all(),
        )

    def capacity(self, lane: str) -> float:
        """Return the part of the time that the direction has."""
        return self._share[lane]

    def rate_bps(self, path: Path, block: int) -> float:
        """Return the slowest receiver's rate in `block`, alone on its lane."""
        if self.coherence_s is None or path.hopeless:
            return self._slowest_bps(path.uplink, path.devices)
        indices = [self._index[device] for device in path.devices]
        gains = np.array([self._gain(device, block) for device in path.devices])
        snr = self._snr[path.uplink][indices] * gains
        return float(self._rates.rate_bps(snr, self._budget.bandwidth_hz, path.uplink).min())

    def mean_rates_bps(self, uplink: bool) -> Floats:
        """Return each device's mean rate, alone on its lane."""
        return self._mean_bps[uplink]

    def multicast_rate_bps(self) -> float:
        """Return the mean rate at which all devices can be reached at once.

        Under block fading another device is the slowest in each block: the mean of the slowest, over
        the first blocks of the very fades that a run will see.
        """
        everybody = self._new_path(self._server, tuple(self._index))
        blocks = range(1 if self.coherence_s is None else _SURVEYED_BLOCKS)
        return float(np.mean([self.rate_bps(everybody, block) for block in blocks]))

    def _slowest_mean(self, uplink: bool, devices: tuple[str, ...]) -> float:
        return float(self._mean_bps[uplink][[self._index[device] for device in devices]].min())

    def _mean_rates(self, uplink: bool) -> Floats:
        band_hz = self._budget.bandwidth_hz
        mean_bps = self._fading.mean_rate_bps(self._rates, self._snr[uplink], band_hz, uplink)
        return np.where(mean_bps < _DEAD_BPS, 0.0, mean_bps)
