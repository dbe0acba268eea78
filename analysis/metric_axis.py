"""Vertical axes of metrics, of accuracy above all.

Where 1 is the best, the axis is that of the logarithm of the error, -log10(1 - accuracy): each halving of the
error has the same height, so that 90, 95, 97 and 99 % are as easy to tell apart as 10 and 50 %.
"""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from slfac_sim.analysis.format import percent
from slfac_sim.analysis.ticks import plain_axis
from slfac_sim.foundation.arrays import Floats
from slfac_sim.foundation.metrics import METRICS
from slfac_sim.foundation.targets import ACCURACY

_TICKS = (0.0, 0.5, 0.8, 0.9, 0.95, 0.97, 0.98, 0.99, 0.995, 0.999, 0.9999)
LEAST_ERROR = 1e-4  # a test set of 10,000 shows no smaller one; keeps 100 % on the paper


def is_log_error(metric: str) -> bool:
    """Say whether `metric` is drawn on the logarithm of the error: 1 is the best of it."""
    return METRICS[metric].is_share and not METRICS[metric].less_is_better


def metric_name(metric: str, log_error: str) -> str:
    """Return what an axis calls `metric`, with the words `log_error` where it has that scale."""
    name = "test accuracy" if metric == ACCURACY else METRICS[metric].title
    return name + (log_error if is_log_error(metric) else "")


def metric_axis(axes: Axes, metric: str, top: float) -> None:
    """Make the vertical axis one of `metric`, from 0 to just above `top`."""
    if is_log_error(metric):
        log_error_axis(axes, max(0.5, top))
        return
    axes.set_ylim(0.0, 1.05 * top or 1.0)
    if METRICS[metric].is_share:
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: percent(round(value, 9))))
    else:
        plain_axis(axes.yaxis)


def log_error_axis(axes: Axes, top: float) -> None:
    """Make the vertical axis one of accuracy on the logarithm of the error, from 0 to just above `top`."""
    axes.set_yscale("function", functions=(_height, _accuracy))
    axes.set_ylim(0.0, float(_accuracy(_height(np.array(min(top, 1 - LEAST_ERROR))) + 0.08)))
    axes.yaxis.set_major_locator(FixedLocator(_TICKS))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: percent(value)))


def _height(accuracy: Floats) -> Floats:
    return -np.log10(np.maximum(1.0 - accuracy, LEAST_ERROR / 10))


def _accuracy(height: Floats) -> Floats:
    return 1.0 - 10.0**-height
