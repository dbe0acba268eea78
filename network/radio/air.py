"""The air of one or more cells: lanes, and every device's rate in every block and any company. No clock."""

import functools
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from slfac_sim.foundation.arrays import Bools, Floats
from slfac_sim.network.contract import Hosts
from slfac_sim.network.engine import Share
from slfac_sim.network.fluid_network import Air, Among
from slfac_sim.network.radio.cells import Radio
from slfac_sim.network.radio.placement import Ground
from slfac_sim.network.radio.reception import Activity, Reception
from slfac_sim.network.transfers import Path

_SURVEYED_BLOCKS = 100


class RadioAir(Air):
    """The air of `radio`, with the devices on the `ground`."""

    def __init__(self, hosts: Hosts, seed: int, radio: Radio, ground: Ground) -> None:
        devices = hosts.devices
        self.hosts, self.radio, self.ground = hosts, radio, ground
        self._server, self._seed = hosts.server, seed
        self._coherence_s = radio.fading.coherence_s
        self._reception = Reception(devices, seed, radio, ground)
        self._cells = range(len(radio.stations))
        self._index = {device: i for i, device in enumerate(devices)}
        self._member = {  # the place of each device among those of its cell
            device: int(np.searchsorted(self._reception.members[cell], i))
            for (device, i), cell in zip(self._index.items(), ground.serving.tolist(), strict=True)
        }
        self._gain = functools.lru_cache(maxsize=4 * len(devices))(self._new_gain)
        self._rated = functools.lru_cache(maxsize=8 * len(devices))(self._new_rate)
        self._paths = functools.cache(self._new_paths)

    @property
    def coherence_s(self) -> float | None:
        """The length of a block of fading, or None."""
        return self._coherence_s

    def paths(self, src: str, dsts: tuple[str, ...]) -> Sequence[Path]:
        """Return the paths between the server and devices, one a station. Raises `KeyError` for others."""
        return self._paths(src, dsts)

    def share(self, lane: str) -> Share:
        """Return the medium of a lane: each direction of each station has its own, but for half duplex."""
        cell, way = _parsed(lane)
        return self.radio.medium.share(self._reception.users(cell, way), self.radio.part(way == "up"))

    def senders(self, lane: str, transfers: int) -> int:
        """Return how many senders the disturbed lanes hear of `lane`."""
        return self.radio.senders(_parsed(lane)[1] == "up", transfers)

    def disturbed(self, lane: str) -> Sequence[str]:
        """Return the lanes of the same direction at the other stations, if they hear what goes on here."""
        if self.radio.interference != "activity":
            return ()
        own, way = _parsed(lane)
        return [f"{cell}/{way}" for cell in self._cells if cell != own]

    def rate_bps(self, path: Path, block: int, heard: Mapping[str, int]) -> tuple[float, Among]:
        """Return the slowest receiver's rate in `block` while others are `heard`, and among n."""
        if path.unreachable:
            return 0.0, None
        activity = self._reception.fixed[path.uplink]
        if activity is None:
            own, way = _parsed(path.lane)
            activity = tuple(0.0 if j == own else float(heard.get(f"{j}/{way}", 0)) for j in self._cells)
        return self._rated(path, 0 if self._coherence_s is None else block, activity)

    def check(self) -> None:
        """Raise `BadInput` where a station has more devices than its medium has places for."""
        for cell in self._cells:
            for way in self._ways() if len(self._reception.members[cell]) else ():
                self.share(f"{cell}/{way}")

    def reached(self) -> Bools:
        """Return whom bits reach both ways [devices], with neighbours as busy as they ever are."""
        return np.asarray((self.mean_rates_bps(True) > 0.0) & (self.mean_rates_bps(False) > 0.0))

    def mean_rates_bps(self, uplink: bool) -> Floats:
        """Return each device's mean rate, alone on its lane, with neighbours as busy as they ever are."""
        return self._of_all(uplink, self._reception.everybody(uplink), lambda cell: 1)

    def best_rates_bps(self, uplink: bool) -> Floats:
        """Return the most that each device can have over its part of the medium, however many send."""
        way = self._way(uplink)
        crowd = self._reception.gains_from_a_crowd(uplink)
        quiet = self._reception.nobody(uplink)
        return self._of_all(uplink, quiet, lambda cell: self._reception.users(cell, way) if crowd else 1)

    def multicast_rate_bps(self) -> float:
        """Return the mean rate at which all devices can be reached at once, at the slowest station.

        Under block fading another device is the slowest in each block: the mean of the slowest, over
        the first blocks of the very fades that a run will see.
        """
        everybody = self._new_paths(self._server, tuple(self.hosts.devices))
        blocks = range(1 if self._coherence_s is None else _SURVEYED_BLOCKS)
        heard = {path.lane: 1 for path in everybody}
        return min(
            float(np.mean([self.rate_bps(path, block, heard)[0] for block in blocks])) for path in everybody
        )

    def _of_all(self, uplink: bool, activity: Activity, n: Callable[[int], int]) -> Floats:
        rates_bps = np.zeros(len(self.hosts.devices))
        for cell, members in enumerate(self._reception.members):
            rates_bps[members] = self._reception.mean_bps(cell, uplink, activity, n(cell))
        return rates_bps

    def _ways(self) -> tuple[str, ...]:
        return ("air",) if self.radio.duplex == "half" else ("up", "down")

    def _way(self, uplink: bool) -> str:
        return self._ways()[0 if uplink else -1]

    def _new_paths(self, src: str, dsts: tuple[str, ...]) -> Sequence[Path]:
        uplink = dsts == (self._server,)
        devices = (src,) if uplink else dsts
        if not devices or (not uplink and src != self._server):
            raise KeyError(f"{src} -> {', '.join(dsts)}: one end must be {self._server}")
        served: dict[int, list[str]] = {}
        for device in devices:
            served.setdefault(int(self.ground.serving[self._index[device]]), []).append(device)
        return [self._path(cell, uplink, tuple(members)) for cell, members in sorted(served.items())]

    def _path(self, cell: int, uplink: bool, devices: tuple[str, ...]) -> Path:
        place = self._index[devices[0]]
        snr_db = self.ground.up_snr_db if uplink else self.ground.down_snr_db
        rates_bps = self._reception.mean_bps(cell, uplink, self._reception.nobody(uplink), 1)
        return Path(
            lane=f"{cell}/{self._way(uplink)}",
            uplink=uplink,
            devices=devices,
            snr_db=min(float(snr_db[self._index[device]]) for device in devices),
            power_w=float(self.ground.power_w[place]) if uplink else self.radio.budget.station_power_w,
            latency_s=self.radio.latency_s,
            unreachable=not rates_bps[self._members(devices)].all(),
            power_among=self._power_among(place) if self._reception.part(uplink, 2) < 1.0 else None,
        )

    def _power_among(self, place: int) -> Callable[[int], float]:
        """Return what a device sends with on average in 1/n of the band, by its power in all of it.

        Where there are fewer parts than senders, they take turns.
        """
        gain_db = self.ground.gain_db[self.ground.serving[place], [place]]
        power_w = float(self.ground.power_w[place])
        most = self.radio.rates.most_parts(self.radio.budget.bandwidth_hz)

        def of_full(n: int) -> float:
            part = 1.0 / min(n, most)
            return float(self.radio.budget.power_w(gain_db, part)[0]) / power_w / (part * n)

        return functools.cache(of_full)

    def _members(self, devices: Sequence[str]) -> list[int]:
        return [self._member[device] for device in devices]

    def _new_gain(self, device: str, block: int) -> float:
        k = float(self.ground.k[self._index[device]])
        return self.radio.fading.gain(self._seed, device, block, k)

    def _new_rate(self, path: Path, block: int, activity: Activity) -> tuple[float, Among]:
        rate_bps = self._slowest(path, block, activity)
        crowd = self._reception.gains_from_a_crowd(path.uplink) and path.devices[1:] == ()
        return rate_bps(1), functools.cache(rate_bps) if crowd else None

    def _slowest(self, path: Path, block: int, activity: Activity) -> Callable[[int], float]:
        """Return the slowest receiver's rate over its part of the medium as a function of how many send."""
        reception, uplink = self._reception, path.uplink
        if self._coherence_s is None:
            cell, members = _parsed(path.lane)[0], self._members(path.devices)
            return lambda n: float(reception.mean_bps(cell, uplink, activity, n)[members].min())
        radio = self.radio
        gains = np.array([self._gain(device, block) for device in path.devices])
        places = [self._index[device] for device in path.devices]
        signal = reception.signal(uplink, activity).of(places).times(gains)

        def rate_bps(n: int) -> float:
            part = reception.part(uplink, n)
            rates_bps = radio.rates.best_rate_bps(signal, radio.budget.bandwidth_hz, part, uplink)
            return radio.goodput / part * float(rates_bps.min())

        return rate_bps


def _parsed(lane: str) -> tuple[int, str]:
    station, _, way = lane.partition("/")
    return int(station), way
