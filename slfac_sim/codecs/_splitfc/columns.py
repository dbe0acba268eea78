"""SplitFC's quantiser: wide columns in two stages, the others by their mean. It knows no tensor's shape.

The end points of a wide column stand on a grid of 200 levels over all values, its entries on Q levels between
those end points. Narrow columns send their mean on Q_0 levels between the least and the largest mean. The
layout is in docs/wire_format.md.
"""

import numpy as np
from numpy.typing import NDArray

from slfac_sim.codecs import BadBody
from slfac_sim.codecs._splitfc import radix
from slfac_sim.codecs._splitfc.levels import LEVELS, Plan, plan
from slfac_sim.codecs.kit.floats import LARGEST, Floats, Octets, Reals
from slfac_sim.codecs.kit.packing import pack, packed_bytes, unpack
from slfac_sim.codecs.kit.sparse import read_bitmap
from slfac_sim.codecs.kit.wire import Sections

Places = NDArray[np.int64]

END_POINT_LEVELS = 200
_LEVEL_BITS = 5
_RANGE_BYTES = 8  # two float32


def write(rows: Floats, budget_bits: float) -> tuple[list[tuple[str, Octets]], int]:
    """Return the blocks of `rows` ([samples, columns]) within `budget_bits`; and how many are wide."""
    values = rows.astype(np.float64)
    least, most = values.min(axis=0), values.max(axis=0)
    means = np.clip(values.mean(axis=0), least, most)
    order = np.argsort(least - most, kind="stable")
    chosen = plan((most - least)[order], float(np.ptp(means)), len(rows), budget_bits, _Cost(*rows.shape))
    wide = np.zeros(rows.shape[1], np.bool_)
    wide[order[: chosen.levels.size]] = True
    places = np.zeros(rows.shape[1], np.int64)
    places[order[: chosen.levels.size]] = chosen.levels
    blocks = [("widths", np.packbits(wide, bitorder="little"))]
    if wide.any():
        blocks += _write_wide(values[:, wide], least[wide], most[wide], places[wide])
    if not wide.all():
        blocks += _write_means(means[~wide], chosen.mean_levels)
    return blocks, int(wide.sum())


def read(sections: Sections, samples: int, columns: int) -> Floats:
    """Return the rows ([samples, columns]) of `write`. Raises `BadBody`."""
    wide = read_bitmap(sections, columns, "widths")
    rows = np.empty((samples, columns), np.float32)
    if wide.any():
        rows[:, wide] = _read_wide(sections, samples, int(wide.sum()))
    if not wide.all():
        rows[:, ~wide] = _read_means(sections, int((~wide).sum()))
    return rows


class _Cost:
    """The bits that a plan takes, to the byte of every block; columns on one grid point are not foreseen."""

    def __init__(self, samples: int, columns: int) -> None:
        self._samples = samples
        self._columns = columns

    def __call__(self, chosen: Plan) -> float:
        wide = chosen.levels.size
        total_bytes = packed_bytes(self._columns, 1)
        if wide:
            total_bytes += _RANGE_BYTES + packed_bytes(wide, _LEVEL_BITS)
            total_bytes += radix.coded_bytes(2 * wide, END_POINT_LEVELS)
            counts = np.bincount(chosen.levels)
            for place in np.flatnonzero(counts).tolist():
                total_bytes += radix.coded_bytes(int(counts[place]) * self._samples, int(LEVELS[place]))
        if wide < self._columns:
            total_bytes += _RANGE_BYTES + 1
            total_bytes += radix.coded_bytes(self._columns - wide, int(LEVELS[chosen.mean_levels]))
        return 8.0 * total_bytes


