"""SL-FAC's two decisions: where each spectrum splits into two bands, and how many bits each band gets.

AFD (adaptive frequency decomposition) and FQC (frequency-based quantisation) as docs/wire_format.md
states them; it knows nothing of quantising or packing. A *group* is what shares one decision: a plane
(one sample, one channel), or a channel over the whole batch. Spectra are [samples, groups, K]: K
coefficients in zig-zag order, and the samples of a group (1 for planes).
"""

from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from slfac_sim.codecs.kit.floats import Floats

Normaliser = Literal["chsum", "chmax", "msgmax", "rel", "lin"]
Selection = Literal["energy", "magnitude", "std"]
_T = TypeVar("_T", np.float64, np.int64)

_MANY = 112  # groups from which adding row by row is faster, with 49 coefficients


@dataclass(frozen=True)
class Split:
    """The last coefficient of each low band, and of both bands of each group the length and mean energy.

    `last_low` is k* ([groups]); the other two are [groups, 2].
    """

    last_low: NDArray[np.int64]
    sizes: NDArray[np.int64]
    mean_energy: NDArray[np.float64]


def split(spectra: Floats, theta: float, weights: NDArray[np.float64] | None = None) -> Split:
    """Return the split of every group: k* is the first k whose cumulative energy ratio R(k) >= `theta`.

    Sums are float64, and the ratio is compared as cumsum >= theta * (its last element), so that
    R(K-1) = 1 exactly and k* always exists. A group of zeros has k* = 0. `weights` ([groups, K]) replace
    energies in the choice of k*, not in the energy of the bands.
    """
    cumulative = _accumulated(_energies(spectra))
    last_low = _first_at(cumulative if weights is None else _accumulated(weights.T), theta)
    low = cumulative[last_low, np.arange(len(last_low))]
    sizes = lengths(last_low, spectra.shape[2])
    mean_energy = _both(low, cumulative[-1] - low)
    mean_energy /= np.maximum(len(spectra) * sizes, 1)
    return Split(last_low, sizes, mean_energy)


def _energies(spectra: Floats) -> NDArray[np.float64]:
    """Return the energy of every coefficient, summed over the samples of a group ([K, groups])."""
    columns = spectra.transpose(0, 2, 1)
    if len(spectra) == 1 and spectra.shape[1] >= _MANY:
        energies: NDArray[np.float64] = columns[0].astype(np.float64, order="C")
        energies *= energies
        return energies
    squares = np.square(columns, dtype=np.float64)
    total: NDArray[np.float64] = squares[0] if len(squares) == 1 else squares.sum(axis=0)
    return total


def _accumulated(columns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the cumulative sums of `columns` ([K, groups]) along K; may overwrite them.

    Of many groups row by row: within a group, each sum would wait for the one before it.
    """
    if columns.shape[1] < _MANY:
        return np.cumsum(columns.T, axis=1).T
    sums = np.ascontiguousarray(columns)
    before = sums[0]
    for row in sums[1:]:
        before = np.add(before, row, out=row)
    return sums


def _first_at(cumulative: NDArray[np.float64], theta: float) -> NDArray[np.int64]:
    """Return the first k of every group where `cumulative` ([K, groups]) is at least theta x its last."""
    below = cumulative < theta * cumulative[-1]
    counts: NDArray[np.uint16] = np.add.reduce(below.view(np.uint8), axis=0, dtype=np.uint16)
    return counts.astype(np.int64)


def weights(spectra: Floats, selection: Selection, batch: int) -> NDArray[np.float64] | None:
    """Return what `split` accumulates in place of energy ([groups, K]); None for `energy`.

    The ablations' rules (ours): the magnitudes of a group's coefficients; or their standard deviations
    over the `batch`, which are one for all the samples of a channel.
    """
    if selection == "energy":
        return None
    if selection == "magnitude":
        magnitudes: NDArray[np.float64] = np.abs(spectra).sum(axis=0, dtype=np.float64)
        return magnitudes
    samples, groups, coefficients = spectra.shape
    channels = samples * groups // batch
    deviations = spectra.reshape(batch, channels, coefficients).std(axis=0, dtype=np.float64)
    return np.tile(deviations, (groups // channels, 1))


def lengths(last_low: NDArray[np.int64], coefficients: int) -> NDArray[np.int64]:
    """Return how many of the K `coefficients` each band has: k* + 1 and K - 1 - k* ([groups, 2])."""
    return _both(last_low + 1, coefficients - 1 - last_low)


def _both(low: NDArray[_T], high: NDArray[_T]) -> NDArray[_T]:
    """Return the figures of both bands side by side ([groups, 2])."""
    figures = np.empty((len(low), 2), low.dtype)
    figures[:, 0], figures[:, 1] = low, high
    return figures


def allocate(
    mean_energy: NDArray[np.float64], sizes: NDArray[np.int64], normaliser: Normaliser, b_min: int, b_max: int
) -> NDArray[np.uint8]:
    """Return the bits of every band ([groups, 2]): clip(round(b_min + (b_max - b_min) phi), b_min, b_max).

    `sizes` ([groups, 2]) are the lengths of the bands. phi is of `_share`.
    """
    bits = np.rint(b_min + (b_max - b_min) * _share(mean_energy, sizes, normaliser))
    return np.clip(bits, b_min, b_max).astype(np.uint8)


def _share(
    mean_energy: NDArray[np.float64], sizes: NDArray[np.int64], normaliser: Normaliser
) -> NDArray[np.float64]:
    """Return phi ([groups, 2]), between 0 and 1: the level L of a band over that of its rivals.

    L = log(1 + E); over both bands of the group (`chsum`), over the larger (`chmax`), over the largest
    of the message (`msgmax`). `rel` takes log(1 + E / E_message), as msgmax, and `lin` E itself, as chsum.
    """
    level = mean_energy
    if normaliser == "rel":
        mean = (mean_energy * sizes).sum() / sizes.sum()
        level = mean_energy / mean if mean > 0 else mean_energy
    if normaliser != "lin":
        level = np.log1p(level)
    rivals = level.max(keepdims=True)
    if normaliser in ("chsum", "lin"):
        rivals = level[:, :1] + level[:, 1:]
    elif normaliser == "chmax":
        rivals = np.maximum(level[:, :1], level[:, 1:])
    share: NDArray[np.float64] = level / np.where(rivals > 0, rivals, 1)  # without rivals, L is 0 as well
    return share
