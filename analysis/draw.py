"""Draws every figure of one or several runs into files; it knows folders, and no figure by name."""

import importlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from slfac_sim.analysis._rows import forget
from slfac_sim.analysis.csv_file import write_rows
from slfac_sim.analysis.folder import Run, load
from slfac_sim.analysis.naming import names_of
from slfac_sim.analysis.style import house_style, save
from slfac_sim.foundation.plugins import kinds

FIGURES = "slfac_sim.analysis.figures"


def draw_run(folder: str | Path) -> list[Path]:
    """Draw the figures of the run in `folder` into its own ``figures/``; return the files written.

    Raises `BadInput` for a folder that holds no run.
    """
    run = load(folder)
    return draw([run], run.folder / "figures")


def draw(runs: Sequence[Run], out: Path) -> list[Path]:
    """Draw every figure of `runs`, all on one axis, into `out`; return the files: PNG, SVG and table of each.

    Figures that show one run only are left out when there are several.
    """
    labels = names_of(runs)
    files: list[Path] = []
    with house_style():
        for name in kinds(FIGURES):
            figure = importlib.import_module(f"{FIGURES}.{name}")
            if len(runs) > 1 and getattr(figure, "ONE_RUN", False):
                continue
            series = [replace(figure.data(run), label=label) for run, label in zip(runs, labels, strict=True)]
            files += save(figure.draw(series), out, name)
            if hasattr(figure, "table"):
                files.append(write_rows(figure.table(series), out / f"{name}.csv"))
    forget()
    return files
