"""How a command ends: its exit status, and a sentence where there is one in the place of a traceback."""

import argparse
import os
import sys
from collections.abc import Callable
from contextlib import nullcontext

from slfac_sim.foundation.errors import OF_THE_HOST, BadInput, Diverged, HostFailed, sentence
from slfac_sim.foundation.interrupt import Terminated, termination_raised
from slfac_sim.foundation.trusting import without_plugins

OPTIONS = {
    "--debug": "show tracebacks of errors",
    "--no-plugins": "import no module that an input names: for those of strangers",
}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what every command has: `OPTIONS`."""
    for option, purpose in OPTIONS.items():
        parser.add_argument(option, action="store_true", help=purpose)


def status_of(command: Callable[[], int], debug: bool = False, no_plugins: bool = False) -> int:
    """Return the exit status of `command`: its own, 1 where the host failed it, 2 for input that is no good.

    Ctrl-C makes it 130 and SIGTERM 143. With `debug` errors are raised, and their tracebacks seen.
    """
    try:
        with termination_raised(), without_plugins() if no_plugins else nullcontext():
            return command()
    except KeyboardInterrupt:
        return _told("interrupted", 130)
    except Terminated:
        return _told("terminated", 143)
    except BrokenPipeError:  # whoever read our output, `head` perhaps, has seen enough
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - for what is still to be flushed at exit
        return 1
    except (BadInput, HostFailed, Diverged, *OF_THE_HOST) as error:
        if debug:
            raise
        if isinstance(error, BadInput):
            return _told(str(error), 2)
        if isinstance(error, HostFailed | Diverged):
            return _told(str(error), 1)
        return _told(f"{sentence(error)}; --debug shows where", 1)


def _told(text: str, status: int) -> int:
    print(text, file=sys.stderr)
    return status
