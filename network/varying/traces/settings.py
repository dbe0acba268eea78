"""The settings of a trace: which file, in which format, and what comes after its end."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import Bytes, Seconds

Format = Literal["auto", "csv", "mahimahi", "g_nettrack"]


@settings
class Down:
    """The downlink in a file of its own, for formats with one rate in each line."""

    file: Path
    """A file in the same format, of which the downlink has the rates."""


@settings
class TraceFile:
    """What every network and every change made of a trace has by the same name."""

    file: Path
    """A file of rates over time. CSV with the head `time_s,up_bps,down_bps`, or `time_s,rate_bps` for both
    ways, and perhaps `device`, `latency_s` and `loss`; a Mahimahi trace; or a CSV of G-NetTrack. Time 0 is
    that of the first row.
    """
    format: Format = "auto"
    """The format of the file; `auto` recognises it by the first line."""
    end: Literal["repeat", "hold", "zero"] = "repeat"
    """What comes after the last row, which lasts as long as the one before it: the same over again, its
    values for ever (`hold`), or nothing (`zero`).
    """
    down: Down | None = None
    """Another file for the downlink; null: both ways are in the one file, or alike."""
    opportunity: Annotated[Bytes, Field(gt=0.0)] = 1504.0
    """Bytes that can be sent at each line of a Mahimahi trace."""
    bin: Annotated[Seconds, Field(gt=0.0)] = 0.1
    """Time over which the lines of a Mahimahi trace are made a rate."""
    downloads_only: bool = False
    """Whether only the rows of a G-NetTrack file count in which data was downloaded (State D)."""
