"""The air of cells whose devices move: paths are those of the moment, told anew at each step of travel.

A device that has come some steps is alone on a ground of its own, so that who stands still costs nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from slfac_sim.foundation.arrays import Floats
from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.units import w_to_dbm
from slfac_sim.network.air import Among
from slfac_sim.network.change import Effect
from slfac_sim.network.contract import Handover, Hosts, Sighting, Survey
from slfac_sim.network.kinds._radio import SurveyedAir, named
from slfac_sim.network.radio.air import RadioAir, peak_bps
from slfac_sim.network.radio.budget import blocks
from slfac_sim.network.radio.cells import Radio
from slfac_sim.network.radio.handover import HandoverRule
from slfac_sim.network.radio.placement import Ground, Layout
from slfac_sim.network.radio.reach import nearest_m, within_reach
from slfac_sim.network.radio.reception import Reception, Within
from slfac_sim.network.radio.travellers import Around, State, States, Travellers, grid_number
from slfac_sim.network.transfers import Path
from slfac_sim.network.transport import Framing
from slfac_sim.network.varying.motion import Motion

_SUBCARRIERS = 12  # of a resource block


@dataclass(frozen=True, eq=False)
class MovedPath(Path):
    """A path to devices of which some have moved: `each` device's own, and the air that it is in."""

    each: tuple[tuple[RadioAir, Path], ...] = ()


