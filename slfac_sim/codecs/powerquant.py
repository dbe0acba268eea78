"""PowerQuant: a uniform grid over |x|^a, whose exponent a is the one that fits the message best.

It knows one tensor at a time. The exponent is one for the message, as the paper has one for the network;
`scope` says what shares a largest magnitude. Exponents travel as one byte, their code: a = 0.005 code.

>>> body = PowerQuant(bits=3).sender("up").encode(np.array([0.1, -0.3, 1.0], np.float32)).body
>>> len(body), PowerQuant().receiver().decode(body).round(3)
(31, array([ 0.045, -0.319,  1.   ], dtype=float32))
"""

import functools
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from slfac_sim.codecs.kit.entropy import Entropy
from slfac_sim.codecs.kit.floats import Floats, Mask, Octets
from slfac_sim.codecs.kit.groups import Form, HeaderType, Scope, figures_of, rounded_up, some_of
from slfac_sim.codecs.kit.packing import Symbols
from slfac_sim.codecs.kit.quantiser import Figures, GroupQuantiser
from slfac_sim.codecs.kit.stateless import Draws
from slfac_sim.codecs.kit.wire import Sections
from slfac_sim.foundation.plugins import settings

_STEP = 0.005
_CODES = np.arange(40, 201, 10)  # a = 0.2, 0.25 .. 1
_REFINE = (5, 2, 1)
_FEWEST, _SAMPLE = 16, 2**15  # values of a group and of a message in the search


