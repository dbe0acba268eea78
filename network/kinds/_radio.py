"""The air of every radio network as a user meets it: what is set, who has coverage, what the survey says."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.plugins import kind_of
from slfac_sim.network.contract import Hosts, Link, Sharing, Survey
from slfac_sim.network.fluid_settings import FluidSettings
from slfac_sim.network.radio.air import RadioAir
from slfac_sim.network.radio.cells import Radio
from slfac_sim.network.radio.placement import Layout, ground
from slfac_sim.network.radio.shadowing import MOST_CORRELATED
from slfac_sim.network.transfers import Path
from slfac_sim.network.transport import Framing


class RadioSettings(FluidSettings):
    """What every radio network has by the same name, with the same meaning and with defaults of its own."""

    medium: Any
    """How the transfers under way share the air: how much of its time, its band and its power each of them
    has at every moment.
    """
    radius: float
    """Devices are placed uniformly over the area around their station between `min_distance` and this, and
    placed anew where they have no coverage.
    """
    min_distance: float
    """Least horizontal distance at which a device is placed from its station."""
    positions: tuple[tuple[float, float], ...] | None
    """[x, y] of each device, in their order, with the (middle) station at [0, 0]; null: places are drawn.
    Given places are kept where they have no coverage (see `outage`).
    """
    outage: str
    """What to do where a device cannot be reached, because its given place has no coverage, or because
    neighbours or a `static` fade leave it no rate: refuse the scenario, or `allow` it. Nothing is ever
    through to or from such a device: a round that waits for it ends by its `deadline`, or not at all.
    """
    carrier: float
    """Carrier frequency, on which the Doppler shift of fades depends and, but for `log_distance`, path loss.
    """
    latency: float
    """Time from a transfer's last bit sent to its arrival, one way and whatever its size; it holds up no
    other transfer.
    """
    up_latency: float | None
    """The same of uplinks, where it is another; null: `latency` is that of both directions."""
    device_power: float
    """Power that a device radiates while it sends, all of it in whatever part of the band it has. Rates and
    coverage of the uplink depend on it, and the energy that sending costs.
    """
    station_power: float
    """Power that a station radiates in each 20 MHz, evenly: a wider band has more of it, and the same SNR."""
    shadowing: str
    """Log-normal variation of each link around its path loss, the same for the whole run: `independent` from
    device to device, `correlated` between devices near each other, or `none`. Its deviation is that of the
    `pathloss` model, 0 dB for `free_space` and, unless set there, for `log_distance`.
    """
    pathloss: Any
    """How the signal weakens with distance. The model also decides who has a line of sight, how much
    shadowing varies, and how steady a Rician link is.
    """
    fading: Any
    """How the SNR of a link moves around its mean. With `block` and `jakes` rates follow it during a
    transfer, an event each time; with the others fading changes no rate during a run.
    """

    @property
    def shared(self) -> Sharing:
        """How transfers share the air: as the medium says."""
        return self.medium.shared  # type: ignore[no-any-return]

    @property
    def lets_devices_move(self) -> bool:
        """Yes: they have stations to go with."""
        return True

    def check_distances(self) -> None:
        """Raise `ValueError` if there is no room for devices between `min_distance` and `radius`."""
        if self.min_distance >= self.radius:
            raise ValueError(
                f"min_distance must be below the radius, {self.radius:g} m (got {self.min_distance:g} m)"
            )


class SurveyedAir(RadioAir):
    """The air of a `radio` with devices placed by `layout`; `notes` are remarks on its settings.

    Raises `BadInput` for too many devices on one medium and, unless `outage` is ``allow``, for given places
    without coverage and where no bit reaches a covered device all the same.
    """

    def __init__(
        self,
        radio: Radio,
        layout: Layout,
        hosts: Hosts,
        seed: int,
        outage: str,
        framing: Framing,
        notes: tuple[str, ...] = (),
    ) -> None:
        self._layout, self._framing, self._notes = layout, framing, notes
        placed = ground(hosts.devices, seed, layout, radio.budget, radio.covered)
        self._standing = np.array([device not in layout.starts_m for device in hosts.devices], bool)
        self._lost = ~placed.covered & self._standing
        if outage == "refuse" and self._lost.any():
            raise BadInput(
                f"network.positions: no coverage for {named(hosts.devices, self._lost)}; "
                "move them, or write outage: allow"
            )
        super().__init__(hosts, seed, radio, placed)
        try:
            self.check()
        except BadInput as error:
            raise BadInput(f"network.medium: {error}") from None
        self._silenced = placed.covered & self._standing & ~self.reached()
        if outage == "refuse" and self._silenced.any():
            raise BadInput(f"network.outage: {self._silence()}; move it, or write outage: allow")

    def framing(self, lane: str) -> Framing:
        """Return what packets cost, on any lane."""
        return self._framing

    def takes_caps(self, lane: str) -> bool:
        """Return whether the medium does."""
        return self.radio.medium.takes_caps

    def alone_bps(self, path: Path, rate_bps: float) -> float:
        """Return what one sender has in its direction's part of the time."""
        return self.single_bps(rate_bps) * self.radio.part(path.uplink)

    def quiet_bps(self, path: Path, rate_bps: float, n: int = 1) -> float:
        """Return the rate of the survey on `path` among `n`, with neighbours as quiet as they ever are."""
        cell, reception = self._place_of[path.lane][0], self.reception
        n = n if reception.gains_from_a_crowd(path.uplink) else 1
        means_bps = reception.mean_bps(cell, path.uplink, reception.nobody(path.uplink), n)
        return useful([float(means_bps[self._members(path.devices)].min())], self.single_bps)[0]

    def single_bps(self, rate_bps: float) -> float:
        """Return what is left of one of the medium's rates for a sender that is alone."""
        return rate_bps

    def best_bps(self, rate_bps: float) -> float:
        """Return what is left of it for all senders together, at the best of times."""
        return rate_bps

    def group_bps(self, rate_bps: float) -> float:
        """Return what is left of it for a multicast that is alone."""
        return rate_bps

    def survey(self) -> Survey:
        """Return what the air offers."""
        radio = self.radio
        return Survey(
            links=self._links(),
            up_share=radio.part(True),
            down_share=radio.part(False),
            multicast_rate_bps=useful([self.multicast_rate_bps()], self.group_bps)[0],
            redraws=self.ground.redraws,
            remarks=self._remarks(),
            medium=kind_of(radio.medium),
            duplex=radio.duplex,
            crowd_independent=radio.medium.crowd_independent and radio.interference != "activity",
            stations=radio.stations,
            radius_m=self._layout.radius_m,
            coherence_s=radio.fading.coherence_s,
            header_bytes=self._framing.header_bytes,
            packet_bytes=self._framing.packet_bytes,
        )

    def _links(self) -> list[Link]:
        ground = self.ground
        up, down = (useful(self.mean_rates_bps(uplink).tolist(), self.single_bps) for uplink in (True, False))
        best_up, best_down = (
            useful(self.best_rates_bps(uplink).tolist(), self.best_bps) for uplink in (True, False)
        )
        return [
            Link(
                device=device,
                distance_m=float(ground.distance_m[i]),
                up_snr_db=float(ground.up_snr_db[i]),
                down_snr_db=float(ground.down_snr_db[i]),
                up_rate_bps=up[i],
                down_rate_bps=down[i],
                up_best_bps=best_up[i],
                down_best_bps=best_down[i],
                station=self.radio.stations[ground.serving[i]].name,
                x_m=float(ground.xy_m[i, 0]),
                y_m=float(ground.xy_m[i, 1]),
                los=bool(ground.los[i]),
                server=self.hosts.server,
                latency_s=max(self.radio.latency_s, self.radio.up_latency_s),
            )
            for i, device in enumerate(self.hosts.devices)
        ]

    def _remarks(self) -> tuple[str, ...]:
        budget, ground, devices = self.radio.budget, self.ground, self.hosts.devices
        remarks = [*self._notes, *self.radio.rates.remarks(budget.bandwidth_hz), *budget.remarks()]
        shortest_m = budget.pathloss.shortest_m
        near = ground.distance_m < shortest_m
        if near.any():
            remarks.append(f"{named(devices, near)}: nearer than {shortest_m:g} m, taken as that")
        if budget.pathloss.indoors is not None:
            remarks.append(f"{int(ground.indoor.sum())} of {len(devices)} devices are in buildings")
        if budget.shadowing == "correlated" and len(devices) > MOST_CORRELATED:
            remarks.append(f"more than {MOST_CORRELATED} devices: their shadowing is not correlated")
        if self._silenced.any():
            remarks.append(f"{self._silence()} (outage: allow)")
        if self._lost.any():
            remarks.append(f"no coverage for {named(devices, self._lost)} (outage: allow)")
        return tuple(remarks)

    def _silence(self) -> str:
        silenced = named(self.hosts.devices, self._silenced)
        return f"neighbours that send, or a fade that stays, leave nothing to {silenced}"


def useful(rates_bps: list[float], useful_bps: Callable[[float], float]) -> list[float]:
    """Return what is left of each of the medium's rates, nothing of none."""
    return [useful_bps(rate) if rate > 0.0 else rate for rate in rates_bps]


def named(devices: Sequence[str], chosen: NDArray[np.bool_]) -> str:
    """Return the names of the `chosen` devices."""
    return ", ".join(devices[i] for i in np.flatnonzero(chosen).tolist())
