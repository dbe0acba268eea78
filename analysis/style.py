"""The house style of every figure: sizes, fonts, colours and how it is saved; it knows no data."""

import io
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke

from slfac_sim.analysis.laying_out import broken, lay_out
from slfac_sim.analysis.pages import SCREEN, Page
from slfac_sim.foundation.arrays import Floats

HEIGHT_MM, ROW_MM = 62.0, 3.5  # of a panel, and of a line of a legend, on the screen
_SHOWN_PX = 500  # wide in a notebook
_page: ContextVar[Page] = ContextVar("page", default=SCREEN)

# "petroff10": Petroff, Accessible Color Sequences for Data Visualization (arXiv:2107.02270), ten colours.
_COLOURS = (
    *("#3f90da", "#ffa90e", "#bd1f01", "#94a4a2", "#832db6"),
    *("#a96b59", "#e76300", "#b9ac70", "#717581", "#92dadd"),
)
_SHADES = ((0, 1.0), (0, 0.6), (255, 0.5))  # towards black or white, and what is left of the colour
_MARKERS = "osD^vPX"
Dashes = str | tuple[float, tuple[float, ...]]
_DASHES: tuple[Dashes, ...] = ("-", "--", "-.", ":", (0.0, (5.0, 1.5, 1.0, 1.5, 1.0, 1.5)))
INK, FAINT = "#222222", "#b8b8b8"
HALO = [withStroke(linewidth=1.6, foreground="white")]  # texts stand out from lines
_MANY, _SHORT = 6, 32  # labels in a legend, letters of a label that leave room for a second column
_MOST_LEVEL_NAMES = 5  # beside one another on the horizontal axis
_UPRIGHT, _LETTER_MM = 22, 1.1  # letters in a line of an upright name, and their size

_RC: dict[Any, Any] = {
    "font.family": "DejaVu Sans",  # it comes with matplotlib, so every machine draws alike
    "text.parse_math": False,  # a label with dollars in it is no formula
    "legend.frameon": False,
    "legend.handlelength": 2.6,
    "legend.borderaxespad": 0.2,
    "legend.borderpad": 0.2,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "text.color": INK,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": FAINT,
    "svg.hashsalt": "slfac_sim",
    "svg.fonttype": "none",  # text stays text: it can be searched and edited
    "pdf.fonttype": 42,  # fonts are embedded as TrueType; publishers refuse Type 3
}
_TEXTS = ("font.size", "xtick.labelsize", "ytick.labelsize", "legend.fontsize", "axes.titlesize")
_STROKES = {
    "axes.linewidth": 0.6,
    "lines.linewidth": 1.3,
    "lines.markersize": 3.6,
    "lines.markeredgewidth": 0.7,
    "hatch.linewidth": 0.5,
    "grid.linewidth": 0.4,
}
_NO_DATES: dict[str, dict[str, Any]] = {
    "png": {"metadata": {"Software": None}, "pil_kwargs": {"compress_level": 3}},
    "svg": {"metadata": {"Date": None, "Creator": None}},
    "pdf": {"metadata": {"CreationDate": None, "Creator": None, "Producer": None}},
}


@dataclass(frozen=True)
class Look:
    """How one run is drawn: told apart by colour on a screen, by marker and dashes in grey print."""

    colour: str
    marker: str
    dashes: Dashes

    @property
    def line(self) -> dict[str, Any]:
        """What `Axes.plot` needs for the curve of this run."""
        return {"color": self.colour, "linestyle": self.dashes, "marker": self.marker}

    @property
    def outlined(self) -> dict[str, Any]:
        """The same, with markers that stand out from the curve."""
        return {**self.line, "markeredgecolor": "white", "markeredgewidth": 0.4}


