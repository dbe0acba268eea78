"""A network for tests with several servers: lanes of fixed rates, one each way around every server."""

from collections.abc import Mapping, Sequence
from math import inf

from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import BitsPerSecond, Seconds
from slfac_sim.network import Hosts, Link, Sharing, Station, Survey
from slfac_sim.network.air import Air, Among
from slfac_sim.network.engine import FluidShare, Share
from slfac_sim.network.fluid_settings import FluidSettings
from slfac_sim.network.transfers import Path


@settings
class Spokes(FluidSettings):
    """Devices are dealt out in blocks to all servers but the last; a pair of servers has its own lanes."""

    up_rate: BitsPerSecond = 8e6
    down_rate: BitsPerSecond = 8e6
    core_rate: BitsPerSecond = 8e6
    latency: Seconds = 0.0

    @property
    def shared(self) -> Sharing:
        return Sharing(bounded=False, multicasts_bounded=False)

    def homes(self, hosts: Hosts) -> Mapping[str, str]:
        edges = hosts.servers[:-1] or hosts.servers
        return {
            device: edges[place * len(edges) // len(hosts.devices)]
            for place, device in enumerate(hosts.devices)
        }

    def air(self, hosts: Hosts, seed: int) -> Air:
        return _Spokes(self, hosts, self.homes(hosts))


class _Spokes(Air):
    def __init__(self, spokes: Spokes, hosts: Hosts, homes: Mapping[str, str]) -> None:
        self._spokes, self._hosts, self._homes = spokes, hosts, homes

    def survey(self) -> Survey:
        spokes, rates_bps = self._spokes, (self._spokes.up_rate, self._spokes.down_rate)
        links = [
            Link(
                device,
                0.0,
                inf,
                inf,
                *rates_bps,
                *rates_bps,
                station=home,
                server=home,
                latency_s=spokes.latency,
            )
            for device, home in self._homes.items()
        ]
        stations = [Station(name, 0.0, 0.0) for name in dict.fromkeys(self._homes.values())]
        return Survey(links, 1.0, 1.0, spokes.down_rate, 0, (), "fair", "fdd", True, stations)

    def paths(self, src: str, dsts: tuple[str, ...]) -> Sequence[Path]:
        servers = self._hosts.servers
        uplink = dsts[0] in servers
        if src in servers and uplink:
            lane = f"{src} to {dsts[0]}"
        else:
            lane = f"up/{dsts[0]}" if uplink else f"down/{src}"
            assert all(self._homes[device] in lane for device in ((src,) if uplink else dsts))
        devices = (src,) if uplink else dsts
        return [Path(lane, uplink, devices, inf, 0.0, self._spokes.latency)]

    def share(self, lane: str) -> Share:
        return FluidShare()

    def rate_bps(self, path: Path, block: int, heard: Mapping[str, int]) -> tuple[float, Among]:
        spokes = self._spokes
        if " to " in path.lane:
            return spokes.core_rate, None
        return spokes.up_rate if path.uplink else spokes.down_rate, None
