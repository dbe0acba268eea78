"""Our own codec: one rate-distortion rule, a domain that pays, and entropy coding by context.

It knows one tensor at a time. Values are measured from their channel's level, quantised with a dead zone in
one step for the tensor, in space or in frequency, perhaps along the message's own axes of its channels
(`_rd.domains`), and coded by models that learn as they go (`_rd.coder`). Bodies come in layers.

>>> body = SlFacRd(step=0.5).sender("up").encode(np.arange(16, dtype=np.float32).reshape(1, 1, 4, 4)).body
>>> len(body), SlFacRd().receiver().decode(body)[0, 0, 0].round(1)
(45, array([0.5, 1.4, 2.6, 3.4], dtype=float32))
"""

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, TypeVar

import numpy as np
from pydantic import Field

from slfac_sim.codecs import Payload, Tensor
from slfac_sim.codecs._rd.coder import LARGEST_MAGNITUDE
from slfac_sim.codecs._rd.domains import Axes, channel_means, choose, energy_of, has_tables, moved
from slfac_sim.codecs._rd.quantise import quantise, rebuild, values
from slfac_sim.codecs._rd.rate import search
from slfac_sim.codecs._rd.read import RdReceiver
from slfac_sim.codecs._rd.write import Attempt, seal
from slfac_sim.codecs.kit.floats import Floats
from slfac_sim.codecs.kit.groups import times_power
from slfac_sim.codecs.kit.maps import map_shape, maps_of
from slfac_sim.codecs.kit.stateless import Stateless, largest_magnitude
from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import Count

_FAR = 60  # magnitudes beyond 2^60 or 2^-60 are scaled first, so that squares stay float32
_FINEST = 2.0**-16  # of the root mean square: steps that rate control tries
_COARSEST = 2.0**10
_COARSE, _FINE = 0.2, 0.01  # octaves within which a search ends
_MET = 0.04  # octaves within which a target counts as met: 2.8 %
_BASES = 3  # that are tried if it is not

T = TypeVar("T")


@settings
class SlFacRd(Stateless):
    """Dead-zone quantiser in one step for the tensor, entropy-coded; bodies can be cut between layers.

    At most one target sets the step: sought anew for each tensor, which takes attempts, and met within 3 %
    where the tensor allows it.
    """

    references: ClassVar[tuple[str, ...]] = ("bamler2022constriction",)

    step: Annotated[float, Field(gt=0.0, le=1000.0)] = 1.5
    """Step in root mean squares of the tensor, each channel measured from its level: a larger one takes fewer
    bytes and loses more. With a target, where the search begins.
    """
    dead_zone: Annotated[float, Field(ge=0.5, le=1.0)] = 0.65
    """Magnitudes below so many steps become zero: more of them take fewer bytes and lose more."""
    target_error: Annotated[float, Field(gt=0.0, lt=1.0)] | None = None
    """Relative squared error, ||x - x^||^2 / ||x||^2, that the step is sought for; null: no such target."""
    target_bits_per_value: Annotated[float, Field(gt=0.0, le=32.0)] | None = None
    """Bits a value, everything in the body counted, that the step is sought for; null: no such target."""
    target_bytes: Count | None = None
    """Bytes of a whole body, however large the tensor, that the step is sought for; null: no such target."""
    domain: Literal["auto", "space", "frequency", "components", "component_frequency"] = "auto"
    """Where values are quantised: in space or frequency, perhaps along principal axes of the channels
    (`components`); `auto` takes the cheapest of what a tensor allows by squared error + lambda x bits, with
    the lambda of the step.
    """
    layers: Annotated[int, Field(ge=1, le=16)] = 4
    """Most parts of a body, after each of which it can be cut, and what is there decoded."""

    def __post_init__(self) -> None:
        targets = ("target_error", "target_bits_per_value", "target_bytes")
        given = [name for name in targets if getattr(self, name) is not None]
        if len(given) > 1:
            raise ValueError(f"at most one target can be set (got {', '.join(given)})")

    @property
    def encode_flops_per_value(self) -> float:
        """Equivalent FLOPs to encode one value; a target takes attempts, as many as the data needs."""
        if self.target_error is not None:
            return 10_000.0
        sized = self.target_bits_per_value is not None or self.target_bytes is not None
        return 15_000.0 if sized else 1750.0

    @property
    def decode_flops_per_value(self) -> float:
        """Equivalent FLOPs to decode one value; of a target as if it were a usual one, an error of 1 %."""
        targets = (self.target_error, self.target_bits_per_value, self.target_bytes)
        return 1400.0 if targets == (None, None, None) else 2100.0

    @property
    def label(self) -> str:
        """The codec's name for people."""
        rate = f"step {self.step:g} rms"
        rate = f"error {self.target_error:g}" if self.target_error is not None else rate
        bits = self.target_bits_per_value
        rate = f"{bits:g} bits a value" if bits is not None else rate
        rate = f"{self.target_bytes} bytes" if self.target_bytes is not None else rate
        zone = f", dead zone {self.dead_zone:g}" if self.dead_zone != 0.65 else ""
        return f"SL-FAC RD (ours), {rate}{zone}" + (f", {self.domain}" if self.domain != "auto" else "")

    def encode(self, tensor: Tensor, stream: str) -> Payload:
        """Return the payload of `tensor`. Raises `BadTensor`, naming `stream`."""
        source = _source(tensor, stream)
        start = self.step * source.unit
        if source.energy == 0:
            return seal(_attempt(self, source, 1.0), self.layers)
        target_bytes = _target_bytes(self, tensor.size)
        if self.target_error is not None:
            error = functools.partial(_error, source)
            _, attempt = _search(self, source, lambda tried: (error(tried), tried), self.target_error)
            return seal(attempt, self.layers)
        if target_bytes is not None:
            return _search(self, source, lambda attempt: _sized(self, attempt), target_bytes)[1]
        return seal(_attempt(self, source, start), self.layers)

    def decode(self, body: bytes) -> Tensor:
        """Return the tensor of `body`, which is whole. Raises `BadBody`."""
        return RdReceiver().decode(body)

    def receiver(self) -> RdReceiver:
        """Return the receiving end, which can also begin with the first layers of a body."""
        return RdReceiver()


