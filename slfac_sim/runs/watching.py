"""Who looks on while a run, a replay or a resumed run goes on; it knows no display."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

Ended = tuple[Path, dict[str, Any]]
"""The folder of a run, and its summary."""


class Watcher(Protocol):
    """Sees how it goes on, for a display."""

    def say(self, line: str) -> None:
        """Take a line about what takes long."""
        ...

    def note(self, sentence: str) -> None:
        """Take a sentence that a user should read in any case."""
        ...

    def begin(self, folder: Path, name: str, device_steps: int, rounds: int) -> None:
        """Take the folder, which is there now, and how much there is to do."""
        ...

    def learn(self) -> None:
        """Know that what is on record has been played, and that learning begins."""
        ...

    def on_note(self, table: str, row: Mapping[str, Any]) -> None:
        """Take a row that was written to the ledger."""
        ...
