"""How does the time to an accuracy change with the bandwidth, with and without a codec?

    python examples/bandwidth.py

Each codec is trained once for each seed; every bandwidth is then a replay. Files: runs/studies/by_bandwidth.
"""

import sys
from pathlib import Path

from slfac_sim import analysis
from slfac_sim.cli import main

SMALL = str(Path(__file__).with_name("small.yaml"))
STUDY = Path("runs/studies/by_bandwidth")

if __name__ == "__main__":
    axes = ["--axis", "network.bandwidth=2,5,20,100 MHz", "--axis", "codec=raw,slfac"]
    status = main(["sweep", SMALL, *axes, "--seeds", "2", "--workers", "2", "--quiet", "--out", str(STUDY)])
    if status:
        sys.exit(status)
    points = analysis.load(STUDY).columns("points")
    for bandwidth, codec, seed, seconds in zip(
        *(points[name] for name in ("network.bandwidth", "codec", "seed_learning", "simulated_s")),
        strict=True,
    ):
        print(f"{bandwidth:>8}  {codec:6} seed {seed}: the whole run takes {seconds:6.2f} simulated s")
    print(f"figures and report: {STUDY}")
