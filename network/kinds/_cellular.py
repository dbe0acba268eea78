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
    """Base stations and devices around them.

    `station_power` is radiated in each 20 MHz, whatever the width of the band; `device_power` is all that a
    device has, in whatever part of the band.
    """

    bandwidth: Hertz = 20e6
    carrier: Hertz = 3.5e9
    radius: Metres = 150.0
    min_distance: Metres = 10.0
    positions: tuple[tuple[Coordinate, Coordinate], ...] | None = None
    outage: Literal["refuse", "allow"] = "refuse"
    medium: Annotated[Any, Plugin("slfac_sim.network.media", "fair")] = Fair()
    duplex: Duplex = "tdd"
    uplink_share: Part = 0.5
    latency: Seconds = 0.005
    device_power: Watts = dbm_to_w(23.0)
    station_power: Watts = dbm_to_w(44.0)
    station_gain: Decibels = 8.0
    device_gain: Decibels = 0.0
    station_noise_figure: Decibels = 5.0
    device_noise_figure: Decibels = 9.0
    power_control: Annotated[PowerControl | None, OrNone()] = None
    shadowing: Shadowing = "independent"
    pathloss: Annotated[Any, Plugin("slfac_sim.network.radio.pathloss", "umi")] = Umi()
    rate: Annotated[Any, Plugin("slfac_sim.network.radio.rates", "nr_mcs")] = NrMcs()
    fading: Annotated[Any, Plugin("slfac_sim.network.radio.fading", "ergodic")] = Ergodic()
    small_scale: Literal["rayleigh", "rician"] = "rayleigh"
    retransmission: Annotated[Harq | None, OrNone()] = Harq()
    packet_bytes: Count = 1448
    header_bytes: CountOrZero = 60

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