class MovingAir(SurveyedAir):
    """The air of stations with devices on their ways: `motions` by their names.

    Raises `BadInput` for devices in buildings, and for shadows that neighbours have in common.
    """

    def __init__(
        self,
        radio: Radio,
        layout: Layout,
        hosts: Hosts,
        seed: int,
        outage: str,
        framing: Framing,
        motions: Mapping[str, Motion],
        handover: HandoverRule,
    ) -> None:
        _check(radio)
        self._movers = len(motions)
        super().__init__(radio, layout, hosts, seed, outage, framing)
        if outage == "refuse":
            self._refuse_out_of_reach(motions)
        self._handover = handover
        self._travellers = Travellers(
            hosts.devices, seed, motions, radio.stations, radio.budget, self.ground, handover
        )
        self._around = Around(list(self._travellers.paces.values()))
        kept = 8 * len(hosts.devices)
        self._everybody = lru_cache(maxsize=4)(self._new_everybody)
        self._others = lru_cache(maxsize=kept)(self._new_others)
        self._spot = lru_cache(maxsize=kept)(self._new_spot)
        self._moved = lru_cache(maxsize=kept)(self._new_moved)

    @property
    def varies(self) -> bool:
        """Yes."""
        return True

    @property
    def hands_over(self) -> bool:
        """Whether there are several stations."""
        return len(self.radio.stations) > 1

    def effects(self, path: Path) -> Sequence[Effect]:
        """Return the steps of the devices of `path` that move, and of those who disturb them."""
        paces = self._travellers.paces
        told = [paces[device] for device in path.devices if device in paces]
        around = [self._around] if self._is_disturbed(path.uplink) else []
        return (Effect(factors=(*told, *around)),) if told or around else ()

    def moved(self, path: Path, t_s: float) -> Path:
        """Return `path` as it is where its devices are at `t_s`, on the lane of the first one's station."""
        states = tuple(self._state(device, t_s) for device in path.devices)
        around = self._travellers.on_grid(grid_number(t_s)) if self._is_disturbed(path.uplink) else None
        if around is None and states == tuple(map(self._first_state, path.devices)):
            return path
        return self._moved(path.uplink, path.devices, states, around)

    def resumes_s(self, path: Path, t_s: float) -> float:
        """Return from when on bits cross `path`: `t_s`, or the end of an interruption by a handover."""
        moving = [device for device in path.devices if self._moves(device)]
        last = [self._travellers.last_handover(device, t_s) for device in moving]
        ends_s = [one.at_s + self._handover.interruption for one in last if one is not None]
        return max([t_s, *ends_s])

    def handovers(self, until_s: float) -> Sequence[Handover]:
        """Return the handovers up to `until_s`, in the order of time."""
        names = [station.name for station in self.radio.stations]
        budget = self.radio.budget
        subcarrier_w = budget.station_power_w / (_SUBCARRIERS * float(blocks(budget.bandwidth_hz)))
        sent_dbm = w_to_dbm(subcarrier_w)
        found = [
            Handover(
                device=device,
                at_s=change.at_s,
                source=names[change.source],
                target=names[change.target],
                source_dbm=sent_dbm + change.source_db,
                target_dbm=sent_dbm + change.target_db,
                interruption_s=self._handover.interruption,
                is_ping_pong=change.is_ping_pong,
            )
            for device, change in self._travellers.handovers(until_s)
        ]
        return sorted(found, key=lambda one: one.at_s)

    def sightings(self, times_s: Sequence[float]) -> Sequence[Sighting]:
        """Return where the devices that move are at each of `times_s`, with rates as of `Survey.links`."""
        return [sighting for t_s in times_s for sighting in self._seen_at(t_s)]

    def rates_bps(
        self, paths: Sequence[Path], block: int, heard: Mapping[str, int]
    ) -> list[tuple[float, Among]]:
        """Return the rate of each path, and among n; those of devices that have moved one by one."""
        still = [path for path in paths if not isinstance(path, MovedPath)]
        rates = iter(super().rates_bps(still, block, heard))
        return [
            _slowest([air.rate_bps(own, block, heard) for air, own in path.each])
            if isinstance(path, MovedPath)
            else next(rates)
            for path in paths
        ]

    def best_rates_bps(self, uplink: bool) -> Floats:
        """Return the most that each device can have: who moves may come close."""
        most_bps = peak_bps(self.radio, uplink)
        return np.where(self._standing, super().best_rates_bps(uplink), most_bps)

    def _most_bps(self, cell: int, uplink: bool) -> float:
        """Return the best rate of a device of the cell, to which any that moves may come."""
        return peak_bps(self.radio, uplink)

    def _users(self, cell: int, way: str) -> int:
        """Return how many pairs there may be on a lane; who moves may come from elsewhere."""
        coming = self._movers - int((~self._standing & (self.ground.serving == cell)).sum())
        return super()._users(cell, way) + (2 * coming if way == "air" else coming)

    def _path(self, cell: int, uplink: bool, devices: tuple[str, ...]) -> Path:
        """Return a path at the start. Who moves is not beyond reach for ever."""
        path = super()._path(cell, uplink, devices)
        if not path.unreachable:
            return path
        standing = tuple(device for device in devices if device not in self._layout.starts_m)
        return replace(path, unreachable=bool(standing) and super()._path(cell, uplink, standing).unreachable)

    def _state(self, device: str, t_s: float) -> State:
        return self._travellers.state(device, t_s) if self._moves(device) else self._first_state(device)

    def _moves(self, device: str) -> bool:
        return device in self._travellers.places

    def _first_state(self, device: str) -> State:
        return 0, int(self.ground.serving[self._index[device]])

    def _is_disturbed(self, uplink: bool) -> bool:
        """Return whether rates hang on where the devices of other cells are."""
        interference = self.radio.interference if self.hands_over else "none"
        return interference == "load" or (uplink and interference != "none")

    def _new_moved(
        self, uplink: bool, devices: tuple[str, ...], states: tuple[State, ...], around: States | None
    ) -> Path:
        each = tuple(
            self._own(uplink, device, state, around) for device, state in zip(devices, states, strict=True)
        )
        lost = [not self._moves(one) and self._start_path(uplink, one).unreachable for one in devices]
        whole = vars(each[0][1]) | {
            "devices": devices,
            "snr_db": min(own.snr_db for _, own in each),
            "unreachable": any(lost),
            "each": each,
        }
        return MovedPath(**whole)

    def _own(self, uplink: bool, device: str, state: State, around: States | None) -> tuple[RadioAir, Path]:
        """Return the path of one device in its state, and the air that it is in."""
        if state == self._first_state(device) and around is None:
            return self, self._start_path(uplink, device)
        air, server = self._spot(device, state, around), self.hosts.server
        (path,) = air.paths(device, (server,)) if uplink else air.paths(server, (device,))
        return air, path

    def _start_path(self, uplink: bool, device: str) -> Path:
        server = self.hosts.server
        (path,) = self.paths(device, (server,)) if uplink else self.paths(server, (device,))
        return path

    def _new_spot(self, device: str, state: State, around: States | None) -> RadioAir:
        place = self._index[device]
        alone = self._travellers.alone(device, state) if self._moves(device) else self.ground.of([place])
        return _Spot(self, device, self._seed, alone, self._others(place, around))

    def _new_everybody(self, states: States | None) -> Reception:
        if states is None:
            return self._reception
        ground = self._travellers.ground(states)
        return Reception(self.hosts.devices, self._seed, self.radio, ground)

    def _new_others(self, place: int, states: States | None) -> Within:
        return self._everybody(states).others(place)

    def _seen_at(self, t_s: float) -> list[Sighting]:
        reception, names = self._everybody(self._travellers.states(t_s)), self.radio.stations
        up_bps, down_bps = (
            reception.of_all(uplink, reception.everybody(uplink)).tolist() for uplink in (True, False)
        )
        return [
            Sighting(
                device=device,
                at_s=t_s,
                x_m=self._travellers.at_m(device, t_s)[0],
                y_m=self._travellers.at_m(device, t_s)[1],
                station=names[self._state(device, t_s)[1]].name,
                up_rate_bps=up_bps[place],
                down_rate_bps=down_bps[place],
            )
            for device, place in self._travellers.places.items()
        ]

    def _refuse_out_of_reach(self, motions: Mapping[str, Motion]) -> None:
        devices, stations = self.hosts.devices, self.radio.stations
        away_m = nearest_m(self.radio, devices, self.ground, motions)
        reached = within_reach(self.radio, away_m)
        for place in np.flatnonzero(~reached.any(axis=0) & ~self._standing).tolist():
            station = int(np.argmin(away_m[:, place]))
            raise BadInput(
                f"network.change: {devices[place]} never comes within reach of a station "
                f"({away_m[station, place] / 1e3:.6g} km from {stations[station].name} at the nearest); "
                "move it or the station, or write outage: allow"
            )
        for station in np.flatnonzero(~reached.any(axis=1)).tolist():
            place = int(np.argmin(away_m[station]))
            raise BadInput(
                f"network.station_positions: nobody ever comes within reach of {stations[station].name} "
                f"({away_m[station, place] / 1e3:.6g} km from {devices[place]} at the nearest); "
                "move it, or write outage: allow"
            )

    def _remarks(self) -> tuple[str, ...]:
        moving, lost = ~self._standing, ~self._standing & ~self.ground.covered
        remarks = [
            *super()._remarks(),
            f"{int(moving.sum())} of {len(moving)} devices move: what is said of them holds at the start",
        ]
        if lost.any():
            remarks.append(f"no coverage at the start for {named(self.hosts.devices, lost)}")
        return tuple(remarks)


class _Spot(RadioAir):
    """The air of `whole` for one device, at one place."""

    def __init__(self, whole: MovingAir, device: str, seed: int, ground: Ground, within: Within) -> None:
        super().__init__(replace(whole.hosts, devices=(device,)), seed, whole.radio, ground, within)
        self._whole = whole

    def survey(self) -> Survey:
        """Return that of the whole."""
        return self._whole.survey()


def _check(radio: Radio) -> None:
    if radio.budget.shadowing == "correlated":
        raise BadInput(
            "network.shadowing: correlated is for devices that stand still; "
            "shadowing: independent is correlated along their ways"
        )
    if radio.budget.pathloss.indoors is not None:
        raise BadInput("network.pathloss.penetration: devices in buildings stand still; leave out what moves")


def _slowest(rates: Sequence[tuple[float, Among]]) -> tuple[float, Among]:
    """Return the rate of the slowest receiver; that of one alone also among n."""
    return rates[0] if len(rates) == 1 else (min(rate_bps for rate_bps, _ in rates), None)
