"""RandTopk: top-k in which now and then another value takes the place of one of the largest.

The places are drawn anew for every message while training; in evaluation it is plain top-k. What is not
sent is zero at the other end, and what is sent is sent as it is: the result is biased, as the paper has it.

>>> import numpy as np
>>> sender = RandTopK(rate=0.5, alpha=0.5).sender("up")
>>> bodies = [sender.encode(np.array([[1.0, -4.0, 2.0, 3.0]], np.float32)).body for _ in range(2)]
>>> [RandTopK().receiver().decode(body).tolist() for body in bodies]
[[[0.0, 0.0, 2.0, 3.0]], [[1.0, 0.0, 2.0, 0.0]]]
"""

from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from slfac_sim.codecs import Payload, Sender, Tensor
from slfac_sim.codecs.kit.floats import Floats, FloatType, Mask, rows_of
from slfac_sim.codecs.kit.sparse import Sparse, at_places, kept_count, largest, write_sparse
from slfac_sim.codecs.kit.stateless import DrawingSender, Draws, largest_magnitude
from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import SeedNumber

KIND = "randtopk"
_LEAST = np.float32(1e-30)


@settings
class RandTopK(Sparse):
    """Draws k values of each sample, one after the other, without replacement.

    Each of the k largest has the weight (1 - alpha)/k, every other one alpha/(d - k).
    """

    encode_flops_per_value: ClassVar[float] = 930.0
    decode_flops_per_value: ClassVar[float] = 210.0

    rate: Annotated[float, Field(gt=0.0, le=1.0)] = 0.1
    alpha: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.1
    """Weight in the draw, all together, of the values that are not among the k largest; 0 is top-k."""
    values: FloatType = "float16"
    seed: SeedNumber = 0
    """Added to `seed.learning` of the scenario; the sum is what draws start from."""

    @property
    def label(self) -> str:
        """The codec's name for people."""
        return f"RandTopk, {self.rate:g} of the values in {self.values}, alpha {self.alpha:g}"

    def encode(self, tensor: Tensor, stream: str, draws: Draws = None) -> Payload:
        """Return the payload of `tensor` (any shape); without `draws`, of plain top-k."""
        largest_magnitude(tensor, stream)
        samples, values = rows_of(tensor.shape)
        count = kept_count(self.rate, values)
        mask = largest(np.abs(np.ascontiguousarray(tensor).reshape(samples, values)), count)
        if draws is not None:
            mask = drawn(mask, count, self.alpha, draws)
        return write_sparse(KIND, tensor, mask, self.values)

    def sender(self, stream: str) -> Sender:
        """Return the sending end of `stream`, which names its draws."""
        return _Sender(stream, self.seed, KIND, self.encode)


class _Sender(DrawingSender):
    def correct(self, asked: bytes, gradient: Tensor) -> Tensor:
        """Return `gradient` on the values that `asked` has kept: no other has had an effect."""
        return at_places(asked, gradient)


def drawn(top: Mask, count: int, alpha: float, rng: np.random.Generator) -> Mask:
    """Return `count` places of each row, drawn one by one by weight; `top` are the `count` largest.

    Exponential waiting times of rate w: the first `count` to arrive are such a draw (Efraimidis and
    Spirakis, 2006, doi:10.1016/j.ipl.2005.11.003).
    """
    rest = top.shape[1] - count
    if rest == 0 or alpha == 0.0:
        return top
    speeds: Floats = np.where(top, np.float32((1 - alpha) / count), np.float32(alpha / rest))
    speeds /= np.maximum(rng.standard_exponential(top.shape, dtype=np.float32), _LEAST)
    return largest(speeds, count)
