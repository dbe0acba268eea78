"""The sections of the report of a study, one a file."""

ORDER = (
    *("answer", "times", "ratios", "curves", "costs", "parts", "bytes", "devices", "air", "failures"),
    *("scenario", "reading", "reproduce"),
)
