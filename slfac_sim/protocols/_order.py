"""In which order devices have their turn within a round. It knows no effect."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from slfac_sim.foundation.streams import stream

if TYPE_CHECKING:
    from slfac_sim.learning.participants import Device

Order = Literal["fixed", "random"]


def in_order(devices: Sequence[Device], order: Order, number: int, seed: int) -> list[Device]:
    """Return `devices` in device order, or in an order that is drawn for round `number`."""
    if order == "fixed":
        return list(devices)
    return [devices[place] for place in stream(seed, "order", number).permutation(len(devices))]
