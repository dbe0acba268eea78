"""`python -m slfac_sim.network CASE.json`: reads, simulates, writes; exit status 0, 1, 2 or 130."""

import argparse
import json
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from slfac_sim.foundation.program import program

if TYPE_CHECKING:
    from slfac_sim.network.case import Case, Outcome

_MOST_NAMES = 10


def main(argv: Sequence[str] | None = None) -> int:
    """Run the case that `argv` names and return the exit status.

    0: every transfer ended; 1: some never do, or whoever read our output has left; 2: usage or input, and
    nothing was written; 130: interrupted, 143: by SIGTERM.
    """
    from slfac_sim.foundation.ending import add_options, status_of

    parser = argparse.ArgumentParser(
        prog=program("network"),
        description="Run transfers over links and media, without learning.",
        epilog="Exit status: 0 done, 1 some transfers never end, 2 usage or input, 130 interrupted.",
    )
    add_arguments(parser)
    add_options(parser)
    arguments = parser.parse_args(argv)
    return status_of(lambda: perform(arguments), arguments.debug, arguments.no_plugins)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the case, and where the answer goes."""
    parser.add_argument("case", metavar="CASE.json", help="links and transfers")
    parser.add_argument(
        "-o", dest="output", metavar="OUT.json", help="where to write (default: standard output)"
    )


def perform(arguments: argparse.Namespace) -> int:
    """Run the case and write what comes out; return 1 if some transfers never end. Raises `BadInput`."""
    from slfac_sim.foundation.errors import BadInput
    from slfac_sim.foundation.host import no_collection
    from slfac_sim.network.case import read, simulate

    case_file, output = arguments.case, arguments.output
    if output is not None:
        _refuse_unwritable(output, case_file)
    with no_collection():
        case = read(case_file)
        before_s = perf_counter()
        try:
            outcome = simulate(case)
        except BadInput as error:
            raise BadInput(f"{case_file}: {error}") from None
        host_s = perf_counter() - before_s
        content = "".join(_pieces(case, outcome, host_s))
    if output is None:
        _print(content)
    else:
        _write(output, content)
    stuck = [str(t.id) for t, end_s in zip(case.transfers, outcome.end_s, strict=True) if end_s is None]
    if not stuck:
        return 0
    more = f" and {len(stuck) - _MOST_NAMES} more" if len(stuck) > _MOST_NAMES else ""
    print(f"{case_file}: never through: {', '.join(stuck[:_MOST_NAMES])}{more}", file=sys.stderr)
    return 1


def _pieces(case: "Case", outcome: "Outcome", host_s: float) -> Iterator[str]:
    """Yield JSON: start and end (null: never) of each transfer, the events, and how long it took here."""
    yield '{"transfers": ['
    between = "\n"
    for transfer, end_s in zip(case.transfers, outcome.end_s, strict=True):
        name = transfer.id if isinstance(transfer.id, int) else json.dumps(transfer.id)
        end = "null" if end_s is None else repr(end_s)
        yield f'{between}{{"id": {name}, "start_s": {transfer.start_s!r}, "end_s": {end}}}'
        between = ",\n"
    yield f'\n], "events": {outcome.events}, "host_s": {host_s:.6f}}}\n'


def _refuse_unwritable(file: str, case_file: str) -> None:
    """Raise `BadInput`, before the work is done, if `file` has no folder or is the case."""
    from slfac_sim.foundation.errors import BadInput

    if os.path.exists(file) and os.path.realpath(file) == os.path.realpath(case_file):
        raise BadInput(f"{file}: is the case itself, and would be lost")
    folder = os.path.dirname(os.path.realpath(file))
    if not os.path.isdir(folder):
        raise BadInput(f"{file}: no folder {folder}")


def _write(file: str, content: str) -> None:
    """Write `content` to `file`, whole or not at all. Raises `BadInput` for what the file system refuses."""
    from slfac_sim.foundation.errors import BadInput
    from slfac_sim.foundation.files import write_text

    target = Path(os.path.realpath(file))
    try:
        if target.exists() and not target.is_file():  # a device or a pipe cannot be put in place
            target.write_text(content, encoding="utf-8")
        else:
            write_text(target, content)
    except OSError as error:
        raise BadInput(f"{file}: cannot be written ({error.strerror or error})") from None


def _print(content: str) -> None:
    from slfac_sim.foundation.errors import BadInput

    try:
        sys.stdout.write(content)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - for what is still to be flushed at exit
        raise BadInput(f"standard output: cannot be written ({error.strerror or error})") from None
