"""The sections of the report of a run, one a file."""

ORDER = (
    "answer",
    "scenario",
    "curves",
    "bytes",
    "spectra",
    "energy",
    "invariants",
    "versions",
    "reproduce",
)
