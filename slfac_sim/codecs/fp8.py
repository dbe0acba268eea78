"""The codec that sends every value as an 8-bit float, scaled by one power of two per message.

It knows no groups. Both formats are those of Micikevicius et al. (2022): e4m3 has no infinities and ends
at 448, e5m2 ends at 57344.

>>> body = Fp8().sender("up").encode(np.array([0.1, -1.0], np.float32)).body
>>> len(body), Fp8().receiver().decode(body)
(20, array([ 0.1015625, -1.       ], dtype=float32))
"""

import math
import struct
from typing import ClassVar, Literal

import ml_dtypes
import numpy as np

from slfac_sim.codecs import Payload, Tensor
from slfac_sim.codecs.kit.cast import cast, values_in
from slfac_sim.codecs.kit.entropy import Coded, Entropy
from slfac_sim.codecs.kit.groups import times_power, unscaled
from slfac_sim.codecs.kit.stateless import Stateless, largest_magnitude
from slfac_sim.codecs.kit.wire import unseal
from slfac_sim.foundation.plugins import settings

KIND = "fp8"
Format = Literal["e4m3", "e5m2"]
_FORMATS: tuple[Format, ...] = ("e4m3", "e5m2")
_TYPES = (np.dtype(ml_dtypes.float8_e4m3fn), np.dtype(ml_dtypes.float8_e5m2))
_LARGEST = (448.0, 57344.0)
_TOPS = (8, 15)  # the largest magnitude of a scaled message is below 2^top
_EXPONENTS = (8 - 128, 15 + 149)  # from the largest float32 to the smallest
_MORE = struct.Struct("<Bh")
_SETTINGS = struct.Struct("<BBh")  # entropy stage, format, exponent


@settings
class Fp8(Coded, Stateless):
    """Rounds every value to the nearest 8-bit float, after scaling."""

    format: Format = "e4m3"
    """Exponent and mantissa bits, beside the sign: `e4m3` is finer, `e5m2` reaches further."""
    scaling: Literal["message", "none"] = "message"
    """With `message` all values are first multiplied by the power of two that brings the largest next to the
    end of the format ("ours": the paper leaves the factor to the user); with `none` they go as they are, and
    those beyond the end become the end.
    """
    entropy: Entropy = "none"

    bits: ClassVar[int] = 8
    own_flops: ClassVar[tuple[float, float]] = (560.0, 260.0)
    references: ClassVar[tuple[str, ...]] = ("fp8formats2022",)

    @property
    def label(self) -> str:
        """The codec's name for people."""
        return self.named(f"fp8 {self.format}", "not scaled" if self.scaling == "none" else "")

    def encode(self, tensor: Tensor, stream: str) -> Payload:
        """Return the payload of `tensor`. Raises `BadTensor`, naming `stream`."""
        largest = largest_magnitude(tensor, stream)
        code, exponent = _FORMATS.index(self.format), 0
        if self.scaling == "message" and largest > 0:
            exponent = _TOPS[code] - math.frexp(largest)[1]
            tensor = times_power(np.array(tensor), exponent)
        more = _MORE.pack(code, exponent)
        return cast(KIND, tensor, _TYPES[code], _LARGEST[code], self.entropy, more)

    def decode(self, body: bytes) -> Tensor:
        """Return the tensor of `body`. Raises `BadBody`."""
        frame = unseal(body, KIND)
        _, code, exponent = frame.unpacked(_SETTINGS)
        if code >= len(_TYPES) or not _EXPONENTS[0] <= exponent <= _EXPONENTS[1]:
            raise frame.foreign_settings()
        return unscaled(values_in(frame, _TYPES[code], _MORE.size), exponent)