@dataclass(frozen=True)
class _Source:
    """A tensor as maps, multiplied by 2^`exponent`, with its energy and the step's unit."""

    shape: tuple[int, ...]
    maps: Floats
    exponent: int
    largest: float
    no_negatives: bool
    energy: float
    unit: float


def _search(
    codec: SlFacRd, source: _Source, measure: Callable[[Attempt], tuple[float, T]], target: float
) -> tuple[float, T]:
    """Return what `measure` gives (a figure and anything) where its figure is next to `target`.

    The figure jumps where another domain becomes the cheaper one, or another component pays: these are
    those of a first, coarse search, and stay for the second. What lies outside a basis is lost at any step:
    if that alone is above a target error, the search begins again with a larger basis.
    """
    limits = (source.unit * _FINEST, source.unit * _COARSEST)

    def at(axes: Axes | None, step: float) -> tuple[float, T, Axes]:
        attempt = _attempt(codec, source, step, axes)
        return *measure(attempt), attempt.axes

    def figure(tried: tuple[float, T, Axes]) -> float:
        return tried[0]

    def off(tried: tuple[float, T, Axes]) -> float:
        return abs(math.log2(max(tried[0], 1e-30) / target))

    start = codec.step * source.unit
    near = search(functools.partial(at, None), figure, target, start, limits, _COARSE)[2]
    tries = []
    for _ in range(_BASES):
        tries.append(search(functools.partial(at, near), figure, target, near.step, limits, _FINE))
        if near.codes is None or off(tries[-1]) < _MET:
            break
        near = at(None, near.step / 2)[2]  # more components pay at a finer step
    return min(tries, key=off)[:2]


def _sized(codec: SlFacRd, attempt: Attempt) -> tuple[float, Payload]:
    payload = seal(attempt, codec.layers)
    return payload.nbytes, payload


def _target_bytes(codec: SlFacRd, values: int) -> float | None:
    if codec.target_bits_per_value is not None:
        return codec.target_bits_per_value * values / 8
    return codec.target_bytes


def _source(tensor: Tensor, stream: str) -> _Source:
    largest = largest_magnitude(tensor, stream)
    power = math.frexp(largest)[1] if largest > 0 else 0
    exponent = -power if abs(power) > _FAR else 0
    plain = times_power(np.array(tensor, order="C"), exponent) if exponent else tensor
    shape = map_shape(tensor.shape)
    maps = np.ascontiguousarray(maps_of(plain, shape))
    energy = energy_of(maps)
    unit = math.sqrt(energy / tensor.size)
    if has_tables(shape):
        means = channel_means(maps)
        rest = energy - energy_of(means) * (tensor.size / len(means))
        unit = max(math.sqrt(max(rest, 0.0) / tensor.size), unit / 16)
    largest = math.ldexp(largest, exponent)
    return _Source(tensor.shape, maps, exponent, largest, bool(maps.min() >= 0), energy, unit)


def _attempt(codec: SlFacRd, source: _Source, step: float, like: Axes | None = None) -> Attempt:
    finest = source.largest * 2**8 / LARGEST_MAGNITUDE
    step = float(np.float32(max(step, finest)))
    if like is None:
        axes = choose(source.maps, step, codec.dead_zone, codec.domain)
    else:
        axes = moved(like, source.maps, step)
    coefficients = axes.forward(source.maps)
    quantised = quantise(coefficients, axes.step, codec.dead_zone)
    head = source.shape, source.exponent, source.no_negatives
    return Attempt(*head, axes, coefficients, quantised, codec.dead_zone)


def _error(source: _Source, attempt: Attempt) -> float:
    """Return the relative squared error of `attempt`."""
    quantised, axes, coefficients = attempt.quantised, attempt.axes, attempt.coefficients
    places = np.flatnonzero(quantised.where)
    sent = values(coefficients.reshape(-1)[places], axes.step, attempt.dead_zone)
    rebuilt = np.zeros_like(coefficients)
    rebuilt.reshape(-1)[places] = rebuild(*sent, quantised.first, quantised.shift, axes.step)
    maps = axes.inverse(rebuilt)
    if attempt.no_negatives:
        np.maximum(maps, 0, out=maps)
    return energy_of(maps - source.maps) / source.energy
