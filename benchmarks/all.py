"""All benchmarks in one run: `python benchmarks/all.py`. Ratios within one run; machines are noisy."""

import codecs_cost
import engine
import replay
import whole_run

if __name__ == "__main__":
    for part in (codecs_cost, engine, replay, whole_run):
        print("\n".join(part.measure()), flush=True)
