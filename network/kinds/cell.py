"""One wireless cell: devices around a station share its time, uplink and downlink in a fixed ratio.

Sharing is by equal airtime (each transfer under way has the same part of its direction's time, on the
whole band and at full power), a device whose rate is 0 takes no part, and there is no interference.
"""

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray

from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.plugins import Plugin, settings
from slfac_sim.foundation.units import Decibels, Hertz, Metres, Seconds, Watts, dbm_to_w
from slfac_sim.network.contract import Link, Network, Survey, with_headers
from slfac_sim.network.courier import Courier
from slfac_sim.network.radio.air import CellAir
from slfac_sim.network.radio.budget import Budget
from slfac_sim.network.radio.fading.ergodic import Ergodic
from slfac_sim.network.radio.pathloss.umi import Umi
from slfac_sim.network.radio.placement import Ground, scatter, stand
from slfac_sim.network.radio.rates.nr_mcs import NrMcs


@settings
class Cell:
    """A 5G cell at 3.5 GHz, by default. Powers are radiated in the whole band, whatever its width.

    Devices are placed uniformly between `min_distance` and `radius`, unless `positions` ([x, y] in
    metres around the station, one for each device) are given. `uplink_share` is the uplink's part of
    the time. Each `packet_bytes` of payload, or a part of them, cost `header_bytes` more: 20 IP, 32 TCP
    with timestamps and 8 for the radio layers; 0 switches that off. The latency is one way.
    """

    bandwidth: Hertz = 20e6
    carrier: Hertz = 3.5e9
    radius: Metres = 150.0
    min_distance: Metres = 10.0
    positions: tuple[tuple[float, float], ...] | None = None
    outage: Literal["refuse", "allow"] = "refuse"
    uplink_share: float = 0.5
    latency: Seconds = 0.005
    device_power: Watts = dbm_to_w(23.0)
    station_power: Watts = dbm_to_w(44.0)
    station_gain: Decibels = 8.0
    device_gain: Decibels = 0.0
    station_noise_figure: Decibels = 5.0
    device_noise_figure: Decibels = 9.0
    shadowing: bool = True
    pathloss: Annotated[Any, Plugin("slfac_sim.network.radio.pathloss", "umi")] = Umi()
    rate: Annotated[Any, Plugin("slfac_sim.network.radio.rates", "nr_mcs")] = NrMcs()
    fading: Annotated[Any, Plugin("slfac_sim.network.radio.fading", "ergodic")] = Ergodic()
    packet_bytes: int = 1448
    header_bytes: int = 60

    def __post_init__(self) -> None:
        if not 0.0 < self.uplink_share < 1.0:
            raise ValueError(f"uplink_share must lie between 0 and 1 (got {self.uplink_share:g})")
        if self.min_distance >= self.radius:
            raise ValueError(
                f"min_distance must be below the radius, {self.radius:g} m (got {self.min_distance:g} m)"
            )
        self.rate.check(self.bandwidth)
        if self.packet_bytes < 1 or self.header_bytes < 0:
            raise ValueError("packet_bytes must be at least 1 and header_bytes at least 0")

    def survey(self, devices: Sequence[str], server: str, seed: int) -> Survey:
        """Return the links as a run with this `seed` will have them, each alone on the air."""
        ground = self._ground(devices, seed)
        return self._survey(devices, ground, self._air(devices, server, seed, ground))

    def open(self, env: Any, devices: Sequence[str], server: str, seed: int) -> Network:
        """Return the cell on `env`, with the links of the survey."""
        ground = self._ground(devices, seed)
        air = self._air(devices, server, seed, ground)
        return Courier(env, air, partial(with_headers, self.packet_bytes, self.header_bytes))

    def _survey(self, devices: Sequence[str], ground: Ground, air: CellAir) -> Survey:
        up_bps, down_bps = air.mean_rates_bps(uplink=True), air.mean_rates_bps(uplink=False)
        columns = (ground.distance_m, ground.up_snr_db, ground.down_snr_db, up_bps, down_bps)
        links = [Link(device, *map(float, row)) for device, *row in zip(devices, *columns, strict=True)]
        return Survey(
            links=links,
            up_share=self.uplink_share,
            down_share=1.0 - self.uplink_share,
            latency_s=self.latency,
            multicast_rate_bps=air.multicast_rate_bps(),
            redraws=ground.redraws,
            remarks=self._remarks(devices, ground),
            header_bytes=self.header_bytes,
            packet_bytes=self.packet_bytes,
        )

    def _budget(self) -> Budget:
        return Budget(
            pathloss=self.pathloss,
            carrier_hz=self.carrier,
            bandwidth_hz=self.bandwidth,
            device_power_w=self.device_power,
            station_power_w=self.station_power,
            antenna_gain_db=self.station_gain + self.device_gain,
            station_noise_figure_db=self.station_noise_figure,
            device_noise_figure_db=self.device_noise_figure,
            shadowing=self.shadowing,
        )

    def _ground(self, devices: Sequence[str], seed: int) -> Ground:
        if self.positions is None:
            return scatter(devices, seed, self.radius, self.min_distance, self._budget(), self.rate)
        ground = stand(devices, seed, self.positions, self._budget(), self.rate)
        if self.outage == "refuse" and not ground.covered.all():
            raise BadInput(
                f"network.positions: no coverage for {_named(devices, ~ground.covered)}; "
                "move them, or write outage: allow"
            )
        return ground

    def _air(self, devices: Sequence[str], server: str, seed: int, ground: Ground) -> CellAir:
        return CellAir(
            devices,
            server,
            seed,
            ground,
            self._budget(),
            self.rate,
            self.fading,
            uplink_share=self.uplink_share,
            latency_s=self.latency,
        )

    def _remarks(self, devices: Sequence[str], ground: Ground) -> tuple[str, ...]:
        remarks = list(self.rate.remarks(self.bandwidth))
        near = ground.distance_m < self.pathloss.shortest_m
        if near.any():
            remarks.append(
                f"{_named(devices, near)}: nearer than {self.pathloss.shortest_m:g} m, taken as that"
            )
        if not ground.covered.all():
            remarks.append(f"no coverage for {_named(devices, ~ground.covered)} (outage: allow)")
        return tuple(remarks)


def _named(devices: Sequence[str], chosen: NDArray[np.bool_]) -> str:
    return ", ".join(devices[i] for i in np.flatnonzero(chosen).tolist())
