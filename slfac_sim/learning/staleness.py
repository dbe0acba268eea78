"""What a server makes of contributions that come late: it trusts them less. It knows no clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from slfac_sim.learning.halves import Feedback
    from slfac_sim.learning.participants import Arrived, EdgeServer


def discount(staleness: int, exponent: float) -> float:
    """Return 1 / (1 + staleness)^exponent (polynomial; Xie et al., 2019, arXiv:1903.03934, 5.2).

    1 for what is not stale; with exponent 0 for everything.
    """
    return float((1.0 + staleness) ** -exponent)


def train_discounted(server: EdgeServer, arrived: Arrived, factor: float) -> Feedback:
    """Take one step of the server on the batch of one device, with its learning rate times `factor`.

    The optimiser's moments take the gradient as it is. Returns the device's feedback, which `factor` leaves
    alone.
    """
    groups = server.half.optimiser.param_groups
    rates = [group["lr"] for group in groups]
    try:
        for group, rate in zip(groups, rates, strict=True):
            group["lr"] = rate * factor
        return server.train([arrived])[0]
    finally:
        for group, rate in zip(groups, rates, strict=True):
            group["lr"] = rate
