"""The choice of domain: what a message is measured from, along which axes, in space or in frequency.

It knows squared error and an estimate of bits, no bytes. A domain is a level per channel, perhaps a basis of
the channels (`_rd.basis`), and perhaps the DCT; all keep energy, so one step means the same error in each.
"""

import functools
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from slfac_sim.codecs._rd.basis import MAX_CHANNELS, directions, entry_bits, expand, orthonormal, project
from slfac_sim.codecs.kit.dct import forward, inverse, zigzag
from slfac_sim.codecs.kit.floats import Floats
from slfac_sim.codecs.kit.maps import MAX_SIDE, Shape

_T = TypeVar("_T", np.float32, np.float64)

Domain = Literal["space", "frequency", "components", "component_frequency"]
DOMAINS: tuple[Domain, ...] = ("space", "frequency", "components", "component_frequency")

LEVEL_PARTS = 8  # levels are multiples of an eighth of the step
_PRICED = 6  # samples, about
_PAYS = 8  # places for each channel, from which its directions are worth looking at
_TABLE_VALUES = 256  # values of a channel from which a byte for it pays
_PART = 2**13  # values that are added up in one go
_ENERGY_PER_BIT = 0.115  # slope of rate and distortion at high rate: 2 ln 2 / 12, in squared steps


@dataclass(frozen=True)
class Axes:
    """A domain of maps of [batch, channels, h, w] in one `step`; `codes` are those of the basis, if any."""

    domain: Domain
    step: float
    levels: NDArray[np.int8]
    codes: NDArray[np.int32] | None

    def forward(self, maps: Floats) -> Floats:
        """Return the coefficients of `maps` ([batch, channels or components, h, w])."""
        if self.levels.any():
            maps = maps - self.centre[:, None, None]
        if self.codes is not None:
            maps = project(maps, self._basis)
        return to_frequencies(maps) if self.in_frequency else maps

    def inverse(self, coefficients: Floats) -> Floats:
        """Return the maps of `coefficients`."""
        maps = from_frequencies(coefficients) if self.in_frequency else coefficients
        if self.codes is not None:
            maps = expand(maps, self._basis)
        if self.levels.any():
            maps += self.centre[:, None, None]
        return maps

    @property
    def centre(self) -> Floats:
        """What channels are measured from ([channels])."""
        return self.levels.astype(np.float32) * np.float32(self.step / LEVEL_PARTS)

    @functools.cached_property
    def _basis(self) -> Floats:
        assert self.codes is not None
        return orthonormal(self.codes)

    @property
    def codes_bits(self) -> float:
        """About what the basis costs in bits."""
        return 0.0 if self.codes is None else self.codes.shape[1] * entry_bits(len(self.codes))

    @property
    def in_frequency(self) -> bool:
        """Whether the maps are transformed."""
        return self.domain in ("frequency", "component_frequency")


def to_frequencies(maps: Floats) -> Floats:
    """Return the DCT coefficients of `maps`, of the same shape and energy; row and column are frequencies."""
    height, width = maps.shape[2:]
    ordered = forward(maps.reshape(-1, height, width))
    return np.take(ordered, np.argsort(zigzag(height, width)), axis=1).reshape(maps.shape)


def from_frequencies(coefficients: Floats) -> Floats:
    """Return the maps of `coefficients`; the inverse of `to_frequencies`."""
    height, width = coefficients.shape[2:]
    ordered = np.take(coefficients.reshape(-1, height * width), zigzag(height, width), axis=1)
    return inverse(ordered, height, width).reshape(coefficients.shape)


def has_tables(shape: Shape) -> bool:
    """Whether channels of maps of `shape` have a byte each for their rate and their level."""
    return shape[0] * shape[2] * shape[3] >= _TABLE_VALUES


def is_legal(domain: Domain, shape: Shape) -> bool:
    """Whether maps of `shape` can be sent in `domain`."""
    if domain.endswith("frequency") and not (shape[2] * shape[3] > 1 and max(shape[2:]) <= MAX_SIDE):
        return False
    return domain in ("space", "frequency") or (has_tables(shape) and 1 < shape[1] <= MAX_CHANNELS)


