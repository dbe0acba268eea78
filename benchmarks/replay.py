"""CPU of a replay: a synthetic record, made without training, played on another network. It checks no result.

The record is what `parallel` leaves: about 7 computations, 1 offer, 1 note and 3 payloads for 2 transfers.
"""

import gc
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from slfac_sim.codecs import Payload
from slfac_sim.ledger import Ledger, Rows
from slfac_sim.names import SERVER, device_names
from slfac_sim.record import Record, replayed_scenario, retime
from slfac_sim.scenario import Scenario
from slfac_sim.scenario_file import dump, load
from slfac_sim.simulation import simulate
from slfac_sim.summary import summary_of

OTHER_AIR = ('network.bandwidth="5 MHz"',)


class Recorded:
    """Participants that learn nothing: each device sends payloads of its own length."""

    def __init__(self, scenario: Scenario) -> None:
        work = SimpleNamespace(device_forward_flops=1e6, device_backward_flops=2e6, server_step_flops=3e6)
        codec = dict.fromkeys(
            ("encode_up_flops", "decode_up_flops", "encode_down_flops", "decode_down_flops"), 1e5
        )
        cost = SimpleNamespace(work=work, **codec)
        names = device_names(scenario.devices.count)
        self.devices = [_device(name, place, cost) for place, name in enumerate(names)]
        self.server = _server()

    def evaluate(self, model: bytes) -> dict[str, Any]:
        """Return made-up figures."""
        return {"accuracy": 0.5, "loss": 1.0, "accuracy_no_codec": 0.5}

    def due(self, round_number: int, rounds: int) -> bool:
        """Return that every round ends with an evaluation."""
        return True


def _device(name: str, place: int, cost: SimpleNamespace) -> SimpleNamespace:
    smashed, labels, model = (Payload(bytes(size), size) for size in (500 + 13 * place, 16, 2000))
    return SimpleNamespace(
        name=name, place=place, exchange=cost, model_codec_flops=(1e5, 1e5), model_values=500,
        next_batch=lambda: range(16), forward=lambda batch: SimpleNamespace(pending=None),
        encode=lambda tensor: smashed, encode_labels=lambda tensor: labels, decode=len,
        backward=lambda pending, gradient: None, model_payload=lambda: model, load_model=len,
    )  # fmt: skip


def _server() -> SimpleNamespace:
    def train(cohort: Sequence[Any]) -> list[Any]:
        return [SimpleNamespace(loss=1.0, correct=8) for _ in cohort]

    gradient = Payload(bytes(700), 700)
    return SimpleNamespace(
        name=SERVER, decode=lambda *body: None, train=train, encode=lambda *tensor: gradient,
        decode_model=len, average=lambda states, samples: gradient,
    )  # fmt: skip


def make_record(folder: Path, devices: int, rounds: int, steps: int) -> Path:
    """Leave in `folder` what a record is read from, as a training would leave it, and return it."""
    size = (f"devices.count={devices}", f"protocol.rounds={rounds}", f"protocol.steps={steps}")
    scenario = load("100_devices", size)

    folder.mkdir()
    (folder / "scenario.yaml").write_text(dump(scenario), encoding="utf-8")
    with Ledger(folder / "ledger.sqlite") as ledger:
        simulate(scenario, scenario.protocol.run(Recorded(scenario)), ledger)
        summary = summary_of(scenario, {}, ledger, {}, "finished", "")
    (folder / "summary.json").write_text(json.dumps(summary), encoding="utf-8")
    return folder


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


def into_file(run: Path) -> Parts:
    """Replay the record in `run` into a ledger file, as the command `replay` does."""
    parts = Parts()
    record = parts.time("read", lambda: Record.load(run))
    scenario = replayed_scenario(record, OTHER_AIR)
    with tempfile.TemporaryDirectory() as folder, Ledger(Path(folder) / "ledger.sqlite") as ledger:
        parts.time("play and write", lambda: retime(record, scenario, ledger))
        parts.time("sum up", lambda: summary_of(scenario, {}, ledger, {}, "finished", ""))
    return parts


def in_memory(run: Path) -> Parts:
    """Replay the record in `run` into rows in memory, as a sweep does."""
    parts, rows = Parts(), Rows()
    record = Record.load(run)
    scenario = replayed_scenario(record, OTHER_AIR)
    parts.time("play", lambda: retime(record, scenario, rows))
    parts.time("sum up", lambda: summary_of(scenario, {}, rows, {}, "finished", ""))
    return parts


def measure() -> list[str]:
    """Return the lines of the report: a large replay into a file, and a small one in memory."""
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        for name, way, size in (("large", into_file, (100, 5, 100)), ("small", in_memory, (20, 10, 10))):
            run = make_record(Path(folder) / name, *size)
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
    print("\n".join(measure()))
