"""The codec that sends every value as float16 (IEEE 754 binary16): two bytes, or fewer if entropy-coded.

It knows no groups and no scale; values below 2^-25 become zero.

>>> body = Fp16().sender("up").encode(np.array([0.1, 1e9], np.float32)).body
>>> len(body), Fp16().receiver().decode(body)
(20, array([9.9975586e-02, 6.5504000e+04], dtype=float32))
"""

from typing import ClassVar

import numpy as np

from slfac_sim.codecs.kit.cast import Cast
from slfac_sim.codecs.kit.entropy import Entropy
from slfac_sim.foundation.plugins import settings


@settings
class Fp16(Cast):
    """Rounds every value to the nearest float16; magnitudes beyond 65504 become that."""

    dtype: ClassVar[type[np.float16]] = np.float16
    largest: ClassVar[float] = 65504.0
    own_flops: ClassVar[tuple[float, float]] = (580.0, 330.0)

    entropy: Entropy = "none"
