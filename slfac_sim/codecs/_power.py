"""PowerQuant's grid over |x|^a, value by value, and the search for a; it knows no groups and no codec.

Figures (largest magnitude m, sign, levels L) are arrays that broadcast with the values. Exponents a travel
as one byte, their code: a = 0.005 code.
"""

import functools

import numpy as np
from numpy.typing import NDArray

from slfac_sim.codecs.kit.dct import Floats
from slfac_sim.codecs.kit.packing import Symbols

_STEP = 0.005
_CODES = np.arange(40, 201, 10)  # a = 0.2, 0.25 .. 1
_REFINE = (5, 2, 1)


def exponent_of(code: int) -> float:
    """Return the exponent a of `code`."""
    return code * _STEP


def is_code(code: int) -> bool:
    """Say whether an encoder can have written `code`."""
    return bool(_CODES[0] <= code <= _CODES[-1])


def shares_of(values: Floats, largest: Floats) -> Floats:
    """Return x / m of every value, within -1 .. 1; 0 where m is."""
    return values * np.divide(1, largest, out=np.zeros_like(largest), where=largest > 0)


def levels_of(signed: NDArray[np.bool_], bits: int) -> Floats:
    """Return L: 2^(bits-1) - 1 where values have signs, else 2^bits - 1."""
    return np.where(signed, 2.0 ** (bits - 1) - 1, 2.0**bits - 1).astype(np.float32)


def quantise(shares: Floats, signed: NDArray[np.bool_], code: int, bits: int) -> Symbols:
    """Return q = round(L sgn(x) |x / m|^a), plus L where `signed`."""
    levels = levels_of(signed, bits)
    symbols = np.copysign(_power(np.abs(shares), exponent_of(code)), shares)
    symbols *= levels
    symbols += _zero(signed, levels)
    symbols += np.float32(0.5)
    np.clip(symbols, 0, 2.0**bits - 1, out=symbols)
    return symbols.astype(np.uint8) if bits <= 8 else symbols.astype(np.uint16)


def dequantise(symbols: Symbols, largest: Floats, signed: NDArray[np.bool_], code: int, bits: int) -> Floats:
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


def _zero(signed: NDArray[np.bool_], levels: Floats) -> Floats:
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
