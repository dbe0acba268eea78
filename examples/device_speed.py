"""How does the time to an accuracy change with the speed of the devices?

    python examples/device_speed.py

Learning does not see how fast a device is, so one training for each seed serves every speed.
"""

import sys
from pathlib import Path

from slfac_sim.cli import main

SMALL = str(Path(__file__).with_name("small.yaml"))

if __name__ == "__main__":
    axes = ["--axis", "devices.speed.median=0.1,0.3,1,3,10 GFLOP/s"]
    sys.exit(
        main(["sweep", SMALL, *axes, "--seeds", "2", "--workers", "2", "--out", "runs/studies/by_speed"])
    )
