"""A message's own axes of its channels: principal components, those that pay, with coarse entries.

Channels of one layer see the same image, so most of their energy lies along few directions (Karhunen and
Loeve). The directions travel as small integers, the first ones finer, and both ends make them orthonormal;
what this costs in decorrelation is little, and the ends agree on the axes exactly.
"""

from typing import Any

import constriction
import numpy as np
from numpy.typing import NDArray

from slfac_sim.codecs import BadBody
from slfac_sim.codecs._rd.models import Link, probabilities
from slfac_sim.codecs.kit.floats import Floats
from slfac_sim.codecs.kit.products import AVX2_ROWS, product

MAX_CHANNELS = 128
_SAMPLED = 4096  # places that the directions are taken from, about
_BLOCK = 32  # places at a time
_FINEST = 64  # parts of 1 in which the first quarter of the directions is sent; then half, then a quarter
_ALPHABET = 2 * _FINEST + 1
_BITS_OF_AN_ENTRY = 4.0


def directions(maps: Floats, order: NDArray[np.intp], centre: NDArray[np.float64]) -> NDArray[np.int32]:
    """Return the principal directions of the channels of `maps`, as codes ([channels, channels]).

    They are those of some of the samples, evenly spread in `order`.
    """
    batch, channels, height, width = maps.shape
    chosen = order[:: max(1, batch * height * width // _SAMPLED)]
    some = maps[chosen] - centre.astype(np.float32)[:, None, None]
    covariance = np.zeros((channels, channels))
    flat = some.reshape(len(some), channels, -1)
    for begin in range(0, flat.shape[2], _BLOCK):
        part = flat[:, :, begin : begin + _BLOCK]
        covariance += product(part, part.transpose(0, 2, 1), AVX2_ROWS).sum(axis=0, dtype=np.float64)
    vectors = np.linalg.eigh(covariance)[1][:, ::-1]
    largest = np.take_along_axis(vectors, np.abs(vectors).argmax(axis=0)[None], axis=0)
    codes: NDArray[np.int32] = np.rint(vectors * np.sign(largest) * _parts(channels)).astype(np.int32)
    return codes


def orthonormal(codes: NDArray[np.int32]) -> Floats:
    """Return the basis of `codes` ([channels, components]), orthonormal columns of float32.

    Raises `BadBody` where the codes do not span as many directions.
    """
    channels, components = codes.shape
    basis, triangle = np.linalg.qr(codes / _parts(channels)[:components])
    if np.abs(np.diag(triangle)).min(initial=1.0) < 1e-3:
        raise BadBody("body: its directions depend on each other")
    return np.ascontiguousarray(basis * np.sign(np.diag(triangle)), np.float32)


def project(maps: Floats, basis: Floats) -> Floats:
    """Return the coefficients of `maps` along `basis` ([batch, components, h, w])."""
    batch, channels, height, width = maps.shape
    along = _times(np.ascontiguousarray(basis.T), maps.reshape(batch, channels, -1))
    return along.reshape(batch, -1, height, width)


def expand(coefficients: Floats, basis: Floats) -> Floats:
    """Return the maps of `coefficients`; the inverse of `project`."""
    batch, components, height, width = coefficients.shape
    return _times(basis, coefficients.reshape(batch, components, -1)).reshape(batch, -1, height, width)


def _times(matrix: Floats, columns: Floats) -> Floats:
    result = np.empty((len(columns), len(matrix), columns.shape[2]), np.float32)
    for begin in range(0, columns.shape[2], _BLOCK):
        part = slice(begin, begin + _BLOCK)
        result[:, :, part] = product(matrix, columns[:, :, part], AVX2_ROWS)
    return result


def entry_bits(channels: int) -> float:
    """Return about what one more component costs in bits."""
    return _BITS_OF_AN_ENTRY * channels


def run_codes(
    link: Link, channels: int, components: int, codes: NDArray[np.int32] | None
) -> NDArray[np.int32]:
    """Pass the codes of a basis; entries are expected to be normal, of variance 1 / channels."""
    parts = _parts(channels)[:components]
    result = np.empty((channels, components), np.int32)
    for part in np.unique(parts).tolist():
        places = np.flatnonzero(parts == part)
        wanted = None if codes is None else codes[:, places].reshape(-1) + _FINEST
        entries = link.run(_model(part / channels**0.5), wanted, channels * len(places))
        result[:, places] = entries.reshape(channels, -1) - _FINEST
    return result


def _model(deviation: float) -> Any:
    entries = np.arange(_ALPHABET) - _FINEST
    density = np.exp(-0.5 * (entries / (deviation + 0.3)) ** 2) + 1e-3 * np.exp(-np.abs(entries) / 16)
    return constriction.stream.model.Categorical(probabilities(density), perfect=False)


def _parts(channels: int) -> NDArray[np.int64]:
    place = np.arange(channels)
    return np.where(4 * place < channels, _FINEST, np.where(2 * place < channels, _FINEST // 2, _FINEST // 4))
