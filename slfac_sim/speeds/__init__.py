"""Speeds: how fast each device computes; they know no model, no network, no clock.

One file per kind, chosen by `devices: {speed: {kind: ...}}`. A speed is a frozen dataclass of settings with
one verb, `speeds`. Each draw is keyed by the device's name, so adding a device changes nobody else's.
"""

from collections.abc import Sequence
from typing import Protocol


class Speeds(Protocol):
    """Settings of the devices' computing speeds."""

    def speeds(self, devices: Sequence[str], seed: int) -> dict[str, float]:
        """Return the achieved speed of each device in FLOP/s (2 per multiply-add), by its name.

        The names in `devices` are distinct; every speed is positive and finite, and the draws are those of
        ``stream(seed, "speed/<device>")``. Raises `BadInput` when the settings do not fit the devices.
        """
        ...
