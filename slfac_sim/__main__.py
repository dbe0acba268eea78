"""`python -m slfac_sim`."""

import sys

from slfac_sim.cli import entry

if __name__ == "__main__":
    sys.exit(entry())
