"""What this program is called, as whoever started it wrote it: for usage lines, hints and closing lines."""

import sys
from pathlib import Path

COMMAND, MODULE = "slfac-sim", "slfac_sim"
_WITH_MODULES = ("network",)  # verbs that are modules too: `python -m slfac_sim.network`


def program(verb: str = "") -> str:
    """Return what starts us, or our `verb`: ``slfac-sim check``, or ``python -m slfac_sim check``."""
    if Path(sys.argv[0]).stem == COMMAND:
        return f"{COMMAND} {verb}".rstrip()
    return f"python -m {MODULE}{'.' if verb in _WITH_MODULES else ' '}{verb}".rstrip()
