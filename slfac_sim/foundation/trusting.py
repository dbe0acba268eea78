"""Whether modules that an input names are imported, which runs them: here, and in processes begun here."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

NO_PLUGINS = "SLFAC_NO_PLUGINS"


@contextmanager
def without_plugins() -> Iterator[None]:
    """Have modules refused meanwhile."""
    before = os.environ.get(NO_PLUGINS)
    os.environ[NO_PLUGINS] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[NO_PLUGINS]
        else:
            os.environ[NO_PLUGINS] = before


def plugins_refused() -> bool:
    """Return whether the environment refuses them: the variable is set, and not to 0."""
    return os.environ.get(NO_PLUGINS, "") not in ("", "0")
