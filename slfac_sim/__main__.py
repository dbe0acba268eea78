"""`python -m slfac_sim`."""

import sys

from slfac_sim.cli import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
