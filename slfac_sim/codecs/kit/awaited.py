"""What a sender keeps of each of its messages until that is answered; it knows no codec."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from slfac_sim.codecs.kit.memory import fingerprint
from slfac_sim.codecs.kit.pairs import State

_VALUE = np.dtype("<f4")
_MOST = 64  # messages; an older one counts as lost


class Awaited:
    """One array of float32 for each message on its way, found by the message's body."""

    def __init__(self) -> None:
        self._kept: dict[bytes, NDArray[np.float32]] = {}

    def put(self, body: bytes, values: NDArray[np.float32]) -> None:
        """Keep `values` until `body` is answered."""
        self._kept[fingerprint(body)] = values
        while len(self._kept) > _MOST:
            del self._kept[next(iter(self._kept))]

    def take(self, body: bytes) -> NDArray[np.float32] | None:
        """Return what was kept for `body`, and keep it no longer; None for an unknown one."""
        return self._kept.pop(fingerprint(body), None)

    def get_state(self) -> list[dict[str, Any]]:
        """Return all that is kept, as plain data."""
        return [
            {"body": body, "shape": list(values.shape), "values": values.astype(_VALUE).tobytes()}
            for body, values in self._kept.items()
        ]

    def set_state(self, state: list[State]) -> None:
        """Keep what `get_state` gave."""
        self._kept = {
            one["body"]: np.frombuffer(one["values"], _VALUE).astype(np.float32).reshape(one["shape"])
            for one in state
        }
