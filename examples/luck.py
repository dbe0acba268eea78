"""Is the difference between two codecs more than luck?

    python examples/luck.py

Paired seeds give the ratio of times an interval; further draws of the air say how much of the spread is the
air's, and how much is learning's. The last lines of the study say both.
"""

import sys
from pathlib import Path

from slfac_sim.cli import main

SMALL = str(Path(__file__).with_name("small.yaml"))

if __name__ == "__main__":
    asked = ["--axis", "codec=raw,slfac", "--seeds", "3", "--air-seeds", "10"]
    sys.exit(main(["sweep", SMALL, *asked, "--workers", "2", "--out", "runs/studies/luck"]))
