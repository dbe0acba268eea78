"""Which bandwidth is needed to reach 80 % within three simulated seconds?

    python examples/which_bandwidth.py

Bisection over replays; the last line is the answer, for both seeds.
"""

import json
from pathlib import Path

from slfac_sim.studies.search.ask import ask
from slfac_sim.studies.search.replays import Request

SMALL = str(Path(__file__).with_name("small.yaml"))

if __name__ == "__main__":
    request = Request(SMALL, vary="network.bandwidth", between="500 kHz,50 MHz", seeds=2, say=print)
    folder = ask(request, "time_to_accuracy(0.8) <= 3 s")
    answer = json.loads((folder / "answer.json").read_text(encoding="utf-8"))
    print(f"the curve: {folder / 'figures' / 'curve.png'}")
    print("\n".join(answer["answer"]))
