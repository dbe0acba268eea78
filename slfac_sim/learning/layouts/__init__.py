"""Layouts: where the parts of a model lie, and who the participants are that hold them; no clock, no network.

One module per layout, named by a protocol's `layout`, with one class `Cast`. A model may be cut in two
(`split`), in three, or lie whole on every device. It knows no protocol.
"""

import importlib
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from torch import nn

from slfac_sim.codecs import Payload
from slfac_sim.learning.layouts._ground import Ground
from slfac_sim.learning.work import Work


class Layout(ABC):
    """The participants of a scenario, opened with a `Ground`; raises `BadInput` for what does not fit.

    Every layout's `Cast` inherits from this. What it does not say of itself holds as it stands here.
    """

    whole: ClassVar[bool] = False
    """Whether the model lies whole where it is trained: then no mini-batch is sent."""
    devices_learn: bool = True
    """Whether devices learn, or the server alone."""
    evaluated_models: int = 1
    """Of how many devices the models go through an evaluation."""
    devices: Sequence[Any]
    """The devices, in device order."""
    server: Any
    """The edge server."""

    @property
    def by_cut(self) -> Mapping[str, "Layout"]:
        """The casts of the devices of each cut, where these differ."""
        return {}

    @property
    def works(self) -> Sequence[Work]:
        """The work per sample of the devices' parts, the first with that of what is on the server."""
        return []

    @property
    def beyond(self) -> Sequence[nn.Module]:
        """What follows the first smashed data, part by part."""
        return []

    @abstractmethod
    def initial(self) -> Payload:
        """Return the state before training of what the devices learn in common."""

    @abstractmethod
    def evaluate(self, model: bytes, exact: bool) -> dict[str, Any]:
        """Return the figures of a row of `evals` for the devices' common part in the body `model`.

        `exact` asks for the accuracy without the codec too, where that takes another pass.
        """


def open_cast(layout: str, ground: Ground) -> Layout:
    """Return the cast of `layout`: the name of a module here, or a dotted name of somebody else's."""
    module = layout if "." in layout else f"slfac_sim.learning.layouts.{layout}"
    cast: Layout = importlib.import_module(module).Cast(ground)
    return cast