def _write_wide(values: Reals, least: Reals, most: Reals, places: Places) -> list[tuple[str, Octets]]:
    grid = _ends_of(least.min(), most.max())
    low = np.floor(_on_grid(least, grid, END_POINT_LEVELS)).clip(0, END_POINT_LEVELS - 1)
    high = np.ceil(_on_grid(most, grid, END_POINT_LEVELS)).clip(0, END_POINT_LEVELS - 1)
    ends = np.stack([low, high]).astype(np.uint16)
    from_, to = _from_grid(ends, grid, END_POINT_LEVELS)
    top = (LEVELS[places] - 1).astype(np.float64)
    span = to - from_
    steps = np.divide(top, span, out=np.zeros_like(span), where=span > 0)
    symbols = np.rint((values - from_) * steps).clip(0, top).astype(np.uint16)
    blocks = [
        ("ranges", grid.view(np.uint8)),
        ("ranges", radix.write(ends.reshape(-1), END_POINT_LEVELS)),
        ("widths", pack(places.astype(np.uint8), _LEVEL_BITS)),
    ]
    for place in np.unique(places[span > 0]).tolist():
        mine = symbols[:, (places == place) & (span > 0)].reshape(-1)
        blocks.append(("symbols", radix.write(mine, int(LEVELS[place]))))
    return blocks


def _read_wide(sections: Sections, samples: int, columns: int) -> Reals:
    grid = _read_grid(sections)
    ends = radix.read(sections, 2 * columns, END_POINT_LEVELS, "ranges").reshape(2, columns)
    octets = sections.take(packed_bytes(columns, _LEVEL_BITS), "widths")
    places = unpack(octets, columns, _LEVEL_BITS).astype(np.int64)
    open_ = ends[0] < ends[1]
    symbols = np.zeros((samples, columns), np.uint16)
    for place in np.unique(places[open_]).tolist():
        mine = (places == place) & open_
        count = samples * int(mine.sum())
        symbols[:, mine] = radix.read(sections, count, int(LEVELS[place])).reshape(samples, -1)
    from_, to = _from_grid(ends, grid, END_POINT_LEVELS)
    rows: Reals = np.clip(from_ + (to - from_) * (symbols / (LEVELS[places] - 1)), -LARGEST, LARGEST)
    return rows


def _write_means(means: Reals, place: int) -> list[tuple[str, Octets]]:
    grid, levels = _ends_of(means.min(), means.max()), int(LEVELS[place])
    symbols = np.rint(_on_grid(means, grid, levels)).clip(0, levels - 1).astype(np.uint16)
    return [
        ("ranges", grid.view(np.uint8)),
        ("widths", np.array([place], np.uint8)),
        ("symbols", radix.write(symbols, levels)),
    ]


def _read_means(sections: Sections, columns: int) -> Reals:
    grid = _read_grid(sections)
    place = sections.take(1, "widths")[0]
    if place >= LEVELS.size:
        raise BadBody(f"body: {place} is not the place of a number of levels")
    levels = int(LEVELS[place])
    return np.clip(_from_grid(radix.read(sections, columns, levels), grid, levels), -LARGEST, LARGEST)


def _ends_of(least: float, most: float) -> NDArray[np.float32]:
    """Return both ends as float32: exactly, but for means, which may then lie outside by a rounding."""
    return np.array([least, most], "<f4")


def _read_grid(sections: Sections) -> NDArray[np.float32]:
    grid = np.frombuffer(sections.take(_RANGE_BYTES, "ranges"), "<f4").astype(np.float32)
    if not np.isfinite(grid).all() or grid[0] > grid[1]:
        raise BadBody("body: the ends of a range are NaN, infinite or in the wrong order")
    return grid


def _on_grid(values: Reals, grid: NDArray[np.float32], levels: int) -> Reals:
    """Return where `values` lie on `levels` points between the ends of `grid`: 0 to levels - 1."""
    low, high = grid.astype(np.float64)
    return (values - low) * ((levels - 1) / (high - low)) if high > low else np.zeros_like(values)


def _from_grid(symbols: NDArray[np.uint16], grid: NDArray[np.float32], levels: int) -> Reals:
    low, high = grid.astype(np.float64)
    values: Reals = low + (high - low) * (symbols / (levels - 1))
    return values
