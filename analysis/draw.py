"""Draws every figure of one or several runs into files; it knows folders, and no figure by name."""

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from slfac_sim.analysis._rows import forget
from slfac_sim.analysis.csv_file import write_rows
from slfac_sim.analysis.folder import Run, load
from slfac_sim.analysis.naming import names_of
from slfac_sim.analysis.style import house_style, save
from slfac_sim.foundation.plugins import kinds

FIGURES = "slfac_sim.analysis.figures"
BEFORE = ("cell_map", "link_rates")  # what a scenario's air shows before any run

Rows = Sequence[Mapping[str, Any]]


def draw_run(folder: str | Path) -> list[Path]:
    """Draw the figures of the run in `folder` into its own ``figures/``; return the files written.

    Raises `BadInput` for a folder that holds no run.
    """
    run = load(folder)
    return draw([run], run.folder / "figures")


def draw(runs: Sequence[Run], out: Path) -> list[Path]:
    """Draw every figure of `runs`, all on one axis, into `out`; return the files: PNG, SVG and table of each.

    Figures that show one run only are left out when there are several; runs that have nothing for a figure
    (its `data` is None) are left out of it, and the figure if none has.
    """
    labels = names_of(runs)
    files: list[Path] = []
    with house_style():
        for name in kinds(FIGURES):
            figure = importlib.import_module(f"{FIGURES}.{name}")
            if len(runs) > 1 and getattr(figure, "ONE_RUN", False):
                continue
            found = [(figure.data(run), label) for run, label in zip(runs, labels, strict=True)]
            series = [replace(one, label=label) for one, label in found if one is not None]
            files += _written(figure, series, out, name) if series else []
    forget()
    return files


def draw_air(label: str, tables: Mapping[str, Rows], out: Path) -> list[Path]:
    """Draw into `out` what can be seen before a run: the figures of the ledger's tables of the air alone.

    Return the files: PNG, SVG and table of each.
    """
    from slfac_sim.analysis.figures._offered import Series

    files: list[Path] = []
    with house_style():
        for name in BEFORE:
            figure = importlib.import_module(f"{FIGURES}.{name}")
            files += _written(figure, [Series(label, **tables)], out, name)
    return files


def _written(figure: Any, series: Sequence[Any], out: Path, name: str) -> list[Path]:
    files = save(figure.draw(series), out, name)
    return (
        [*files, write_rows(figure.table(series), out / f"{name}.csv")] if hasattr(figure, "table") else files
    )
