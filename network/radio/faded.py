"""Rates in one block of fading, found for many devices by one array operation. They know no clock."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from slfac_sim.foundation.arrays import Floats
from slfac_sim.network.radio.cells import Radio
from slfac_sim.network.radio.reception import Activity, Reception

_NOBODY: NDArray[np.intp] = np.zeros(0, np.intp)


class Fades:
    """The gains of `devices` with Rician factors `k` [devices], drawn some blocks ahead."""

    def __init__(self, radio: Radio, seed: int, devices: Sequence[str], k: Floats) -> None:
        self._fading, self._seed, self._devices, self._k = radio.fading, seed, devices, k
        self._ahead = radio.fading.ahead
        self._gains = np.ones((len(devices), self._ahead))
        self._drawn = np.full(len(devices), -1)  # which of the runs of blocks

    def of(self, places: NDArray[np.intp], block: int) -> Floats:
        """Return the gains of the devices at `places` in `block`."""
        run, within = divmod(block, self._ahead)
        stale = places[self._drawn[places] != run]
        if len(stale):
            names = [self._devices[place] for place in stale.tolist()]
            blocks = range(run * self._ahead, (run + 1) * self._ahead)
            self._gains[stale] = self._fading.gains(self._seed, names, blocks, self._k[stale])
            self._drawn[stale] = run
        return np.asarray(self._gains[places, within])


class Faded:
    """Rates in `block`, while the cells are as busy as `activity` says, of the devices asked for so far."""

    def __init__(
        self, radio: Radio, reception: Reception, fades: Fades, uplink: bool, block: int, activity: Activity
    ) -> None:
        self._radio, self._reception, self._fades = radio, reception, fades
        self._uplink, self._block, self._activity = uplink, block, activity
        self._columns: dict[int, int] = {}
        self._places = _NOBODY
        self._rates_bps: dict[int, Floats] = {}

    def columns(self, places: Iterable[int]) -> list[int]:
        """Return the columns of the devices at `places` in the arrays of `over_part_bps`."""
        columns = self._columns
        found = [columns.setdefault(place, len(columns)) for place in places]
        if len(columns) > len(self._places):
            self._places = np.fromiter(columns, np.intp, len(columns))
        return found

    def over_part_bps(self, n: int) -> Floats:
        """Return the rates [columns] over their parts of the medium when `n` have one."""
        known = self._rates_bps.get(n)
        if known is None:
            known = self._rates_bps[n] = self._found(self._places, n)
        elif len(known) < len(self._places):
            known = self._rates_bps[n] = np.append(known, self._found(self._places[len(known) :], n))
        return known

    def _found(self, places: NDArray[np.intp], n: int) -> Floats:
        radio, part = self._radio, self._reception.part(self._uplink, n)
        signal = self._reception.signal(self._uplink, self._activity).of(places)
        faded = signal.times(self._fades.of(places, self._block))
        rates_bps = radio.rates.best_rate_bps(faded, radio.budget.bandwidth_hz, part, self._uplink)
        return radio.goodput / part * rates_bps
