"""Downloads one data set from its mirrors over https and verifies it; it does not know who asks, or why."""

import contextlib
import http.client
import math
import queue
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Protocol
from urllib.parse import urlsplit

from slfac_sim.learning.datasets import DataError, Report
from slfac_sim.learning.idx.folder import read_file
from slfac_sim.learning.idx.places import whole
from slfac_sim.learning.idx.sets import IdxFile, IdxSet

OPEN_WITHIN_S = 5.0
FILE_WITHIN_S = 600.0
_CHUNK_BYTES = 1 << 16


class Response(Protocol):
    """What comes back from an address: `length` bytes if the server said so, else None."""

    length: int | None

    def read(self, amount: int, /) -> bytes:
        """Return at most `amount` bytes; none at the end."""
        ...

    def close(self) -> None:
        """Hang up."""
        ...


Open = Callable[[str], Response]


def open_url(address: str) -> Response:
    """Open `address` within 5 s, name look-up and all its addresses included. Raises `DataError`.

    The socket's own time limit bounds neither the name look-up nor the sum over a host's addresses;
    hence a thread, which is left behind when it is stuck, and hangs up if it is answered after all.
    """
    answers: queue.Queue[Response | Exception] = queue.Queue()
    given_up = threading.Event()

    def ask() -> None:
        try:
            answers.put(urllib.request.urlopen(address, timeout=OPEN_WITHIN_S))
        except Exception as error:
            answers.put(error)
        if given_up.is_set():
            _hang_up(answers)

    threading.Thread(target=ask, daemon=True).start()
    try:
        answer = answers.get(timeout=OPEN_WITHIN_S)
    except queue.Empty:
        given_up.set()
        _hang_up(answers)
        raise DataError(f"no answer within {OPEN_WITHIN_S:g} s") from None
    if isinstance(answer, Exception):
        raise DataError(_reason(answer)) from None
    return answer


def _hang_up(answers: "queue.Queue[Response | Exception]") -> None:
    """Close the answer that nobody waits for any more, if it is there."""
    with contextlib.suppress(queue.Empty):
        answer = answers.get_nowait()
        if isinstance(answer, urllib.error.HTTPError) or not isinstance(answer, Exception):
            answer.close()


def _reason(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        error.close()
        return f"status {error.code} {error.reason}"
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    return str(getattr(cause, "strerror", None) or cause)


def download(files: IdxSet, folder: Path, report: Report | None, opener: Open = open_url) -> None:
    """Put the four files into `folder`, gzipped as they come, each only once its SHA-256 is right.

    Shows a progress bar on stderr if there is a `report`. A mirror that fails once is not asked again.
    Raises `DataError` with a reason for each mirror.
    """
    reasons = []
    for mirror in files.mirrors:
        try:
            return _download_from(mirror, files, folder, report, opener)
        except DataError as error:
            reasons.append(f"{urlsplit(mirror).hostname}: {error}")
            if report is not None:
                report(f"{files.name}: download from {reasons[-1]}")
    raise DataError("; ".join(reasons))


def _download_from(mirror: str, files: IdxSet, folder: Path, report: Report | None, opener: Open) -> None:
    for file in files.files:
        response = opener(f"{mirror}{file.name}.gz")
        try:
            with _bar(file.name, response.length, shown=report is not None) as advance:
                _save(file, response, folder, advance)
        finally:
            response.close()


@contextlib.contextmanager
def _bar(name: str, total_bytes: int | None, shown: bool) -> Iterator[Callable[[int], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn

    console = Console(stderr=True)
    columns = ("{task.description}", BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not (shown and console.is_terminal)) as progress:
        task = progress.add_task(name, total=total_bytes)
        yield lambda count: progress.advance(task, count)


def _save(file: IdxFile, response: Response, folder: Path, advance: Callable[[int], None]) -> None:
    with whole(folder / f"{file.name}.gz") as part:
        with part.open("wb") as output:
            _copy(file, response, output, advance)
        read_file(file, part)


def _copy(file: IdxFile, response: Response, output: BinaryIO, advance: Callable[[int], None]) -> None:
    """Copy the response, but neither more bytes than `file` can have nor for longer than ten minutes."""
    left = math.prod(file.shape) + _CHUNK_BYTES
    until_s = time.monotonic() + FILE_WITHIN_S
    while chunk := _read(file, response):
        left -= output.write(chunk)
        if left < 0:
            raise DataError(f"{file.name}: more bytes than the file can have")
        if time.monotonic() > until_s:
            raise DataError(f"{file.name}: not done after {FILE_WITHIN_S:g} s")
        advance(len(chunk))


def _read(file: IdxFile, response: Response) -> bytes:
    try:
        return response.read(_CHUNK_BYTES)
    except (OSError, http.client.HTTPException) as error:
        raise DataError(f"{file.name}: broke off ({_reason(error)})") from None
