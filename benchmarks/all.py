"""All benchmarks in one run: `python benchmarks/all.py`. Ratios within one run; machines are noisy."""

import codecs_cost
import network_case
import replay
import whole_run

import network

if __name__ == "__main__":
    for part in (codecs_cost, network, network_case, replay, whole_run):
        print("\n".join(part.measure()), flush=True)
