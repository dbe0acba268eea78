"""Runs one command of another program within a time limit; it does not know what the command is for."""

import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from slfac_sim.learning.datasets import DataError

Run = Callable[[Sequence[str], Path, float], None]
"""Runs a command in a folder within so many seconds; raises `DataError` unless it succeeds."""


def run_command(command: Sequence[str], folder: Path, limit_s: float) -> None:
    """Run `command` in `folder`, without a terminal, for at most `limit_s` seconds.

    Raises `DataError` when the program is not installed, takes too long, or fails (with what it wrote
    to stderr of errors).
    """
    try:
        subprocess.run(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=limit_s,
            check=True,
        )
    except FileNotFoundError:
        raise DataError(f"{command[0]} is not installed") from None
    except subprocess.TimeoutExpired:
        raise DataError(f"{' '.join(command)}: not done after {limit_s:g} s") from None
    except subprocess.CalledProcessError as error:
        reason = _complaint(error.stderr) or f"exit status {error.returncode}"
        raise DataError(f"{' '.join(command)}: {reason}") from None


def _complaint(stderr: str) -> str:
    """Return the first three lines that speak of an error; warnings and advice surround them."""
    lines = [line.strip() for line in stderr.splitlines()]
    errors = [line for line in lines if line.startswith("E: ") or "error" in line.lower()]
    return "; ".join(errors[:3])
