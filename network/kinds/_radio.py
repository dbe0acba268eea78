"""What all radio networks have in common: survey and opening of a `Radio` with devices on its ground."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.plugins import kind_of
from slfac_sim.network.contract import Link, Network, Survey, with_headers
from slfac_sim.network.fluid_network import Courier
from slfac_sim.network.radio.air import RadioAir
from slfac_sim.network.radio.budget import Floats
from slfac_sim.network.radio.cells import Radio
from slfac_sim.network.radio.placement import Ground, Layout, ground
from slfac_sim.network.radio.shadowing import MOST_CORRELATED


@dataclass(frozen=True, kw_only=True)
class Site:
    """A `Radio`, who is on it and where: all that a radio network's settings come to, for one seed.

    `carried_bytes` are the bytes that the medium is told of (802.11 adds its own headers), `alone_bps`
    what is left of one of the medium's rates for a sender that is alone, `best_bps` for all senders
    together, at the best of times, and `group_bps` for a multicast that is alone.
    """

    radio: Radio
    layout: Layout
    devices: Sequence[str]
    server: str
    seed: int
    outage: str
    packet_bytes: int
    header_bytes: int
    carried_bytes: Callable[[int], int] | None = None
    alone_bps: Callable[[float], float] | None = None
    best_bps: Callable[[float], float] | None = None
    group_bps: Callable[[float], float] | None = None

    @cached_property
    def ground(self) -> Ground:
        """The devices on the ground. Raises `BadInput` for given places without coverage."""
        found = ground(self.devices, self.seed, self.layout, self.radio.budget, self.radio.covered)
        if self.outage == "refuse" and not found.covered.all():
            raise BadInput(
                f"network.positions: no coverage for {named(self.devices, ~found.covered)}; "
                "move them, or write outage: allow"
            )
        return found

    @cached_property
    def air(self) -> RadioAir:
        """The air between the stations and the devices.

        Raises `BadInput` for too many on one medium, and where no bit reaches a covered device all the same.
        """
        found = RadioAir(self.devices, self.server, self.seed, self.radio, self.ground)
        try:
            found.check()
        except BadInput as error:
            raise BadInput(f"network.medium: {error}") from None
        silenced = self.ground.covered & ~found.reached()
        if self.outage == "refuse" and silenced.any():
            raise BadInput(
                f"network.outage: {_silence(self.devices, silenced)}; move it, or write outage: allow"
            )
        return found

    def open(self, env: Any) -> Network:
        """Return the network on `env`."""
        return Courier(
            env, self.air, partial(with_headers, self.packet_bytes, self.header_bytes), self.carried_bytes
        )

    def survey(self) -> Survey:
        """Return what the air offers."""
        radio = self.radio
        return Survey(
            links=self._links(),
            up_share=radio.part(True),
            down_share=radio.part(False),
            latency_s=radio.latency_s,
            multicast_rate_bps=_useful(np.array([self.air.multicast_rate_bps()]), self.group_bps)[0],
            redraws=self.ground.redraws,
            remarks=self._remarks(),
            medium=kind_of(radio.medium),
            duplex=radio.duplex,
            crowd_independent=radio.medium.crowd_independent and radio.interference != "activity",
            stations=radio.stations,
            radius_m=self.layout.radius_m,
            coherence_s=radio.fading.coherence_s,
            header_bytes=self.header_bytes,
            packet_bytes=self.packet_bytes,
        )

    def _links(self) -> list[Link]:
        stood, air = self.ground, self.air
        alone = [_useful(air.mean_rates_bps(uplink), self.alone_bps) for uplink in (True, False)]
        best = [_useful(air.best_rates_bps(uplink), self.best_bps) for uplink in (True, False)]
        return [
            Link(
                device=device,
                distance_m=float(stood.distance_m[i]),
                up_snr_db=float(stood.up_snr_db[i]),
                down_snr_db=float(stood.down_snr_db[i]),
                up_rate_bps=alone[0][i],
                down_rate_bps=alone[1][i],
                up_best_bps=best[0][i],
                down_best_bps=best[1][i],
                station=self.radio.stations[stood.serving[i]].name,
                x_m=float(stood.xy_m[i, 0]),
                y_m=float(stood.xy_m[i, 1]),
                los=bool(stood.los[i]),
            )
            for i, device in enumerate(self.devices)
        ]

    def _remarks(self) -> tuple[str, ...]:
        radio, stood = self.radio, self.ground
        remarks = [*radio.rates.remarks(radio.budget.bandwidth_hz), *radio.budget.remarks()]
        shortest_m = radio.budget.pathloss.shortest_m
        near = stood.distance_m < shortest_m
        if near.any():
            remarks.append(f"{named(self.devices, near)}: nearer than {shortest_m:g} m, taken as that")
        if radio.budget.shadowing == "correlated" and len(self.devices) > MOST_CORRELATED:
            remarks.append(f"more than {MOST_CORRELATED} devices: their shadowing is not correlated")
        silenced = stood.covered & ~self.air.reached()
        if silenced.any():
            remarks.append(f"{_silence(self.devices, silenced)} (outage: allow)")
        if not stood.covered.all():
            remarks.append(f"no coverage for {named(self.devices, ~stood.covered)} (outage: allow)")
        return tuple(remarks)


def _silence(devices: Sequence[str], silenced: NDArray[np.bool_]) -> str:
    return f"neighbours that send, or a fade that stays, leave nothing to {named(devices, silenced)}"


def _useful(rates_bps: Floats, useful_bps: Callable[[float], float] | None) -> list[float]:
    found: list[float] = rates_bps.tolist()
    return [useful_bps(rate) if useful_bps is not None and rate > 0.0 else rate for rate in found]


def named(devices: Sequence[str], chosen: NDArray[np.bool_]) -> str:
    """Return the names of the `chosen` devices."""
    return ", ".join(devices[i] for i in np.flatnonzero(chosen).tolist())


def check_headers(packet_bytes: int, header_bytes: int) -> None:
    """Raise `ValueError` for packets that cannot be."""
    if packet_bytes < 1 or header_bytes < 0:
        raise ValueError("packet_bytes must be at least 1 and header_bytes at least 0")
