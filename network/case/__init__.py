"""Cases: transfers over links and media from one JSON file, without learning. They know no scenario.

`read` a file and `simulate` it; `python -m slfac_sim.network` writes what comes out. A case::

    {"links": {"lan": {"capacity_bps": 2e7, "latency_s": 0.001, "profile": [[5.0, 1e7]]}},
     "transfers": [{"id": 0, "path": ["lan"], "start_s": 0.0, "bytes": 1000}]}

What each key means is told by `Wire`, `Air` and `Transfer`. The rates are those of the exact fluid: on
each link consumption x rate sums to at most the capacity, no transfer exceeds its cap, and rate / weight
is max-min fair.
"""

from slfac_sim.network.case.case import Air, Case, Transfer, Wire
from slfac_sim.network.case.reading import read
from slfac_sim.network.case.running import Outcome, simulate

__all__ = ["Air", "Case", "Outcome", "Transfer", "Wire", "read", "simulate"]
