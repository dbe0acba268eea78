"""CPU of a replay: a synthetic record, made without training, played on another network. It checks no result.

The record is what `parallel` leaves of the participants that the tests play with (`tests/fakes.py`), so that
they cannot fall behind: about 6 computations, 1 offer, 1 note and 3 payloads for 2 transfers. With `--smoke`
it is a very small one.
"""

import gc
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from slfac_sim.ledger.store import FileLedger, MemoryLedger
from slfac_sim.ledger.summary import summary_of
from slfac_sim.runs.replay import Record, replayed_scenario, retime
from slfac_sim.scenario.files import dump, load
from slfac_sim.simulation.simulate import simulate

sys.path.append(str(Path(__file__).resolve().parent.parent / "tests"))
from fakes import FakeParticipants, participants

OTHER_AIR = ('network.bandwidth="5 MHz"',)
Size = tuple[int, int, int]  # devices, rounds, steps
LARGE, SMALL, SMOKE = (100, 5, 100), (20, 10, 10), (3, 2, 2)


def make_record(folder: Path, size: Size) -> Path:
    """Leave in `folder` what a record is read from, as a training would leave it, and return it."""
    devices, rounds, steps = size
    overrides = (f"devices.count={devices}", f"protocol.rounds={rounds}", f"protocol.steps={steps}")
    scenario = load("100_devices", overrides)

    folder.mkdir()
    (folder / "scenario.yaml").write_text(dump(scenario), encoding="utf-8")
    with FileLedger(folder / "ledger.sqlite") as ledger:
        simulate(scenario, scenario.protocol.run(unlearning(devices)), ledger)
        summary = summary_of(scenario, {}, ledger, {}, "finished", "")
    (folder / "summary.json").write_text(json.dumps(summary), encoding="utf-8")
    return folder


def unlearning(devices: int) -> FakeParticipants:
    """Return participants that learn nothing: each device sends payloads of its own length."""
    who = participants(
        steps=(1,) * devices, forward_flops=1e6, backward_flops=2e6, server_flops=3e6, codec_flops=1e5,
        gradient_bytes=700, model_bytes=2000,
    )  # fmt: skip
    for device in who.devices:
        device.smashed_bytes = 500 + 13 * device.place
    return who


class Parts:
    """CPU seconds of what is done one after another, by name."""

    def __init__(self) -> None:
        self.cpu_s: dict[str, float] = {}

    def time(self, name: str, job: Callable[[], Any]) -> Any:
        """Return what `job` returns."""
        gc.collect()
        before_s = time.process_time()
        result = job()
        self.cpu_s[name] = time.process_time() - before_s
        return result


class TimedLedger(FileLedger):
    """A ledger that knows the CPU seconds that bringing rows to the disk has cost."""

    cpu_s = 0.0

    def commit(self) -> None:
        before_s = time.process_time()
        super().commit()
        self.cpu_s += time.process_time() - before_s


def into_file(run: Path) -> Parts:
    """Replay the record in `run` into a ledger file, as the command `replay` does."""
    parts = Parts()
    record = parts.time("read", lambda: Record.load(run))
    scenario = replayed_scenario(record, OTHER_AIR)
    with tempfile.TemporaryDirectory() as folder, TimedLedger(Path(folder) / "ledger.sqlite") as ledger:
        parts.time("play", lambda: retime(record, scenario, ledger))
        parts.cpu_s["play"] -= ledger.cpu_s
        parts.cpu_s["write"] = ledger.cpu_s
        parts.time("sum up", lambda: summary_of(scenario, {}, ledger, {}, "finished", ""))
    return parts


def in_memory(run: Path) -> Parts:
    """Replay the record in `run` into rows in memory, as a sweep does."""
    parts, rows = Parts(), MemoryLedger()
    record = Record.load(run)
    scenario = replayed_scenario(record, OTHER_AIR)
    parts.time("play", lambda: retime(record, scenario, rows))
    parts.time("sum up", lambda: summary_of(scenario, {}, rows, {}, "finished", ""))
    return parts


def measure(smoke: bool = False) -> list[str]:
    """Return the lines of the report: a large replay into a file, and a small one in memory."""
    lines, large, small = [], SMOKE if smoke else LARGE, SMOKE if smoke else SMALL
    with tempfile.TemporaryDirectory() as folder:
        for name, way, size in (("large", into_file, large), ("small", in_memory, small)):
            run = make_record(Path(folder) / name, size)
            transfers = Record.load(run).summary["transfers"]
            parts = way(run).cpu_s
            total_s = sum(parts.values())
            detail = ", ".join(f"{part} {cpu_s:.2f}" for part, cpu_s in parts.items())
            lines.append(
                f"replay of {transfers:,} transfers {way.__name__.replace('_', ' ')}: {total_s:.2f} CPU s"
                f" ({detail}), {total_s / transfers * 1e6:.1f} us per transfer"
            )
    return lines


if __name__ == "__main__":
    print("\n".join(measure("--smoke" in sys.argv[1:])))
