"""What came of a case, as JSON: a line for each transfer. The file appears whole or not at all."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

from slfac_sim.foundation.errors import BadInput
from slfac_sim.network.case.parts import Case
from slfac_sim.network.case.running import Outcome


def text(case: Case, outcome: Outcome, host_s: float) -> str:
    """Return the JSON text: start and end (null: never) of each transfer, the events, and `host_s`.

    `host_s` is how long the simulation took on this machine, without reading and writing.
    """
    return "".join(_pieces(case, outcome, host_s))


def _pieces(case: Case, outcome: Outcome, host_s: float) -> Iterator[str]:
    yield '{"transfers": ['
    between = "\n"
    for transfer, end_s in zip(case.transfers, outcome.end_s, strict=True):
        name = transfer.id if isinstance(transfer.id, int) else json.dumps(transfer.id)
        end = "null" if end_s is None else repr(end_s)
        yield f'{between}{{"id": {name}, "start_s": {float(transfer.start_s)!r}, "end_s": {end}}}'
        between = ",\n"
    yield f'\n], "events": {outcome.events}, "host_s": {host_s:.6f}}}\n'


def refuse_unwritable(file: str | Path, case_file: str | Path) -> None:
    """Raise `BadInput`, before the work is done, if `file` has no folder or is the case."""
    if os.path.exists(file) and os.path.realpath(file) == os.path.realpath(case_file):
        raise BadInput(f"{file}: is the case itself, and would be lost")
    folder = Path(os.path.realpath(file)).parent
    if not folder.is_dir():
        raise BadInput(f"{file}: no folder {folder}")


def write(file: str | Path, content: str) -> None:
    """Write `content` to `file`. Raises `BadInput` for anything that the file system refuses."""
    target = Path(os.path.realpath(file))
    try:
        if target.exists() and not target.is_file():  # a device or a pipe cannot be put in place
            target.write_text(content, encoding="utf-8")
        else:
            _replace(target, content)
    except OSError as error:
        raise BadInput(f"{file}: cannot be written ({error.strerror or error})") from None


def _replace(target: Path, content: str) -> None:
    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        part.write_text(content, encoding="utf-8")
        os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)
