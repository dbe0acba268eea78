"""Paths of devices that have moved: each of them is alone on a ground of its own, among all others."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from slfac_sim.network.air import Among
from slfac_sim.network.contract import Survey
from slfac_sim.network.radio.air import RadioAir
from slfac_sim.network.radio.reception import Reception, Within
from slfac_sim.network.radio.travellers import State, States, Travellers
from slfac_sim.network.transfers import Path


@dataclass(frozen=True, eq=False)
class MovedPath(Path):
    """A path to devices of which some have moved: `each` device's own, and the air that it is in."""

    each: tuple[tuple[RadioAir, Path], ...] = ()

    def rate_bps(self, block: int, heard: Mapping[str, int]) -> tuple[float, Among]:
        """Return the rate of the slowest receiver; that of one alone also among n."""
        rates = [air.rate_bps(own, block, heard) for air, own in self.each]
        return rates[0] if len(rates) == 1 else (min(rate_bps for rate_bps, _ in rates), None)


class Spots:
    """Where the `travellers` of the `air` have come, in states, with the others `around` in theirs."""

    def __init__(self, air: RadioAir, seed: int, travellers: Travellers) -> None:
        self._air, self._seed, self._travellers = air, seed, travellers
        self._places = {device: place for place, device in enumerate(air.hosts.devices)}
        kept = 8 * len(air.hosts.devices)
        self.everybody = lru_cache(maxsize=4)(self._new_everybody)
        self._others = lru_cache(maxsize=kept)(self._new_others)
        self._spot = lru_cache(maxsize=kept)(self._new_spot)
        self.moved = lru_cache(maxsize=kept)(self._new_moved)

    def state(self, device: str, t_s: float) -> State:
        """Return the state of a device at `t_s`."""
        moves = device in self._travellers.places
        return self._travellers.state(device, t_s) if moves else self.first_state(device)

    def first_state(self, device: str) -> State:
        """Return its state at the start."""
        return 0, int(self._air.ground.serving[self._places[device]])

    def _new_moved(
        self, uplink: bool, devices: Sequence[str], states: Sequence[State], around: States | None
    ) -> MovedPath:
        """Return the path of `devices` in `states`, on the lane of the first one's station."""
        pairs = zip(devices, states, strict=True)
        each = tuple(self._own(uplink, device, state, around) for device, state in pairs)
        standing = [device for device in devices if device not in self._travellers.places]
        whole = vars(each[0][1]) | {
            "devices": devices,
            "snr_db": min(own.snr_db for _, own in each),
            "unreachable": any(_path_of(self._air, uplink, device).unreachable for device in standing),
            "each": each,
        }
        return MovedPath(**whole)

    def _own(self, uplink: bool, device: str, state: State, around: States | None) -> tuple[RadioAir, Path]:
        """Return the path of one device, and the air that it is in."""
        if state == self.first_state(device) and around is None:
            return self._air, _path_of(self._air, uplink, device)
        air = self._spot(device, state, around)
        return air, _path_of(air, uplink, device)

    def _new_spot(self, device: str, state: State, around: States | None) -> RadioAir:
        place, moves = self._places[device], device in self._travellers.places
        alone = self._travellers.alone(device, state) if moves else self._air.ground.of([place])
        hosts = replace(self._air.hosts, devices=(device,))
        return _Spot(self._air.survey, hosts, self._seed, self._air.radio, alone, self._others(place, around))

    def _new_others(self, place: int, around: States | None) -> Within:
        return self.everybody(around).others(place)

    def _new_everybody(self, states: States | None) -> Reception:
        """Return how all devices are received in `states`; None: as at the start."""
        if states is None:
            return self._air.reception
        air, ground = self._air, self._travellers.ground(states)
        return Reception(air.hosts.devices, self._seed, air.radio, ground)


def _path_of(air: RadioAir, uplink: bool, device: str) -> Path:
    """Return the path of one device, to the server or from it."""
    server = air.hosts.server
    (path,) = air.paths(device, (server,)) if uplink else air.paths(server, (device,))
    return path


class _Spot(RadioAir):
    """The air of one device, at one place, in a whole whose `survey` it has."""

    def __init__(self, survey: Callable[[], Survey], *own: Any) -> None:
        super().__init__(*own)
        self._survey = survey

    def survey(self) -> Survey:
        """Return that of the whole."""
        return self._survey()
