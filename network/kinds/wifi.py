"""A Wi-Fi cell: devices and an access point in one channel at 5 GHz, all within hearing of each other.

The channel is `csma` (a fluid) or `dcf` (packet by packet); both directions share it. The access point is one
contender, however many transfers it has.
"""

import dataclasses
from collections.abc import Mapping
from functools import cache, cached_property
from typing import Annotated, Any, Literal, Self

from slfac_sim.foundation.plugins import Plugin, settings
from slfac_sim.foundation.units import Coordinate, Decibels, Hertz, Metres, Seconds, Watts, dbm_to_w
from slfac_sim.network.air import Air
from slfac_sim.network.contract import Hosts, Station
from slfac_sim.network.engine import Flow
from slfac_sim.network.kinds._moving import MovingAir
from slfac_sim.network.kinds._radio import RadioSettings, SurveyedAir
from slfac_sim.network.media.csma import Csma
from slfac_sim.network.media.dcf import Dcf
from slfac_sim.network.radio.budget import Budget, Shadowing
from slfac_sim.network.radio.cells import Radio
from slfac_sim.network.radio.fading.none import NoFading
from slfac_sim.network.radio.handover import HandoverRule
from slfac_sim.network.radio.pathloss.log_distance import LogDistance
from slfac_sim.network.radio.placement import Layout
from slfac_sim.network.radio.rates.wifi import Wifi as WifiRates
from slfac_sim.network.transport import UDP_HEADER_BYTES, Framing
from slfac_sim.network.varying.changing import motions_of
from slfac_sim.network.varying.motion import Motion

_STATION_POWER_HZ = 20e6
_CROWD = 8  # as many saturated senders, and more, lose more to collisions than they save in idle slots
_LONG_BYTES = 10_000_000  # a message whose last packet does not matter


