"""What a figure shows as text, and where: texts that overlap, and texts that leave the canvas."""

from itertools import combinations

import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from slfac_sim.analysis.laying_out import lay_out

TOLERANCE_PX = 1.0  # boxes of texts have a margin


def drawn(figure: Figure) -> list[Text]:
    """Lay `figure` out as it is saved and return every text in it that is drawn, once."""
    lay_out(figure)
    texts: dict[int, Text] = {}
    with pytest.MonkeyPatch.context() as patch:
        original = Text.draw

        def noting(self: Text, renderer: object, *args: object, **kwargs: object) -> None:
            if self.get_visible() and self.get_text().strip():
                texts[id(self)] = self
            original(self, renderer, *args, **kwargs)

        patch.setattr(Text, "draw", noting)
        figure.canvas.draw()  # type: ignore[no-untyped-call]
    return list(texts.values())


def faults(figure: Figure) -> list[str]:
    """Return what is wrong with the texts of `figure`: pairs that overlap, and those that are cut off."""
    boxes = [(text.get_text(), text.get_window_extent()) for text in drawn(figure)]
    width, height = figure.canvas.get_width_height()
    found = [
        f"{text!r} leaves the canvas"
        for text, box in boxes
        if min(box.x0, box.y0) < -TOLERANCE_PX
        or box.x1 > width + TOLERANCE_PX
        or box.y1 > height + TOLERANCE_PX
    ]
    for (one, first), (other, second) in combinations(boxes, 2):
        wide = min(first.x1, second.x1) - max(first.x0, second.x0)
        high = min(first.y1, second.y1) - max(first.y0, second.y0)
        if min(wide, high) > TOLERANCE_PX:
            found.append(f"{one!r} and {other!r} overlap by {wide:.0f} x {high:.0f} px")
    return found
