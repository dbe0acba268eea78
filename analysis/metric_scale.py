"""Scales of metrics: the logarithm of the error, -log10(1 - accuracy), where 1 is the best; it draws nothing.

Each halving of the error has the same height there, so that 90, 95, 97 and 99 % are as easy to tell apart as
10 and 50 %.
"""

import numpy as np

from slfac_sim.foundation.arrays import Floats
from slfac_sim.foundation.metrics import METRICS
from slfac_sim.foundation.targets import ACCURACY

TICKS = (0.0, 0.5, 0.8, 0.9, 0.95, 0.97, 0.98, 0.99, 0.995, 0.999, 0.9999)
LEAST_ERROR = 1e-4  # a test set of 10,000 shows no smaller one; keeps 100 % on the paper


def is_log_error(metric: str) -> bool:
    """Say whether `metric` is drawn on the logarithm of the error: 1 is the best of it."""
    return METRICS[metric].is_share and not METRICS[metric].less_is_better


def metric_name(metric: str, log_error: str = "") -> str:
    """Return what an axis calls `metric`, with the words `log_error` where it has that scale."""
    name = "test accuracy" if metric == ACCURACY else METRICS[metric].title
    return name + (log_error if is_log_error(metric) else "")


def height(accuracy: Floats) -> Floats:
    """Return where `accuracy` [n] lies on the scale: 0 for 0, 1 for 0.9, 2 for 0.99."""
    return -np.log10(np.maximum(1.0 - accuracy, LEAST_ERROR / 10))


def accuracy_at(height: Floats) -> Floats:
    """Return the accuracies that lie at `height` [n]."""
    return 1.0 - 10.0**-height
