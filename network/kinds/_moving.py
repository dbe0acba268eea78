"""The air of cells whose devices move: paths are those of the moment, told anew at each step of travel.

Who stands still costs nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from slfac_sim.foundation.arrays import Floats
from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.units import w_to_dbm
from slfac_sim.network.air import Among
from slfac_sim.network.change import Effect
from slfac_sim.network.contract import Handover, Hosts, Sighting
from slfac_sim.network.kinds._radio import SurveyedAir, named, useful
from slfac_sim.network.kinds._spots import MovedPath, Spots
from slfac_sim.network.radio.air import peak_bps
from slfac_sim.network.radio.budget import blocks
from slfac_sim.network.radio.cells import Radio
from slfac_sim.network.radio.handover import HandoverRule
from slfac_sim.network.radio.placement import Layout
from slfac_sim.network.radio.reach import refuse_out_of_reach
from slfac_sim.network.radio.travellers import Around, Travellers, grid_number
from slfac_sim.network.radio.walk import LONGEST_STEP_M
from slfac_sim.network.transfers import Path
from slfac_sim.network.transport import Framing
from slfac_sim.network.varying.motion import Motion

_SUBCARRIERS = 12  # of a resource block


class MovingAir(SurveyedAir):
    """The air of stations with devices on their ways: `motions` by their names.

    Raises `BadInput` for devices in buildings, and for shadows that neighbours have in common.
    """

    longest_step_m = LONGEST_STEP_M
    """How far a device goes at most before its rates are found anew."""

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
            refuse_out_of_reach(radio, hosts.devices, self.ground, motions)
        self._handover = handover
        self._travellers = Travellers(
            hosts.devices,
            seed,
            motions,
            radio.stations,
            radio.budget,
            self.ground,
            handover,
            self.longest_step_m,
        )
        self._around = Around(list(self._travellers.paces.values()))
        self._spots = Spots(self, seed, self._travellers)

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
        states = tuple(self._spots.state(device, t_s) for device in path.devices)
        around = self._travellers.on_grid(grid_number(t_s)) if self._is_disturbed(path.uplink) else None
        if around is None and states == tuple(map(self._spots.first_state, path.devices)):
            return path
        return self._spots.moved(path.uplink, path.devices, states, around)

    def resumes_s(self, path: Path, t_s: float) -> float:
        """Return from when on bits cross `path`: `t_s`, or the end of an interruption by a handover."""
        moving = [device for device in path.devices if device in self._travellers.paces]
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
        return [path.rate_bps(block, heard) if isinstance(path, MovedPath) else next(rates) for path in paths]

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

    def _is_disturbed(self, uplink: bool) -> bool:
        """Return whether rates hang on where the devices of other cells are."""
        interference = self.radio.interference if self.hands_over else "none"
        return interference == "load" or (uplink and interference != "none")

    def _seen_at(self, t_s: float) -> list[Sighting]:
        travellers, stations = self._travellers, self.radio.stations
        reception = self._spots.everybody(travellers.states(t_s))
        up_bps, down_bps = (
            useful(reception.of_all(uplink, reception.everybody(uplink)).tolist(), self.single_bps)
            for uplink in (True, False)
        )
        return [
            Sighting(
                device,
                t_s,
                *travellers.at_m(device, t_s),
                station=stations[travellers.state(device, t_s)[1]].name,
                up_rate_bps=up_bps[place],
                down_rate_bps=down_bps[place],
            )
            for device, place in travellers.places.items()
        ]

    def _remarks(self) -> tuple[str, ...]:
        moving, lost = ~self._standing, ~self._standing & ~self.ground.covered
        remarks = [
            *super()._remarks(),
            f"{int(moving.sum())} of {len(moving)} devices move: what is said of them holds at the start",
        ]
        if lost.any():
            remarks.append(f"no coverage at the start for {named(self.hosts.devices, lost)}")
        return tuple(remarks)


def _check(radio: Radio) -> None:
    if radio.budget.shadowing == "correlated":
        raise BadInput(
            "network.shadowing: correlated is for devices that stand still; "
            "shadowing: independent is correlated along their ways"
        )
    if radio.budget.pathloss.indoors is not None:
        raise BadInput("network.pathloss.penetration: devices in buildings stand still; leave out what moves")
