"""The sections of the report of a study, one a file."""

ORDER: tuple[str, ...] = ()
