"""What the command line says of an error, without the line that says where to read on."""


def sentences(told: str) -> list[str]:
    """Return the lines of standard error; the last one, of the pages, may be there once and is left out."""
    lines = told.splitlines()
    return lines[:-1] if lines[-1:] and lines[-1].startswith("read on: `") else lines
