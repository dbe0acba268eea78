"""A trace as its settings name it: the format recognised, each file read once, courses for each device."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.files import read_text
from slfac_sim.network.change import Effect
from slfac_sim.network.varying.courses import Course
from slfac_sim.network.varying.traces import g_nettrack, generic, mahimahi
from slfac_sim.network.varying.traces.lines import rows_of
from slfac_sim.network.varying.traces.series import RATES, End, Measured, Series
from slfac_sim.network.varying.traces.settings import Format, TraceFile

_FORMATS = (
    f"{generic.HEAD} or {generic.TIME},{generic.BOTH}[,...] (csv), {g_nettrack.TIMESTAMP},... (g_nettrack)"
    " or a whole number of ms (mahimahi)"
)


def effect_of(trace: TraceFile, device: str, uplink: bool, place: str) -> Effect:
    """Return what the file says of a way to or from `device` (empty for what is no device's).

    Raises `BadInput`, which begins with `place`, for a file that cannot be used and for a device of which it
    has no rows.
    """
    file = trace.file if uplink or trace.down is None else trace.down.file
    try:
        series = _series(_of_file(file, trace), device, file)
    except BadInput as error:
        raise BadInput(f"{place}: {error}") from None
    columns = (RATES[0 if uplink else 1], "factor", "latency_s", "loss")
    rates_bps, factors, latencies_s, losses = (_courses(series, column, trace.end) for column in columns)
    effect = Effect(rates_bps, factors, latencies_s, losses)
    if any(course.most == 0.0 for course in (*effect.rates_bps, *effect.factors)):
        whom = f"{device} has" if device else "there is"
        raise BadInput(f"{place}: '{file}': {whom} no rate {'up' if uplink else 'down'} at any time")
    return effect


def has_losses(trace: TraceFile) -> bool:
    """Return whether the file has a column `loss`; one that cannot be read has none."""
    try:
        read = [_of_file(file, trace) for file in (trace.file, *([trace.down.file] if trace.down else []))]
    except BadInput:
        return False
    return any("loss" in series.columns for measured in read for series in measured.series.values())


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
    if ";" in first or "\t" in first:
        raise BadInput(f"{name}:1: columns are separated by commas (got {first[:60]!r})")
    raise BadInput(f"{name}:1: no trace by its first line: expected {_FORMATS} (got {first[:60]!r})")


@lru_cache(maxsize=16384)
def _courses(series: Series, column: str, end: End) -> tuple[Course, ...]:
    course = series.course(column, end)
    return () if course is None else (course,)
