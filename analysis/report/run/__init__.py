"""The sections of the report of a run, one a file."""

ORDER = ("answer", "curves", "bytes", "spectra", "energy")