@settings
class PowerQuant(GroupQuantiser):
    """q = round(L sgn(x) |x|^a / m^a), x^ = m sgn(q) (|q| / L)^(1/a), m the group's largest magnitude.

    L = 2^(bits-1) - 1; a group without negative values has L = 2^bits - 1. a minimises the squared error,
    on a grid of 0.05 from 0.2 to 1 that is refined to 0.005 around the best ("ours": the paper uses a
    simplex search), over at most about 32,768 values of the message.
    """

    bits: Annotated[int, Field(ge=2, le=16)] = 8
    """Bits of a value, its sign included, before the entropy stage."""
    scope: Scope = "tensor"
    entropy: Entropy = "none"
    header_dtype: HeaderType = "float16"

    references: ClassVar[tuple[str, ...]] = ("yvinec2023powerquant",)

    @property
    def label(self) -> str:
        """The codec's name for people."""
        return self.named(f"PowerQuant {self.bits} bit", self.scope)

    @property
    def own_flops(self) -> tuple[float, float]:
        """The search takes more values of planes, or else each group had a few."""
        return 970.0 if self.scope == "plane" else 600.0, 240.0

    def figures(self, rows: Floats, dtype: np.dtype[np.floating], draws: Draws) -> Figures:
        """Return the largest magnitude m of every row, or -m where it has negative values."""
        lowest = rows.min(axis=1)
        largest = rounded_up(np.maximum(rows.max(axis=1), -lowest), dtype)
        return np.where(lowest < 0, -largest, largest)

    def sends(self, figures: Floats, size: int) -> Mask:
        """Return which groups send symbols."""
        return super().sends(np.abs(figures), size)

    def header(self, figures: Figures) -> list[tuple[str, Octets]]:
        """Return the magnitudes, then the signs."""
        signs = ("ranges", np.packbits(np.signbit(figures)))
        return [*super().header(np.abs(figures)), signs]

    def read_header(self, sections: Sections, form: Form, groups: int) -> Floats:
        """Return m or -m of every group. Raises `BadBody`."""
        largest = np.abs(figures_of(sections, form, groups))
        flags = np.frombuffer(sections.take(-(-groups // 8), "ranges"), np.uint8)
        return np.where(np.unpackbits(flags, count=groups), -largest, largest)

    def quantise(self, rows: Floats, figures: Floats, draws: Draws) -> tuple[Symbols, bytes]:
        """Return q, plus L where there are signs, with the exponent that fits best."""
        shares, signed = shares_of(rows, np.abs(figures)[:, None]), np.signbit(figures)[:, None]
        code = best_code(np.abs(some_of(shares, _FEWEST, _SAMPLE)), levels_of(signed, self.bits))
        return quantised(shares, signed, code, self.bits), bytes([self.bits, code])

    def symbol_bits(self, settings: bytes) -> int:
        """Return the bits of a symbol; 0 for settings that no encoder writes."""
        legal = len(settings) == 2 and 2 <= settings[0] <= 16 and is_code(settings[1])
        return settings[0] if legal else 0

    def dequantise(self, symbols: Symbols, figures: Floats, settings: bytes) -> Floats:
        """Return x^."""
        bits, code = settings
        return dequantised(symbols, np.abs(figures)[:, None], np.signbit(figures)[:, None], code, bits)

    def notes(self, settings: bytes) -> dict[str, float]:
        """Return the exponent a."""
        return {"exponent": exponent_of(settings[1])}


def exponent_of(code: int) -> float:
    """Return the exponent a of `code`."""
    return code * _STEP


def is_code(code: int) -> bool:
    """Say whether an encoder can have written `code`."""
    return bool(_CODES[0] <= code <= _CODES[-1])


def shares_of(values: Floats, largest: Floats) -> Floats:
    """Return x / m of every value, within -1 .. 1; 0 where m is."""
    return values * np.divide(1, largest, out=np.zeros_like(largest), where=largest > 0)


def levels_of(signed: Mask, bits: int) -> Floats:
    """Return L: 2^(bits-1) - 1 where values have signs, else 2^bits - 1."""
    return np.where(signed, 2.0 ** (bits - 1) - 1, 2.0**bits - 1).astype(np.float32)


def quantised(shares: Floats, signed: Mask, code: int, bits: int) -> Symbols:
    """Return q = round(L sgn(x) |x / m|^a), plus L where `signed`."""
    levels = levels_of(signed, bits)
    symbols = np.copysign(_power(np.abs(shares), exponent_of(code)), shares)
    symbols *= levels
    symbols += _zero(signed, levels)
    symbols += np.float32(0.5)
    np.clip(symbols, 0, 2.0**bits - 1, out=symbols)
    return symbols.astype(np.uint8) if bits <= 8 else symbols.astype(np.uint16)


def dequantised(symbols: Symbols, largest: Floats, signed: Mask, code: int, bits: int) -> Floats:
    """Return x^ = m sgn(q) (|q| / L)^(1/a), never beyond m."""
    levels = levels_of(signed, bits)
    shares = (symbols.astype(np.float32) - _zero(signed, levels)) / levels
    magnitude = np.minimum(_power(np.abs(shares), 1 / exponent_of(code)), np.float32(1))
    values: Floats = np.copysign(magnitude, shares) * largest
    return values


def best_code(shares: Floats, levels: Floats, weights: Floats | float = 1.0) -> int:
    """Return the code of the exponent with the least squared error on `shares` (|x| / m) by `weights`."""
    if shares.size == 0:
        return int(_CODES[-1])
    best = min((int(code) for code in _CODES), key=functools.partial(_error, shares, levels, weights))
    for step in _REFINE:
        near = (code for code in (best, best - step, best + step) if is_code(code))
        best = min(near, key=functools.partial(_error, shares, levels, weights))
    return best


def _zero(signed: Mask, levels: Floats) -> Floats:
    """Return the symbol of zero."""
    return np.where(signed, levels, np.float32(0))


def _power(shares: Floats, exponent: float) -> Floats:
    """Return `shares` (0 to 1) to the power of `exponent`; by logarithm, which numpy vectorises."""
    with np.errstate(divide="ignore"):
        powers: Floats = np.log(shares)
    powers *= np.float32(exponent)
    return np.exp(powers, out=powers)


def _error(shares: Floats, levels: Floats, weights: Floats | float, code: int) -> float:
    quantised = np.floor(_power(shares, exponent_of(code)) * levels + np.float32(0.5)) / levels
    back = _power(quantised, 1 / exponent_of(code))
    back -= shares
    back *= weights
    return float(np.vdot(back, back))
