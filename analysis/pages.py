"""What a figure is drawn for: the screen, a column of a paper, a slide. docs/figures.md has the sources."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_INCH_MM, _TEX_PT_MM = 25.4, 25.4 / 72.27
FORMATS = ("pdf", "svg", "png")


@dataclass(frozen=True)
class Page:
    """A place for figures: `width_mm` of paper, with texts of `text_pt`, of `least_pt` where room is scarce.

    `scale` is how much higher panels are, and thicker lines, than on the screen. Figures are written as
    `formats`, pictures of pixels with `dpi`; `rc` are further settings of matplotlib. With `print_table`
    there is a table for LaTeX beside each figure. `colours` replace our own.
    """

    width_mm: float
    text_pt: float
    least_pt: float
    dpi: float
    scale: float = 1.0
    formats: tuple[str, ...] = ("pdf",)
    print_table: bool = True
    rc: Mapping[Any, Any] = field(default_factory=dict)
    colours: tuple[str, ...] = ()

    def pt(self, house_pt: float) -> float:
        """Return the size here of a text that has `house_pt` points on the screen, where most have 7."""
        return max(house_pt * self.text_pt / 7.0, self.least_pt)


_SANS = {"svg.fonttype": "path"}  # letters are drawn, whatever fonts a reader has
_SERIF = {
    **_SANS,
    "font.family": ["STIXGeneral", "DejaVu Sans"],  # Times, as it comes with matplotlib
    "legend.columnspacing": 0.7,
    "legend.handletextpad": 0.5,
    "legend.handlelength": 2.2,  # as long as on the screen
}

SCREEN = Page(88.0, 7.0, 0.0, 1200 / (88.0 / _INCH_MM), formats=("png", "svg"), print_table=False)
"""1200 pixels wide; in SVG text stays text."""


def _paper(width_mm: float, text_pt: float) -> Page:
    return Page(width_mm, text_pt, 6.0, 600.0, rc=_SERIF)


PAGES: Mapping[str, tuple[Page, ...]] = {
    "ieee": (_paper(3.5 * _INCH_MM, 8.0), _paper(7.16 * _INCH_MM, 8.0)),
    "acm": (_paper(241.14749 * _TEX_PT_MM, 8.0), _paper(506.295 * _TEX_PT_MM, 8.0)),
    "neurips": (_paper(5.5 * _INCH_MM, 9.0),),
    "slides": (Page(140.0, 10.0, 8.0, 300.0, 1.2, rc=_SANS),),
}
"""The pages over one column, and over two where there are two."""
