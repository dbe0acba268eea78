"""All benchmarks in one run: `python benchmarks/all.py`. Ratios within one run; machines are noisy."""

import runpy
from pathlib import Path

import network_case
import replay
import whole_run

import network

CODECS = Path(__file__).with_name("codecs.py")  # not to be imported: Python has a module of that name

if __name__ == "__main__":
    codecs = runpy.run_path(str(CODECS))["measure"]
    for measure in (codecs, network.measure, network_case.measure, replay.measure, whole_run.measure):
        print("\n".join(measure()), flush=True)
