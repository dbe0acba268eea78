"""A Wi-Fi cell: devices and an access point in one 20 MHz channel at 5 GHz, all within hearing of each other.

The channel is `csma` (a fluid) or `dcf` (packet by packet); both directions share it. The access point is one
contender, however many transfers it has.
"""

import dataclasses
from functools import cache, cached_property
from typing import Annotated, Any, Literal, Self

from slfac_sim.foundation.plugins import Plugin, settings
from slfac_sim.foundation.units import Coordinate, Decibels, Hertz, Metres, Seconds, Watts, dbm_to_w
from slfac_sim.network.contract import Hosts, Sharing, Station
from slfac_sim.network.engine import Flow
from slfac_sim.network.fluid_network import Air, FluidSettings
from slfac_sim.network.kinds._radio import Packets, SurveyedAir
from slfac_sim.network.media.csma import Csma
from slfac_sim.network.media.dcf import Dcf
from slfac_sim.network.radio.budget import Budget, Shadowing
from slfac_sim.network.radio.cells import Radio
from slfac_sim.network.radio.fading.none import NoFading
from slfac_sim.network.radio.pathloss.log_distance import LogDistance
from slfac_sim.network.radio.placement import Layout
from slfac_sim.network.radio.rates.wifi import Wifi as WifiRates

_CROWD = 8  # as many saturated senders, and more, lose more to collisions than they save in idle slots
_LONG_BYTES = 10_000_000  # a message whose last packet does not matter


@settings
class Wifi(FluidSettings):
    """One access point and the devices around it.

    The PHY rate of each direction follows its SNR. Each packet costs bytes more on the wire: 8 UDP, 20 IP, 8
    LLC, 24 (or 26) MAC and 4 FCS, which the channel's own timing holds already.
    """

    medium: Annotated[Any, Plugin("slfac_sim.network.media", "csma")] = Csma()
    """The 802.11 channel: `csma` as a fluid, or `dcf` packet by packet; its `standard` decides on the rates
    as well.
    """
    radius: Metres = 15.0
    """Largest distance from the access point at which a device is placed."""
    min_distance: Metres = 1.0
    """Least distance from the access point at which a device is placed."""
    positions: tuple[tuple[Coordinate, Coordinate], ...] | None = None
    """Where each device is, [x, y] around the access point, one for each device; null: drawn uniformly over
    the area.
    """
    outage: Literal["refuse", "allow"] = "refuse"
    """Whether a device that no bit gets through to or from is refused; with `allow` its rate is 0."""
    carrier: Hertz = 5.18e9
    """Carrier frequency, on which path loss and Doppler shift depend."""
    latency: Seconds = 0.001
    """Time that whatever lies behind the air takes, one way, whatever the size."""
    device_power: Watts = dbm_to_w(17.0)
    """Power that a device radiates."""
    station_power: Watts = dbm_to_w(20.0)
    """Power that the access point radiates."""
    noise_figure: Decibels = 7.0
    """Noise that every receiver adds to thermal noise."""
    shadowing: Shadowing = "independent"
    """Log-normal shadowing of each link: `none`, drawn by itself (`independent`), or alike for devices near
    each other (`correlated`).
    """
    pathloss: Annotated[Any, Plugin("slfac_sim.network.radio.pathloss", "log_distance")] = LogDistance()
    """How much weaker a signal is at a distance."""
    fading: Annotated[Any, Plugin("slfac_sim.network.radio.fading", "none")] = NoFading()
    """How links change as things move."""

    def __post_init__(self) -> None:
        if not isinstance(self.medium, Csma | Dcf):
            raise ValueError("medium must be csma or dcf: network: {kind: cell} has the others")
        if isinstance(self.medium, Dcf) and self.medium.seed:
            raise ValueError(
                f"medium.seed must be left out: backoffs follow the seed of the air (got {self.medium.seed})"
            )
        if self.fading.tuned(self.carrier).coherence_s is None and not isinstance(self.fading, NoFading):
            raise ValueError("fading must be none or in blocks: no PHY rate is a mean over fades")
        if self.min_distance >= self.radius:
            raise ValueError(
                f"min_distance must be below the radius, {self.radius:g} m (got {self.min_distance:g} m)"
            )

    @property
    def radiates_w(self) -> tuple[float, float]:
        """The most that a device, and that a station, radiates."""
        return self.device_power, self.station_power

    @property
    def shared(self) -> Sharing:
        """How transfers share the air: as the medium says."""
        return self.medium.shared  # type: ignore[no-any-return]

    @property
    def still(self) -> Self:
        """The same air without fades: no PHY rate is a mean over them."""
        return dataclasses.replace(self, fading=NoFading())

    def air(self, hosts: Hosts, seed: int) -> Air:
        """Return the channel; the rates of its survey are those of UDP, alone."""
        station = Station(hosts.server, 0.0, 0.0)
        layout = Layout((station,), self.radius, self.min_distance, self.positions)
        packets = Packets(self.medium.packet_bytes, self.medium.exchanges.header_bytes)
        return WifiAir(self._radio(station, seed), layout, hosts, seed, self.outage, packets)

    def _radio(self, station: Station, seed: int) -> Radio:
        medium = dataclasses.replace(self.medium, seed=seed) if isinstance(self.medium, Dcf) else self.medium
        return Radio(
            stations=(station,),
            budget=Budget(
                pathloss=self.pathloss,
                carrier_hz=self.carrier,
                bandwidth_hz=20e6,
                device_power_w=self.device_power,
                station_power_w=self.station_power,
                antenna_gain_db=0.0,
                station_noise_figure_db=self.noise_figure,
                device_noise_figure_db=self.noise_figure,
                shadowing=self.shadowing,
                rician=False,
                power_control=None,
            ),
            rates=WifiRates(standard=self.medium.standard),
            fading=self.fading.tuned(self.carrier),
            medium=medium,
            duplex="half",
            uplink_share=1.0,
            latency_s=self.latency,
        )


class WifiAir(SurveyedAir):
    """Its medium gives goodput for the PHY rates that it is told."""

    def alone_bps(self, rate_bps: float) -> float:
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


@cache
def _together_bps(fluid: Csma, senders: int, phy_bps: float, dst: str = "ap") -> float:
    """Return what as many saturated senders carry together, in bit/s of UDP payload."""
    flows = [Flow(8.0 * _LONG_BYTES, phy_bps, src=f"s{i}", dst=dst) for i in range(senders)]
    return float(fluid.allot(flows)[0].sum())
