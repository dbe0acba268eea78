"""`--log tensorboard`: evaluations and rounds as series for TensorBoard, in the run folder."""

from collections.abc import Mapping
from typing import Any

from slfac_sim.foundation.errors import BadInput
from slfac_sim.runs.callbacks import LOGGED, Callback, Start

FOLDER = "tensorboard"


class TensorBoard(Callback):
    """Writes the folder ``tensorboard``: the step of a value is its round, its time the simulated second.

    So TensorBoard's axis `Step` is rounds, and `Relative` simulated time. Raises `BadInput` where the extra
    is not installed.
    """

    def __init__(self) -> None:
        self._new = _summary_writer()
        self._writer: Any = None

    def begin(self, start: Start) -> None:
        """Open the folder; what a run that is gone on with told of later rounds is taken back."""
        after = start.resumed_after
        purge = None if after is None else after + 1 if after else 0
        name = start.key and f"{FOLDER}/{start.key}"
        self._writer = self._new(str(start.folder / (name or FOLDER)), purge_step=purge)

    def note(self, table: str, row: Mapping[str, Any]) -> None:
        """Write every figure of an evaluation or a round."""
        if table not in LOGGED:
            return
        for name, value in row.items():
            if name not in ("round", "at_s") and value is not None:
                tag = f"{LOGGED[table]}/{name}"
                self._writer.add_scalar(tag, float(value), row["round"], walltime=row["at_s"])
        self._writer.flush()

    def end(self, summary: Mapping[str, Any]) -> None:
        """Close what was opened."""
        self._writer.close()


def _summary_writer() -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        install = "pip install 'slfac_sim[tensorboard]' installs it"
        raise BadInput(f"--log tensorboard: TensorBoard is not installed; {install}") from error
    return SummaryWriter
