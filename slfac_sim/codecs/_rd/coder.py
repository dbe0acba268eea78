"""Entropy coding of quantised maps: which values are not zero, then how large, then their signs.

It knows integers and their places, no transform and no step. Channels come in the order of importance,
four to a *quad*: one symbol of 16 says which of the four are not zero at a place. Quads are coded slab by
slab; the context of a symbol is how many values of earlier slabs are not zero at the place, and how many of
its own neighbours, where they are known (every other place of the checkerboard is coded first, without).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from slfac_sim.codecs._rd.models import Histograms, Link, Symbols, run_raw

Values = tuple[NDArray[np.int32], NDArray[np.bool_]]  # magnitudes and whether negative

QUAD = 4
LARGEST_MAGNITUDE = 2**22  # of a quantised value
_SLABS = 8
_SLAB_VALUES = 8192  # about; smaller slabs cost more time than they save bytes,
_LAYERED, _LEAST_VALUES = 4, 2048  # but up to four can be layers, and may be smaller
_FRACTIONS = np.array([1e-4, 0.05, 0.12, 0.25, 0.45])
_NEAR = np.array([1e-4, 0.2, 0.45])
_HERE_LEVELS = len(_FRACTIONS) + 2  # one more for the first slab, which has none before it
_NEAR_LEVELS = len(_NEAR) + 1
_PRIOR_WEIGHT = 20.0  # symbols that the expectation before the first counts for
_FAMILY_WEIGHT = 40.0  # and what all slabs so far count for in one of them; both tried on captured tensors
_SINGLE = 8  # magnitudes 1 .. 8 have a symbol each, then two symbols to an octave
_MAGNITUDES = _SINGLE + 2 * 19
_POPULATION = np.array([bin(symbol).count("1") for symbol in range(16)], np.uint8)


@dataclass(frozen=True)
class Plan:
    """How [batch, channels, h, w] is cut up: `slabs` of `quads` quads each, `ends` of samples, of layers."""

    batch: int
    height: int
    width: int
    quads: int
    slabs: int
    sample_ends: tuple[int, ...]
    layer_ends: tuple[int, ...]

    @property
    def slab_channels(self) -> int:
        """Channels of a slab, those that only fill it up included."""
        return QUAD * self.quads


@dataclass(frozen=True)
class Quantised:
    """Values that are not zero; `place` ([count]), ascending, is flat in [batch, slabs, quads, 4, h, w]."""

    place: NDArray[np.intp]
    magnitude: NDArray[np.int32]
    negative: NDArray[np.bool_]


def plan(shape: tuple[int, int, int, int], layers: int) -> Plan:
    """Return the plan for `shape`, whose channels are those that are sent, in at most `layers` layers."""
    batch, channels, height, width = shape
    values = batch * channels * height * width
    enough = max(values // _SLAB_VALUES, min(_LAYERED, values // _LEAST_VALUES))
    wanted = max(1, min(_SLABS, -(-channels // QUAD), enough))
    quads = max(1, -(-channels // (QUAD * wanted)))
    slabs = max(1, -(-channels // (QUAD * quads)))
    shares = (16, 4, 1) if values >= 2 * _SLAB_VALUES else (1,)
    sample_ends = tuple(sorted({-(-batch // share) for share in shares}))
    count = min(layers, slabs)
    layer_ends = tuple(slabs * (layer + 1) // count for layer in range(count))
    return Plan(batch, height, width, quads, slabs, sample_ends, layer_ends)


class MapCoder:
    """One end of the coder of one message; layers must pass in order."""

    def __init__(self, cut: Plan) -> None:
        self._cut = cut
        self._significance = Histograms(_significance_prior(), cut.slabs, _FAMILY_WEIGHT)
        self._magnitude = Histograms(_magnitude_prior(), 1, 1.0)
        self._sign = Histograms(np.full((QUAD * cut.slabs, 2), 4.0), 1, 1.0)
        places = np.add.outer(np.arange(cut.height), np.arange(cut.width)).reshape(-1) % 2
        self._phases = [np.flatnonzero(places == phase) for phase in (0, 1)]
        self._active = np.zeros((cut.batch, cut.height, cut.width), np.int32)
        self._seen = 0
        self._slab = 0

    def run(
        self,
        link: Link,
        slabs: int,
        sent: tuple[NDArray[np.bool_], Callable[[NDArray[np.intp]], Values]] | None,
    ) -> Quantised:
        """Pass the next `slabs` slabs; `sent` holds them at the writing end.

        These are the map of what is not zero ([batch, slabs, quads, 4, h, w]), and what gives magnitude and
        sign at flat places of it.
        """
        first, cut = self._slab, self._cut
        where = np.empty((cut.batch, slabs, cut.quads, QUAD, cut.height, cut.width), np.bool_)
        for slab in range(slabs):
            where[:, slab] = self._run_slab(link, None if sent is None else sent[0][:, slab])
        place = np.flatnonzero(where)
        return Quantised(place, *self._run_values(link, first, where, place, sent and sent[1](place)))

    def _run_slab(self, link: Link, flags: NDArray[np.bool_] | None) -> NDArray[np.bool_]:
        cut = self._cut
        size = (cut.batch, cut.quads, cut.height * cut.width)
        truth = None if flags is None else _join(flags).reshape(size)
        passed = np.zeros(size, np.uint8)
        base = self._activity_context()
        for begin, end in zip((0, *cut.sample_ends), cut.sample_ends, strict=False):
            for phase, places in enumerate(self._phases):
                if not len(places):
                    continue
                context = base[phase][begin:end, None, places]
                if phase:
                    near = _neighbours(_POPULATION[passed[begin:end]].reshape(-1, cut.height, cut.width))
                    near = near.reshape(end - begin, cut.quads, -1)[:, :, places]
                    context = context + _NEAR_LEVEL[near]
                context = np.broadcast_to(context, (end - begin, cut.quads, len(places)))
                known = None if truth is None else np.take(truth[begin:end], places, axis=2).reshape(-1)
                symbols = self._significance.run(link, self._slab, context.reshape(-1), known)
                passed[begin:end, :, places] = symbols.reshape(context.shape)
        for quad in range(cut.quads):
            self._active += _POPULATION[passed[:, quad]].reshape(self._active.shape)
        self._seen += cut.slab_channels
        self._slab += 1
        return _split(passed).reshape(cut.batch, cut.quads, QUAD, cut.height, cut.width)

    def _activity_context(self) -> tuple[Symbols, Symbols]:
        """Return the context of every place ([batch, places]) when its own neighbours are unknown, and known.

        The levels of the activity of earlier slabs at the place, and (first case) around it.
        """
        seen = max(self._seen, 1)
        here = np.digitize(np.arange(seen + 1) / seen, _FRACTIONS).astype(np.uint8) + (self._seen > 0)
        around = np.digitize(np.arange(4 * seen + 1) / (4 * seen), _NEAR).astype(np.uint8)
        level = here[self._active].reshape(self._cut.batch, -1) * np.uint8(_NEAR_LEVELS)
        nearby = around[_neighbours(self._active)].reshape(self._cut.batch, -1)
        return level + nearby, level + np.uint8(_HERE_LEVELS * _NEAR_LEVELS)

    def _run_values(
        self, link: Link, first: int, where: NDArray[np.bool_], flat: NDArray[np.intp], sent: Values | None
    ) -> Values:
        """Pass magnitudes and signs at the places `flat` of `where`, sample by sample."""
        size = self._cut.height * self._cut.width
        per_channel = where.view(np.uint8).reshape(-1, *where.shape[-2:])
        row = flat // size  # sample, slab, quad, lane
        wide = where[0].size // size
        sample = row // wide
        channel = row - sample * wide
        crowd = np.minimum(self._active * 4 // self._seen, 3).astype(np.uint8) * np.uint8(5)
        place = flat + (sample - row) * size
        context = _neighbours(per_channel).reshape(-1)[flat] + crowd.reshape(-1)[place]
        lanes = np.arange(wide)
        lanes = (first + lanes // self._cut.slab_channels) * QUAD + lanes % QUAD
        lane = lanes.astype(np.uint8)[channel]
        magnitude, negative = np.empty(len(flat), np.int32), np.empty(len(flat), np.bool_)
        ends = np.searchsorted(sample, self._cut.sample_ends).tolist()
        for begin, end in zip((0, *ends), ends, strict=False):
            part = slice(begin, end)
            known = None if sent is None else sent[0][part]
            magnitude[part] = self._run_magnitudes(link, context[part], known)
            signs = None if sent is None else sent[1][part].view(np.uint8)
            negative[part] = self._sign.run(link, 0, lane[part], signs).view(np.bool_)
        return magnitude, negative

    def _run_magnitudes(
        self, link: Link, context: Symbols, magnitudes: NDArray[np.int32] | None
    ) -> NDArray[np.int32]:
        symbols = None if magnitudes is None else _symbol(magnitudes)
        codes = self._magnitude.run(link, 0, context, symbols)
        result = _LOWEST[codes]
        large = np.flatnonzero(codes >= _SINGLE)
        extra = _EXTRA[codes[large]]
        for bits in np.unique(extra).tolist():
            places = large[extra == bits]
            rest = None if magnitudes is None else (magnitudes - result)[places]
            result[places] += run_raw(link, bits, rest, len(places))
        return result


def _join(flags: NDArray[np.bool_]) -> Symbols:
    """Return one symbol of 16 for the four lanes of each quad ([batch, quads, 4, h, w])."""
    lanes = flags.view(np.uint8)
    low, high = lanes[:, :, 0] + 2 * lanes[:, :, 1], lanes[:, :, 2] + 2 * lanes[:, :, 3]
    return np.asarray(low + 4 * high, np.uint8)


def _split(symbols: Symbols) -> NDArray[np.bool_]:
    """Return the four lanes of each symbol ([batch, quads, places] to [batch, quads, 4, places])."""
    lanes = np.array([1, 2, 4, 8], np.uint8)[:, None]
    flags: NDArray[np.bool_] = (symbols[:, :, None] & lanes) != 0
    return flags


def _neighbours(maps: NDArray[np.uint8] | NDArray[np.int32]) -> NDArray[np.uint8] | NDArray[np.int32]:
    """Return the sum of the four neighbours of every value of `maps` ([n, h, w]), zero outside."""
    total = np.zeros_like(maps)
    total[:, 1:] = maps[:, :-1]
    total[:, :-1] += maps[:, 1:]
    flat, beside = maps.reshape(-1), np.zeros_like(maps)  # whole rows at once: short runs are slow
    beside.reshape(-1)[1:] = flat[:-1]
    beside[:, :, 0] = 0
    total += beside
    beside.reshape(-1)[:-1] = flat[1:]
    beside[:, :, -1] = 0
    total += beside
    return total


def _symbol(magnitudes: NDArray[np.int32]) -> Symbols:
    """Return the symbol of every magnitude: the last whose lowest value does not exceed it."""
    if magnitudes.size and magnitudes.max() > _SINGLE:
        return (np.searchsorted(_LOWEST, magnitudes, side="right") - 1).astype(np.uint8)
    return (magnitudes - 1).astype(np.uint8)


def _significance_prior() -> NDArray[np.float64]:
    """Return what is expected before anything is seen: lanes independent, at the rate of the context."""
    middles = np.array([0.1, 0.01, 0.03, 0.08, 0.18, 0.35, 0.65])
    near = np.array([0.3, 0.8, 1.3, 1.8])
    rates = np.tile(np.minimum(np.outer(middles, near), 0.9).reshape(-1), 2)
    prior = np.ones((len(rates), 1))
    for _ in range(QUAD):
        prior = np.concatenate([prior * (1 - rates[:, None]), prior * rates[:, None]], axis=1)
    return prior * _PRIOR_WEIGHT + 1e-3


def _magnitude_prior() -> NDArray[np.float64]:
    prior = 0.5 ** (1.0 + np.arange(_MAGNITUDES))
    return np.tile(prior * _PRIOR_WEIGHT + 1e-3, (20, 1))


def _lowest() -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    extra = np.zeros(_MAGNITUDES, np.int32)
    extra[_SINGLE:] = 2 + np.arange(_MAGNITUDES - _SINGLE) // 2
    lowest = 1 + np.cumsum(np.concatenate([[0], 1 << extra[:-1]])).astype(np.int32)
    return lowest, extra


_LOWEST, _EXTRA = _lowest()
_NEAR_LEVEL = np.digitize(np.arange(4 * QUAD + 1) / (4 * QUAD), _NEAR).astype(np.uint8)
