"""Top-k: of each sample only the values of largest magnitude, and where they stand.

It knows one tensor at a time; what is not sent is zero at the other end. The gradient of the server can be
sent on the same places (`on_support`).

>>> import numpy as np
>>> body = TopK(rate=0.5).sender("up").encode(np.array([[1.0, -4.0, 2.0, 3.0]], np.float32)).body
>>> len(body), TopK().receiver().decode(body).tolist()
(27, [[0.0, -4.0, 0.0, 3.0]])
"""

from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from slfac_sim.codecs import Payload, Sender, Tensor
from slfac_sim.codecs.kit.floats import FloatType, rows_of
from slfac_sim.codecs.kit.sparse import Sparse, at_places, kept_count, largest, write_sparse
from slfac_sim.codecs.kit.stateless import StatelessSender, largest_magnitude
from slfac_sim.foundation.plugins import settings

KIND = "topk"


@settings
class TopK(Sparse):
    """Keeps, per sample, the values of largest magnitude; ties go to the first."""

    encode_flops_per_value: ClassVar[float] = 260.0
    decode_flops_per_value: ClassVar[float] = 170.0

    rate: Annotated[float, Field(gt=0.0, le=1.0)] = 0.1
    values: FloatType = "float16"

    @property
    def label(self) -> str:
        """The codec's name for people."""
        return f"top-k, {self.rate:g} of the values in {self.values}"

    def encode(self, tensor: Tensor, stream: str) -> Payload:
        """Return the payload of `tensor` (any shape; [batch, ...] keeps k of each sample)."""
        largest_magnitude(tensor, stream)
        samples, values = rows_of(tensor.shape)
        magnitudes = np.abs(np.ascontiguousarray(tensor).reshape(samples, values))
        return write_sparse(KIND, tensor, largest(magnitudes, kept_count(self.rate, values)), self.values)

    def sender(self, stream: str) -> Sender:
        """Return the sending end of `stream`, whose name appears in errors only."""
        return _Sender(stream, self.encode)


class _Sender(StatelessSender):
    def correct(self, asked: bytes, gradient: Tensor) -> Tensor:
        """Return `gradient` on the values that `asked` has kept: no other has had an effect."""
        return at_places(asked, gradient)
