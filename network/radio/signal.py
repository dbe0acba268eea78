"""What arrives at a receiver, and how much a narrower part of the band raises it. It knows no rate."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from slfac_sim.foundation.arrays import Floats


@dataclass(frozen=True)
class Signal:
    """Signals [devices]: the SNR in a part of the band is min(`snr`, `cn0_hz` / its width), a power ratio.

    `snr` is the ratio of the densities where power is spread evenly, as a station's is and as power control
    asks for. `cn0_hz` is all the power that a limited sender has, over the density of the noise
    (carrier to noise density). Either may be infinite, but not both.
    """

    snr: Floats
    cn0_hz: Floats

    def snr_in(self, width_hz: float | Floats) -> Floats:
        """Return the SNR [devices] of senders whose part of the band is `width_hz` wide."""
        return np.minimum(self.snr, self.cn0_hz / width_hz)

    def times(self, gain: Floats) -> "Signal":
        """Return the signals after a power `gain` [devices]."""
        return Signal(self.snr * gain, self.cn0_hz * gain)

    def of(self, places: Sequence[int] | NDArray[np.intp]) -> "Signal":
        """Return the signals of the devices at `places`."""
        return Signal(self.snr[places], self.cn0_hz[places])


def evenly(snr: Floats) -> Signal:
    """Return signals whose SNR is `snr` in any part of the band."""
    return Signal(snr, np.full(snr.shape, np.inf))


def limited(cn0_hz: Floats) -> Signal:
    """Return signals of senders that put all their power into any part of the band."""
    return Signal(np.full(cn0_hz.shape, np.inf), cn0_hz)
