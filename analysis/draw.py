"""Draws the figures of one or several runs into files; it knows folders, and no figure by name."""

import importlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from matplotlib.figure import Figure

from slfac_sim.analysis.air import Offered
from slfac_sim.analysis.asked import check_names, check_shown
from slfac_sim.analysis.figures import RunFigure
from slfac_sim.analysis.pages import SCREEN, Page
from slfac_sim.analysis.rows import OFFERED, forget
from slfac_sim.analysis.run_table import common_label, names_of
from slfac_sim.analysis.saving import save_with_table
from slfac_sim.analysis.style import entitle, house_style
from slfac_sim.analysis.tracks import tracked
from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.plugins import kinds
from slfac_sim.ledger.folder import DRAWN, Run, load

FIGURES = "slfac_sim.analysis.figures"
_MEMBERS = ("MAIN", "ONE_RUN", "data", "draw", "table")
BEFORE = ("cell_map", "link_rates")  # what a scenario's air shows before any run
_WIRED = ("topology",)  # and where there are wires
_MOVING = ("trajectories", "serving_cell")  # and where devices move

Rows = Sequence[Mapping[str, Any]]
Report = Callable[[int, int, str], object]  # told of each figure before it is drawn: which, of how many, name


def _unheard(number: int, count: int, name: str) -> None:
    """Be the report that nobody listens to."""


def draw_run(folder: str | Path, main_alone: bool = False, report: Report = _unheard) -> list[Path]:
    """Draw the figures of the run in `folder` into its own ``figures/``; return the files written.

    Raises `BadInput` for a folder that holds no run, and for a figure that lacks a member of `RunFigure`.
    """
    run = load(folder)
    return draw([run], run.folder / DRAWN, main_alone, report)


def draw(
    runs: Sequence[Run],
    out: Path,
    main_alone: bool = False,
    report: Report = _unheard,
    page: Page = SCREEN,
    names: Sequence[str] = (),
) -> list[Path]:
    """Draw the figures of `runs`, all on one axis, into `out`, for a `page`; return the files with tables.

    Figures that show one run only are left out when there are several; runs that have nothing for a figure
    (its `data` is None) are left out of it, and the figure if none has. Where `names` are given, those are
    drawn: raises `BadInput` for one that is unknown, that shows one run, or if no run has anything for any.
    """
    check_names(names, kinds(FIGURES))
    figures = {name: _fitting(name, len(runs)) for name in names} or {
        name: figure
        for name, figure in _figures()
        if (figure.MAIN or not main_alone) and not (figure.ONE_RUN and len(runs) > 1)
    }
    shown = {name: series for name, figure in figures.items() if (series := _series(figure, runs))}
    check_shown(names, shown, [run.folder for run in runs])
    files: list[Path] = []
    with house_style(page):
        for number, (name, series) in enumerate(shown.items(), start=1):
            report(number, len(shown), name)
            files += _written(figures[name], series, out, name, common_label(runs))
    forget()
    return files


def before(tables: Mapping[str, Rows]) -> tuple[str, ...]:
    """Return the names of the figures that can be seen before a run, of its tables of air and moves."""
    wired, moving = _WIRED if tables["wires"] else (), _MOVING if tables.get("trajectories") else ()
    return BEFORE + wired + moving


def air_figure(label: str, tables: Mapping[str, Rows], name: str) -> Figure:
    """Return the figure `name`, one of those `before` a run, of the ledger's tables of the air."""
    with house_style():
        return _figure(name).draw([_foreseen(label, tables)])


def draw_air(label: str, tables: Mapping[str, Rows], out: Path) -> list[Path]:
    """Draw into `out` what can be seen before a run: the figures of the ledger's tables of air and moves.

    Return the files: PNG, SVG and table of each.
    """
    files: list[Path] = []
    with house_style():
        for name in before(tables):
            files += _written(_figure(name), [_foreseen(label, tables)], out, name)
    return files


def _foreseen(label: str, tables: Mapping[str, Rows]) -> Offered:
    """Return what is known before a run: its air, and with it how devices will move, if that is told."""
    air = Offered(label, **{name: tables[name] for name in OFFERED})
    if not tables.get("trajectories"):
        return air
    return tracked(air, tables["trajectories"], tables["handovers"])


def figure_of(runs: Sequence[Run], name: str) -> Figure | None:
    """Return the figure `name` of `runs` on one axis; None where none of them has anything for it.

    Raises `BadInput` for several runs where it shows one.
    """
    figure = _fitting(name, len(runs))
    with house_style():
        series = _series(figure, runs)
        drawn = _drawn(figure, series, common_label(runs)) if series else None
    forget()
    return drawn


def shown_of(run: Run) -> list[str]:
    """Return the names of the figures that `run` has something for."""
    names = [name for name, figure in _figures() if figure.data(run) is not None]
    forget()
    return names


def _series(figure: RunFigure, runs: Sequence[Run]) -> list[Any]:
    named = [(figure.data(run), label) for run, label in zip(runs, names_of(runs), strict=True)]
    return [replace(data, label=label) for data, label in named if data is not None]


def _fitting(name: str, runs: int) -> RunFigure:
    """Return the figure `name`. Raises `BadInput` where it shows one run, and there are several."""
    figure = _figure(name)
    if figure.ONE_RUN and runs > 1:
        raise BadInput(f"the figure '{name}' shows one run, and {runs} are given")
    return figure


def _figures() -> Iterator[tuple[str, RunFigure]]:
    return ((name, _figure(name)) for name in kinds(FIGURES))


def _figure(name: str) -> RunFigure:
    module = importlib.import_module(f"{FIGURES}.{name}")
    if missing := [member for member in _MEMBERS if member not in vars(module)]:
        raise BadInput(f"{module.__file__}: has no {', '.join(missing)}, which {FIGURES}.RunFigure asks for")
    return cast(RunFigure, module)


def _written(figure: RunFigure, series: Sequence[Any], out: Path, name: str, common: str = "") -> list[Path]:
    return save_with_table(_drawn(figure, series, common), figure.table(series), out, name)


def _drawn(figure: RunFigure, series: Sequence[Any], common: str) -> Figure:
    """Draw `figure`; a label that is `common` to all runs is said once, and of each only what differs."""
    if not common:
        return figure.draw(series)
    drawn = figure.draw([replace(run, label=run.label.removeprefix(f"{common}, ")) for run in series])
    entitle(drawn, common)
    return drawn
