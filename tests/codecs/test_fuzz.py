"""Mutated bodies of every codec under every switch: refused in words, or decoded to what they claim.

`MUTATIONS=100000 python -m pytest tests/codecs/test_fuzz.py -s` is the long form; it prints what it saw.
"""

import os
import time
import tracemalloc
from collections import Counter

import numpy as np
import pytest
from codec_cases import EVERY_SWITCH, codec_of, encoded, mutants, ships
from codec_oracles import tensor_of

from slfac_sim.codecs import BadBody
from slfac_sim.codecs.kit import bodies
from slfac_sim.codecs.kit.wire import unseal

MUTATIONS = int(os.environ.get("MUTATIONS", "3000"))
CASES = [name for name, (kind, _) in EVERY_SWITCH.items() if ships(kind)]
SHAPES = ((2, 3, 5, 4), (3, 7, 5), (4, 9), (1, 1, 1, 1))
FORTY_MB = 40e6  # one header may stand for 2^20 equal values, in three arrays


def outcome(body):
    """Decode `body`; return its refusal, or None. Anything but `BadBody` is a failure of the test."""
    try:
        tensor = bodies.decode(body)
    except BadBody as refused:
        return str(refused)
    assert tensor.shape == unseal(body).shape
    assert unseal(body).kind == "raw" or np.isfinite(tensor.astype(np.float32)).all()
    return None


@pytest.mark.matrix
@pytest.mark.parametrize("name", CASES)
def test_mutants_are_refused_or_decode_to_what_they_claim_in_bounded_memory(name):
    kind, switch = EVERY_SWITCH[name]
    seen = Counter()
    most_bytes, most_s = 0, 0.0
    each = -(-MUTATIONS // (len(CASES) * len(SHAPES)))
    for shape in SHAPES:
        body = encoded(codec_of(kind, **switch), tensor_of("smooth", shape)).body
        for mutant in mutants(body, each, seed=len(name)):
            tracemalloc.start()
            before_s = time.process_time()
            refused = outcome(mutant)
            most_s = max(most_s, time.process_time() - before_s)
            peak_bytes = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            most_bytes = max(most_bytes, peak_bytes)
            assert peak_bytes < FORTY_MB + 1e6 * len(mutant), unseal(mutant)
            assert refused is None or (refused.startswith("body: ") and "\n" not in refused)
            seen["decoded" if refused is None else "refused"] += 1
    print(f"\n{name}: {dict(seen)}, at most {most_bytes / 1e6:.1f} MB and {most_s:.3f} s", end="")
    assert seen["refused"] > 0
