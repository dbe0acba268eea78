"""Which slfac_sim this is: the commit checked out, or the one a wheel was built from, and other versions.

`setup.py` runs this file by itself, before there is a package: it imports the standard library alone.
"""

import platform
import subprocess
from functools import cache
from importlib.metadata import version
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent
RECORD = "commit.txt"  # beside the package's __init__.py, in a wheel and in an sdist


def versions() -> dict[str, str | None]:
    """Return the commit, and the versions of Python and of what computes."""
    return {
        "commit": commit(),
        "python": platform.python_version(),
        **{name: version(name) for name in ("torch", "numpy", "simpy")},
    }


@cache
def commit() -> str | None:
    """Return the commit of this code, such as ``507dc4d07a1b``; ``-dirty`` follows if it was edited since.

    None where nothing tells it: no git, or sources that came without their history.
    """
    try:
        recorded = (_PACKAGE / RECORD).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return _checked_out()
    return recorded or None


def _checked_out() -> str | None:
    """Return what git says of the checkout; a repository in which the package merely lies is another's."""
    top = _git("rev-parse", "--show-toplevel")
    if top is None or Path(top) != _PACKAGE.parent:
        return None
    return _git("describe", "--always", "--dirty", "--abbrev=12", "--exclude=*")


def _git(*arguments: str) -> str | None:
    command = ("git", "--no-optional-locks", "-C", str(_PACKAGE.parent), *arguments)
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None
