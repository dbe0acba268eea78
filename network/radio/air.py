"""The air of one or more cells: lanes, and every device's rate in every block and any company. No clock."""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from slfac_sim.network.courier import Among, Busy
from slfac_sim.network.engine import Share
from slfac_sim.network.media.proportional_fair import best_survival
from slfac_sim.network.radio import interference
from slfac_sim.network.radio.budget import Floats
from slfac_sim.network.radio.cells import Radio
from slfac_sim.network.radio.placement import Ground
from slfac_sim.network.radio.rates import RateModel, Survival
from slfac_sim.network.transfers import Path

_DEAD_BPS = 1.0
"""A mean rate below this is none: a fade up to the lowest MCS would come once in days, if at all."""

_SURVEYED_BLOCKS = 100


class RadioAir:
    """An `Air` (see `courier`) over `radio`, with the devices on the `ground`."""

    def __init__(self, devices: Sequence[str], server: str, seed: int, radio: Radio, ground: Ground) -> None:
        self.coherence_s = radio.fading.coherence_s
        self.latency_s = radio.latency_s
        self._devices = tuple(devices)
        self._index = {device: i for i, device in enumerate(devices)}
        self._server, self._seed = server, seed
        self._radio, self._ground = radio, ground
        self._cells = range(len(radio.stations))
        self._members = np.bincount(ground.serving, minlength=len(radio.stations))
        self._gain = functools.lru_cache(maxsize=4 * len(devices))(self._new_gain)
        self._sinr = functools.lru_cache(maxsize=256)(self._new_sinr)
        self._mean_bps = functools.lru_cache(maxsize=1024)(self._new_mean_rates)
        self._rated = functools.lru_cache(maxsize=8 * len(devices))(self._new_rate)
        self._paths = functools.cache(self._new_paths)
        self._still = radio.still_gains(devices, seed, ground)
        self._fixed = {uplink: self._fixed_activity(uplink) for uplink in (True, False)}

    # --- the Air of `courier` ---

    def paths(self, src: str, dsts: tuple[str, ...]) -> Sequence[Path]:
        """Return the paths between the server and devices, one a station. Raises `KeyError` for others."""
        return self._paths(src, dsts)

    def share(self, lane: str) -> Share:
        """Return the medium of a lane: each direction of each station has its own, but for half duplex."""
        station, way = _parsed(lane)
        members = int(self._members[station])
        users = {"up": members, "down": members + 1, "air": 2 * members + 1}  # one more for multicasts
        return self._radio.medium.share(max(1, users[way]), self._radio.part(way == "up"))

    def disturbed(self, lane: str) -> Sequence[str]:
        """Return the lanes of the same direction at the other stations, if they hear what goes on here."""
        if self._radio.interference != "activity":
            return ()
        station, way = _parsed(lane)
        return [f"{cell}/{way}" for cell in self._cells if cell != station]

    def rate_bps(self, path: Path, block: int, busy: Busy) -> tuple[float, Among]:
        """Return the slowest receiver's rate in `block` while other lanes are `busy`, and among n."""
        if path.hopeless:
            return 0.0, None
        activity = self._fixed[path.uplink]
        if activity is None:
            station, way = _parsed(path.lane)
            activity = tuple(float(j != station and f"{j}/{way}" in busy) for j in self._cells)
        return self._rated(path, 0 if self.coherence_s is None else block, activity)

    # --- for the survey ---

    def check(self) -> None:
        """Raise `BadInput` where a station has more devices than its medium has places for."""
        ways = ("air",) if self._radio.duplex == "half" else ("up", "down")
        for cell in np.flatnonzero(self._members).tolist():
            for way in ways:
                self.share(f"{cell}/{way}")

    def mean_rates_bps(self, uplink: bool) -> Floats:
        """Return each device's mean rate, alone on its lane, with neighbours as busy as they ever are."""
        return self._mean_bps(uplink, self._fixed[uplink] or (1.0,) * len(self._cells), 1)

    def best_rates_bps(self, uplink: bool) -> Floats:
        """Return the most that each device can have over its part of the medium, however many send."""
        quiet = self._fixed[uplink] or (0.0,) * len(self._cells)
        crowd = int(self._members.max()) if self._gains_from_a_crowd(uplink) else 1
        return self._mean_bps(uplink, quiet, max(1, crowd))

    def multicast_rate_bps(self) -> float:
        """Return the mean rate at which all devices can be reached at once, at the slowest station.

        Under block fading another device is the slowest in each block: the mean of the slowest, over
        the first blocks of the very fades that a run will see.
        """
        everybody = self._new_paths(self._server, self._devices)
        blocks = range(1 if self.coherence_s is None else _SURVEYED_BLOCKS)
        busy = frozenset(path.lane for path in everybody)
        return min(
            float(np.mean([self.rate_bps(path, block, busy)[0] for block in blocks])) for path in everybody
        )

    # --- what it is made of ---

    def _new_paths(self, src: str, dsts: tuple[str, ...]) -> Sequence[Path]:
        uplink = dsts == (self._server,)
        devices = (src,) if uplink else dsts
        if not devices or (not uplink and src != self._server):
            raise KeyError(f"{src} -> {', '.join(dsts)}: one end must be {self._server}")
        served: dict[int, list[str]] = {}
        for device in devices:
            served.setdefault(int(self._ground.serving[self._index[device]]), []).append(device)
        return [self._path(cell, uplink, tuple(members)) for cell, members in sorted(served.items())]

    def _path(self, cell: int, uplink: bool, devices: tuple[str, ...]) -> Path:
        places = self._places(devices)
        quiet = self._fixed[uplink] or (0.0,) * len(self._cells)
        snr_db = self._ground.up_snr_db if uplink else self._ground.down_snr_db
        way = "air" if self._radio.duplex == "half" else "up" if uplink else "down"
        return Path(
            lane=f"{cell}/{way}",
            uplink=uplink,
            devices=devices,
            snr_db=float(snr_db[places].min()),
            power_w=float(self._ground.power_w[places[0]]) if uplink else self._radio.budget.station_power_w,
            hopeless=not self._mean_bps(uplink, quiet, 1)[places].all(),
            power_among=self._power_among(places[0]) if uplink and self._gains_from_a_crowd(True) else None,
        )

    def _power_among(self, place: int) -> Callable[[int], float] | None:
        """Return what a device sends with in 1/n of the band, by its power in all of it."""
        if self._radio.budget.power_control is None:
            return None
        gain_db = self._ground.gain_db[self._ground.serving[place], [place]]
        power_w = float(self._ground.power_w[place])
        return functools.cache(lambda n: float(self._radio.budget.power_w(gain_db, 1.0 / n)[0]) / power_w)

    def _places(self, devices: Sequence[str]) -> list[int]:
        return [self._index[device] for device in devices]

    def _new_gain(self, device: str, block: int) -> float:
        k = float(self._ground.k[self._index[device]])
        return self._radio.fading.gain(self._seed, device, block, k)

    def _new_sinr(self, uplink: bool, activity: tuple[float, ...], n: int) -> Floats:
        return self._still * self._radio.sinr(self._ground, uplink, np.array(activity), n)

    def _new_rate(self, path: Path, block: int, activity: tuple[float, ...]) -> tuple[float, Among]:
        rate_bps = self._slowest(path, block, activity)
        crowd = self._gains_from_a_crowd(path.uplink) and path.devices[1:] == ()
        return rate_bps(1), functools.cache(rate_bps) if crowd else None

    def _slowest(self, path: Path, block: int, activity: tuple[float, ...]) -> Callable[[int], float]:
        """Return the slowest receiver's rate over its part of the medium as a function of how many send."""
        places = self._places(path.devices)
        if self.coherence_s is None:
            return lambda n: float(self._mean_bps(path.uplink, activity, n)[places].min())
        gains = np.array([self._gain(device, block) for device in path.devices])
        radio = self._radio

        def rate_bps(n: int) -> float:
            sinr = self._sinr(path.uplink, activity, n)[places] * gains
            rates_bps = radio.rates.rate_bps(sinr, radio.budget.bandwidth_hz, path.uplink)
            return radio.goodput * float(rates_bps.min())

        return rate_bps

    def _new_mean_rates(self, uplink: bool, activity: tuple[float, ...], n: int) -> Floats:
        radio, sinr = self._radio, self._sinr(uplink, activity, n)
        best = n if radio.medium.crowd == "diversity" else 1
        rates = radio.rates if best == 1 else _BestOf(radio.rates, best)
        mean_bps = radio.fading.mean_rate_bps(rates, sinr, radio.budget.bandwidth_hz, uplink, self._ground.k)
        return np.where(mean_bps < _DEAD_BPS, 0.0, radio.goodput * mean_bps)

    def _gains_from_a_crowd(self, uplink: bool) -> bool:
        crowd = self._radio.medium.crowd
        return crowd == "diversity" or (crowd == "power" and uplink)

    def _fixed_activity(self, uplink: bool) -> tuple[float, ...] | None:
        """Return how busy the cells are where that does not change; None where it follows the transfers."""
        kind, cells = self._radio.interference, len(self._cells)
        if kind == "activity":
            return None
        if kind == "load":
            return self._loads(uplink)
        return (float(kind == "full"),) * cells

    def _loads(self, uplink: bool) -> tuple[float, ...]:
        """Return the loads at which every cell carries what it is offered, shared equally by its devices.

        Those that no bit reaches even while the neighbours are silent have no part in it.
        """
        cells, serving = len(self._cells), self._ground.serving
        within_reach = self._new_mean_rates(uplink, (0.0,) * cells, 1) > 0.0
        members = np.bincount(serving, within_reach, minlength=cells)

        def capacity_bps(activity: Floats) -> Floats:
            rates_bps = self._new_mean_rates(uplink, tuple(activity.tolist()), 1)
            with np.errstate(divide="ignore"):
                airtime = np.bincount(serving, np.where(within_reach, 1.0 / rates_bps, 0.0), minlength=cells)
            carried = np.divide(members, airtime, where=airtime > 0.0, out=np.zeros(cells))
            return np.asarray(self._radio.part(uplink) * carried)

        offered_bps = np.where(members > 0.0, self._radio.offered_bps, 0.0)
        return tuple(interference.loads(offered_bps, capacity_bps).tolist())


@dataclass(frozen=True)
class _BestOf:
    """A rate model's mean rate at the best of `n` fades: what a proportional fair scheduler sends on.

    It leaves the rest to the model, and stands in for it where a mean over fades is asked for.
    """

    rates: RateModel
    n: int

    def rate_bps(self, snr: Floats, bandwidth_hz: float, uplink: bool) -> Floats:
        return self.rates.rate_bps(snr, bandwidth_hz, uplink)

    def mean_rate_bps(self, snr: Floats, bandwidth_hz: float, uplink: bool, survival: Survival) -> Floats:
        return self.rates.mean_rate_bps(snr, bandwidth_hz, uplink, best_survival(self.n, survival))

    def check(self, bandwidth_hz: float) -> None:
        self.rates.check(bandwidth_hz)

    def remarks(self, bandwidth_hz: float) -> tuple[str, ...]:
        return self.rates.remarks(bandwidth_hz)


def _parsed(lane: str) -> tuple[int, str]:
    station, _, way = lane.partition("/")
    return int(station), way
