"""Where the devices stand, and what their links are worth on average. Knows no transfer and no clock."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.streams import stream
from slfac_sim.network.radio.budget import Budget, Floats, ratio
from slfac_sim.network.radio.rates import RateModel

_ATTEMPTS = 200


@dataclass(frozen=True)
class Ground:
    """The devices on the ground, in their order: mean SNRs, and which of them are `covered`.

    `redraws` counts positions drawn again because they were not covered.
    """

    distance_m: Floats
    up_snr_db: Floats
    down_snr_db: Floats
    covered: NDArray[np.bool_]
    redraws: int


def scatter(
    devices: Sequence[str], seed: int, radius_m: float, nearest_m: float, budget: Budget, rates: RateModel
) -> Ground:
    """Return `devices` placed uniformly in a ring; uncovered ones are placed again, and counted.

    Every draw is keyed by (seed, device, attempt). Raises `BadInput` when a device finds no covered
    place in 200 attempts.
    """
    draws, redraws = _draws(devices, seed, 0), 0
    for attempt in range(1, _ATTEMPTS + 1):
        distance_m = np.sqrt(nearest_m**2 + draws[:, 0] * (radius_m**2 - nearest_m**2))
        ground = _worth(distance_m, draws, budget, rates)
        lost = np.flatnonzero(~ground.covered).tolist()
        if not lost:
            return replace(ground, redraws=redraws)
        draws[lost] = _draws([devices[i] for i in lost], seed, attempt)
        redraws += len(lost)
    raise BadInput(
        f"network.radius: no covered place within {radius_m:g} m for {devices[lost[0]]} in {_ATTEMPTS} "
        "attempts; take a smaller radius or more power"
    )


def stand(
    devices: Sequence[str],
    seed: int,
    positions_m: Sequence[tuple[float, float]],
    budget: Budget,
    rates: RateModel,
) -> Ground:
    """Return `devices` at the given places [x, y] around the station; some may not be covered."""
    if len(positions_m) != len(devices):
        raise BadInput(f"network.positions: {len(positions_m)} positions for {len(devices)} devices")
    distance_m = np.hypot(*np.array(positions_m, dtype=np.float64).T)
    return _worth(distance_m, _draws(devices, seed, 0), budget, rates)


def _draws(devices: Sequence[str], seed: int, attempt: int) -> Floats:
    """Return [devices, 4]: place and line of sight uniform in [0, 1) (the angle is for later), a normal."""
    generators = (stream(seed, f"place/{device}", attempt) for device in devices)
    return np.array([[*rng.random(3), rng.standard_normal()] for rng in generators])


def _worth(distance_m: Floats, draws: Floats, budget: Budget, rates: RateModel) -> Ground:
    los = draws[:, 2] < budget.pathloss.los_probability(distance_m)
    gain_db = budget.gain_db(distance_m, los, draws[:, 3])
    up_db, down_db = budget.up_snr_db(gain_db), budget.down_snr_db(gain_db)
    # Coverage is judged without fading: the mean over fades is never quite 0, however far the device.
    up_bps = rates.rate_bps(ratio(up_db), budget.bandwidth_hz, True)
    down_bps = rates.rate_bps(ratio(down_db), budget.bandwidth_hz, False)
    return Ground(distance_m, up_db, down_db, (up_bps > 0.0) & (down_bps > 0.0), 0)
