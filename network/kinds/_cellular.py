"""The settings that one cell and several have in common, and the `Radio` that they come to."""

from dataclasses import replace
from typing import Annotated, Any, Literal, Self

from slfac_sim.foundation.fields import OrNone
from slfac_sim.foundation.plugins import Plugin, settings
from slfac_sim.foundation.units import (
    Coordinate,
    Count,
    CountOrZero,
    Decibels,
    Hertz,
    Metres,
    Part,
    Seconds,
    Watts,
    dbm_to_w,
)
from slfac_sim.network.contract import Hosts, Sharing, Station
from slfac_sim.network.fluid_network import Air, FluidSettings
from slfac_sim.network.kinds._radio import Packets, SurveyedAir
from slfac_sim.network.media.fair import Fair
from slfac_sim.network.radio.budget import Budget, PowerControl, Shadowing
from slfac_sim.network.radio.cells import Duplex, Interference, Radio
from slfac_sim.network.radio.fading.ergodic import Ergodic
from slfac_sim.network.radio.harq import Harq
from slfac_sim.network.radio.pathloss.umi import Umi
from slfac_sim.network.radio.placement import Layout
from slfac_sim.network.radio.rates.nr_mcs import NrMcs
from slfac_sim.network.wifi.station import Station as Station80211

_STATION_POWER_HZ = 20e6


@settings
class Cellular(FluidSettings):
    """Base stations and devices around them."""

    bandwidth: Hertz = 20e6
    """Width of the band, of which `duplex` says how both directions share it."""
    carrier: Hertz = 3.5e9
    """Carrier frequency, on which path loss and Doppler shift depend."""
    radius: Metres = 150.0
    """Largest distance from its station at which a device is placed."""
    min_distance: Metres = 10.0
    """Least distance from its station at which a device is placed."""
    positions: tuple[tuple[Coordinate, Coordinate], ...] | None = None
    """Where each device is, [x, y] around the (middle) station, one for each device; null: drawn uniformly
    over the area.
    """
    outage: Literal["refuse", "allow"] = "refuse"
    """Whether a device that no bit gets through to or from is refused; with `allow` its rate is 0."""
    medium: Annotated[Any, Plugin("slfac_sim.network.media", "fair")] = Fair()
    """How transfers share the air."""
    duplex: Duplex = "tdd"
    """How both directions share the air: in turns (`tdd`), each on a whole band of its own (`fdd`), or one
    band for both together (`half`).
    """
    uplink_share: Part = 0.5
    """Part of the time that the uplink has in TDD."""
    latency: Seconds = 0.005
    """Time from the last bit sent to its arrival, one way, whatever the size."""
    device_power: Watts = dbm_to_w(23.0)
    """Power that a device radiates, all that it has in whatever part of the band."""
    station_power: Watts = dbm_to_w(44.0)
    """Power that a station radiates in each 20 MHz of the band."""
    station_gain: Decibels = 8.0
    """Antenna gain of a station, in dBi."""
    device_gain: Decibels = 0.0
    """Antenna gain of a device, in dBi."""
    station_noise_figure: Decibels = 5.0
    """Noise that a station's receiver adds to thermal noise."""
    device_noise_figure: Decibels = 9.0
    """Noise that a device's receiver adds to thermal noise."""
    power_control: Annotated[PowerControl | None, OrNone()] = None
    """How devices turn their power down near a station; `none`: they never do."""
    shadowing: Shadowing = "independent"
    """Log-normal shadowing of each link: `none`, drawn by itself (`independent`), or alike for devices near
    each other (`correlated`).
    """
    pathloss: Annotated[Any, Plugin("slfac_sim.network.radio.pathloss", "umi")] = Umi()
    """How much weaker a signal is at a distance."""
    rate: Annotated[Any, Plugin("slfac_sim.network.radio.rates", "nr_mcs")] = NrMcs()
    """What rate a signal-to-noise ratio gives."""
    fading: Annotated[Any, Plugin("slfac_sim.network.radio.fading", "ergodic")] = Ergodic()
    """How links change as things move."""
    small_scale: Literal["rayleigh", "rician"] = "rayleigh"
    """Law of the fades: `rayleigh`, or with `rician` for devices in line of sight the path loss model's
    Rician factor.
    """
    retransmission: Annotated[Harq | None, OrNone()] = Harq()
    """What blocks cost that are sent again; `none`: every block arrives at once."""
    packet_bytes: Count = 1448
    """Payload of a packet."""
    header_bytes: CountOrZero = 60
    """Bytes that each packet, or the part of one, costs more on the air: 20 IP, 32 TCP with timestamps and 8
    for the radio layers; 0 switches that off.
    """

    def __post_init__(self) -> None:
        if not 0.0 < self.uplink_share < 1.0:
            raise ValueError(f"uplink_share must lie between 0 and 1 (got {self.uplink_share:g})")
        if self.min_distance >= self.radius:
            raise ValueError(
                f"min_distance must be below the radius, {self.radius:g} m (got {self.min_distance:g} m)"
            )
        if self.medium.crowd == "diversity" and self.fading.tuned(self.carrier).coherence_s is not None:
            raise ValueError("a proportional_fair medium is a mean over fades: it needs fading: ergodic")
        if isinstance(self.medium, Station80211):
            raise ValueError("csma and dcf are media of network: {kind: wifi}")
        self.rate.check(self.bandwidth)
        Packets(self.packet_bytes, self.header_bytes)

    @property
    def radiates_w(self) -> tuple[float, float]:
        """The most that a device, and that a station, radiates."""
        return self.device_power, self.station_power * self.bandwidth / _STATION_POWER_HZ

    @property
    def controls_power(self) -> bool:
        """Whether devices radiate less than the most where that suffices."""
        return self.power_control is not None

    @property
    def shared(self) -> Sharing:
        """How transfers share the air: as the medium says."""
        return self.medium.shared  # type: ignore[no-any-return]

    @property
    def still(self) -> Self:
        """The same air with rates that are means over the fades, where these come in blocks."""
        return (
            self if self.fading.tuned(self.carrier).coherence_s is None else replace(self, fading=Ergodic())
        )

    def _air(
        self,
        stations: tuple[Station, ...],
        hosts: Hosts,
        seed: int,
        interference: Interference = "none",
        offered_bps: float = 0.0,
    ) -> Air:
        again = self.retransmission
        radio = Radio(
            stations=stations,
            budget=self._budget(),
            rates=self.rate,
            fading=self.fading.tuned(self.carrier),
            medium=self.medium,
            duplex=self.duplex,
            uplink_share=self.uplink_share,
            interference=interference,
            offered_bps=offered_bps,
            goodput=1.0 if again is None else again.goodput,
            latency_s=self.latency + (0.0 if again is None else again.mean_delay_s),
        )
        layout = Layout(stations, self.radius, self.min_distance, self.positions)
        packets = Packets(self.packet_bytes, self.header_bytes)
        return SurveyedAir(radio, layout, hosts, seed, self.outage, packets)

    def _budget(self) -> Budget:
        device_power_w, station_power_w = self.radiates_w
        return Budget(
            pathloss=self.pathloss,
            carrier_hz=self.carrier,
            bandwidth_hz=self.bandwidth,
            device_power_w=device_power_w,
            station_power_w=station_power_w,
            antenna_gain_db=self.station_gain + self.device_gain,
            station_noise_figure_db=self.station_noise_figure,
            device_noise_figure_db=self.device_noise_figure,
            shadowing=self.shadowing,
            rician=self.small_scale == "rician",
            power_control=self.power_control,
        )
