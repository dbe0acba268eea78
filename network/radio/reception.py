"""How well the devices of every cell are received, and at what mean rates, in any company. No clock here."""

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from slfac_sim.foundation.arrays import Floats
from slfac_sim.network.media.proportional_fair import best_survival
from slfac_sim.network.radio import interference
from slfac_sim.network.radio.cells import Radio
from slfac_sim.network.radio.placement import Ground
from slfac_sim.network.radio.signal import Signal

_DEAD_BPS = 1.0
"""A mean rate below this is none: a fade up to the lowest MCS would come once in days, if at all."""

Activity = tuple[float, ...]
"""How many senders the neighbours hear of each cell."""


@dataclass(frozen=True, eq=False)
class Within:
    """The `others` who may disturb a device, and how busy the cells are where that does not change."""

    others: Ground
    fixed: Mapping[bool, Activity | None]


class Reception:
    """The devices on the `ground` of `radio`, alone there or `within` others, who disturb them.

    Rates are those over a part of the medium, when n have one: rate / n is what a transfer then gets.
    """

    def __init__(
        self, devices: Sequence[str], seed: int, radio: Radio, ground: Ground, within: Within | None = None
    ) -> None:
        self._radio, self._ground = radio, ground
        self._others = ground if within is None else within.others
        self._still = radio.still_gains(devices, seed, ground)
        cells = range(len(radio.stations))
        self.members: Sequence[NDArray[np.intp]] = [np.flatnonzero(ground.serving == cell) for cell in cells]
        self.quiet: Activity = (0.0,) * len(cells)
        self.signal = functools.lru_cache(maxsize=256)(self._new_signal)
        self.mean_bps = functools.lru_cache(maxsize=4096)(self._new_mean_rates)
        self.fixed: Mapping[bool, Activity | None] = (
            {uplink: self._fixed_activity(uplink) for uplink in (True, False)}
            if within is None
            else within.fixed
        )

    def users(self, cell: int, way: str) -> int:
        """Return how many pairs of sender and receiver a lane of the cell has, with one for multicasts."""
        members = len(self.members[cell])
        return max(1, {"up": members, "down": members + 1, "air": 2 * members + 1}[way])

    def gains_from_a_crowd(self, uplink: bool) -> bool:
        """Return whether a transfer's rate over its part of the medium depends on how many have one."""
        crowd = self._radio.medium.crowd
        return crowd == "diversity" or (crowd == "power" and uplink)

    def part(self, uplink: bool, n: int) -> float:
        """Return the part of the band that a sender has for itself, of n."""
        return 1.0 / n if uplink and self._radio.medium.crowd == "power" else 1.0

    def everybody(self, uplink: bool) -> Activity:
        """Return how busy the cells ever are: as they always are or, where that changes, with all sending."""
        return self.fixed[uplink] or self._all_sending(uplink)

    def nobody(self, uplink: bool) -> Activity:
        """Return how quiet the cells ever are."""
        return self.fixed[uplink] or self.quiet

    def of_all(self, uplink: bool, activity: Activity, n: Callable[[int], int] = lambda cell: 1) -> Floats:
        """Return the mean rates [devices] among `n` of each cell, with neighbours of an `activity`."""
        rates_bps = np.zeros(len(self._ground.serving))
        for cell, members in enumerate(self.members):
            rates_bps[members] = self.mean_bps(cell, uplink, activity, n(cell))
        return rates_bps

    def others(self, place: int) -> Within:
        """Return what the device at `place` meets of all the others."""
        keep = np.delete(np.arange(len(self._ground.serving)), place)
        return Within(self._ground.of(keep), self.fixed)

    def _all_sending(self, uplink: bool) -> Activity:
        return tuple(float(self._radio.senders(uplink, len(members))) for members in self.members)

    def _new_signal(self, uplink: bool, activity: Activity) -> Signal:
        return self._radio.signal(self._ground, self._others, uplink, np.array(activity)).times(self._still)

    def _new_mean_rates(self, cell: int, uplink: bool, activity: Activity, n: int) -> Floats:
        """Return the mean rates [members of the cell]."""
        radio, members = self._radio, self.members[cell]
        if len(members) == 0:
            return np.zeros(0)
        signal, part = self.signal(uplink, activity).of(members), self.part(uplink, n)
        survival = radio.fading.survival(self._ground.k[members])
        if survival is None:
            rates_bps = radio.rates.best_rate_bps(signal, radio.budget.bandwidth_hz, part, uplink)
        else:
            if radio.medium.crowd == "diversity":
                survival = best_survival(n, survival)
            rates_bps = radio.rates.best_mean_rate_bps(
                signal, radio.budget.bandwidth_hz, part, uplink, survival
            )
        over_part_bps = rates_bps / part
        return np.where(over_part_bps < _DEAD_BPS, 0.0, radio.goodput * over_part_bps)

    def _fixed_activity(self, uplink: bool) -> Activity | None:
        """Return how busy the cells are where that does not change; None where it follows the transfers."""
        match self._radio.interference:
            case "activity":
                return None
            case "load":
                return self._loads(uplink)
            case "full":
                return self._all_sending(True) if uplink else (1.0,) * len(self.members)
            case _:
                return self.quiet

    def _loads(self, uplink: bool) -> Activity:
        """Return the loads at which every cell carries what it is offered, shared equally by its devices.

        Those that no bit reaches even while the neighbours are silent have no part in it.
        """
        cells = range(len(self.members))
        within_reach = [self._new_mean_rates(cell, uplink, self.quiet, 1) > 0.0 for cell in cells]
        members = np.array([within.sum() for within in within_reach])

        def capacity_bps(activity: Floats) -> Floats:
            carried = np.zeros(len(cells))
            for cell in np.flatnonzero(members).tolist():
                rates_bps = self._new_mean_rates(cell, uplink, tuple(activity.tolist()), 1)
                with np.errstate(divide="ignore"):
                    carried[cell] = members[cell] / np.sum(1.0 / rates_bps[within_reach[cell]])
            return np.asarray(self._radio.part(uplink) * carried)

        offered_bps = np.where(members > 0, self._radio.offered_bps, 0.0)
        return tuple(interference.loads(offered_bps, capacity_bps).tolist())
