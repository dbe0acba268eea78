"""Named devices and the speed each achieves in *training*; it knows no single device of a run.

What a training step achieves is far below a data sheet's peak, and depends on model, batch and software. So
these are orders of magnitude: the ratio of the three boards is published practice (time per step Jetson TX2 :
Jetson Nano : Raspberry Pi 4 = 1 : 1.81 : 11.6), their common scale and all others are engineering defaults,
chosen by hand and not measured. A study that turns on them should set its own speeds.
"""

from typing import Final

_PI_4_FLOPS = 5e9  # engineering default: about a tenth of the peak of four Cortex-A72 cores in float32

PROFILES: Final[dict[str, float]] = {
    "raspberry_pi_4": _PI_4_FLOPS,
    "raspberry_pi_5": 2.5 * _PI_4_FLOPS,  # engineering default: newer cores at a higher clock
    "jetson_nano": 11.6 / 1.81 * _PI_4_FLOPS,  # by the ratio above
    "jetson_tx2": 11.6 * _PI_4_FLOPS,  # by the ratio above
    "phone": 10e9,  # engineering default: training on the processor cores of a mid-range phone
    "laptop": 100e9,  # engineering default: a few cores with wide vector units
}
