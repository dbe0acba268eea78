"""QSGD: every value as one of a few fractions of its group's norm, drawn so that the mean is right.

It knows one tensor at a time. The groups are the paper's buckets; its Elias code is replaced by the
entropy stage that all codecs share ("ours").

>>> sender = Qsgd(bits=2, norm="max").sender("up")
>>> body = sender.encode(np.array([0.25, -0.5, 1.0], np.float32)).body
>>> len(body), Qsgd().receiver().decode(body)
(23, array([ 0., -1.,  1.], dtype=float32))
"""

from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from slfac_sim.codecs import Sender
from slfac_sim.codecs.kit.entropy import Entropy
from slfac_sim.codecs.kit.floats import Floats
from slfac_sim.codecs.kit.groups import HeaderType, Scope, largest_of, rounded_up
from slfac_sim.codecs.kit.packing import Symbols
from slfac_sim.codecs.kit.quantiser import Figures, GroupQuantiser
from slfac_sim.codecs.kit.stateless import DrawingSender, Draws
from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import SeedNumber

KIND = "qsgd"


@settings
class Qsgd(GroupQuantiser):
    """Stochastic quantiser with s = 2^(bits-1) - 1 levels a side of zero.

    x^ = N sgn(x) xi, xi = (l + 1) / s with probability |x| s / N - l, else l / s, where
    l / s <= |x| / N < (l + 1) / s. N is the norm of the group. Inference takes the nearest level.
    """

    bits: Annotated[int, Field(ge=2, le=16)] = 4
    """Bits of a value, its sign included, before the entropy stage."""
    scope: Scope = "plane"
    norm: Literal["l2", "max"] = "l2"
    """Norm of the group: Euclidean (`l2`) or the largest magnitude (`max`), both of the paper. `max` is the
    smaller one, with finer levels and fewer zeros.
    """
    entropy: Entropy = "none"
    header_dtype: HeaderType = "float16"
    seed: SeedNumber = 0
    """Added to `seed.learning` of the scenario; the sum is what draws start from."""

    own_flops: ClassVar[tuple[float, float]] = (590.0, 120.0)
    unbiased: ClassVar[bool] = True
    may_lose_to_zeros: ClassVar[str] = "being right in the mean costs variance, up to sqrt(n) / s energies"
    references: ClassVar[tuple[str, ...]] = ("alistarh2017qsgd",)

    @property
    def label(self) -> str:
        """The codec's name for people."""
        return self.named(f"QSGD {self.bits} bit, {self.norm} norm", self.scope)

    def sender(self, stream: str) -> Sender:
        """Return the sending end of `stream`, whose name is in errors and in its draws."""
        return DrawingSender(stream, self.seed, KIND, self.encode)

    def figures(self, rows: Floats, dtype: np.dtype[np.floating], draws: Draws) -> Figures:
        """Return the root mean square of each row, or its largest magnitude."""
        if self.norm == "max":
            return rounded_up(largest_of(rows), dtype)
        mean_square: Floats = np.einsum("gn,gn->g", rows, rows) / np.float32(rows.shape[1])
        return rounded_up(np.sqrt(mean_square, out=mean_square), dtype)

    def quantise(self, rows: Floats, figures: Floats, draws: Draws) -> tuple[Symbols, bytes]:
        """Return the levels plus s: floor(x s / N + u) + s, u drawn from [0, 1); a half without draws.

        s comes last: added before, it would round u up to 1 now and then, and zeros would not stay zeros.
        """
        settings = bytes([self.bits, self.norm == "max"])
        side, norms = _side_and_norms(settings, figures, rows.shape[1])
        levels = rows
        levels *= np.divide(side, norms, out=np.zeros_like(norms), where=norms > 0)[:, None]
        levels += np.float32(0.5) if draws is None else draws.random(rows.shape, np.float32)
        np.floor(levels, out=levels)
        levels += side
        np.clip(levels, 0.0, 2 * side, out=levels)
        return levels.astype(np.uint8) if self.bits <= 8 else levels.astype(np.uint16), settings

    def symbol_bits(self, settings: bytes) -> int:
        """Return the bits of a symbol; 0 for settings that no encoder writes."""
        return settings[0] if len(settings) == 2 and 2 <= settings[0] <= 16 and settings[1] <= 1 else 0

    def dequantise(self, symbols: Symbols, figures: Floats, settings: bytes) -> Floats:
        """Return x^ = N l / s."""
        side, norms = _side_and_norms(settings, figures, symbols.shape[1])
        return (symbols.astype(np.float32) - side) * (norms / side)[:, None]


def _side_and_norms(settings: bytes, figures: Floats, size: int) -> tuple[np.float32, Floats]:
    """Return s, and the norm of each group of `size` values.

    A header has the root mean square, which fits float16; the norm may not.
    """
    bits, is_max = settings
    return np.float32(2 ** (bits - 1) - 1), figures if is_max else figures * np.float32(np.sqrt(size))
