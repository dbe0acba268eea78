"""Draws every figure of a study into files, with the table behind each; it knows no figure by name."""

import importlib
from pathlib import Path

from slfac_sim.analysis.studies.study import StudyResult
from slfac_sim.analysis.style import house_style, save
from slfac_sim.analysis.text_tables import write_csv
from slfac_sim.foundation.plugins import kinds

FIGURES = "slfac_sim.analysis.studies.figures"


def draw_study(study: StudyResult, out: Path) -> list[Path]:
    """Draw what the study has figures for into `out`; return the files: PNG, SVG and CSV of each."""
    files: list[Path] = []
    with house_style():
        for name in kinds(FIGURES):
            figure = importlib.import_module(f"{FIGURES}.{name}")
            data = figure.data(study)
            if data is not None:
                files += save(figure.draw(data), out, name)
                files.append(write_csv(figure.table(data), out / f"{name}.csv"))
    return files
