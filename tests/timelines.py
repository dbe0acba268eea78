"""Plays protocols without learning on small networks, and hands their tables to the tests of the analysis."""

from collections.abc import Mapping
from typing import Any

import simpy
from fakes import participants, payload

from slfac_sim.effects import Compute, Note, Offer, Send, Task, Together
from slfac_sim.hosts.names import SERVER, device_names
from slfac_sim.ledger.store import MemoryLedger
from slfac_sim.ledger.tables import TABLES
from slfac_sim.network import Hosts
from slfac_sim.network.kinds.ideal import Ideal
from slfac_sim.protocols.parallel import Parallel
from slfac_sim.simulation.simulated import SimulatedPlayer

Tables = dict[str, list[dict[str, Any]]]
SPEEDS = {"d000": 1e9, "d001": 2e9, "d002": 4e9, SERVER: 10e9}


def tables_of(rows: MemoryLedger) -> Tables:
    rows.commit()
    return {table: rows.rows(table) for table in TABLES}


def play(protocol: Task, speeds: Mapping[str, float], network: Any = None) -> Tables:
    """Play `protocol` on `network` (8 Mbit/s each way, shared, 10 ms) and return the ledger's tables."""
    network = network or Ideal(up_rate=8e6, down_rate=8e6, latency=0.01)
    env, rows = simpy.Environment(), MemoryLedger()
    devices = [host for host in speeds if host != SERVER]
    SimulatedPlayer(env, network.open(env, Hosts(devices, (SERVER,)), 0), speeds, rows).play(protocol)
    return tables_of(rows)


def worked_by_hand() -> Tables:
    """The round of docs/design.md: three devices, one step, one sample each."""
    cast = participants(server_flops=1e9, model_bytes=100_000)
    return play(Parallel(rounds=1, steps=1).run(cast), SPEEDS)  # type: ignore[arg-type]


def several_rounds(rounds: int, steps: int, devices: int = 3, **changes: Any) -> Tables:
    """Rounds of the parallel protocol with codecs that take time, device 0 the slowest."""
    cast = participants(steps=(steps,) * devices, codec_flops=1e7, **changes)
    speeds = {name: (1.0 + place) * 1e9 for place, name in enumerate(device_names(devices))}
    plan = Parallel(rounds=rounds, steps=steps)
    return play(plan.run(cast), {**speeds, SERVER: 10e9})  # type: ignore[arg-type]


def compute(host: str, seconds: float, what: str = "work") -> Compute:
    """Work that takes `seconds` at 1 GFLOP/s."""
    return Compute(host, seconds * 1e9, lambda: None, what)


def send(src: str, dst: str, nbytes: int) -> Send:
    return Send(src, dst, {"smashed_up": payload(nbytes)})


def offer(place: int, seconds: float, of: int, queue: str = "cohort") -> Offer:
    return Offer(SERVER, queue, place, None, lambda items: items, seconds * 1e9, of, "train")


def evaluation(number: int) -> Note:
    return Note("evals", {"round": number, "accuracy": 0.5, "loss": 1.0, "accuracy_no_codec": 0.5})


__all__ = ["Together", "compute", "evaluation", "offer", "play", "send", "several_rounds", "worked_by_hand"]
