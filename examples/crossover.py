"""Above which bandwidth does a codec cost more time than it saves?

    python examples/crossover.py

The codec's own computing takes time on slow devices; where the air is fast enough, raw values win.
"""

import sys
from pathlib import Path

from slfac_sim.cli import main

SMALL = str(Path(__file__).with_name("small.yaml"))

if __name__ == "__main__":
    words = ["crossover", SMALL, "raw", "slfac", "--vary", "network.bandwidth", "--between", "1 MHz,1 GHz"]
    sys.exit(main([*words, "--target", "0.7", "--seeds", "2"]))
