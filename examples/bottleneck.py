"""What was the bottleneck: devices, codec, air or server?

    python examples/bottleneck.py

A training that is on record is timed on this scenario's network; then its critical path is followed back. The
seconds of all parts add up to the whole. `python -m slfac_sim explain RUN` says more of any run.
"""

from pathlib import Path

from slfac_sim.analysis.attribution import attribute
from slfac_sim.ledger.store import MemoryLedger
from slfac_sim.ledger.tables import TABLES
from slfac_sim.runs.replay import Record, retime
from slfac_sim.scenario.files import load
from slfac_sim.studies.trainings import ensure

SMALL = Path(__file__).with_name("small.yaml")

if __name__ == "__main__":
    scenario = load(SMALL, ["codec=raw"], seed=0)
    record = Record.load(ensure(scenario))  # trained once, perhaps on another network
    rows = MemoryLedger()
    seconds = retime(record, scenario, rows)
    found = attribute({name: rows.rows(name) for name in TABLES})
    for part, part_s in found.parts_s.items():
        print(f"{part:24} {part_s:8.3f} s  {100 * part_s / seconds:5.1f} %")
    largest = max(found.parts_s, key=lambda part: found.parts_s[part])
    print(f"raw values, {seconds:.2f} simulated s: the largest part is {largest}")