def choose(maps: Floats, step: float, dead_zone: float, wanted: str) -> Axes:
    """Return the domain `wanted`, or for `auto` the cheapest one, estimated on a few samples.

    A wanted domain that the shape does not have is space.
    """
    batch, channels, height, width = shape = _shape(maps)
    candidates = [each for each in DOMAINS if is_legal(each, shape) and wanted in ("auto", each)]
    if wanted == "auto" and batch * height * width < _PAYS * channels:
        candidates = [each for each in candidates if not each.startswith("component")]
    order = np.argsort(-_sample_energies(maps), kind="stable")  # gradients: few samples have it all
    some = maps[order[:: -(-batch // _PRICED)]]
    scale = batch / len(some)
    centres = {mean: _levels(maps, some, step, mean) for mean in (False, True)}
    mixed = any(each.startswith("component") for each in candidates)
    codes = directions(maps, order, channel_means(maps)) if mixed else None
    best: tuple[float, Axes] | None = None
    for domain in candidates or DOMAINS[:1]:
        axes = Axes(domain, step, centres[domain.endswith("frequency")], None)
        if codes is not None and domain.startswith("component"):
            axes, coefficients = _cut(replace(axes, codes=codes), some, dead_zone, scale)
            rest = energy_of(some - axes.centre[:, None, None]) - energy_of(coefficients)  # outside the basis
            cost = scale * max(0.0, rest) / step**2 + axes.codes_bits * _ENERGY_PER_BIT
        else:
            coefficients, cost = axes.forward(some), 0.0
        cost += float(_price(coefficients, step, dead_zone, scale).sum())
        if best is None or cost < best[0]:
            best = cost, axes
    assert best is not None
    return best[1]


def moved(axes: Axes, maps: Floats, step: float) -> Axes:
    """Return `axes` for another `step`: the same domain and basis, levels in the new unit."""
    return replace(axes, step=step, levels=_levels(maps, maps, step, axes.in_frequency))


def _cut(whole: Axes, some: Floats, dead_zone: float, scale: float) -> tuple[Axes, Floats]:
    """Return `whole` without the last directions, those that cost more than they save, and coefficients."""
    assert whole.codes is not None
    coefficients = whole.forward(some)
    energy = _sums(np.square(coefficients)) / whole.step**2
    saved = energy * scale - _price(coefficients, whole.step, dead_zone, scale)
    pays = saved > _ENERGY_PER_BIT * entry_bits(len(whole.codes))
    count = int(np.flatnonzero(pays)[-1]) + 1 if pays.any() else 1
    return replace(whole, codes=whole.codes[:, :count]), np.ascontiguousarray(coefficients[:, :count])


def _price(coefficients: Floats, step: float, dead_zone: float, scale: float) -> NDArray[np.float64]:
    """Return what each channel costs: squared error and bits on one scale, in squared steps.

    Bits are those of coding zero or not with the channel's own frequency, and of sign and magnitude.
    """
    sizes = np.abs(coefficients) * np.float32(1.0 / step)
    sent = np.floor(sizes + np.float32(1.0 - dead_zone))
    values = sizes.size / sizes.shape[1]
    counts = _sums(np.minimum(sent, 1))
    magnitudes = _sums(np.log2(np.maximum(sent, 1)))
    sizes -= sent
    error = _sums(np.square(sizes))
    share = np.clip(counts / values, 1e-9, 1 - 1e-9)
    entropy = share * np.log2(share) + (1 - share) * np.log2(1 - share)
    bits = -values * entropy + 1.5 * counts + 2 * magnitudes
    return np.asarray((error + _ENERGY_PER_BIT * bits) * scale)


def _levels(maps: Floats, some: Floats, step: float, mean: bool) -> NDArray[np.int8]:
    """Return what every channel is measured from ([channels]): about its mean or its median, or zero.

    Most of a channel's values often are one and the same (the background), its median. A level that would
    add energy to its channel is zero.
    """
    channels = maps.shape[1]
    unit = step / LEVEL_PARTS
    if not has_tables(_shape(maps)):
        return np.zeros(channels, np.int8)
    means = channel_means(maps) / unit
    if mean:
        levels = np.rint(means)
    else:
        ordered = np.ascontiguousarray(some.transpose(1, 0, 2, 3)).reshape(channels, -1)
        middle = ordered.shape[1] // 2
        levels = np.rint(np.partition(ordered, middle, axis=1)[:, middle] / unit)
    levels = np.clip(levels, -127, 127)
    return np.where((levels * means > 0) & (np.abs(levels) < 2 * np.abs(means)), levels, 0).astype(np.int8)


def energy_of(maps: NDArray[_T]) -> float:
    """Return the sum of all squares of `maps`, in parts too short to be spread over threads."""
    flat = np.ascontiguousarray(maps).reshape(-1)
    parts = (flat[begin : begin + _PART] for begin in range(0, flat.size, _PART))
    return sum(float(np.vdot(part, part)) for part in parts)


def _sample_energies(maps: Floats) -> NDArray[np.float32]:
    rows = maps.reshape(len(maps), -1)
    energies: NDArray[np.float32] = np.einsum("ij,ij->i", rows, rows)
    return energies


def _shape(maps: Floats) -> Shape:
    batch, channels, height, width = maps.shape
    return batch, channels, height, width


def channel_means(maps: Floats) -> NDArray[np.float64]:
    """Return the mean of every channel of `maps`."""
    means: NDArray[np.float64] = _sums(maps) * (maps.shape[1] / maps.size)
    return means


def _sums(maps: Floats) -> NDArray[np.float64]:
    """Return the sum of every channel: of every map in float32, then in float64; no BLAS, as above."""
    batch, channels = maps.shape[:2]
    each = np.einsum("bcn->bc", maps.reshape(batch, channels, -1))
    return np.asarray(each.sum(axis=0, dtype=np.float64))
