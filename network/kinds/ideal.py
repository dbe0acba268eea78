"""A network without radio: fixed rates and a latency, for checks by hand. No headers and no energy."""

from collections.abc import Mapping, Sequence
from math import inf
from typing import Literal

from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import BitsPerSecond, Seconds
from slfac_sim.network.air import Air, Among
from slfac_sim.network.contract import Hosts, Link, Sharing, Survey
from slfac_sim.network.engine import FluidShare, Share
from slfac_sim.network.fluid_settings import FluidSettings
from slfac_sim.network.transfers import Lane, Path


@settings
class Ideal(FluidSettings):
    """Fixed rates, one for each direction; every transfer is as fast as they and `sharing` allow."""

    up_rate: BitsPerSecond = 100e6
    """Rate from the devices to the server."""
    down_rate: BitsPerSecond = 100e6
    """Rate from the server to the devices; a multicast has it once for all its receivers."""
    sharing: Literal["equal", "none"] = "equal"
    """Whether the transfers under way in a direction have equal parts of its rate (`equal`), or every device
    has both rates to itself (`none`).
    """
    latency: Seconds = 0.0
    """Time from a transfer's last bit sent to its arrival, one way and whatever its size; it holds up no
    other transfer.
    """
    up_latency: Seconds | None = None
    """The same of uplinks, where it is another; null: `latency` is that of both directions."""

    @property
    def shared(self) -> Sharing:
        """How transfers share the rates: in turn, or not at all."""
        return Sharing(in_turn=self.sharing == "equal", alone=self.sharing == "none")

    def air(self, hosts: Hosts, seed: int) -> Air:
        """Return the rates as an air; nothing is drawn."""
        return _FixedAir(self, hosts)

    @property
    def latencies_s(self) -> tuple[float, float]:
        """The latencies of an uplink and of a downlink."""
        return self.latency if self.up_latency is None else self.up_latency, self.latency


class _FixedAir(Air):
    def __init__(self, ideal: Ideal, hosts: Hosts) -> None:
        self._ideal = ideal
        self._hosts = hosts
        self._devices = frozenset(hosts.devices)

    def survey(self) -> Survey:
        """Return the settings once more, as links without distance or noise."""
        ideal, server = self._ideal, self._hosts.server
        rates_bps = (ideal.up_rate, ideal.down_rate)
        latency_s = max(ideal.latencies_s)
        return Survey(
            links=[
                Link(device, 0.0, inf, inf, *rates_bps, *rates_bps, server=server, latency_s=latency_s)
                for device in self._hosts.devices
            ],
            up_share=1.0,
            down_share=1.0,
            multicast_rate_bps=ideal.down_rate,
            redraws=0,
            remarks=(),
            medium="fair" if ideal.sharing == "equal" else "none",
            duplex="fdd",
            crowd_independent=True,
        )

    def paths(self, src: str, dsts: tuple[str, ...]) -> Sequence[Path]:
        server = self._hosts.server
        uplink = dsts == (server,)
        devices = (src,) if uplink else dsts
        if not devices or (not uplink and src != server) or not self._devices.issuperset(devices):
            raise KeyError(f"{src} -> {', '.join(dsts)}: not a device and {server}")
        lane = self._lane(uplink, devices[0] if devices[1:] == () else "*").name
        there_s, back_s = self._ideal.latencies_s if uplink else self._ideal.latencies_s[::-1]
        return [Path(lane, uplink, devices, inf, 0.0, there_s, back_longer_s=back_s - there_s)]

    def lanes(self) -> Sequence[Lane]:
        shared = self._ideal.sharing == "equal"
        owners = ("",) if shared else (*self._hosts.devices, "*")
        return [self._lane(uplink, owner) for owner in owners for uplink in (True, False)]

    def _lane(self, uplink: bool, owner: str) -> Lane:
        """Return the lane of one way or, where nothing is shared, of one way of a device or of multicasts."""
        way, rate_bps = ("up", self._ideal.up_rate) if uplink else ("down", self._ideal.down_rate)
        name = way if self._ideal.sharing == "equal" else f"{way}/{owner}"
        return Lane(name, "", (uplink,), 1.0, rate_bps)

    def share(self, lane: str) -> Share:
        return FluidShare()

    def rate_bps(self, path: Path, block: int, heard: Mapping[str, int]) -> tuple[float, Among]:
        return self._ideal.up_rate if path.uplink else self._ideal.down_rate, None
