"""SL-FAC's two decisions: where each spectrum splits into two bands, and how many bits each band gets.

AFD (adaptive frequency decomposition) and FQC (frequency-based quantisation) as docs/wire_format.md
states them; it knows nothing of quantising or packing. A *group* is what shares one decision: a plane
(one sample, one channel), or a channel over the whole batch. Spectra are [samples, groups, K]: K
coefficients in zig-zag order, and the samples of a group (1 for planes).
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from slfac_sim.codecs._dct import Floats

Normaliser = Literal["chsum", "chmax", "msgmax", "rel", "lin"]
Selection = Literal["energy", "magnitude", "std"]


@dataclass(frozen=True)
class Split:
    """Where the low bands end: `last_low` is k* ([groups]); `mean_energy` is of each band ([groups, 2])."""

    last_low: NDArray[np.int64]
    mean_energy: NDArray[np.float64]


def split(spectra: Floats, theta: float, weights: NDArray[np.float64] | None = None) -> Split:
    """Return the split of every group: k* is the first k whose cumulative energy ratio R(k) >= `theta`.

    Sums are float64, and the ratio is compared as cumsum >= theta * (its last element), so that
    R(K-1) = 1 exactly and k* always exists. A group of zeros has k* = 0. `weights` ([groups, K]) replace
    energies in the choice of k*, not in the energy of the bands.
    """
    squares = np.multiply(spectra, spectra, dtype=np.float64)
    energy = squares[0] if len(squares) == 1 else squares.sum(axis=0)
    cumulative = np.cumsum(energy, axis=1, out=energy)
    total = cumulative[:, -1]
    if weights is None:
        last_low = np.argmax(cumulative >= theta * total[:, None], axis=1)
    else:
        ratio = np.cumsum(weights, axis=1)
        last_low = np.argmax(ratio >= theta * ratio[:, -1:], axis=1)
    low = cumulative[np.arange(len(total)), last_low]
    sizes = len(spectra) * lengths(last_low, spectra.shape[2])
    mean_energy = np.stack([low, total - low], axis=1) / np.maximum(sizes, 1)
    return Split(last_low, mean_energy)


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
    return np.stack([last_low + 1, coefficients - 1 - last_low], axis=1)


def allocate(
    mean_energy: NDArray[np.float64],
    sizes: NDArray[np.int64],
    normaliser: Normaliser,
    b_min: int,
    b_max: int,
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
    of the message (`msgmax`). `rel` takes log(1 + E / E_message) first, `lin` takes E itself, as chsum.
    """
    level = mean_energy
    if normaliser == "rel":
        mean = (mean_energy * sizes).sum() / sizes.sum()
        level = mean_energy / mean if mean > 0 else mean_energy
    if normaliser != "lin":
        level = np.log1p(level)
    if normaliser in ("chsum", "lin"):
        rivals = level.sum(axis=1, keepdims=True)
    elif normaliser == "chmax":
        rivals = level.max(axis=1, keepdims=True)
    else:
        rivals = level.max(keepdims=True)
    share = np.zeros_like(level)
    np.divide(level, rivals, out=share, where=rivals > 0)
    return share
