"""EasyQuant: the few values far from the mean stay floats, the rest share a fine symmetric grid.

It knows one tensor at a time. The paper quantises weights by channel; `scope` lets other groups do it.
Symbols are q + `side`, the largest q.

>>> body = EasyQuant(sigmas=1.2).sender("up").encode(np.array([0.1, -0.2, 0.3, 5.0], np.float32)).body
>>> len(body), EasyQuant().receiver().decode(body).round(3)
(36, array([ 0.1, -0.2,  0.3,  5. ], dtype=float32))
"""

import functools
import struct
from collections.abc import Callable
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from slfac_sim.codecs import BadBody
from slfac_sim.codecs.kit.entropy import Entropy, decode_symbols, encode_symbols, entropy_bits, least_bytes
from slfac_sim.codecs.kit.floats import Floats, Mask, refuse_infinite
from slfac_sim.codecs.kit.groups import (
    Form,
    HeaderType,
    Scope,
    arrange,
    figures_of,
    invertible,
    largest_of,
    sends,
    some_of,
)
from slfac_sim.codecs.kit.packing import Symbols
from slfac_sim.codecs.kit.quantiser import Grouped, Written
from slfac_sim.codecs.kit.sparse import read_places, write_places
from slfac_sim.codecs.kit.stateless import Draws
from slfac_sim.codecs.kit.wire import Frame, Sections
from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import Positive

_MORE = struct.Struct("<BI")  # bits, outliers
_FEWEST, _SAMPLE = 1024, 2**16  # values of a group and of a message in the search
_GOLDEN = (5**0.5 - 1) / 2
_ROUNDS = 10  # of golden section: the step is known to 1 % of the interval


@settings
class EasyQuant(Grouped):
    """Few values far from the mean of their group are sent as float16, with places; the others on a grid.

    The others are s q, q = round(x / s) limited to -(2^(bits-1) - 1) .. 2^(bits-1) - 1, where the step s of
    the group minimises their squared error (golden section between a fifth of max |x| / (2^(bits-1) - 1) and
    1.05 of it, on at least 1,024 values of the group).
    """

    bits: Annotated[int, Field(ge=2, le=16)] = 8
    """Bits of a value on the grid, before the entropy stage."""
    scope: Scope = "channel"
    sigmas: Positive = 3.0
    """Standard deviations from the mean of the group from which on a value is sent as float16, n of the
    paper: fewer send more values so, and leave the others a finer grid.
    """
    entropy: Entropy = "none"
    header_dtype: HeaderType = "float16"

    references: ClassVar[tuple[str, ...]] = ("tang2024easyquant",)

    @property
    def label(self) -> str:
        """The codec's name for people."""
        return self.named(f"EasyQuant {self.bits} bit", self.scope, f"{self.sigmas:g} sigma")

    @property
    def own_flops(self) -> tuple[float, float]:
        """The search takes all values of planes, or else each group had a few."""
        return 1600.0 if self.scope == "plane" else 900.0, 270.0

    def write(self, rows: Floats, form: Form, draws: Draws) -> Written:
        """Return the steps, the places of the outliers, the symbols, and the outliers."""
        apart = _outliers(rows, self.sigmas)
        outliers = rows[apart].astype("<f2")
        rows[apart] = 0

        side = side_of(self.bits)
        errors = functools.partial(_errors, some_of(rows, _FEWEST, _SAMPLE), side)
        steps = invertible(best_steps(largest_of(rows), side, errors)).astype(form.dtype)
        wide = steps.astype(np.float32)
        sent = sends(wide, rows.shape[1])
        symbols = quantised(rows[sent], wide[sent, None], side)[~apart[sent]]

        blocks = [
            ("ranges", steps.view(np.uint8)),
            ("indices", write_places(apart.reshape(1, -1), outliers.size)),
            ("symbols", encode_symbols(symbols, self.bits, form.entropy)),
            ("symbols", outliers.view(np.uint8)),
        ]
        notes = {"entropy_bound_bytes": entropy_bits(symbols) / 8, "outliers": outliers.size / rows.size}
        return _MORE.pack(self.bits, outliers.size), blocks, notes

    def read(self, sections: Sections, form: Form, frame: Frame, settings: bytes) -> Floats:
        """Return the rows of `write`. Raises `BadBody`."""
        bits, count = _MORE.unpack(settings) if len(settings) == _MORE.size else (0, 0)
        groups, size = arrange(frame.shape, form.scope)
        if not 2 <= bits <= 16 or count > groups * size:
            raise frame.foreign_settings()
        steps = figures_of(sections, form, groups)
        sent = sends(steps, size)
        least = least_bytes(max(0, int(sent.sum()) * size - count), bits, form.entropy) + 2 * count
        if least > len(sections.rest) or steps.min() < 0:
            raise BadBody("body: content ends early, or a step is negative")

        apart = read_places(sections, 1, groups * size, count).reshape(groups, size)
        inside = ~apart[sent]
        symbols = decode_symbols(sections, int(inside.sum()), bits, form.entropy)
        outliers = np.frombuffer(sections.take(2 * count, "symbols"), "<f2").astype(np.float32)
        refuse_infinite(outliers)

        some = np.zeros(inside.shape, np.float32)
        some[inside] = symbols.astype(np.float32) - np.float32(side_of(bits))
        rows = np.zeros((groups, size), np.float32)
        rows[sent] = some * steps[sent, None]
        rows[apart] = outliers
        return rows


