"""PowerQuant and EasyQuant in the place of FQC: SL-FAC's ablations, each band a group of theirs.

Ours, as is one width for all bands (`Form.b_min`, which is then b_max too). It knows the bands of a row
(`_quantise`) and nothing of transform and split. The layout is in docs/wire_format.md.
"""

import functools

import numpy as np
from numpy.typing import NDArray

from slfac_sim.codecs import BadBody, easyquant, powerquant
from slfac_sim.codecs._slfac.quantise import band_ends, by_band, spread
from slfac_sim.codecs._slfac.wire import Bands, Form, Header
from slfac_sim.codecs.kit.entropy import decode_symbols, encode_symbols, entropy_bits, least_bytes
from slfac_sim.codecs.kit.floats import Floats, Mask, refuse_infinite
from slfac_sim.codecs.kit.groups import invertible, rounded_up
from slfac_sim.codecs.kit.sparse import read_places, write_places
from slfac_sim.codecs.kit.wire import Sections

_SAMPLE = 32749  # values in the search for a; a prime, so that they are not all of a few frequencies
_SIGMAS = 3.0
_LARGEST = 2.0**16  # of side times step: coefficients are at most 2^15
_COUNT_BYTES = 4

Sizes = NDArray[np.int64]


def write_bands(row: Floats, sizes: Sizes, form: Form) -> Bands:
    """Return what a body holds of `row` ([samples, columns]), quantised as `form` says."""
    return (_write_power if form.quantiser == "powerquant" else _write_easy)(row, sizes, form)


def read_bands(sections: Sections, header: Header, sizes: Sizes, samples: int, form: Form) -> Floats:
    """Return the row of `write_bands`, times 2^-e. Raises `BadBody`."""
    read = _read_power if form.quantiser == "powerquant" else _read_easy
    row = read(sections, header.ends[..., 0].astype(np.float32), sizes, samples, form)
    row *= np.float32(2.0**-form.exponent)
    return row


def _write_power(row: Floats, sizes: Sizes, form: Form) -> Bands:
    """The figure of a band is its largest magnitude m, or -m where it has negative values."""
    lowest, highest = band_ends(row, sizes)
    largest = rounded_up(np.maximum(highest, -lowest), form.end_dtype)
    figures = np.where(lowest < 0, -largest, largest)
    wide = spread(figures.astype(np.float32), sizes)
    signed, most = wide < 0, np.abs(wide)
    shares = powerquant.shares_of(row, most)
    code = _fitting(shares, most, powerquant.levels_of(signed, form.b_min))
    symbols = powerquant.quantised(shares, signed, code, form.b_min)[:, wide != 0].reshape(-1)
    blocks = [
        ("ranges", np.array([code], np.uint8)),
        ("symbols", encode_symbols(symbols, form.b_min, form.entropy)),
    ]
    return Bands(figures[..., None], blocks, entropy_bits(symbols))


def _fitting(shares: Floats, largest: Floats, levels: Floats) -> int:
    """Return the code of the exponent with the least squared error, on values at equal distances."""
    places = np.arange(min(_SAMPLE, shares.size)) * shares.size // min(_SAMPLE, shares.size)
    some, columns = np.abs(shares.reshape(-1)[places]), places % len(levels)
    return powerquant.best_code(some, levels[columns], largest[columns])


def _read_power(sections: Sections, figures: Floats, sizes: Sizes, samples: int, form: Form) -> Floats:
    code = sections.take(1, "ranges")[0]
    if not powerquant.is_code(code):
        raise BadBody(f"body: {code} is no code of an exponent")
    count = samples * int(sizes[figures != 0].sum())
    sent = decode_symbols(sections, count, form.b_min, form.entropy)
    wide = spread(figures, sizes)
    symbols = np.zeros((samples, len(wide)), sent.dtype)
    symbols[:, wide != 0] = sent.reshape(samples, -1)
    return powerquant.dequantised(symbols, np.abs(wide), wide < 0, code, form.b_min)


def _write_easy(row: Floats, sizes: Sizes, form: Form) -> Bands:
    """The figure of a band is its step."""
    apart = _outliers(row, sizes)
    rest = np.where(apart, np.float32(0), row)
    side = easyquant.side_of(form.b_min)
    lowest, highest = band_ends(rest, sizes)
    best = easyquant.best_steps(
        np.maximum(highest, -lowest), side, functools.partial(_errors, rest, sizes, side)
    )
    steps = invertible(best).astype(form.end_dtype)
    wide = spread(steps.astype(np.float32), sizes)
    symbols = easyquant.quantised(rest, wide, side)[~apart & (wide > 0)]

    count = int(apart.sum())
    blocks = [
        ("indices", np.frombuffer(count.to_bytes(_COUNT_BYTES, "little"), np.uint8)),
        ("indices", write_places(apart.reshape(1, -1), count)),
        ("symbols", encode_symbols(symbols, form.b_min, form.entropy)),
        ("symbols", row[apart].astype("<f2").view(np.uint8)),
    ]
    return Bands(steps[..., None], blocks, entropy_bits(symbols))


def _outliers(row: Floats, sizes: Sizes) -> Mask:
    """Return which values stay floats: those three standard deviations or more from their band's mean."""
    counts = np.maximum(len(row) * sizes, 1)
    mean = by_band(np.add, row.sum(axis=0, dtype=np.float64), sizes) / counts
    away = np.abs(row - spread(mean.astype(np.float32), sizes))
    sigma = np.sqrt(by_band(np.add, np.square(away, dtype=np.float64).sum(axis=0), sizes) / counts)
    limit = np.where(sigma > 0, _SIGMAS * sigma, np.inf).astype(np.float32)
    return np.asarray(away >= spread(limit, sizes))


def _errors(rest: Floats, sizes: Sizes, side: int, steps: Floats) -> Floats:
    """Return the squared error of every band with its step of `steps` ([groups, 2])."""
    residuals = easyquant.residuals(rest, spread(steps, sizes), side)
    errors: Floats = by_band(np.add, np.einsum("sc,sc->c", residuals, residuals), sizes)
    return errors


def _read_easy(sections: Sections, steps: Floats, sizes: Sizes, samples: int, form: Form) -> Floats:
    count = int.from_bytes(sections.take(_COUNT_BYTES, "indices"), "little")
    side = easyquant.side_of(form.b_min)
    values = samples * int(sizes.sum())
    sent = samples * int(sizes[steps > 0].sum())
    least = least_bytes(max(0, sent - count), form.b_min, form.entropy) + 2 * count
    if count > values or least > len(sections.rest):
        raise BadBody("body: content ends early, or has more outliers than values")
    if steps.min() < 0 or float(steps.max()) * side > _LARGEST:
        raise BadBody("body: a step is out of range")

    apart = read_places(sections, 1, values, count).reshape(samples, -1)
    wide = spread(steps, sizes)
    inside = ~apart & (wide > 0)
    symbols = decode_symbols(sections, int(inside.sum()), form.b_min, form.entropy)
    floats = np.frombuffer(sections.take(2 * count, "symbols"), "<f2").astype(np.float32)
    refuse_infinite(floats)
    row = np.zeros(apart.shape, np.float32)
    row[inside] = symbols.astype(np.float32) - np.float32(side)
    row *= wide
    row[apart] = floats
    return row
