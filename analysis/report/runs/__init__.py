"""The sections of the report of several runs, one a file."""

ORDER = ("answer", "curves", "time", "results", "settings", "reproduce")
