"""The air of one cell whose devices move: paths are those of the moment, told anew at each step of travel.

A device that has come some steps is alone on a ground of its own, so that who stands still costs nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from slfac_sim.foundation.arrays import Floats
from slfac_sim.foundation.errors import BadInput
from slfac_sim.network.air import Among
from slfac_sim.network.change import Effect
from slfac_sim.network.contract import Hosts, Survey
from slfac_sim.network.kinds._radio import SurveyedAir, named
from slfac_sim.network.radio.air import RadioAir, peak_bps
from slfac_sim.network.radio.cells import Radio
from slfac_sim.network.radio.placement import Ground, Layout
from slfac_sim.network.radio.walk import Paces, Walk
from slfac_sim.network.transfers import Path
from slfac_sim.network.transport import Framing
from slfac_sim.network.varying.motion import Motion


@dataclass(frozen=True, eq=False)
class MovedPath(Path):
    """A path to devices of which some have moved: `each` device's own, and the air that it is in."""

    each: tuple[tuple[RadioAir, Path], ...] = ()


class MovingAir(SurveyedAir):
    """The air of one station, with devices on their ways: `motions` by their names.

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
    ) -> None:
        _check(radio)
        super().__init__(radio, layout, hosts, seed, outage, framing)
        places = {device: place for place, device in enumerate(hosts.devices)}
        self._walks = {
            device: Walk(device, seed, motion, radio.budget, self.ground, places[device])
            for device, motion in motions.items()
        }
        self._paces = {device: Paces(walk) for device, walk in self._walks.items()}
        kept = 8 * len(hosts.devices)
        self._spot = lru_cache(maxsize=kept)(self._new_spot)
        self._moved = lru_cache(maxsize=kept)(self._new_moved)

    @property
    def varies(self) -> bool:
        """Yes."""
        return True

    def effects(self, path: Path) -> Sequence[Effect]:
        """Return the steps of the devices of `path` that move."""
        paces = tuple(self._paces[device] for device in path.devices if device in self._paces)
        return (Effect(factors=paces),) if paces else ()

    def moved(self, path: Path, t_s: float) -> Path:
        """Return `path` as it is where its devices are at `t_s`."""
        steps = tuple(self._walks[one].step(t_s) if one in self._walks else 0 for one in path.devices)
        return self._moved(path.uplink, path.devices, steps) if any(steps) else path

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

    def _path(self, cell: int, uplink: bool, devices: tuple[str, ...]) -> Path:
        """Return a path at the start. Who moves is not beyond reach for ever."""
        path = super()._path(cell, uplink, devices)
        if not path.unreachable:
            return path
        standing = tuple(device for device in devices if device not in self._layout.starts_m)
        return replace(path, unreachable=bool(standing) and super()._path(cell, uplink, standing).unreachable)

    def _new_moved(self, uplink: bool, devices: tuple[str, ...], steps: tuple[int, ...]) -> Path:
        each = tuple(self._own(uplink, *one) for one in zip(devices, steps, strict=True))
        first = each[0][1]
        whole = vars(self._path(0, uplink, devices)) | {
            "snr_db": min(own.snr_db for _, own in each),
            "power_w": first.power_w,
            "power_among": first.power_among,
            "each": each,
        }
        return MovedPath(**whole)

    def _own(self, uplink: bool, device: str, step: int) -> tuple[RadioAir, Path]:
        """Return the path of one device at its step, and the air that it is in."""
        if step == 0:
            return self, self._path(0, uplink, (device,))
        air, server = self._spot(device, step), self.hosts.server
        (path,) = air.paths(device, (server,)) if uplink else air.paths(server, (device,))
        return air, path

    def _new_spot(self, device: str, step: int) -> RadioAir:
        return _Spot(self, device, self._seed, self._walks[device].ground(step))

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

    def __init__(self, whole: MovingAir, device: str, seed: int, ground: Ground) -> None:
        super().__init__(replace(whole.hosts, devices=(device,)), seed, whole.radio, ground)
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
