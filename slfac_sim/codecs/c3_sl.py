"""C3-SL: R samples are bound to one vector by circular convolution with a key each, and added up.

S_g = sum_i k_i (*) z_i; the receiver takes circular correlations of S_g with the same keys, which leave the
other samples as noise. Sent on the way back, gradients pass the adjoint of what the activation passed.

>>> tensor = np.eye(2, 512, dtype=np.float32)
>>> body = C3Sl(together=2).sender("up").encode(tensor).body
>>> len(body), C3Sl().receiver().decode(body)[:, :2].round(1)
(1053, array([[1. , 0. ],
       [0.1, 1. ]], dtype=float32))
"""

import functools
import struct
from typing import Annotated, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from slfac_sim.codecs import Backward, BadBody, BadTensor, Payload, Tensor
from slfac_sim.codecs.kit.floats import FLOAT_TYPES, LARGEST, FloatType, read_floats, rows_of, write_floats
from slfac_sim.codecs.kit.stateless import Stateless, largest_magnitude
from slfac_sim.codecs.kit.wire import Sections, framed, unseal
from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.streams import stream as random_stream

KIND = "c3_sl"
_SETTINGS = struct.Struct("<BBQ")  # R, type, seed of the keys
_MOST_TOGETHER = 64
_LARGEST = 2.0**96  # transforms of float32 must stay float32


@settings
class C3Sl(Stateless):
    """Binds each sample to a key by circular convolution and adds up those of a group.

    Keys are normal draws scaled to unit length, which both ends know. The error is large by design: more than
    zeros would have. Training copes with it where the server learns from what arrives.
    """

    references: ClassVar[tuple[str, ...]] = ("hsieh2022c3sl",)
    backward: ClassVar[Backward] = "linear"
    may_lose_to_zeros: ClassVar[str] = "the other samples of a group stay in each as noise of their energy"
    encode_flops_per_value: ClassVar[float] = 480.0
    decode_flops_per_value: ClassVar[float] = 445.0

    together: Annotated[int, Field(ge=1, le=_MOST_TOGETHER)] = 4
    """Samples in a group, R of the paper: bytes shrink by this factor, and the squared error is about as many
    times the energy of the tensor. The batch's last group may be smaller.
    """
    values: FloatType = "float16"
    """Type of the values that are sent."""
    seed: Annotated[int, Field(ge=0, lt=2**64)] = 0
    """Added to `seed.learning` of the scenario; the sum is what keys are drawn from, and in every message."""

    @property
    def label(self) -> str:
        """The codec's name for people."""
        return f"C3-SL, {self.together} samples in one, {self.values}"

    def encode(self, tensor: Tensor, stream: str) -> Payload:
        """Return the payload of `tensor` ([batch, ...]). Raises `BadTensor`, also beyond 2^96."""
        largest = largest_magnitude(tensor, stream)
        if largest > _LARGEST:
            raise BadTensor(f"{stream}: expected magnitudes up to {_LARGEST:.3g} (got {largest:.3g})")
        samples, values = rows_of(tensor.shape)
        rows = np.ascontiguousarray(tensor).reshape(samples, values)
        together, seed = min(self.together, samples), self.seed % 2**64
        spectra = np.zeros((-(-samples // together), values // 2 + 1), np.complex128)
        for place in range(together):
            bound = np.fft.rfft(rows[place::together], axis=1)
            bound *= key_spectrum(seed, values, place)
            spectra[: len(bound)] += bound
        sums = np.clip(np.fft.irfft(spectra, values, axis=1), -LARGEST, LARGEST).astype(np.float32)
        settings = _SETTINGS.pack(together, FLOAT_TYPES.index(self.values), seed)
        return framed(KIND, tensor.shape, settings, [("symbols", write_floats(sums, self.values))])

    def decode(self, body: bytes) -> Tensor:
        """Return the tensor of `body`. Raises `BadBody`."""
        frame = unseal(body, KIND)
        together, dtype, seed = frame.unpacked(_SETTINGS)
        samples, values = rows_of(frame.shape)
        if not 1 <= together <= min(samples, _MOST_TOGETHER) or dtype >= len(FLOAT_TYPES):
            raise BadBody(f"body: {together} of {samples} samples together, or type {dtype} is unknown")
        groups = -(-samples // together)
        sections = Sections(frame.content)
        sections.end(groups * (4 * values if dtype else 2 * values + 1))
        sums = read_floats(sections, groups, values, FLOAT_TYPES[dtype])
        spectra = np.fft.rfft(sums.astype(np.float64), axis=1)
        rows = np.empty((samples, values), np.float32)
        for place in range(together):
            mine = rows[place::together]
            keyed = spectra[: len(mine)] * np.conj(key_spectrum(seed, values, place))
            mine[:] = np.clip(np.fft.irfft(keyed, values, axis=1), -LARGEST, LARGEST)
        return rows.reshape(frame.shape)


def key_spectrum(seed: int, values: int, place: int) -> NDArray[np.complex128]:
    """Return the Fourier transform of the key of unit length for the `place`-th sample of every group."""
    return _kept_key(seed, values, place) if values <= 2**16 else _new_key(seed, values, place)


def _new_key(seed: int, values: int, place: int) -> NDArray[np.complex128]:
    key = random_stream(seed, f"{KIND}/keys/{values}", place).standard_normal(values)
    length = np.sqrt(np.square(key).sum())  # not BLAS's: its sums depend on the number of threads
    return np.fft.rfft(key / length)


_kept_key = functools.lru_cache(maxsize=2 * _MOST_TOGETHER)(_new_key)