def _outliers(rows: Floats, sigmas: float) -> Mask:
    """Return which values stay floats; none of a constant group."""
    mean, sigma = rows.mean(axis=1, keepdims=True), rows.std(axis=1, keepdims=True)
    limit = np.where(sigma > 0, np.float32(sigmas) * sigma, np.float32(np.inf))
    apart: Mask = np.abs(rows - mean) >= limit
    return apart


def _errors(rows: Floats, side: int, steps: Floats) -> Floats:
    """Return the squared error of every row with its step of `steps`."""
    rest = residuals(rows, steps[:, None], side)
    errors: Floats = np.einsum("gn,gn->g", rest, rest)
    return errors


def side_of(bits: int) -> int:
    """Return the largest q: 2^(bits-1) - 1."""
    return int(2 ** (bits - 1) - 1)


def quantised(values: Floats, steps: Floats, side: int) -> Symbols:
    """Return q plus the largest q, q = round(x / s) limited to -side .. side; 0 where s is."""
    per_step = np.divide(1, steps, out=np.zeros_like(steps), where=steps > 0)
    levels = values * per_step
    levels += np.float32(side + 0.5)
    np.clip(levels, 0, 2 * side, out=levels)
    return levels.astype(np.uint8) if side < 128 else levels.astype(np.uint16)


def residuals(values: Floats, steps: Floats, side: int) -> Floats:
    """Return x^ - x of every value with its step."""
    wide = np.maximum(steps, np.finfo(np.float32).tiny)
    rest = np.clip(np.rint(values / wide), -side, side)
    rest *= wide
    rest -= values
    return rest


def best_steps(largest: Floats, side: int, errors: Callable[[Floats], Floats]) -> Floats:
    """Return the step of every group, between 0.2 and 1.05 of its largest magnitude / `side`.

    Golden section of the squared error, all groups at once: `errors` gives those of one step per group.
    """
    coarsest = largest / np.float32(side)
    low: Floats = coarsest * np.float32(0.2)
    high: Floats = coarsest * np.float32(1.05)
    left, right = high - (high - low) * np.float32(_GOLDEN), low + (high - low) * np.float32(_GOLDEN)
    at_left, at_right = errors(left), errors(right)
    for _ in range(_ROUNDS):
        down = at_left <= at_right
        low, high = np.where(down, low, left), np.where(down, right, high)
        part = (high - low) * np.float32(_GOLDEN)
        inner = np.where(down, high - part, low + part)
        fresh = errors(inner)
        left, right = np.where(down, inner, right), np.where(down, left, inner)
        at_left, at_right = np.where(down, fresh, at_right), np.where(down, at_left, fresh)
    best: Floats = np.where(at_left <= at_right, left, right)
    return best
