"""The sections of the report of a run, one a file."""

ORDER = (
    "answer",
    "scenario",
    "curves",
    "devices",
    "time",
    "round",
    "timeline",
    "network",
    "bytes",
    "spectra",
    "energy",
    "invariants",
    "versions",
    "reproduce",
)
