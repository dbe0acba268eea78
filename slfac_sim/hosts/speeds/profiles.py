"""A fleet of named devices: so many Raspberry Pis, so many Jetson Nanos."""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.streams import stream
from slfac_sim.foundation.units import Count
from slfac_sim.hosts.speeds import Hardware, Speeds
from slfac_sim.hosts.speeds._profiles import PROFILES, Profile

Name = Literal[
    "raspberry_pi_4",
    "raspberry_pi_5",
    "jetson_nano",
    "jetson_tx2",
    "jetson_orin_nx",
    "phone",
    "microcontroller",
    "laptop",
    "gpu_server",
]


@settings
class Profiles(Speeds):
    """`names` says how many devices there are of each profile; together they are all devices.

    Which device is which is drawn, because the order of devices matters elsewhere (the server encodes
    in it, for instance) and must not go hand in hand with speed. With `hardware` each device also has the
    memory, the memory bandwidth (so the roofline) and the power of its profile, in the place of
    `devices.memory`, `devices.memory_bandwidth` and `devices.power`.
    """

    names: Annotated[dict[Name, Count], Field(min_length=1)]
    hardware: bool = False

    def speeds(self, devices: Sequence[str], seed: int) -> dict[str, float]:
        """Return the achieved FLOP/s of each device, in the order of `devices`.

        Every device draws one number, and in the order of these numbers the profiles are dealt out as they
        are listed. Raises `BadInput` when the counts do not sum to the number of devices.
        """
        return {device: profile.speed for device, profile in self._dealt(devices, seed).items()}

    @property
    def sets_work(self) -> bool:
        """The roofline has FLOPs that take as long on the hardware."""
        return self.hardware

    def hardware_of(self, devices: Sequence[str], seed: int) -> dict[str, Hardware]:
        """Return memory, bandwidth and power of each device, dealt out as the speeds. Raises `BadInput`."""
        if not self.hardware:
            return {}
        return {
            device: Hardware(profile.memory, profile.memory_bandwidth, profile.power)
            for device, profile in self._dealt(devices, seed).items()
        }

    def _dealt(self, devices: Sequence[str], seed: int) -> dict[str, Profile]:
        total = sum(self.names.values())
        if total != len(devices):
            wanted = f"must sum to the number of devices, {len(devices)} (got {total})"
            raise BadInput(f"devices.speed.names: the counts {wanted}")
        dealt = [PROFILES[name] for name, count in self.names.items() for _ in range(count)]
        shuffled = sorted(devices, key=lambda device: (_draw(device, seed), device))
        profiles = dict(zip(shuffled, dealt, strict=True))
        return {device: profiles[device] for device in devices}


def _draw(device: str, seed: int) -> float:
    return float(stream(seed, f"speed/{device}").random())
