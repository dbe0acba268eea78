"""When training has diverged: numbers that no codec can send and nobody can learn from."""

import math

from slfac_sim.codecs import Tensor
from slfac_sim.foundation.errors import Diverged

LARGEST = 1e20  # of a sound magnitude: squares stay within float32, and every codec takes it


def sound(tensor: Tensor, host: str, what: str) -> Tensor:
    """Return `tensor`, the `what` of `host`. Raises `Diverged` for NaN and beyond `LARGEST`."""
    if tensor.size:
        least, most = float(tensor.min()), float(tensor.max())  # both NaN if one value is
        if not -LARGEST <= least <= most <= LARGEST:
            raise Diverged(host, f"{what} are between {least:.3g} and {most:.3g}")
    return tensor


def sound_loss(loss: float, host: str, what: str = "the loss") -> float:
    """Return `loss`. Raises `Diverged` unless it is finite."""
    if not math.isfinite(loss):
        raise Diverged(host, f"{what} is {loss}")
    return loss
