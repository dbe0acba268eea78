"""Speeds: how fast each device computes; they know no model, no network, no clock.

One file per kind, chosen by `devices: {speed: {kind: ...}}`. A speed is a frozen dataclass of settings with
one verb, `speeds`. Each draw is keyed by the device's name, so adding a device changes nobody else's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from slfac_sim.foundation.plugins import Family
from slfac_sim.power import Power

BlockSeconds = tuple[float, float]
"""What one block of a model takes per sample: its forward and its backward pass, in seconds."""


class Speeds(Protocol):
    """Settings of the devices' computing speeds.

    A kind may say more of its devices: `hardware_of` (if its field `hardware` is true) what else they are,
    and `blocks` what the blocks of a model take on them, as it was measured.
    """

    def speeds(self, devices: Sequence[str], seed: int) -> dict[str, float]:
        """Return the achieved speed of each device in FLOP/s (2 per multiply-add), by its name.

        The names in `devices` are distinct; every speed is positive and finite, and the draws are those of
        ``stream(seed, "speed/<device>")``. Raises `BadInput` when the settings do not fit the devices.
        """
        ...


FAMILY = Family(Speeds)


@dataclass(frozen=True)
class Hardware:
    """What a device is beside its speed: bytes of memory and bytes/s of it (None: any), and power."""

    memory: float | None
    memory_bandwidth: float | None
    power: Power


class KnownHardware(Speeds, Protocol):
    """A kind that knows the machines themselves."""

    @property
    def hardware(self) -> bool:
        """Whether what it knows takes the place of the scenario's own figures."""
        ...

    def hardware_of(self, devices: Sequence[str], seed: int) -> dict[str, Hardware]:
        """Return what each device is, by its name."""
        ...


class MeasuredBlocks(Speeds, Protocol):
    """A kind that knows how long the blocks of a model take."""

    def blocks(self) -> Mapping[str, BlockSeconds]:
        """Return the times of each block that was measured, by its name."""
        ...
