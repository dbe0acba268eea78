"""Random streams named by their purpose; a draw is a function of what it is for, never of history.

Counter-based generators (Philox, Salmon et al., SC'11, doi:10.1145/2063384.2063405) keyed by a hash of
seed and purpose: adding a device, a codec or a network setting changes nobody else's draws.
"""

import hashlib

import numpy as np


def stream(seed: int, purpose: str, index: int = 0) -> np.random.Generator:
    """Return the generator for `purpose` (for instance ``"fading/d017"``) and block number `index`.

    Equal arguments give equal draws in any process and in any order of calls. `index` numbers what
    repeats under one purpose: a coherence block, an epoch, an attempt. Raises `ValueError` for a
    negative index.
    """
    if index < 0:
        raise ValueError(f"stream {purpose!r}: index must not be negative (got {index})")
    digest = hashlib.blake2b(f"{seed}|{purpose}|{index}".encode(), digest_size=16).digest()
    return np.random.Generator(np.random.Philox(key=int.from_bytes(digest, "little")))