@settings
class Wifi(RadioSettings):
    """The PHY rate of each direction follows its SNR.

    Each packet costs bytes more on the wire: 8 UDP, 20 IP, 8
    LLC, 24 (or 26) MAC and 4 FCS, which the channel's own timing holds already. The defaults are a home on
    channel 36, with powers and a noise figure that are usual in evaluations of IEEE 802.11.
    """

    medium: Annotated[Any, Plugin("slfac_sim.network.media", "csma")] = Csma()
    """The 802.11 channel: `csma` as a fluid or, for checks of it with few devices, `dcf` packet by packet.
    Its `standard` and `bandwidth` give the PHY rates as well.
    """
    radius: Metres = 15.0
    min_distance: Metres = 1.0
    positions: tuple[tuple[Coordinate, Coordinate], ...] | None = None
    outage: Literal["refuse", "allow"] = "refuse"
    carrier: Hertz = 5.18e9
    latency: Seconds = 0.001
    up_latency: Seconds | None = None
    device_power: Watts = dbm_to_w(17.0)
    station_power: Watts = dbm_to_w(20.0)
    noise_figure: Decibels = 7.0
    """Noise of every receiver above thermal noise (-174 dBm/Hz): all links have so much less SNR."""
    shadowing: Shadowing = "independent"
    pathloss: Annotated[Any, Plugin("slfac_sim.network.radio.pathloss", "log_distance")] = LogDistance()
    fading: Annotated[Any, Plugin("slfac_sim.network.radio.fading", "none")] = NoFading()
    """How the SNR of a link moves around its mean: `none` or, with PHY rates that change during a transfer,
    `block` and `jakes`. No PHY rate is a mean over fades, so `ergodic` is refused, and so is `static`.
    """

    def __post_init__(self) -> None:
        if not isinstance(self.medium, Csma | Dcf):
            raise ValueError("medium must be csma or dcf: network: {kind: cell} has the others")
        if isinstance(self.medium, Dcf) and self.medium.seed:
            raise ValueError(
                f"medium.seed must be left out: backoffs follow the seed of the air (got {self.medium.seed})"
            )
        if self.fading.tuned(self.carrier).coherence_s is None and not isinstance(self.fading, NoFading):
            raise ValueError("fading must be none or in blocks: no PHY rate is a mean over fades")
        self.check_distances()

    @property
    def radiates_w(self) -> tuple[float, float]:
        """The most that a device, and that a station, radiates."""
        return self.device_power, self.station_power * self.medium.bandwidth / _STATION_POWER_HZ

    @property
    def still(self) -> Self:
        """The same air without fades: no PHY rate is a mean over them."""
        return dataclasses.replace(super().still, fading=NoFading())

    def air(self, hosts: Hosts, seed: int) -> Air:
        """Return the channel; the rates of its survey are those of UDP, alone."""
        station = Station(hosts.server, 0.0, 0.0)
        motions = motions_of(self.change or {}, hosts.devices, seed, self.radius)
        starts_m = {device: motion.start_m for device, motion in motions.items()}
        layout = Layout((station,), self.radius, self.min_distance, self.positions, starts_m)
        header_bytes = self.medium.exchanges.header_bytes
        framing = Framing(
            self.medium.packet_bytes, header_bytes, header_bytes - UDP_HEADER_BYTES, holds_headers=True
        )
        own = self._radio(station, seed, motions), layout, hosts, seed, self.outage, framing
        return MovingWifiAir(*own, motions, HandoverRule()) if motions else WifiAir(*own)

    def _radio(self, station: Station, seed: int, motions: Mapping[str, Motion]) -> Radio:
        medium = dataclasses.replace(self.medium, seed=seed) if isinstance(self.medium, Dcf) else self.medium
        return Radio(
            stations=(station,),
            budget=Budget(
                pathloss=self.pathloss,
                carrier_hz=self.carrier,
                bandwidth_hz=self.medium.bandwidth,
                device_power_w=self.device_power,
                station_power_w=self.radiates_w[1],
                antenna_gain_db=0.0,
                station_noise_figure_db=self.noise_figure,
                device_noise_figure_db=self.noise_figure,
                shadowing=self.shadowing,
                rician=False,
                power_control=None,
            ),
            rates=WifiRates(standard=self.medium.standard, bandwidth=self.medium.bandwidth),
            fading=self.fading.followed(self.carrier, motions),
            medium=medium,
            duplex="half",
            uplink_share=1.0,
            latency_s=self.latency,
            up_latency_s=self.latency if self.up_latency is None else self.up_latency,
        )


class WifiAir(SurveyedAir):
    """Its medium gives goodput for the PHY rates that it is told."""

    def single_bps(self, rate_bps: float) -> float:
        """Return the goodput of one sender."""
        return _together_bps(self._fluid, 1, rate_bps)

    def best_bps(self, rate_bps: float) -> float:
        """Return the most that all senders have together, of any number of them."""
        return max(_together_bps(self._fluid, n, rate_bps) for n in range(1, _CROWD))

    def group_bps(self, rate_bps: float) -> float:
        """Return the goodput of a multicast."""
        return _together_bps(self._fluid, 1, rate_bps, dst="*")

    @cached_property
    def _fluid(self) -> Csma:
        """The fluid of the same channel."""
        medium = self.radio.medium
        return Csma(**{field.name: getattr(medium, field.name) for field in dataclasses.fields(Csma)})


class MovingWifiAir(WifiAir, MovingAir):
    """The same with devices on their ways, whose steps are as short as rooms have it."""

    longest_step_m = 1.0


@cache
def _together_bps(fluid: Csma, senders: int, phy_bps: float, dst: str = "ap") -> float:
    """Return what as many saturated senders carry together, in bit/s of UDP payload."""
    flows = [Flow(8.0 * _LONG_BYTES, phy_bps, src=f"s{i}", dst=dst) for i in range(senders)]
    return float(fluid.allot(flows)[0].sum())
