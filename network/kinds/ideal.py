"""A network without radio: fixed rates and a latency, for checks by hand. No headers and no energy."""

from collections.abc import Mapping, Sequence
from math import inf
from typing import Any, Literal

from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import BitsPerSecond, Seconds
from slfac_sim.network.contract import Link, Network, NetworkSettings, Survey
from slfac_sim.network.engine import FluidShare, Share
from slfac_sim.network.fluid_network import Among, Courier
from slfac_sim.network.transfers import Path


@settings
class Ideal(NetworkSettings):
    """Rates of each direction. `sharing: equal` shares each among the transfers under way in it.

    With `sharing: none` every device has both rates to itself, and multicasts have the downlink rate
    to themselves.
    """

    up_rate: BitsPerSecond = 100e6
    down_rate: BitsPerSecond = 100e6
    sharing: Literal["equal", "none"] = "equal"
    latency: Seconds = 0.0

    def survey(self, devices: Sequence[str], server: str, seed: int) -> Survey:
        """Return the settings once more, as links without distance or noise."""
        rates_bps = (self.up_rate, self.down_rate)
        links = [Link(device, 0.0, inf, inf, *rates_bps, *rates_bps) for device in devices]
        return Survey(
            links=links,
            up_share=1.0,
            down_share=1.0,
            latency_s=self.latency,
            multicast_rate_bps=self.down_rate,
            redraws=0,
            remarks=(),
            medium="fair" if self.sharing == "equal" else "none",
            duplex="fdd",
            crowd_independent=True,
        )

    def open(self, env: Any, devices: Sequence[str], server: str, seed: int) -> Network:
        """Return the network on `env`; nothing is drawn."""
        return Courier(env, _FixedAir(self, devices, server), wire_bytes=int)


class _FixedAir:
    coherence_s = None

    def __init__(self, rates: Ideal, devices: Sequence[str], server: str) -> None:
        self.latency_s = rates.latency
        self._rates = rates
        self._devices = frozenset(devices)
        self._server = server

    def paths(self, src: str, dsts: tuple[str, ...]) -> Sequence[Path]:
        uplink = dsts == (self._server,)
        devices = (src,) if uplink else dsts
        if not devices or (not uplink and src != self._server) or not self._devices.issuperset(devices):
            raise KeyError(f"{src} -> {', '.join(dsts)}: not a device and {self._server}")
        mine = "" if self._rates.sharing == "equal" else devices[0] if devices[1:] == () else "*"
        return [Path(f"{'up' if uplink else 'down'}/{mine}", uplink, devices, inf, 0.0)]

    def share(self, lane: str) -> Share:
        return FluidShare()

    def senders(self, lane: str, transfers: int) -> int:
        return 0

    def disturbed(self, lane: str) -> Sequence[str]:
        return ()

    def rate_bps(self, path: Path, block: int, heard: Mapping[str, int]) -> tuple[float, Among]:
        return self._rates.up_rate if path.uplink else self._rates.down_rate, None
