"""Vertical axes of metrics, of accuracy above all, in the scales of `metric_scale`."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from slfac_sim.analysis.format import percent
from slfac_sim.analysis.metric_scale import LEAST_ERROR, TICKS, accuracy_at, height, is_log_error
from slfac_sim.analysis.ticks import plain_axis
from slfac_sim.foundation.metrics import METRICS


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
    axes.set_yscale("function", functions=(height, accuracy_at))
    axes.set_ylim(0.0, float(accuracy_at(height(np.array(min(top, 1 - LEAST_ERROR))) + 0.08)))
    axes.yaxis.set_major_locator(FixedLocator(TICKS))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: percent(value)))
