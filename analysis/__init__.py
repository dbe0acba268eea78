"""Figures and tables of finished runs: it reads run folders only, and knows neither torch nor a simulator.

In a notebook, ``from slfac_sim import analysis`` and then ``analysis.load("runs/latest")``.
"""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from slfac_sim.analysis.frames import Frames

__all__ = ["load"]


def load(path: str | Path) -> "Frames":
    """Return the run or the study in the folder `path`: its summary, and its tables for a notebook.

    Raises `BadInput` for anything else.
    """
    from slfac_sim.analysis.frames import frames_of

    return frames_of(Path(path))
