"""The uniform min-max quantiser: every value of a group in equal steps between its least and its largest.

It knows no transform: it is what SL-FAC has to beat at equal scope and bits. Layout of the bytes:
docs/wire_format.md.

>>> body = Uniform(bits=2).sender("up").encode(np.array([0.0, 0.9, 3.0], np.float32)).body
>>> len(body), Uniform().receiver().decode(body)
(27, array([0., 1., 3.], dtype=float32))
"""

from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from slfac_sim.codecs import BadBody, Payload, Sender, Tensor
from slfac_sim.codecs.kit.entropy import Entropy
from slfac_sim.codecs.kit.floats import Floats, Mask
from slfac_sim.codecs.kit.groups import (
    LARGEST_GROUP,
    NARROWEST,
    Form,
    HeaderType,
    Scope,
    figures_of,
    rounded_ends,
)
from slfac_sim.codecs.kit.packing import Symbols
from slfac_sim.codecs.kit.quantiser import Figures, GroupQuantiser
from slfac_sim.codecs.kit.stateless import DrawingSender, Draws
from slfac_sim.codecs.kit.wire import Sections
from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import SeedNumber

KIND = "uniform"


@settings
class Uniform(GroupQuantiser):
    """Min-max quantiser: a group's values in equal steps between its minimum and its maximum.

    q = round((x - min) / s), s = (max - min) / (2^bits - 1), x^ = min + s q. Inference rounds to the nearest.
    """

    bits: Annotated[int, Field(ge=1, le=16)] = 8
    """Bits of a value, before the entropy stage: 2^bits levels from least to largest."""
    scope: Scope = "plane"
    rounding: Literal["nearest", "stochastic"] = "nearest"
    """Whether a value goes to the `nearest` level, or in training up or down by chance (`stochastic`), up
    with the probability of its distance from the lower level, so that E[x^] = x.
    """
    entropy: Entropy = "none"
    header_dtype: HeaderType = "float16"
    seed: SeedNumber = 0
    """Added to `seed.learning` of the scenario; the sum is what draws start from."""

    may_lose_to_zeros: ClassVar[str] = "zero need not be a level of a min-max grid: many zeros, few bits"

    @property
    def unbiased(self) -> bool:
        """Whether the mean of what arrives is what was sent."""
        return self.rounding == "stochastic"

    @property
    def label(self) -> str:
        """The codec's name for people."""
        rounding = self.rounding if self.rounding != "nearest" else ""
        return self.named(f"uniform {self.bits} bit", self.scope, rounding)

    @property
    def own_flops(self) -> tuple[float, float]:
        """Draws take more."""
        return 580.0 if self.unbiased else 350.0, 65.0

    def sender(self, stream: str) -> Sender:
        """Return the sending end of `stream`, whose name is in errors and in its draws."""
        return DrawingSender(stream, self.seed, "rounding", self.encode)

    def encode(self, tensor: Tensor, stream: str, draws: Draws = None) -> Payload:
        """Return the payload of `tensor`; `draws` are for stochastic rounding. Raises `BadTensor`."""
        return super().encode(tensor, stream, draws if self.unbiased else None)

    def figures(self, rows: Floats, dtype: np.dtype[np.floating], draws: Draws) -> Figures:
        """Return minimum and maximum of every row ([groups, 2])."""
        return rounded_ends(rows.min(axis=1), rows.max(axis=1), dtype, exact=draws is not None)

    def sends(self, figures: Floats, size: int) -> Mask:
        """Return which groups send symbols: those of unequal ends, and the very large."""
        return (figures[:, 1] - figures[:, 0] >= NARROWEST) | (size > LARGEST_GROUP)

    def level(self, figures: Floats) -> Floats:
        """Return the minimum, which is the maximum too."""
        return figures[:, 0]

    def read_header(self, sections: Sections, form: Form, groups: int) -> Floats:
        """Return the ends ([groups, 2]). Raises `BadBody`."""
        ends = figures_of(sections, form, groups, 2)
        if not (ends[:, 0] <= ends[:, 1]).all():
            raise BadBody("body: the ends of a group are not in order")
        return ends

    def quantise(self, rows: Floats, figures: Floats, draws: Draws) -> tuple[Symbols, bytes]:
        """Return q: rounded to the nearest, or with `draws` up or down."""
        levels, span = np.float32(2**self.bits - 1), figures[:, 1] - figures[:, 0]
        rows -= figures[:, :1]
        rows *= np.divide(levels, span, out=np.zeros_like(span), where=span >= NARROWEST)[:, None]
        rows += np.float32(0.5) if draws is None else draws.random(rows.shape, np.float32)
        np.minimum(rows, levels, out=rows)
        return rows.astype(np.uint8) if self.bits <= 8 else rows.astype(np.uint16), bytes([self.bits])

    def symbol_bits(self, settings: bytes) -> int:
        """Return the bits of a symbol; 0 for settings that no encoder writes."""
        return settings[0] if len(settings) == 1 and 1 <= settings[0] <= 16 else 0

    def dequantise(self, symbols: Symbols, figures: Floats, settings: bytes) -> Floats:
        """Return x^ = min + s q."""
        step = (figures[:, 1] - figures[:, 0]) / np.float32(2 ** settings[0] - 1)
        rows = symbols * step[:, None]
        rows += figures[:, :1]
        return rows
