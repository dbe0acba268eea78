"""The model cut in two, with device halves that stay apart: what is evaluated is a mean over devices."""

from collections.abc import Sequence
from typing import Any

from torch import nn

from slfac_sim.codecs import Payload
from slfac_sim.learning.counting import figures
from slfac_sim.learning.ground import Ground
from slfac_sim.learning.layouts.split import Split


class SplitOwn(Split):
    """The participants of `split`; they have no part in common, and that of a round is an empty body."""

    def __init__(self, ground: Ground) -> None:
        super().__init__(ground)
        self._evaluated = self.devices[: ground.scenario.protocol.evaluate_devices]
        self.evaluated_models = len(self._evaluated)

    def initial(self) -> Payload:
        """Return an empty body."""
        return Payload(b"", 0)

    def trained(self, model: bytes) -> Sequence[nn.Module]:
        """Return the blocks of the first device's half, and of the server's."""
        return self.joined(self.devices[0].model_state(), self.server.half.model)

    def evaluate(self, model: bytes, exact: bool) -> dict[str, Any]:
        """Return the mean of the figures that `evaluate_devices` devices reach, each with its own half."""
        scores = [(self.score(device.model_state(), exact), [device.name]) for device in self._evaluated]
        return figures(scores, self.ground)
