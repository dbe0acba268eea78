"""The codec that sends every value as bfloat16, float32 less its last 16 bits: two bytes, or fewer if coded.

It knows no groups and no scale: the range is that of float32, the precision 8 bits.

>>> import numpy as np
>>> body = Bf16().sender("up").encode(np.array([0.1, -3.0], np.float32)).body
>>> len(body), Bf16().receiver().decode(body)
(20, array([ 0.10009766, -3.        ], dtype=float32))
"""

from typing import ClassVar

import ml_dtypes

from slfac_sim.codecs.kit.cast import Cast
from slfac_sim.codecs.kit.entropy import Entropy
from slfac_sim.foundation.plugins import settings


@settings
class Bf16(Cast):
    """Rounds every value to the nearest bfloat16; magnitudes beyond its largest value become that."""

    dtype: ClassVar[type[ml_dtypes.bfloat16]] = ml_dtypes.bfloat16
    largest: ClassVar[float] = (2.0 - 2.0**-7) * 2.0**127
    own_flops: ClassVar[tuple[float, float]] = (270.0, 56.0)

    entropy: Entropy = "none"
