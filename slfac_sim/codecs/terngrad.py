"""TernGrad: every value as -1, 0 or 1 times its group's largest magnitude, right in the mean.

It knows one tensor at a time. Five of the three-valued symbols travel in one byte (3^5 = 243).

>>> body = TernGrad().sender("up").encode(np.array([0.25, -0.5, 1.0], np.float32)).body
>>> len(body), TernGrad().receiver().decode(body)
(25, array([1., 0., 1.], dtype=float32))
"""

from typing import ClassVar

import numpy as np

from slfac_sim.codecs import BadBody, Sender
from slfac_sim.codecs.kit.entropy import Entropy, decode_symbols, encode_symbols
from slfac_sim.codecs.kit.floats import Floats, Octets
from slfac_sim.codecs.kit.groups import HeaderType, Scope, largest_of, rounded_up
from slfac_sim.codecs.kit.packing import Symbols
from slfac_sim.codecs.kit.quantiser import Figures, GroupQuantiser
from slfac_sim.codecs.kit.stateless import DrawingSender, Draws
from slfac_sim.codecs.kit.wire import Sections
from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import NotNegative, SeedNumber

KIND = "terngrad"
_TRITS = 5  # in a byte
_BYTES = 3**_TRITS  # that are legal
_WEIGHTS = np.array([1, 3, 9, 27, 81], np.uint8)
_TRITS_OF = (np.arange(_BYTES)[:, None] // _WEIGHTS % 3).astype(np.uint8)


@settings
class TernGrad(GroupQuantiser):
    """x^ = m sgn(x) b with b = 1 with probability |x| / m, else 0; m is the group's largest magnitude.

    Inference takes the nearer of 0 and m.
    """

    scope: Scope = "tensor"
    clip: NotNegative = 2.5
    """Standard deviations of the group to which |x| is limited first, as in the paper: less variance, but no
    longer right in the mean; 0 limits nothing.
    """
    entropy: Entropy = "none"
    header_dtype: HeaderType = "float16"
    seed: SeedNumber = 0
    """Added to `seed.learning` of the scenario; the sum is what draws start from."""

    bits: ClassVar[int] = 8  # of five values
    values_per_symbol: ClassVar[int] = _TRITS
    own_flops: ClassVar[tuple[float, float]] = (610.0, 97.0)
    may_lose_to_zeros: ClassVar[str] = "being right in the mean costs variance: sum |x| (m - |x|)"
    references: ClassVar[tuple[str, ...]] = ("wen2017terngrad",)

    @property
    def unbiased(self) -> bool:
        """Whether the mean of what arrives is what was sent."""
        return self.clip == 0.0

    @property
    def label(self) -> str:
        """The codec's name for people."""
        clip = f"clipped at {self.clip:g} sigma" if self.clip else "unclipped"
        return self.named("TernGrad", self.scope, clip)

    def sender(self, stream: str) -> Sender:
        """Return the sending end of `stream`, whose name is in errors and in its draws."""
        return DrawingSender(stream, self.seed, KIND, self.encode)

    def figures(self, rows: Floats, dtype: np.dtype[np.floating], draws: Draws) -> Figures:
        """Return the largest magnitude of every row, once it is clipped."""
        if self.clip:
            limits = np.float32(self.clip) * rows.std(axis=1, keepdims=True)
            np.clip(rows, -limits, limits, out=rows)
        return rounded_up(largest_of(rows), dtype)

    def quantise(self, rows: Floats, figures: Floats, draws: Draws) -> tuple[Symbols, bytes]:
        """Return 0, 1 or 2 for -m, 0 and m: floor(x / m + u) + 1, u drawn from [0, 1); a half without draws.

        1 comes last, or it would round u up to 1 now and then, and a zero would become m.
        """
        levels = rows
        levels *= np.divide(1, figures, out=np.zeros_like(figures), where=figures > 0)[:, None]
        levels += np.float32(0.5) if draws is None else draws.random(rows.shape, np.float32)
        np.floor(levels, out=levels)
        levels += np.float32(1)
        np.clip(levels, 0, 2, out=levels)
        return levels.astype(np.uint8), b""

    def symbol_bits(self, settings: bytes) -> int:
        """Return the bits of a byte of symbols; 0 for settings that no encoder writes."""
        return 0 if settings else 8

    def dequantise(self, symbols: Symbols, figures: Floats, settings: bytes) -> Floats:
        """Return -m, 0 and m."""
        return (symbols.astype(np.float32) - np.float32(1)) * figures[:, None]

    def coded(self, symbols: Symbols, bits: int, entropy: Entropy) -> Octets:
        """Return `symbols` five to a byte, filled up with zeros (1), and coded."""
        five = np.ones((-(-symbols.size // _TRITS), _TRITS), np.uint8)
        five.reshape(-1)[: symbols.size] = symbols
        octets = np.zeros(len(five), np.uint8)
        for place, weight in enumerate(_WEIGHTS):
            octets += five[:, place] * weight
        return encode_symbols(octets, bits, entropy)

    def read_coded(self, sections: Sections, count: int, bits: int, entropy: Entropy) -> Symbols:
        """Return the `count` symbols of `coded`. Raises `BadBody`."""
        octets = decode_symbols(sections, -(-count // _TRITS), bits, entropy)
        if octets.max(initial=0) >= _BYTES:
            raise BadBody(f"body: a byte of {_TRITS} symbols is not below {_BYTES}")
        trits = np.take(_TRITS_OF, octets, axis=0).reshape(-1)
        if (trits[count:] != 1).any():
            raise BadBody("body: the padding of the symbols is not zero")
        return trits[:count]
