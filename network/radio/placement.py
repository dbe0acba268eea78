"""Where the devices stand, and what their links are worth on average. Knows no transfer and no clock."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from slfac_sim.foundation.arrays import Bools, Floats
from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.streams import stream
from slfac_sim.network.contract import Station
from slfac_sim.network.radio.budget import Budget
from slfac_sim.network.radio.penetration import Inside
from slfac_sim.network.radio.shadowing import between_sites

Places = Sequence[int] | NDArray[np.intp]

_ATTEMPTS = 200


@dataclass(frozen=True)
class Layout:
    """The stations, and where devices may be: in a ring around a station, in turn, or at `positions_m`.

    Those that move begin at `starts_m`.
    """

    stations: tuple[Station, ...]
    radius_m: float
    nearest_m: float
    positions_m: tuple[tuple[float, float], ...] | None
    starts_m: Mapping[str, tuple[float, float]] = field(default_factory=dict)


@dataclass(frozen=True)
class Ground:
    """The devices on the ground, in their order; `serving` is the station of the best gain, or chosen.

    `gain_db` [stations, devices] holds antennas, path loss, walls and shadowing; `k` are Rician factors
    (power ratios, 0 for Rayleigh), and `power_w` what each device sends with. `distance_m`, `los`, `k` and
    the SNRs are those of the link to the serving station; who is `indoor` has no line of sight. `shadow`
    [stations, devices] and `k_normal` are the normals behind shadowing and `k`, `seen` [stations, devices]
    the lines of sight up to a wall. `covered` says whether a bit gets through, `redraws` counts positions
    drawn again because none did.
    """

    xy_m: Floats
    serving: NDArray[np.intp]
    distance_m: Floats
    los: Bools
    indoor: Bools
    gain_db: Floats
    k: Floats
    power_w: Floats
    up_snr_db: Floats
    down_snr_db: Floats
    shadow: Floats
    k_normal: Floats
    seen: Bools
    covered: Bools
    redraws: int = 0

    def of(self, places: Places) -> "Ground":
        """Return the devices at `places` alone."""
        return replace(
            self, xy_m=self.xy_m[places], **{name: getattr(self, name)[..., places] for name in _BY_DEVICE}
        )

    def with_moved(self, places: Places, moved: "Ground") -> "Ground":
        """Return all of them, with those at `places` as they are among the `moved`."""
        changed = {name: getattr(self, name).copy() for name in ("xy_m", *_BY_DEVICE)}
        changed["xy_m"][places] = moved.xy_m
        for name in _BY_DEVICE:
            changed[name][..., places] = getattr(moved, name)
        return replace(self, **changed)


_BY_DEVICE = [one.name for one in fields(Ground) if one.name not in ("xy_m", "redraws")]

Covered = Callable[[Ground], Bools]


@dataclass
class _Draws:
    """Uniforms [devices] for the place, uniforms and normals [stations, devices] for the links.

    `inside` [draws, devices] are those of `Indoors`, and no rows where no device is in a building.
    """

    place: Floats
    angle: Floats
    los: Floats
    shadow: Floats
    k: Floats
    inside: Floats

    def redraw(self, which: Sequence[int], again: "_Draws") -> None:
        for name in ("place", "angle", "los", "shadow", "k", "inside"):
            getattr(self, name)[..., which] = getattr(again, name)


def ground(devices: Sequence[str], seed: int, layout: Layout, budget: Budget, covered: Covered) -> Ground:
    """Return the `devices` on the ground. At given positions some may not be covered.

    Others are placed uniformly in a ring; uncovered ones that do not move are placed again, and counted.
    Every draw is keyed by (seed, device, attempt). Raises `BadInput` when a device finds no covered place in
    200 attempts, for a number of positions that is not that of the devices, and for one that is not finite.
    """
    draws, redraws = _draws(devices, seed, 0, layout, budget), 0
    standing = np.array([device not in layout.starts_m for device in devices], bool)
    if layout.positions_m is not None:
        return _judged(_at_positions(devices, layout, draws, budget), covered)
    for attempt in range(1, _ATTEMPTS + 1):
        placed = _judged(_around_stations(devices, layout, draws, budget), covered)
        lost = np.flatnonzero(~placed.covered & standing).tolist()
        if not lost:
            return replace(placed, redraws=redraws)
        draws.redraw(lost, _draws([devices[i] for i in lost], seed, attempt, layout, budget))
        redraws += len(lost)
    raise BadInput(
        f"network.radius: no covered place within {layout.radius_m:g} m for {devices[lost[0]]} in "
        f"{_ATTEMPTS} attempts; take a smaller radius or more power"
    )


def _judged(placed: Ground, covered: Covered) -> Ground:
    return replace(placed, covered=covered(placed))


def _draws(devices: Sequence[str], seed: int, attempt: int, layout: Layout, budget: Budget) -> _Draws:
    """Return the draws for `devices`; with one station, all of a link's come from the device's stream."""
    stations = len(layout.stations)
    generators = (stream(seed, f"place/{device}", attempt) for device in devices)
    rows = np.array([[*rng.random(3), *rng.standard_normal(2)] for rng in generators]).T
    los, shadow = rows[2:3].copy(), rows[3:4].copy()
    if stations > 1:
        links = np.array([[_link(seed, d, s, attempt) for d in devices] for s in range(stations)])
        los = links[..., 0]
        shadow = between_sites(shadow[0], links[..., 1])
    inside = np.zeros((0, len(devices)))
    if budget.pathloss.indoors is not None:
        inside = np.array([_indoor_draws(stream(seed, f"indoor/{device}", attempt)) for device in devices]).T
    return _Draws(rows[0].copy(), rows[1].copy(), los, shadow, rows[4].copy(), inside)


def _indoor_draws(rng: np.random.Generator) -> tuple[float, ...]:
    return (*rng.random(3).tolist(), float(rng.standard_normal()))


def _link(seed: int, device: str, station: int, attempt: int) -> tuple[float, float]:
    rng = stream(seed, f"place/{device}/{station}", attempt)
    return float(rng.random()), float(rng.standard_normal())


def _around_stations(devices: Sequence[str], layout: Layout, draws: _Draws, budget: Budget) -> Ground:
    """Place the devices around the stations in turn, uniformly in each ring."""
    at_m = sites_m(layout.stations)
    home = np.arange(len(devices)) % len(at_m)
    nearest_m2, farthest_m2 = layout.nearest_m**2, layout.radius_m**2
    from_home_m = np.sqrt(nearest_m2 + draws.place * (farthest_m2 - nearest_m2))
    turn = 2.0 * np.pi * draws.angle
    xy_m = at_m[home] + from_home_m[:, None] * np.column_stack([np.cos(turn), np.sin(turn)])
    distance_m = distances_m(at_m, xy_m)
    distance_m[home, np.arange(len(devices))] = from_home_m  # not spoilt by the way through x and y
    for i, device in enumerate(devices):
        if device in layout.starts_m:
            xy_m[i] = layout.starts_m[device]
            distance_m[:, i] = distances_m(at_m, xy_m[i : i + 1])[:, 0]
    return _with_links(xy_m, distance_m, draws, budget)


def _at_positions(devices: Sequence[str], layout: Layout, draws: _Draws, budget: Budget) -> Ground:
    positions_m = layout.positions_m or ()
    if len(positions_m) != len(devices):
        raise BadInput(f"network.positions: {len(positions_m)} positions for {len(devices)} devices")
    xy_m = np.array(positions_m, dtype=np.float64).reshape(-1, 2)
    for device, (x_m, y_m) in zip(devices, xy_m.tolist(), strict=True):
        if not (isfinite(x_m) and isfinite(y_m)):
            raise BadInput(f"network.positions: {device} must stand at two finite numbers (got {x_m}, {y_m})")
    for i, device in enumerate(devices):
        xy_m[i] = layout.starts_m.get(device, xy_m[i])
    return _with_links(xy_m, distances_m(sites_m(layout.stations), xy_m), draws, budget)


def sites_m(stations: Sequence[Station]) -> Floats:
    """Return where `stations` stand, [stations, 2]."""
    return np.array([(station.x_m, station.y_m) for station in stations])


def distances_m(at_m: Floats, xy_m: Floats) -> Floats:
    """Return how far devices are from stations `at_m`, [stations, devices]."""
    apart_m = xy_m[None, :, :] - at_m[:, None, :]
    return np.asarray(np.hypot(apart_m[..., 0], apart_m[..., 1]))


def _with_links(xy_m: Floats, distance_m: Floats, draws: _Draws, budget: Budget) -> Ground:
    inside = budget.inside(draws.inside)
    to_wall_m = np.maximum(distance_m - inside.depth_m, 0.0)
    los = draws.los < budget.pathloss.los_probability(to_wall_m)
    return linked(xy_m, distance_m, los, inside, draws.shadow, draws.k, budget)


def linked(
    xy_m: Floats,
    distance_m: Floats,
    los: Bools,
    inside: Inside,
    shadow: Floats,
    k_normal: Floats,
    budget: Budget,
    serving: NDArray[np.intp] | None = None,
) -> Ground:
    """Return devices at `xy_m`, `distance_m` [stations, devices] away, as if they were all covered.

    `shadow` [stations, devices] and `k_normal` [devices] are standard normals. Without `serving` stations
    the best ones serve.
    """
    gain_db = budget.gain_db(distance_m, los, inside, shadow, xy_m)
    if serving is None:
        serving = np.argmax(gain_db, axis=0)
    mine = serving, np.arange(len(xy_m))
    power_w = budget.power_w(gain_db[mine])
    in_sight = los[mine] & ~inside.indoor
    return Ground(
        xy_m=xy_m,
        serving=serving,
        distance_m=distance_m[mine],
        los=in_sight,
        indoor=inside.indoor,
        gain_db=gain_db,
        k=budget.rician_k(in_sight, k_normal),
        power_w=power_w,
        up_snr_db=budget.up_snr_db(gain_db[mine], power_w),
        down_snr_db=budget.down_snr_db(gain_db[mine]),
        shadow=shadow,
        k_normal=k_normal,
        seen=los,
        covered=np.ones(len(xy_m), bool),
    )
