"""The machines of a scenario's devices: speed, memory, bandwidth and power of each; no torch, no clock."""

from collections.abc import Mapping
from dataclasses import dataclass

from slfac_sim.hosts.names import device_names
from slfac_sim.hosts.power import Power
from slfac_sim.hosts.settings import Devices
from slfac_sim.hosts.speeds import BlockSeconds, Hardware, Speeds


@dataclass(frozen=True)
class Machine:
    """One device's machine: `speed` is achieved FLOP/s, `memory` bytes, `memory_bandwidth` bytes/s.

    None for `memory`: any model fits; for `memory_bandwidth`: computing waits for no memory. `blocks` are
    measured seconds per sample of the forward and the backward pass of blocks of the model, by name.
    """

    speed: float
    memory: float | None
    memory_bandwidth: float | None
    power: Power
    blocks: Mapping[str, BlockSeconds] | None = None


def machines(devices: Devices, seed: int) -> dict[str, Machine]:
    """Return the machine of each device, in device order, with the draws of `seed`, that of the air.

    Raises `BadInput` for speeds that do not fit.
    """
    kind: Speeds = devices.speed
    names = device_names(devices.count)
    speeds = kind.speeds(names, seed)
    given = Hardware(devices.memory, devices.memory_bandwidth, devices.power)
    hardware, blocks = kind.hardware_of(names, seed), kind.blocks()
    return {
        name: Machine(speed, own.memory, own.memory_bandwidth, own.power, blocks)
        for name, speed in speeds.items()
        for own in [hardware.get(name, given)]
    }
