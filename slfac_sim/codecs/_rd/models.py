"""Adaptive histograms by context, and the range coder that both ends drive through the same steps.

It knows symbols and contexts, not what they stand for. A `Link` is one end: the writing end is given the
symbols, the reading end finds them; whatever else happens is the same code at both ends, so that models
stay in step. Entropy coding itself is constriction's (Bamler, 2022, arXiv:2201.01741).
"""

from typing import Any, Protocol

import constriction
import numpy as np
from numpy.typing import NDArray

from slfac_sim.codecs import BadBody

Symbols = NDArray[np.uint8]
_Categorical: Any = constriction.stream.model.Categorical
_Uniform: Any = constriction.stream.model.Uniform
_WORD = np.dtype("<u4")
_PARTS = 1024  # of a symbol, in which counts are kept, so that their sums are exact


class Link(Protocol):
    """One end of the coder of one layer."""

    def run(self, model: Any, symbols: NDArray[np.int32] | None, count: int) -> NDArray[np.int32]:
        """Pass `count` symbols of `model` and return them; the reading end ignores `symbols`."""


class Writing:
    """The end that encodes."""

    def __init__(self) -> None:
        self._encoder: Any = constriction.stream.queue.RangeEncoder()

    def run(self, model: Any, symbols: NDArray[np.int32] | None, count: int) -> NDArray[np.int32]:
        """Encode `symbols`."""
        assert symbols is not None
        self._encoder.encode(symbols, model)
        return symbols

    def block(self) -> NDArray[np.uint8]:
        """Return the bytes so far; zeros at their end are left out, the reader appends them again."""
        octets: NDArray[np.uint8] = self._encoder.get_compressed().astype(_WORD).view(np.uint8)
        used = np.flatnonzero(octets)
        return octets[: used[-1] + 1] if len(used) else octets[:0]


class Reading:
    """The end that decodes a block of bytes."""

    def __init__(self, block: bytes | memoryview) -> None:
        padded = bytes(block) + bytes(-len(block) % 4 + 8)
        self._decoder: Any = constriction.stream.queue.RangeDecoder(
            np.frombuffer(padded, _WORD).astype(np.uint32)
        )

    def run(self, model: Any, symbols: NDArray[np.int32] | None, count: int) -> NDArray[np.int32]:
        """Decode `count` symbols. Raises `BadBody` for bytes that no encoder wrote."""
        try:
            decoded: NDArray[np.int32] = self._decoder.decode(model, count)
        except (AssertionError, ValueError) as error:
            raise BadBody(f"body: its entropy-coded symbols are damaged ({error})") from None
        return decoded


class Histograms:
    """Counts of `alphabet` symbols in each context of each of `families`, which learn from what passes.

    A family's context begins as `weight` symbols distributed as that context over all families so far,
    so that a family of which little has been seen is described by the others.
    """

    def __init__(self, prior: NDArray[np.float64], families: int, weight: float) -> None:
        contexts, alphabet = prior.shape
        self._own = np.zeros((families, contexts, alphabet))
        self._shared = np.maximum(np.rint(prior * _PARTS), 1) / _PARTS
        self._weight = weight

    def run(self, link: Link, family: int, context: Symbols, symbols: Symbols | None) -> Symbols:
        """Pass one symbol in each of `context` ([count]) and learn from them."""
        contexts = len(self._shared)
        order = np.argsort(context, kind="stable")
        counts = np.bincount(context, minlength=contexts)
        models = self._models(family)
        wanted = None if symbols is None else symbols[order].astype(np.int32)
        passed = np.empty(len(context), np.uint8)
        end = 0
        for place in np.flatnonzero(counts).tolist():
            begin, end = end, end + int(counts[place])
            model = _Categorical(models[place], perfect=False)
            passed[begin:end] = link.run(model, None if wanted is None else wanted[begin:end], end - begin)
        result = symbols
        if result is None:
            result = np.empty_like(passed)
            result[order] = passed
        self._learn(family, context, result)
        return result

    def _models(self, family: int) -> NDArray[np.float32]:
        shared = self._shared / self._shared.sum(axis=1, keepdims=True)
        return probabilities(self._own[family] + self._weight * shared)

    def _learn(self, family: int, context: Symbols, symbols: Symbols) -> None:
        contexts, alphabet = self._shared.shape
        cells = context.astype(np.uint16)
        cells *= np.uint16(alphabet)
        cells += symbols
        seen = np.bincount(cells, minlength=contexts * alphabet).reshape(contexts, alphabet)
        self._own[family] += seen
        self._shared += seen


def probabilities(weights: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return `weights` ([..., alphabet]) as probabilities, none of them zero.

    By way of integers, whose sums do not depend on the order in which a machine adds: both ends must have
    the same models to the last bit.
    """
    whole = np.floor(weights * _PARTS) + 1
    return np.asarray(whole / whole.sum(axis=-1, keepdims=True), np.float32)


def run_raw(link: Link, bits: int, symbols: NDArray[np.int32] | None, count: int) -> NDArray[np.int32]:
    """Pass `count` symbols of `bits` bits (up to 23), all equally likely."""
    return link.run(_Uniform(1 << bits), symbols, count)
