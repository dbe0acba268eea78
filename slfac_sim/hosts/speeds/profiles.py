"""A fleet of named devices: so many Raspberry Pis, so many Jetson Nanos, with what each is.

What a training step achieves is far below a data sheet's peak, and depends on model, batch and software. So
the speeds are orders of magnitude: the ratio of three boards is published practice (time per step Jetson
TX2 : Jetson Nano : Raspberry Pi 4 = 1 : 1.81 : 11.6), their common scale and all others are engineering
defaults, chosen by hand and not measured. A study that turns on them should set its own speeds, or measured
times (`devices: {speed: {kind: measured}}`).

Peaks are arithmetic, in float32: cores x FLOPs a cycle x clock, of

- Raspberry Pi 4: 4 Cortex-A72, 8 FLOPs a cycle, 1.5 GHz; Pi 5: 4 Cortex-A76, 16, 2.4 GHz (the maker's product
  briefs). For comparison, Linpack in float64 was measured at 8 GFLOP/s on the former (feiereisen.net, 2022)
  and at 36.7 GFLOP/s on the latter (github.com/geerlingguy/sbc-reviews, issue 21).
- Jetson Nano: 128 CUDA cores, 2, 0.92 GHz; TX2: 256, 2, 1.3 GHz; Orin NX 16 GB: 1024, 2, 0.918 GHz (NVIDIA's
  data sheets of the modules).
- Microcontroller: an STM32H743, one Cortex-M7, 2, 0.48 GHz (STMicroelectronics, DS12110).
- GPU server: one NVIDIA A100 SXM 80 GB, 19.5 TFLOP/s without its tensor cores (NVIDIA's data sheet).
- Phone: 4 large cores, 16, 2 GHz; laptop: 4 cores, 32, 3 GHz: engineering defaults.

Memory and the peak of its bandwidth are those of the same data sheets: LPDDR4-3200 and LPDDR4X-4267 on 32
bits for the two Pis, 25.6, 59.7 and 102.4 GB/s for the Jetsons, 2,039 GB/s for the A100. The
microcontroller's is its 64-bit bus at 240 MHz; phone (LPDDR4X-4267, 64 bits) and laptop (two channels of
DDR4-3200) are engineering defaults. Measured bandwidths are lower: 5.6 GB/s in STREAM on a Raspberry Pi
(sci-pi.org.uk). Figures of data sheets were written down from memory and not checked again.

Power: Pi 4 2.7 W idle, 6.4 W with four busy cores (pidramble.com); Pi 5 12 W under Linpack (issue 21 above),
its idle power an engineering default. The Jetsons' busy power is the upper end of their module's range (10,
15 and 25 W), the A100's its limit of 400 W in a server; idle powers, and those of phone, laptop and
microcontroller, are engineering defaults. The radio's are the scenario's default of all devices.
"""

from collections.abc import Sequence
from typing import Annotated, Final, Literal, NamedTuple

from pydantic import Field

from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.streams import stream
from slfac_sim.foundation.units import Count
from slfac_sim.hosts.power import DevicePower
from slfac_sim.hosts.speeds import Hardware, Speeds

_PI_4_FLOPS = 5e9  # engineering default: about a tenth of its peak


class Profile(NamedTuple):
    """Achieved and peak FLOP/s, bytes of memory, its bytes/s, and watts when idle and when computing."""

    speed: float
    peak: float
    memory: float
    memory_bandwidth: float
    idle: float
    busy: float

    @property
    def efficiency(self) -> float:
        """The part of the peak that training achieves."""
        return self.speed / self.peak

    @property
    def power(self) -> DevicePower:
        """What it draws."""
        return DevicePower(compute=self.busy - self.idle, idle=self.idle)


PROFILES: Final[dict[str, Profile]] = {
    "raspberry_pi_4": Profile(_PI_4_FLOPS, 48e9, 4e9, 12.8e9, 2.7, 6.4),
    "raspberry_pi_5": Profile(2.5 * _PI_4_FLOPS, 153.6e9, 8e9, 17.1e9, 3.0, 12.0),
    "jetson_nano": Profile(11.6 / 1.81 * _PI_4_FLOPS, 236e9, 4e9, 25.6e9, 1.5, 10.0),
    "jetson_tx2": Profile(11.6 * _PI_4_FLOPS, 666e9, 8e9, 59.7e9, 2.0, 15.0),
    "jetson_orin_nx": Profile(200e9, 1.88e12, 16e9, 102.4e9, 5.0, 25.0),
    "phone": Profile(10e9, 128e9, 6e9, 34.1e9, 0.5, 4.0),
    "microcontroller": Profile(0.1e9, 0.96e9, 1e6, 1.92e9, 0.05, 0.4),
    "laptop": Profile(100e9, 384e9, 16e9, 51.2e9, 5.0, 35.0),
    "gpu_server": Profile(5e12, 19.5e12, 80e9, 2039e9, 150.0, 550.0),
}

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
    """Devices of named profiles; which device is which is drawn.

    The order of devices matters elsewhere (the server encodes in it, for instance) and must not go hand in
    hand with speed.
    """

    names: Annotated[dict[Name, Count], Field(min_length=1)]
    """How many devices there are of each profile; together they are all devices."""
    hardware: bool = False
    """Whether each device also has the memory, the memory bandwidth (so the roofline) and the power of its
    profile, in place of `devices.memory`, `devices.memory_bandwidth` and `devices.power`.
    """

    def check(self, count: int) -> None:
        """Raise `BadInput` where the counts do not sum to the number of devices."""
        total = sum(self.names.values())
        if total != count:
            wanted = f"must sum to the number of devices, {count} (got {total})"
            remedy = 'give names that do, or another speed, such as devices.speed="5 GFLOP/s"'
            raise BadInput(f"the counts of speed.names {wanted}; {remedy}")

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
        self.check(len(devices))
        dealt = [PROFILES[name] for name, count in self.names.items() for _ in range(count)]
        shuffled = sorted(devices, key=lambda device: (_draw(device, seed), device))
        profiles = dict(zip(shuffled, dealt, strict=True))
        return {device: profiles[device] for device in devices}


def _draw(device: str, seed: int) -> float:
    return float(stream(seed, f"speed/{device}").random())
