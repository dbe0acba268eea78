"""What the small JSON beside captured tensors says; no torch here."""

from collections.abc import Iterator, Mapping
from typing import Any

from slfac_sim.foundation.errors import BadInput


def described(facts: Mapping[str, Any]) -> Iterator[tuple[str, int, str]]:
    """Yield file, step and direction of each tensor in `facts`. Raises `BadInput` for anything else."""
    try:
        for one in facts["tensors"]:
            file, step, direction = one["file"], one["step"], one["direction"]
            if not (isinstance(file, str) and isinstance(step, int) and direction in ("up", "down")):
                raise TypeError(f"{one}")
            if "/" in file or "\\" in file or file.startswith("."):
                raise TypeError(f"{file!r} is not the name of a file beside it")
            yield file, step, direction
    except (KeyError, TypeError) as error:
        raise BadInput(f"capture.json: not written by `capture` ({error})") from error
