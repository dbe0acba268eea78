"""What a body says of itself: the fields of its frame, and its bytes by what they are for."""

from collections.abc import Mapping
from dataclasses import dataclass

from slfac_sim.codecs import Tensor
from slfac_sim.codecs.kit.bodies import decode
from slfac_sim.codecs.kit.wire import VERSION, byte_ledger, unseal

UNTOLD = "content"  # bytes that the codec's decoder takes without saying what for


@dataclass(frozen=True)
class Inspected:
    """A body that could be decoded: its frame, its parts (they add up to its length), and its tensor."""

    kind: str
    version: int
    shape: tuple[int, ...]
    settings: bytes
    body_bytes: int
    parts: Mapping[str, int]
    tensor: Tensor

    @property
    def bits_per_value(self) -> float:
        """Bits of the whole body for each value."""
        return 8.0 * self.body_bytes / self.tensor.size


def inspect(body: bytes) -> Inspected:
    """Return what `body` says. Raises `BadBody` for anything that cannot be decoded from its bytes alone."""
    frame = unseal(body)
    content_bytes = len(frame.content)
    with byte_ledger() as taken:
        tensor = decode(body)
    parts = {"frame": len(body) - content_bytes} | taken
    parts["frame"] = len(body) - content_bytes + taken.get("frame", 0)
    rest = len(body) - sum(parts.values())
    if rest > 0:
        parts[UNTOLD] = rest
    return Inspected(frame.kind, VERSION, frame.shape, frame.settings, len(body), parts, tensor)
