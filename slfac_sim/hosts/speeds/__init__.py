"""Speeds: how fast each device computes; they know no model, no network, no clock.

One file per kind, chosen by `devices: {speed: {kind: ...}}`. A speed is a frozen dataclass of settings with
one verb, `speeds`. Each draw is keyed by the device's name, so adding a device changes nobody else's.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from slfac_sim.foundation.plugins import Family
from slfac_sim.hosts.power import Power

BlockSeconds = tuple[float, float]
"""What one block of a model takes per sample: its forward and its backward pass, in seconds."""


@dataclass(frozen=True)
class Hardware:
    """What a device is beside its speed: bytes of memory and bytes/s of it (None: any), and power."""

    memory: float | None
    memory_bandwidth: float | None
    power: Power


class Speeds(ABC):
    """Settings of the devices' computing speeds: what every kind inherits.

    What a kind does not say of its devices holds as it stands here.
    """

    def check(self, count: int) -> None:  # noqa: B027  # most kinds fit any number of devices
        """Raise `ValueError` where the settings do not fit `count` devices."""

    @abstractmethod
    def speeds(self, devices: Sequence[str], seed: int) -> dict[str, float]:
        """Return the achieved speed of each device in FLOP/s (2 per multiply-add), by its name.

        The names in `devices` are distinct; every speed is positive and finite, and the draws are those of
        ``stream(seed, "speed/<device>")``. Raises `BadInput` when the settings do not fit the devices.
        """

    def hardware_of(self, devices: Sequence[str], seed: int) -> Mapping[str, Hardware]:
        """Return what each device is, by its name; that takes the place of the scenario's own figures."""
        return {}

    def blocks(self) -> Mapping[str, BlockSeconds] | None:
        """Return the times of each block of the model that was measured, by its name; None for none."""
        return None

    @property
    def sets_work(self) -> bool:
        """Whether the work of devices, which is on record in FLOPs, depends on these settings."""
        return False


FAMILY = Family(Speeds)
