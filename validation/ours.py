"""Run a case with our own code: the fluid, packet by packet, and over the wires of a topology."""

import json
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import simpy
from cases import WifiCase
from handover import HandoverCase
from wired import WiredCase

from slfac_sim.foundation.plugins import adapter, find
from slfac_sim.network import Hosts
from slfac_sim.network.case import read, simulate


class Run(NamedTuple):
    """When each transfer ended, and the processor time that it took to know."""

    end_s: Sequence[float]
    host_cpu_s: float


def fluid(case: WifiCase) -> Run:
    """Run a Wi-Fi case on the fluid medium, `csma`."""
    return _run(case.tree({"kind": "csma"}))


def packets(case: WifiCase, replications: int) -> Sequence[Run]:
    """Run a Wi-Fi case packet by packet, on `dcf`, with seeds 1, 2, ..."""
    seeds = range(1, replications + 1)
    return [_run(case.tree({"kind": "dcf", "retry_limit": None, "seed": seed})) for seed in seeds]


def _run(tree: Mapping[str, Any]) -> Run:
    """Run the CASE `tree` as `python -m slfac_sim.network` would."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "case.json"
        file.write_text(json.dumps(tree), encoding="utf-8")
        case = read(str(file))
    before_s = time.process_time()
    outcome = simulate(case)
    host_cpu_s = time.process_time() - before_s
    return Run([end_s for end_s in outcome.end_s if end_s is not None], host_cpu_s)


def wires(case: WiredCase) -> Run:
    """Run a wired case as a topology, with the transport and the connections of the case."""
    topology = adapter(find("slfac_sim.network.kinds", "topology")).validate_python(case.topology())
    hosts = Hosts([host.name for host in case.devices], [host.name for host in case.servers])
    env = simpy.Environment()
    network = topology.open(env, hosts, 0)
    end_s = [0.0] * len(case.flows)

    def send(i: int) -> Any:
        flow = case.flows[i]
        yield env.timeout(flow.start_s)
        delivery = yield network.transfer(flow.src, flow.dst, flow.payload_bytes)
        end_s[i] = delivery.end_s

    before_s = time.process_time()
    for i in range(len(case.flows)):
        env.process(send(i))
    env.run()
    return Run(end_s, time.process_time() - before_s)


def handovers(case: HandoverCase) -> list[tuple[float, int, int, int]]:
    """Return time, device, source and target of each handover on the ways of `case`."""
    hosts = Hosts([f"d{i:03}" for i in range(case.devices)], ["server"])
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "ways.csv"
        file.write_text(case.csv, encoding="utf-8")
        cells = adapter(find("slfac_sim.network.kinds", "multi_cell")).validate_python(case.cells(str(file)))
        network = cells.open(simpy.Environment(initial_time=case.until_s), hosts, 0)
    found = network.handovers()
    return [(h.at_s, int(h.device[1:]), int(h.source[1:]), int(h.target[1:])) for h in found]
