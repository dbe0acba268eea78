"""Which axis of a tensor is its channels; it knows no codec."""

import math

Shape = tuple[int, ...]


def arranged(shape: Shape) -> tuple[int, int, int]:
    """Return (outer, channels, inner) so that a tensor of `shape`, reshaped to it, has its channels apart.

    The last axis of two or three dimensions ([batch, features], [batch, tokens, features]), the second of
    more; fewer dimensions are one channel.
    """
    if len(shape) < 2:
        return 1, 1, math.prod(shape)
    if len(shape) < 4:
        return math.prod(shape[:-1]), shape[-1], 1
    return shape[0], shape[1], math.prod(shape[2:])
