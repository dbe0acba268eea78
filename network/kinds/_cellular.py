"""The settings that one cell and several have in common, and the `Radio` that they come to."""

from collections.abc import Mapping
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
from slfac_sim.network.air import Air
from slfac_sim.network.contract import Hosts, Station
from slfac_sim.network.kinds._moving import MovingAir
from slfac_sim.network.kinds._radio import RadioSettings, SurveyedAir
from slfac_sim.network.media.fair import Fair
from slfac_sim.network.radio.budget import Budget, PowerControl, Shadowing
from slfac_sim.network.radio.cells import Duplex, Interference, Radio
from slfac_sim.network.radio.fading.ergodic import Ergodic
from slfac_sim.network.radio.handover import HandoverRule
from slfac_sim.network.radio.harq import Harq
from slfac_sim.network.radio.pathloss.umi import Umi
from slfac_sim.network.radio.placement import Layout
from slfac_sim.network.radio.rates.nr_mcs import NrMcs
from slfac_sim.network.transport import Framing
from slfac_sim.network.varying.motion import Motion
from slfac_sim.network.wifi.station import Station as Station80211

_STATION_POWER_HZ = 20e6
_HEADER_BYTES = 60, 8  # with fluid: IP, TCP with timestamps, PDCP, RLC and MAC; otherwise the last three


@settings
class Cellular(RadioSettings):
    """Base stations and devices around them."""

    bandwidth: Hertz = 20e6
    """Width of the band; with `duplex: fdd` each direction has as much. Rates grow with it, but hardly on an
    uplink that is limited by the power of its device.
    """
    carrier: Hertz = 3.5e9
    radius: Metres = 150.0
    min_distance: Metres = 10.0
    positions: tuple[tuple[Coordinate, Coordinate], ...] | None = None
    outage: Literal["refuse", "allow"] = "refuse"
    medium: Annotated[Any, Plugin("slfac_sim.network.media", "fair")] = Fair()
    duplex: Duplex = "tdd"
    """How the directions share the spectrum: each has its part of the time, which the other never gets
    (`tdd`); each has a band of its own (`fdd`); or all transfers share one band and all of the time (`half`,
    for a single cell).
    """
    uplink_share: Part = 0.5
    """Part of the time that the uplink has with `duplex: tdd`; the downlink has the rest. Rates are
    multiplied by it. Without effect in other duplexes.
    """
    latency: Seconds = 0.005
    up_latency: Seconds | None = None
    device_power: Watts = dbm_to_w(23.0)
    station_power: Watts = dbm_to_w(44.0)
    station_gain: Decibels = 8.0
    """Antenna gain of a station in dBi, the same in all directions, for what it sends and what it receives.
    """
    device_gain: Decibels = 0.0
    """Antenna gain of a device in dBi, the same in all directions, for what it sends and what it receives."""
    station_noise_figure: Decibels = 5.0
    """Noise of a station's receiver above thermal noise (-174 dBm/Hz): all uplinks have so much less SNR."""
    device_noise_figure: Decibels = 9.0
    """Noise of a device's receiver above thermal noise (-174 dBm/Hz): all downlinks have so much less SNR."""
    power_control: Annotated[PowerControl | None, OrNone()] = None
    """Open-loop power control: devices near a station send with less than `device_power`, which saves energy
    and disturbs other cells less. `none`: all devices always send with all of it.
    """
    shadowing: Shadowing = "independent"
    pathloss: Annotated[Any, Plugin("slfac_sim.network.radio.pathloss", "umi")] = Umi()
    rate: Annotated[Any, Plugin("slfac_sim.network.radio.rates", "nr_mcs")] = NrMcs()
    """What bit rate a link has at an SNR: the best modulation and coding of a table, or a formula."""
    fading: Annotated[Any, Plugin("slfac_sim.network.radio.fading", "ergodic")] = Ergodic()
    small_scale: Literal["rayleigh", "rician"] = "rayleigh"
    """Law of the fades: `rayleigh` for all devices or, with `rician`, steadier ones for devices in line of
    sight, whose Rician factor the `pathloss` model gives.
    """
    retransmission: Annotated[Harq | None, OrNone()] = Harq()
    """What blocks cost that arrive wrong and are sent again: a part of every rate, and a mean delay on top of
    `latency`. `none` leaves it out, as for rates that are throughputs already (`truncated_shannon`).
    """
    packet_bytes: Count = 1448
    """Payload of a packet with `transport: fluid`; a message takes as many packets as it fills. The default
    is what IP and TCP with timestamps leave of 1500 bytes. Other transports have a size of their own.
    """
    header_bytes: CountOrZero | None = None
    """Bytes that each packet costs on the air beside what its transport counts; 0 leaves them out. null: 8 of
    the radio layers, and with `transport: fluid`, which counts none, 20 of IP and 32 of TCP with timestamps
    as well.
    """

    def __post_init__(self) -> None:
        if not 0.0 < self.uplink_share < 1.0:
            raise ValueError(f"uplink_share must lie between 0 and 1 (got {self.uplink_share:g})")
        self.check_distances()
        if self.medium.crowd == "diversity" and self.fading.tuned(self.carrier).coherence_s is not None:
            raise ValueError("a proportional_fair medium is a mean over fades: it needs fading: ergodic")
        if isinstance(self.medium, Station80211):
            raise ValueError("csma and dcf are media of network: {kind: wifi}")
        self.rate.check(self.bandwidth)
        self._framing()

    @property
    def radiates_w(self) -> tuple[float, float]:
        """The most that a device, and that a station, radiates."""
        return self.device_power, self.station_power * self.bandwidth / _STATION_POWER_HZ

    @property
    def controls_power(self) -> bool:
        """Whether devices radiate less than the most where that suffices."""
        return self.power_control is not None

    @property
    def still(self) -> Self:
        """The same air with rates that are means over the fades, where these come in blocks."""
        still = super().still
        moves = self.fading.tuned(self.carrier).coherence_s is not None
        return replace(still, fading=Ergodic()) if moves else still

    def _air(
        self,
        stations: tuple[Station, ...],
        hosts: Hosts,
        seed: int,
        interference: Interference = "none",
        offered_bps: float = 0.0,
        motions: Mapping[str, Motion] | None = None,
        handover: HandoverRule | None = None,
    ) -> Air:
        again = self.retransmission
        again_s = 0.0 if again is None else again.mean_delay_s
        radio = Radio(
            stations=stations,
            budget=self._budget(),
            rates=self.rate,
            fading=self.fading.followed(self.carrier, motions or {}),
            medium=self.medium,
            duplex=self.duplex,
            uplink_share=self.uplink_share,
            interference=interference,
            offered_bps=offered_bps,
            goodput=1.0 if again is None else again.goodput,
            latency_s=self.latency + again_s,
            up_latency_s=(self.latency if self.up_latency is None else self.up_latency) + again_s,
        )
        starts_m = {device: motion.start_m for device, motion in (motions or {}).items()}
        layout = Layout(stations, self.radius, self.min_distance, self.positions, starts_m)
        if motions:
            own = self.outage, self._framing(), motions, handover or HandoverRule()
            return MovingAir(radio, layout, hosts, seed, *own)
        idle = ("handover has no effect: no device moves",) if handover not in (None, HandoverRule()) else ()
        return SurveyedAir(radio, layout, hosts, seed, self.outage, self._framing(), idle)

    def _framing(self) -> Framing:
        fluid_bytes, layer2_bytes = (
            _HEADER_BYTES if self.header_bytes is None else (self.header_bytes, self.header_bytes)
        )
        return Framing(self.packet_bytes, fluid_bytes, layer2_bytes)

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
