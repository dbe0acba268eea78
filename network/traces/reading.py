"""A trace as its settings name it: the format recognised, each file read once, courses for each device."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.files import read_text
from slfac_sim.network.courses import Course
from slfac_sim.network.traces import g_nettrack, generic, mahimahi
from slfac_sim.network.traces.lines import rows_of
from slfac_sim.network.traces.series import End, Measured, Series
from slfac_sim.network.traces.settings import Format, TraceFile

_FORMATS = f"{generic.HEAD} (csv), {g_nettrack.TIMESTAMP},... (g_nettrack) or a whole number of ms (mahimahi)"


def course_in(trace: TraceFile, device: str, uplink: bool, column: str) -> Course | None:
    """Return the course of a column (`up_bps`, `down_bps`, `factor`, `latency_s`, `loss`); None without one.

    `device` is empty for what is no device's. Raises `BadInput` for a file that cannot be read, and for a
    device of which it has no rows.
    """
    file = trace.file if uplink or trace.down is None else trace.down.file
    return _course(_series(_of_file(file, trace), device, file), column, trace.end)


def _series(measured: Measured, device: str, file: Path) -> Series:
    series = measured.of(device)
    if series is None and not device:
        raise BadInput(f"'{file}' has a column device, and what it is for is no device: leave the column out")
    if series is None:
        raise BadInput(f"'{file}' has no rows of {device} (it has {_named(list(measured.series))})")
    return series


def _named(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) <= 3 else f"{names[0]}, {names[1]}, ..., {names[-1]}"


def _of_file(file: Path, trace: TraceFile) -> Measured:
    try:
        stamp = file.stat()
        form = (trace.format, trace.opportunity, trace.bin, trace.downloads_only)
        return _read(file, stamp.st_mtime_ns, stamp.st_size, *form)
    except BadInput:
        raise
    except UnicodeDecodeError as error:
        raise BadInput(f"'{file}' cannot be read (not text in UTF-8)") from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise BadInput(f"'{file}' cannot be read ({reason})") from error


@lru_cache(maxsize=64)
def _read(
    file: Path, changed_ns: int, size: int, form: Format, opportunity: float, bin_s: float, downloads: bool
) -> Measured:
    """Return what is in a file, which is read once as long as it does not change."""
    text, name = read_text(file), str(file)
    if not text.strip():
        raise BadInput(f"'{file}' is empty: expected {_FORMATS}")
    if form == "auto":
        form = _recognised(text, name)
    if form == "mahimahi":
        return mahimahi.measured(iter(text.splitlines()), name, opportunity, bin_s)
    if form == "g_nettrack":
        return g_nettrack.measured(rows_of(text, name), name, downloads)
    return generic.measured(rows_of(text, name), name)


def _recognised(text: str, name: str) -> Format:
    first = text.lstrip().partition("\n")[0].strip()
    head = [cell.strip() for cell in first.split(",")]
    if generic.TIME in head:
        return "csv"
    if g_nettrack.TIMESTAMP in head:
        return "g_nettrack"
    if first.isascii() and first.isdigit():
        return "mahimahi"
    raise BadInput(f"{name}:1: no trace by its first line: expected {_FORMATS} (got {first[:60]!r})")


@lru_cache(maxsize=16384)
def _course(series: Series, column: str, end: End) -> Course | None:
    return series.course(column, end)
