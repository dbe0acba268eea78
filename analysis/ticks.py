"""Ticks of logarithmic axes: few, at round numbers, written as plain numbers; it knows no data."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import (
    FuncFormatter,
    Locator,
    MaxNLocator,
    NullFormatter,
    NullLocator,
)

from slfac_sim.analysis.format import share
from slfac_sim.foundation.arrays import Floats

_DIGITS: tuple[Sequence[float], ...] = ((1, 1.5, 2, 3, 4, 5, 6, 8), (1, 2, 3, 5, 7), (1, 2, 5), (1, 3), (1,))
_FEWEST = 3
_FAR = 30.0  # from here on an axis from zero would crowd the smaller values
_PLAIN = (1e-4, 1e7)  # beyond, a number is written with a power of ten
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


class FewLog(Locator):
    """Between three and `most` ticks over any range of positive numbers: the finest round ones that fit."""

    def __init__(self) -> None:
        self.most = 8

    def __call__(self) -> Any:
        """Return the ticks of the axis as it is."""
        return self.tick_values(*self.axis.get_view_interval())  # type: ignore[union-attr]

    def tick_values(self, vmin: float, vmax: float) -> Any:
        """Return the ticks from `vmin` to `vmax`."""
        low, high = sorted((vmin, vmax))
        if low <= 0.0 or not math.isfinite(high):
            return np.array([])
        first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
        for digits in _DIGITS:
            ticks = _within(low, high, [d * 10.0**e for e in range(first, last + 1) for d in digits])
            if _FEWEST <= ticks.size <= self.most:
                return ticks
        if ticks.size > self.most:
            step = -(-(last - first) // self.most)
            return _within(low, high, [10.0**e for e in range(first, last + 1, step)])
        return _within(low, high, MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high))


def plain(value: float, _: object = None) -> str:
    """Return a number as a tick shows it: ``1,500``, ``0.02``, ``10⁻⁹``."""
    if value == 0.0 or _PLAIN[0] <= abs(value) < _PLAIN[1]:
        return f"{value:,.10g}"
    mantissa, _, exponent = f"{value:.6e}".partition("e")
    power = f"10{str(int(exponent)).translate(_SUPERSCRIPTS)}"
    return power if float(mantissa) == 1.0 else f"{float(mantissa):g} · {power}"


def log_axis(axis: Any) -> None:
    """Make an axis logarithmic, with ticks that fit."""
    (axis.axes.set_xscale if axis.axis_name == "x" else axis.axes.set_yscale)("log")
    axis.set_major_locator(FewLog())
    axis.set_major_formatter(FuncFormatter(plain))
    axis.set_minor_locator(NullLocator())
    axis.set_minor_formatter(NullFormatter())


def plain_axis(axis: Any) -> None:
    """Write the ticks of a linear axis as plain numbers."""
    axis.set_major_formatter(FuncFormatter(plain))


def whole_numbers(axis: Any) -> None:
    """Let an axis of counts, or of rounds, have ticks at whole numbers."""
    axis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10], min_n_ticks=1))


def percents(axis: Any) -> None:
    """Write the parts of 1 on an axis as percents."""
    axis.set_major_formatter(FuncFormatter(lambda value, _: share(value, 3)))


def from_zero_or_log(axes: Axes, values: Floats) -> None:
    """Scale the vertical axis for positive `values`: from 0, or by logarithms if they differ by far."""
    shown = values[np.isfinite(values) & (values > 0.0)]
    if shown.size and shown.max() > _FAR * shown.min():
        log_axis(axes.yaxis)
    else:
        axes.set_ylim(0.0, 1.08 * (shown.max() if shown.size else 1.0))
        plain_axis(axes.yaxis)


def _within(low: float, high: float, ticks: Any) -> Floats:
    values = np.array([float(f"{value:.12g}") for value in ticks])
    return values[(values >= low * (1 - 1e-9)) & (values <= high * (1 + 1e-9))]