def look(index: int) -> Look:
    """Return the look of the run number `index`, counted from 0; its colour is its own up to 30 runs.

    After the ten colours come these darkened, then lightened; the whole look repeats after 210 runs.
    """
    colours = _page.get().colours or _COLOURS
    colour, (towards, kept) = colours[index % len(colours)], _SHADES[index // len(colours) % len(_SHADES)]
    parts = (round(towards + kept * (int(colour[i : i + 2], 16) - towards)) for i in (1, 3, 5))
    return Look(
        "#" + "".join(f"{part:02x}" for part in parts),
        _MARKERS[index % len(_MARKERS)],
        _DASHES[index % len(_DASHES)],
    )


WAYS = {"up": look(0), "down": look(1)}
"""How the two directions look in every figure: blue goes up, orange goes down."""


def legend_label(label: str) -> str:
    """Return a label that a legend does not leave out for its first letter."""
    return f" {label}" if label.startswith("_") else label


@dataclass(frozen=True)
class Fill:
    """How one part of a stacked bar is drawn: neighbours differ in lightness, and in hatching."""

    colour: str
    hatch: str

    def patch(self, label: str = "") -> Patch:
        """Return what stands for the part in a legend."""
        return Patch(facecolor=self.colour, hatch=self.hatch, edgecolor=INK, linewidth=0.4, label=label)


_FILLS = (
    Fill("#3f90da", ""),
    Fill("#bcd9f2", "////"),
    Fill("#f3e3b8", "...."),
    Fill("#ffa90e", ""),
    Fill("#ffffff", "\\\\\\\\"),
    Fill("#e9d5ef", "xxxx"),
    Fill("#832db6", ""),
    Fill("#c9ccd1", "||||"),
    Fill("#bd1f01", "----"),
)


def fill(index: int) -> Fill:
    """Return the fill of part number `index`, counted from 0; the first nine differ in grey as well."""
    return _FILLS[index % len(_FILLS)]


_PART_FILLS = {
    **{
        part: _FILLS[place]
        for place, part in enumerate(
            (
                *("device compute", "codec", "waiting for air", "airtime", "propagation"),
                *("server queue", "server compute", "waiting at the barrier", "waiting for wires"),
            )
        )
    },
    "set-up": Fill("#dfead0", "oooo"),
}


def part_fill(part: str) -> Fill:
    """Return how a part of the time is drawn, in every figure alike."""
    return _PART_FILLS.get(part, Fill("#ffffff", "...."))


_KIND_FILLS = {
    "smashed_up": Fill(WAYS["up"].colour, ""),
    "smashed_down": Fill(WAYS["down"].colour, ""),
    "middle_down": Fill(WAYS["down"].colour, "xxxx"),
    "middle_up": Fill(WAYS["up"].colour, "xxxx"),
    "labels": Fill("#bcd9f2", "////"),
    "model_up": Fill("#bcd9f2", ""),
    "model_down": Fill("#f3e3b8", ""),
    "edge_up": Fill("#bcd9f2", "...."),
    "edge_down": Fill("#f3e3b8", "...."),
}


def kind_fill(kind: str) -> Fill:
    """Return how a kind of payload of the ledger is drawn, in the colour of its direction or a paler one."""
    return _KIND_FILLS.get(kind, Fill("#ffffff", "...."))


@contextmanager
def house_style(page: Page = SCREEN) -> Iterator[None]:
    """Draw and save in the house style for a `page`, whatever the user's own matplotlibrc says."""
    before = _page.set(page)
    try:
        with matplotlib.rc_context():
            matplotlib.rcdefaults()
            texts: dict[Any, Any] = dict.fromkeys(_TEXTS, page.pt(7.0)) | {"axes.labelsize": page.pt(7.5)}
            strokes: dict[Any, Any] = {name: page.scale * points for name, points in _STROKES.items()}
            matplotlib.rcParams.update({**_RC, **texts, **strokes, **page.rc})
            yield
    finally:
        _page.reset(before)


def page() -> Page:
    """Return the page that is drawn for."""
    return _page.get()


def text_pt(house_pt: float) -> float:
    """Return the size of a text, on the page that is drawn for, that has `house_pt` on the screen."""
    return _page.get().pt(house_pt)


def ink_on(colour: Floats) -> str:
    """Return the colour of a text that can be read on `colour` [red, green, blue, ...], parts of 1."""
    return "white" if float(colour[:3] @ np.array([0.299, 0.587, 0.114])) < 0.5 else INK


class HouseFigure(Figure):
    """A figure that keeps the house style wherever it is shown or saved; it is laid out when it first is.

    A notebook shows it without pyplot, which knows nothing of it.
    """

    def __init__(self, *given: Any, **how: Any) -> None:
        super().__init__(*given, **how)
        self.page = page()

    def draw(self, renderer: Any) -> None:
        """Draw it, laid out."""
        if isinstance(self.canvas, FigureCanvasAgg):  # another one cannot measure texts
            lay_out(self)
        super().draw(renderer)

    def savefig(self, *where: Any, **how: Any) -> None:
        """Save it as `Figure.savefig` does, in the house style."""
        with house_style(self.page):
            lay_out(self)
            super().savefig(*where, **how)

    def _repr_png_(self) -> tuple[bytes, dict[str, int]]:
        shown = io.BytesIO()
        self.savefig(shown, format="png", dpi=SCREEN.dpi)
        return shown.getvalue(), {"width": _SHOWN_PX}


def height_mm(usual: float, lines: int) -> float:
    """Return the height of a panel of so many lines: more than six need more room."""
    return usual if lines <= _MANY else 1.5 * usual


def canvas(legend_rows: int = 0) -> tuple[Figure, Axes]:
    """Return an empty figure of the page's width, with room for a legend above it, and its axes."""
    figure, (axes,) = stacked_canvas(1, HEIGHT_MM, legend_rows)
    return figure, axes


def blank(house_mm: float) -> Figure:
    """Return an empty figure of the page's width, and as high as `house_mm` are on the screen."""
    size_in = (page().width_mm / 25.4, page().scale * house_mm / 25.4)
    figure = HouseFigure(figsize=size_in, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def stacked_canvas(panels: int, panel_mm: float, legend_rows: int = 0) -> tuple[Figure, list[Axes]]:
    """Return an empty figure of the page's width with `panels` axes below one another, and the axes."""
    figure = blank(panel_mm * panels + ROW_MM * legend_rows)
    grid = figure.subplots(panels, squeeze=False)
    return figure, [grid[row][0] for row in range(panels)]


def legend_columns(labels: Collection[str]) -> int:
    """Return how many columns a legend has: two for many short labels, else one."""
    return 2 if len(labels) > _MANY and max(map(len, labels)) <= _SHORT else 1


def legend_rows(labels: Collection[str], columns: int = 1) -> int:
    """Return how many rows of text a legend of `labels` takes, which may be broken into lines."""
    return -(-sum(label.count("\n") + 1 for label in labels) // columns)


def legend(figure: Figure, *entries: Any, title: str | None = None, **how: Any) -> None:
    """Put a legend above all axes, to the left; its `title` says of which run the figure is."""
    figure.legend(*entries, loc="outside upper left", title=title, alignment="left", **how)


def head(figure: Figure, text: str) -> None:
    """Say above a figure that has no legend there of which run it is."""
    figure.suptitle(text, x=0.01, horizontalalignment="left", fontsize=text_pt(7.0))


def entitle(figure: Figure, text: str) -> None:
    """Say above a figure what is common to all that it shows; where its legend has no title yet."""
    if figure.legends and not figure.legends[0].get_title().get_text():
        width_in, height_in = figure.get_size_inches()
        figure.set_size_inches(width_in, height_in + page().scale * ROW_MM / 25.4)
        figure.legends[0].set_title(text)


def name_ticks(axes: Axes, names: Sequence[str], characters: int) -> None:
    """Name the places 0, 1, 2, ... of the horizontal axis; many names stand upright."""
    upright = len(names) > _MOST_LEVEL_NAMES
    texts = ["\n".join(broken(name, _UPRIGHT if upright else characters)) for name in names]
    axes.set_xticks(range(len(names)), texts, rotation=90 if upright else 0)
    if upright:
        axes.tick_params(axis="x", labelsize=text_pt(6.0))


def names_mm(names: Sequence[str]) -> float:
    """Return the height that such names need beyond that of a line of text."""
    if len(names) <= _MOST_LEVEL_NAMES:
        return 0.0
    return _LETTER_MM * max(len(line) for name in names for line in broken(name, _UPRIGHT))


def say(axes: Axes, *texts: str) -> None:
    """Write on empty axes why there is nothing to draw, each of `texts` from a line of its own."""
    axes.set_axis_off()
    lines = "\n".join(line for text in texts for line in broken(text, 48))
    axes.text(0.5, 0.5, lines, transform=axes.transAxes, ha="center", va="center", fontsize=text_pt(7.5))


def nothing(figure: Figure, *texts: str) -> Figure:
    """Leave all axes of `figure` empty, and say on the last of them why; return it."""
    for axes in figure.axes:
        axes.set_axis_off()
    say(figure.axes[-1], *texts)
    return figure


def save(figure: Figure, folder: Path, name: str) -> list[Path]:
    """Write `figure` as `name` into `folder`, in the formats of the page, without dates; return the paths.

    It is laid out once, for pixels of the screen. Fonts are embedded in PDF.
    """
    folder.mkdir(parents=True, exist_ok=True)
    figure.set_dpi(SCREEN.dpi)
    lay_out(figure)
    files = [folder / f"{name}.{form}" for form in page().formats]
    for file in files:
        form = file.suffix[1:]
        figure.savefig(file, format=form, dpi=page().dpi if form == "png" else "figure", **_NO_DATES[form])
    return files
