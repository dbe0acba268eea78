"""The model cut in two, with device halves that stay apart: what is evaluated is a mean over devices."""

from collections.abc import Sequence
from typing import Any

from torch import nn

from slfac_sim.codecs import Payload
from slfac_sim.learning.evaluation import mean_score
from slfac_sim.learning.layouts import Layout, split
from slfac_sim.learning.layouts._ground import Ground
from slfac_sim.learning.participants import Device, EdgeServer
from slfac_sim.learning.work import Work


class Cast(Layout):
    """The participants of `split`; they have no part in common, and that of a round is an empty body."""

    def __init__(self, ground: Ground) -> None:
        self._cut = split.Cast(ground)
        self.split, self.held = self._cut.split, self._cut.held
        self.devices: Sequence[Device] = self._cut.devices
        self.server: EdgeServer = self._cut.server
        self._evaluated = self.devices[: ground.scenario.protocol.evaluate_devices]
        self.evaluated_models = len(self._evaluated)

    @property
    def works(self) -> Sequence[Work]:
        """The work of both halves."""
        return [self.split.work]

    @property
    def beyond(self) -> Sequence[nn.Module]:
        """The server's half."""
        return [self.split.server]

    def initial(self) -> Payload:
        """Return an empty body."""
        return Payload(b"", 0)

    def evaluate(self, model: bytes, exact: bool) -> dict[str, Any]:
        """Return the mean of the figures that `evaluate_devices` devices reach, each with its own half."""
        return mean_score([(self._cut.score(device.model_state(), exact), 1) for device in self._evaluated])
