"""Rates in steps over blocks of the band: the best step whose SNR is met, on as many blocks as serve best.

A sender limited by power that takes k of N blocks has N / k times the SNR: r = max over k of
k SE(SNR_1 / k), SNR_1 being its SNR with all its power in one block. Where the medium gives it a part
of the band that is no whole number of blocks, it has one block more for a part of the time, and less than
one block is one block for a part of the time.
"""

import functools
from abc import abstractmethod

import numpy as np
from numpy.typing import NDArray

from slfac_sim.foundation.arrays import Bools, Floats
from slfac_sim.network.radio.rates import RateModel, Survival
from slfac_sim.network.radio.signal import Signal, evenly

Steps = tuple[tuple[float, ...], tuple[float, ...]]
"""Least SNRs (power ratios) and what they bring in one block, bit/s; both non-decreasing."""

_WHOLE = 1e-9
_AT_ONCE = 1_000_000
_NARROW = 64


class Stepwise(RateModel):
    """A model that says what its blocks and its steps are; everything else follows."""

    @property
    @abstractmethod
    def block_hz(self) -> float:
        """The width of a block."""

    @abstractmethod
    def blocks(self, bandwidth_hz: float) -> int:
        """Return how many blocks there are in a band; never fewer in a wider one."""

    @abstractmethod
    def steps(self, uplink: bool) -> Steps:
        """Return the steps of one block."""

    def rate_bps(self, snr: Floats, bandwidth_hz: float, uplink: bool) -> Floats:
        """Return the rate of a device that has the whole band; 0 below the first step."""
        return self.best_rate_bps(evenly(snr), bandwidth_hz, 1.0, uplink)

    def mean_rate_bps(self, snr: Floats, bandwidth_hz: float, uplink: bool, survival: Survival) -> Floats:
        """Return the mean over fading: the sum over the steps of what each adds, when it can be used."""
        return self.best_mean_rate_bps(evenly(snr), bandwidth_hz, 1.0, uplink, survival)

    def best_rate_bps(self, signal: Signal, bandwidth_hz: float, part: float, uplink: bool) -> Floats:
        """Return the best over the numbers of blocks up to `part` of the band's."""
        return self._of_blocks(signal, part * self.blocks(bandwidth_hz), uplink, None)

    def best_mean_rate_bps(
        self, signal: Signal, bandwidth_hz: float, part: float, uplink: bool, survival: Survival
    ) -> Floats:
        """Return the mean over fading of the best over the numbers of blocks."""
        return self._of_blocks(signal, part * self.blocks(bandwidth_hz), uplink, survival)

    def covers(self, signal: Signal, uplink: bool) -> Bools:
        """Return whether the SNR in one block is that of the first step."""
        return np.asarray(signal.snr_in(self.block_hz) >= self.steps(uplink)[0][0])

    def most_parts(self, bandwidth_hz: float) -> float:
        """Return the number of blocks."""
        return float(self.blocks(bandwidth_hz))

    def _of_blocks(self, signal: Signal, blocks: float, uplink: bool, survival: Survival | None) -> Floats:
        """Return the best in `blocks` blocks, of which a part may be had for a part of the time."""
        whole = int(blocks + _WHOLE)
        more = blocks - whole
        fewer_bps = self._in_blocks(signal, whole, uplink, survival)
        if more <= _WHOLE:
            return fewer_bps
        return (1.0 - more) * fewer_bps + more * self._in_blocks(signal, whole + 1, uplink, survival)

    def _in_blocks(self, signal: Signal, blocks: int, uplink: bool, survival: Survival | None) -> Floats:
        """Return the best of 1 to `blocks` blocks, or its mean over fading."""
        if blocks == 0:
            return np.zeros(signal.snr.shape)
        snr = signal.snr_in(blocks * self.block_hz)
        raised = np.round(np.minimum(signal.snr / snr, float(blocks)), 9)
        kinds: Floats
        kinds, kind_of = np.unique(raised, return_inverse=True)
        if survival is None:
            return self._reached_bps(snr, blocks, uplink, kinds, kind_of)
        tables = _tables(self.steps(uplink), blocks, tuple(kinds.tolist()))
        least, gained_bps = tables if len(kinds) == 1 else (table[:, kind_of] for table in tables)
        mean_bps = np.zeros(len(snr))
        rows = max(1, _AT_ONCE // max(1, len(snr)))
        for at in range(0, len(least), rows):
            gained = gained_bps[at : at + rows] * survival(least[at : at + rows] / snr)
            mean_bps = _summed(mean_bps, gained)
        return mean_bps

    def _reached_bps(
        self, snr: Floats, blocks: int, uplink: bool, kinds: Floats, kind_of: NDArray[np.intp]
    ) -> Floats:
        """Return what the last step brings that each SNR reaches."""
        reached_bps = np.zeros(snr.shape)
        for kind, most in enumerate(kinds.tolist()):
            least, best_bps = _reached_steps(self.steps(uplink), blocks, most)
            mine = kind_of == kind if len(kinds) > 1 else slice(None)
            step = np.searchsorted(least, snr[mine], "right")
            step += least[step] / snr[mine] <= 1.0  # missed by less than the last digit
            reached_bps[mine] = best_bps[step]
        return reached_bps


def _summed(total: Floats, terms: Floats) -> Floats:
    """Return `total` [devices] + `terms` [steps, devices], in this order: numpy's sums round by shape."""
    if len(total) <= _NARROW:
        return np.asarray(np.cumsum(np.concatenate((total[None], terms)), axis=0)[-1])
    for term in terms:
        total = total + term
    return total


@functools.lru_cache(maxsize=64)
def _tables(steps: Steps, blocks: int, kinds: tuple[float, ...]) -> tuple[Floats, Floats]:
    """Return `_best_steps` of each kind of device, [steps, kinds], and what each step adds."""
    tables = [_best_steps(steps, blocks, kind) for kind in kinds]
    longest = max(len(least) for least, _ in tables)
    least, best_bps = (
        np.array([np.pad(table[i], (0, longest - len(table[i])), "edge") for table in tables]).T
        for i in range(2)
    )
    return least, np.diff(best_bps, prepend=0.0, axis=0)


@functools.lru_cache(maxsize=2048)
def _reached_steps(steps: Steps, blocks: int, most: float) -> tuple[Floats, Floats]:
    """Return `_best_steps` with a last one out of reach, and before it the sums of what each step adds."""
    least, best_bps = _best_steps(steps, blocks, most)
    sums_bps = np.cumsum(np.diff(best_bps, prepend=0.0))
    return np.append(least, np.inf), np.concatenate(([0.0], sums_bps, [np.nan]))


@functools.lru_cache(maxsize=2048)
def _best_steps(steps: Steps, blocks: int, most: float) -> tuple[Floats, Floats]:
    """Return from which SNRs in all `blocks` on a sender has more than before, and what, in bit/s.

    In k of them its SNR is blocks / k times as high, but `most` times at most. Both increase.
    """
    least, rates_bps = (np.array(column) for column in steps)
    taken = np.arange(1, blocks + 1)[:, None]
    least = (least / np.minimum(most, blocks / taken)).ravel()
    rates_bps = (taken * rates_bps).ravel()
    order = np.lexsort((-rates_bps, least))
    best_bps = np.maximum.accumulate(rates_bps[order])
    new = np.diff(best_bps, prepend=0.0) > 0.0
    return least[order][new], best_bps[new]
