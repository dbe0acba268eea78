"""How a transfer's rate depends on how many are served with it, by the law of the medium's crowd."""

from collections.abc import Callable, Mapping
from functools import cache
from math import log1p
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # a case of links starts without the machinery of plug-ins
    from slfac_sim.network.media import Crowd


def among(crowd: "Crowd", rate_bps: float, snr_db: float) -> Callable[[int], float]:
    """Return the rate over its part of the medium when n transfers have one, for `Flow.among`.

    `rate_bps` is the rate alone, whatever its coding; the gain over it is Shannon's at `snr_db`, the
    SNR alone (its mean, where fades are chosen among): log2(1 + n S) / log2(1 + S) for a power-limited
    sender in 1/n of the band, E[log2(1 + S M_n)] / E[log2(1 + S M_1)] for the best of n Rayleigh fades.
    """
    gain, snr = GAINS[crowd], 10.0 ** (snr_db / 10.0)
    return lambda n: rate_bps * gain(snr, n)


@cache
def _power(snr: float, n: int) -> float:
    return log1p(n * snr) / log1p(snr)


@cache
def _diversity(snr: float, n: int) -> float:
    from slfac_sim.network.media.proportional_fair import best_of

    return best_of(n, snr) / best_of(1, snr)


GAINS: Mapping["Crowd", Callable[[float, int], float]] = {"power": _power, "diversity": _diversity}
