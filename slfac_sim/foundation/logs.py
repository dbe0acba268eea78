"""How much is told while something goes on, on standard error and in logs, by the standard library's logging.

``slfac_sim`` is the logger. Progress, and what a user should read in any case, have forms of their own on
standard error; what is for developers goes there as it is logged.
"""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager

from slfac_sim.foundation.host import environment_kept

LOG = logging.getLogger("slfac_sim")
LEVELS = ("debug", "info", "warning", "error")
TRACKERS = ("jsonl", "tensorboard")
"""Who of ours may be told of a run while it goes on: what `--log` may be."""
VARIABLE = "SLFAC_LOG_LEVEL"
"""Names the level in the environment, for processes that are begun here too."""


def level() -> int:
    """Return the level in force: that of the logger, or that in the environment, or info."""
    named = os.environ.get(VARIABLE, "").lower()
    return LOG.level or (logging.getLevelNamesMapping()[named.upper()] if named in LEVELS else logging.INFO)


@contextmanager
def at_level(name: str | None) -> Iterator[None]:
    """Have the level `name` meanwhile, here and in processes begun here; None: what is in the environment."""
    named = name or os.environ.get(VARIABLE, "").lower()
    if named not in LEVELS:
        yield
        return
    before, handler = LOG.level, _for_developers()
    with environment_kept(VARIABLE):
        os.environ[VARIABLE] = named
        LOG.setLevel(named.upper())
        LOG.addHandler(handler)
        try:
            yield
        finally:
            LOG.removeHandler(handler)
            LOG.setLevel(before)


def _for_developers() -> logging.Handler:
    """Return what writes debug records, and these alone, to standard error."""
    handler = logging.StreamHandler()
    handler.addFilter(lambda record: record.levelno == logging.DEBUG)
    handler.setFormatter(logging.Formatter("debug: %(asctime)s %(message)s"))
    return handler
