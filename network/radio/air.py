"""The air of one or more cells: lanes, and every device's rate in every block and any company. No clock."""

import functools
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from slfac_sim.foundation.arrays import Bools, Floats
from slfac_sim.network.air import Air, Among
from slfac_sim.network.contract import Hosts
from slfac_sim.network.engine import Entry, Share
from slfac_sim.network.radio.cells import Radio
from slfac_sim.network.radio.faded import Faded, Fades
from slfac_sim.network.radio.placement import Ground
from slfac_sim.network.radio.reception import Activity, Reception, Within
from slfac_sim.network.transfers import Lane, Path

_SURVEYED_BLOCKS = 100
_PEAK_SNR = np.array([1e30])


class RadioAir(Air):
    """The air of `radio`, with the devices on the `ground`, alone there or `within` others."""

    def __init__(
        self, hosts: Hosts, seed: int, radio: Radio, ground: Ground, within: Within | None = None
    ) -> None:
        devices = hosts.devices
        self.hosts, self.radio, self.ground = hosts, radio, ground
        self._server, self._seed = hosts.server, seed
        self._coherence_s = radio.fading.coherence_s
        self.reception = Reception(devices, seed, radio, ground, within)
        self._crowd = {uplink: self.reception.gains_from_a_crowd(uplink) for uplink in (True, False)}
        self._cells = range(len(radio.stations))
        self._stations = ["" if at.name == hosts.server else at.name for at in radio.stations]
        self._lane_at = {  # named by its way, after its station unless that is the server's own
            (cell, way): f"{station}/{way}".lstrip("/")
            for cell, station in enumerate(self._stations)
            for way in self._ways()
        }
        self._place_of = {lane: place for place, lane in self._lane_at.items()}
        self._index = {device: i for i, device in enumerate(devices)}
        self._member = {  # the place of each device among those of its cell
            device: int(np.searchsorted(self.reception.members[cell], i))
            for (device, i), cell in zip(self._index.items(), ground.serving.tolist(), strict=True)
        }
        self._fades = Fades(radio, seed, devices, ground.k)
        self._faded = functools.lru_cache(maxsize=64)(self._new_faded)
        self._rated = functools.lru_cache(maxsize=8 * len(devices))(self._new_rate)
        self._means = functools.lru_cache(maxsize=256)(self._new_means)
        self._powers = functools.cache(self._new_powers)
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
        cell, way = self._place_of[lane]
        return self.radio.medium.share(self._users(cell, way), self.radio.part(way == "up"))

    def lanes(self) -> Sequence[Lane]:
        """Return the lanes of each station, with the most that its devices can have of them."""
        return [self._lane(cell, way) for cell in self._cells for way in self._ways()]

    def senders(self, lane: str, transfers: int) -> int:
        """Return how many senders the disturbed lanes hear of `lane`."""
        return self.radio.senders(self._place_of[lane][1] == "up", transfers)

    def disturbed(self, lane: str) -> Sequence[str]:
        """Return the lanes of the same direction at the other stations, if they hear what goes on here."""
        if self.radio.interference != "activity":
            return ()
        own, way = self._place_of[lane]
        return [self._lane_at[cell, way] for cell in self._cells if cell != own]

    def rate_bps(self, path: Path, block: int, heard: Mapping[str, int]) -> tuple[float, Among]:
        """Return the slowest receiver's rate in `block` while others are `heard`, and among n."""
        return self.rates_bps([path], block, heard)[0]

    def rates_bps(
        self, paths: Sequence[Path], block: int, heard: Mapping[str, int]
    ) -> list[tuple[float, Among]]:
        """Return what `rate_bps` says of each path."""
        rates: list[tuple[float, Among]] = [(0.0, None)] * len(paths)
        alike: dict[tuple[str, bool], list[int]] = {}
        for i, path in enumerate(paths):
            if not path.unreachable:
                alike.setdefault((path.lane, path.uplink), []).append(i)
        for (lane, uplink), places in alike.items():
            activity = self._activity(lane, uplink, heard)
            if self._coherence_s is None:
                for i in places:
                    rates[i] = self._rated(paths[i], activity)
            else:
                of_them = self._in_block([paths[i] for i in places], block, activity)
                for i, rate in zip(places, of_them, strict=True):
                    rates[i] = rate
        return rates

    def check(self) -> None:
        """Raise `BadInput` where a station has more devices than its medium has places for."""
        for lane in self._place_of:
            self.share(lane)

    def reached(self) -> Bools:
        """Return whom bits reach both ways [devices], with neighbours as busy as they ever are."""
        return np.asarray((self.mean_rates_bps(True) > 0.0) & (self.mean_rates_bps(False) > 0.0))

    def mean_rates_bps(self, uplink: bool) -> Floats:
        """Return each device's mean rate, alone on its lane, with neighbours as busy as they ever are."""
        return self.reception.of_all(uplink, self.reception.everybody(uplink))

    def best_rates_bps(self, uplink: bool) -> Floats:
        """Return the most that each device can have over its part of the medium, however many send."""
        way = self._way(uplink)
        crowd = self.reception.gains_from_a_crowd(uplink)
        quiet = self.reception.nobody(uplink)
        return self.reception.of_all(uplink, quiet, lambda cell: self._users(cell, way) if crowd else 1)

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

    def _users(self, cell: int, way: str) -> int:
        """Return how many pairs of sender and receiver there may be on a lane."""
        return self.reception.users(cell, way)

    def _lane(self, cell: int, way: str) -> Lane:
        ways = (True, False) if way == "air" else (way == "up",)
        return Lane(
            name=self._lane_at[cell, way],
            station=self._stations[cell],
            ways=ways,
            part=self.radio.part(ways[0]),
            most_bps=max(self.radio.part(uplink) * self._most_bps(cell, uplink) for uplink in ways),
            places=self.radio.medium.places(self._users(cell, way)),
        )

    def _most_bps(self, cell: int, uplink: bool) -> float:
        """Return the best rate of a device of the cell; with fades in blocks, that of the best fade."""
        members = self.reception.members[cell]
        if self._coherence_s is not None:
            return peak_bps(self.radio, uplink)
        return float(self.best_rates_bps(uplink)[members].max(initial=0.0))

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
        rates_bps = self.reception.mean_bps(cell, uplink, self.reception.nobody(uplink), 1)
        divided = self.reception.part(uplink, 2) < 1.0
        down_s, up_s = self.radio.latency_s, self.radio.up_latency_s
        return Path(
            lane=self._lane_at[cell, self._way(uplink)],
            uplink=uplink,
            devices=devices,
            snr_db=min(float(snr_db[self._index[device]]) for device in devices),
            power_w=float(self.ground.power_w[place]) if uplink else self.radio.budget.station_power_w,
            latency_s=up_s if uplink else down_s,
            back_longer_s=down_s - up_s if uplink else up_s - down_s,
            unreachable=not rates_bps[self._members(devices)].all(),
            power_among=Entry(self._powers(cell), self._member[devices[0]]) if divided else None,
            station=self._stations[cell],
        )

    def _new_powers(self, cell: int) -> Callable[[int], Floats]:
        """Return what devices send with on average in 1/n of the band, by their power in all of it [members].

        Where there are fewer parts than senders, they take turns.
        """
        members = self.reception.members[cell]
        gain_db, power_w = self.ground.gain_db[cell, members], self.ground.power_w[members]
        most = self.radio.rates.most_parts(self.radio.budget.bandwidth_hz)

        def of_full(n: int) -> Floats:
            part = 1.0 / min(n, most)
            return self.radio.budget.power_w(gain_db, part) / power_w / (part * n)

        return functools.lru_cache(maxsize=4096)(of_full)

    def _members(self, devices: Sequence[str]) -> list[int]:
        return [self._member[device] for device in devices]

    def _activity(self, lane: str, uplink: bool, heard: Mapping[str, int]) -> Activity:
        """Return how busy the cells are as those on `lane` see it: their own cell does not disturb them."""
        fixed = self.reception.fixed[uplink]
        if fixed is not None:
            return fixed
        own, way = self._place_of[lane]
        return tuple(0.0 if j == own else float(heard.get(self._lane_at[j, way], 0)) for j in self._cells)

    def _new_rate(self, path: Path, activity: Activity) -> tuple[float, Among]:
        """Return the mean rate of the slowest receiver, and what it is among n."""
        cell, members = self._place_of[path.lane][0], self._members(path.devices)
        means = self._means(cell, path.uplink, activity)
        return float(means(1)[members].min()), Entry(means, members[0]) if self._crowds(path) else None

    def _new_means(self, cell: int, uplink: bool, activity: Activity) -> Callable[[int], Floats]:
        return lambda n: self.reception.mean_bps(cell, uplink, activity, n)

    def _in_block(self, paths: Sequence[Path], block: int, activity: Activity) -> list[tuple[float, Among]]:
        """Return the same in `block`, for paths of one direction."""
        faded = self._faded(paths[0].uplink, block, activity)
        columns = faded.columns([self._index[device] for path in paths for device in path.devices])
        firsts = np.cumsum([0, *(len(path.devices) for path in paths[:-1])])
        rates_bps = np.minimum.reduceat(faded.over_part_bps(1)[columns], firsts).tolist()
        table = faded.over_part_bps
        return [
            (rate_bps, Entry(table, columns[first]) if self._crowds(path) else None)
            for path, first, rate_bps in zip(paths, firsts.tolist(), rates_bps, strict=True)
        ]

    def _new_faded(self, uplink: bool, block: int, activity: Activity) -> Faded:
        return Faded(self.radio, self.reception, self._fades, uplink, block, activity)

    def _crowds(self, path: Path) -> bool:
        """Return whether the rate over its part depends on how many have one: never that of a multicast."""
        return self._crowd[path.uplink] and path.devices[1:] == ()


def peak_bps(radio: Radio, uplink: bool) -> float:
    """Return the rate at any SNR, however high."""
    return radio.goodput * float(radio.rates.rate_bps(_PEAK_SNR, radio.budget.bandwidth_hz, uplink)[0])
