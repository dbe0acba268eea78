"""What a training has come to, as whole models: the last one measured, and the best; no clock, no file."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import torch

from slfac_sim.learning.kept import Model, tensors_of
from slfac_sim.learning.layouts import Layout


class Trained:
    """The models of the participants in `layout`; the best is kept if it `chooses_best`.

    It is the first with the highest accuracy on the validation part, of those that were measured from round 1
    on. To choose it takes a pass over that part at each evaluation.
    """

    def __init__(self, layout: Layout) -> None:
        self.chooses_best = False
        self.best: Model | None = None
        self._highest = -1.0
        self._layout = layout

    def measured(self, round_number: int, model: bytes) -> None:
        """Take note that the devices' common part in the body `model` was measured in `round_number`."""
        if not self.chooses_best or round_number == 0 or self._layout.ground.data.validation_labels is None:
            return
        with _on_validation(self._layout):
            accuracy = float(self._layout.evaluate(model, False)["accuracy"])
        if accuracy > self._highest:
            self._highest = accuracy
            self.best = self.model(model, {"round": round_number, "validation_accuracy": accuracy})

    def model(self, model: bytes, figures: Mapping[str, float | None]) -> Model | None:
        """Return the whole model as it is, with `figures`; None where the layout cannot tell it."""
        blocks = self._layout.trained(model)
        return Model(tensors_of(self._block_names(), blocks), figures) if blocks else None

    def get_state(self) -> dict[str, Any]:
        """Return the best model until now."""
        best = self.best
        kept = None if best is None else {"tensors": dict(best.tensors), "figures": dict(best.figures)}
        return {"best": kept, "highest": self._highest}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Go on as the one that gave `state` would."""
        self.best = None if state["best"] is None else Model(**state["best"])
        self._highest = state["highest"]

    def _block_names(self) -> list[str]:
        ground = self._layout.ground
        with torch.device("meta"):
            blocks = ground.scenario.model.blocks(ground.data.image_shape[0], ground.data.classes)
        return [name for name, _ in blocks]


@contextmanager
def _on_validation(layout: Layout) -> Iterator[None]:
    """Have the validation part in the place of the test set."""
    parts = (layout, *layout.parts, *layout.at.values())
    with ExitStack() as stack:
        for ground in {id(part.ground): part.ground for part in parts}.values():
            stack.enter_context(ground.on_validation())
        yield
