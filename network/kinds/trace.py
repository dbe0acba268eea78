"""A measurement as a network: each device has the rates of a file to itself. No headers and no energy."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from math import inf
from typing import Any, Self, cast

from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import Seconds
from slfac_sim.network.air import Air, Among
from slfac_sim.network.change import Effect
from slfac_sim.network.change._steady import steady
from slfac_sim.network.contract import Hosts, Link, Sharing, Survey
from slfac_sim.network.engine import FluidShare, Share
from slfac_sim.network.fluid_settings import FluidSettings
from slfac_sim.network.transfers import Lane, Path
from slfac_sim.network.varying.change_survey import mean_bps, most_bps
from slfac_sim.network.varying.effects import worst
from slfac_sim.network.varying.traces.reading import effect_of, has_losses
from slfac_sim.network.varying.traces.settings import TraceFile

_PLACE = "network.file"
_WAYS = (True, False)  # up, down
_SLOW_BPS = 1e3  # below which a file is likely to be in other units


@settings
class Trace(TraceFile, FluidSettings):
    """The rates of a file, up and down, for every device alike or, with a column `device`, for each its own.

    A file of factors has no rates: as a `change` it goes on a network that has some.
    """

    latency: Seconds = 0.0
    """Time from a transfer's last bit sent to its arrival, one way; a column `latency_s` takes its place."""

    @property
    def shared(self) -> Sharing:
        """Every device has its rates to itself."""
        return Sharing(alone=True)

    @property
    def still(self) -> Self:
        """The same with the means of the rates."""
        still, means = super().still, cast(Any, _Still)
        calm: Self = means(**{field.name: getattr(still, field.name) for field in fields(still)})
        return calm

    @property
    def loses_packets(self) -> bool:
        """Whether the file has a column `loss`."""
        return super().loses_packets or has_losses(self)

    def effect(self, device: str, uplink: bool) -> Effect:
        """Return what the file says of a way to or from `device`. Raises `BadInput`."""
        effect = effect_of(self, device, uplink, _PLACE)
        if not effect.rates_bps:
            raise BadInput(
                f"{_PLACE}: '{self.file}' has factors, not rates: make it a change of a network that has some"
            )
        return effect

    def air(self, hosts: Hosts, seed: int) -> Air:
        """Return the rates as an air; nothing is drawn. Raises `BadInput` for a file that cannot be used."""
        return _MeasuredAir(self, hosts)


@settings
class _Still(Trace):
    @property
    def still(self) -> Self:
        return self

    def effect(self, device: str, uplink: bool) -> Effect:
        return steady(super().effect(device, uplink))


class _MeasuredAir(Air):
    def __init__(self, trace: Trace, hosts: Hosts) -> None:
        self._hosts, self._latency_s = hosts, trace.latency
        self._effect = {
            (device, uplink): trace.effect(device, uplink) for device in hosts.devices for uplink in _WAYS
        }

    def survey(self) -> Survey:
        """Return the means and the most of the rates."""
        devices = self._hosts.devices
        return Survey(
            links=[self._link(device) for device in devices],
            up_share=1.0,
            down_share=1.0,
            multicast_rate_bps=min(self._bps(mean_bps, device, False) for device in devices),
            redraws=0,
            remarks=self._remarks(),
            medium="none",
            duplex="fdd",
            crowd_independent=False,
        )

    def _remarks(self) -> Sequence[str]:
        most = max(self._bps(most_bps, *way) for way in self._effect)
        if most >= _SLOW_BPS:
            return ()
        return (f"no rate of the trace is above {most:.3g} bit/s; is the file in Mbit/s?",)

    def paths(self, src: str, dsts: tuple[str, ...]) -> Sequence[Path]:
        """Return the one path: of a device, or of a multicast to several."""
        server = self._hosts.server
        uplink = dsts == (server,)
        devices = (src,) if uplink else dsts
        known = all((device, uplink) in self._effect for device in devices)
        if not devices or not known or (not uplink and src != server):
            raise KeyError(f"{src} -> {', '.join(dsts)}: not a device and {server}")
        return [Path(_lane(devices, uplink), uplink, devices, inf, 0.0, self._latency_s)]

    def lanes(self) -> Sequence[Lane]:
        """Return a lane for each device and way, and one for multicasts."""
        owned = [
            Lane(_lane((device,), uplink), "", (uplink,), 1.0, self._bps(most_bps, device, uplink))
            for device, uplink in self._effect
        ]
        most = max(self._bps(most_bps, device, False) for device in self._hosts.devices)
        return [*owned, Lane(_lane((), False), "", (False,), 1.0, most)]

    def share(self, lane: str) -> Share:
        """Return a lane, which the transfers of its device share equally."""
        return FluidShare()

    def rate_bps(self, path: Path, block: int, heard: Mapping[str, int]) -> tuple[float, Among]:
        """Return 1: the effects say the rate."""
        return 1.0, None

    @property
    def varies(self) -> bool:
        """Yes."""
        return True

    def effects(self, path: Path) -> Sequence[Effect]:
        """Return the rates, the slowest receiver's for a multicast."""
        return (worst([self._effect[device, path.uplink] for device in path.devices]),)

    def _link(self, device: str) -> Link:
        up, down = (self._effect[device, uplink] for uplink in _WAYS)
        latency_s = max((course.mean for course in up.latencies_s), default=self._latency_s)
        return Link(
            device=device,
            distance_m=0.0,
            up_snr_db=inf,
            down_snr_db=inf,
            up_rate_bps=mean_bps([up], 1.0),
            down_rate_bps=mean_bps([down], 1.0),
            up_best_bps=most_bps([up], 1.0),
            down_best_bps=most_bps([down], 1.0),
            server=self._hosts.server,
            latency_s=latency_s,
        )

    def _bps(self, of: Callable[[Sequence[Effect], float], float], device: str, uplink: bool) -> float:
        return of([self._effect[device, uplink]], 1.0)


def _lane(devices: Sequence[str], uplink: bool) -> str:
    return f"{'up' if uplink else 'down'}/{devices[0] if len(devices) == 1 else '*'}"
