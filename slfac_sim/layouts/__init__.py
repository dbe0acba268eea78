"""Layouts: where the parts of a model lie, and who the participants are that hold them; no clock, no network.

One module per layout, named by a protocol's `layout`, with one class `Cast`. A model may be cut in two
(`split`), in three, or lie whole on every device. It knows no protocol.
"""

import importlib
from collections.abc import Sequence
from typing import Any, Protocol

from slfac_sim.codecs import Payload
from slfac_sim.layouts._ground import Ground


class Cast(Protocol):
    """The participants of a scenario, opened with a `Ground`; raises `BadInput` for what does not fit."""

    @property
    def devices(self) -> Sequence[Any]:
        """The devices, in device order."""
        ...

    @property
    def server(self) -> Any:
        """The edge server."""
        ...

    def initial(self) -> Payload:
        """Return the state before training of what the devices learn in common."""
        ...

    def evaluate(self, model: bytes, exact: bool) -> dict[str, Any]:
        """Return the figures of a row of `evals` for the devices' common part in the body `model`.

        `exact` asks for the accuracy without the codec too, where that takes another pass.
        """
        ...


def open_cast(layout: str, ground: Ground) -> Cast:
    """Return the cast of `layout`: the name of a module here, or a dotted name of somebody else's."""
    module = layout if "." in layout else f"slfac_sim.layouts.{layout}"
    cast: Cast = importlib.import_module(module).Cast(ground)
    return cast
