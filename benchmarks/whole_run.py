"""CPU of a whole simulated run against a bare PyTorch loop: same training, same codec, no simulator.

Both start from the same world, do the same arithmetic in the same order and end in the same weights, which
is checked; the ratio is what events, queues, network and ledger cost.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from slfac_sim.build import World, build
from slfac_sim.learning.weights import state_vector
from slfac_sim.ledger import Ledger
from slfac_sim.scenario_file import load
from slfac_sim.simulation import simulate

QUICK = ("protocol.rounds=1", "protocol.steps=4", "data.test_samples=1000")


def bare_loop(world: World) -> None:
    """Do what the protocol `parallel` does, in a plain loop."""
    protocol, server = world.scenario.protocol, world.server
    model = world.devices[0].model_payload()
    world.evaluate(model.body)
    for _ in range(protocol.rounds):
        samples = [0] * len(world.devices)
        for _ in range(protocol.steps):
            bare_step(world, samples)
        states = [server.decode_model(device.model_payload().body) for device in world.devices]
        model = server.average(states, samples)
        world.evaluate(model.body)
        for device in world.devices:
            device.load_model(model.body)


def bare_step(world: World, samples: list[int]) -> None:
    """Take one step of the whole cohort; `samples` counts what each device has used."""
    server, waiting, cohort = world.server, [], []
    for place, device in enumerate(world.devices):
        smashed = device.forward(device.next_batch())
        body, labels = device.encode(smashed).body, device.encode_labels(smashed).body
        cohort.append(server.decode(device.name, body, labels))
        waiting.append(smashed.pending)
        samples[place] += len(labels)
    for device, pending, feedback in zip(world.devices, waiting, server.train(cohort), strict=True):
        device.backward(pending, device.decode(server.encode(device.name, feedback).body))


def simulated(world: World) -> None:
    """Run the same world with clock, network and ledger."""
    with tempfile.TemporaryDirectory() as folder, Ledger(Path(folder) / "ledger.sqlite") as ledger:
        simulate(world.scenario, world.scenario.protocol.run(world), ledger)
        ledger.digest()


def cpu_s(work: Callable[[World], None], world: World) -> float:
    """Return the CPU seconds of `work` on `world`."""
    before_s = time.process_time()
    work(world)
    return time.process_time() - before_s


def measure(scenario: str = "100_devices", pairs: int = 3, overrides: tuple[str, ...] = QUICK) -> list[str]:
    """Return the lines of the report: the two in turn, `pairs` times, and the ratio of their medians."""
    worlds = [build(load(scenario, overrides)) for _ in range(2)]
    simulated(worlds[0]), bare_loop(worlds[1])  # the first time allocates, and checks that they agree
    halves = [state_vector(world.server.half.model) for world in worlds]
    assert np.array_equal(*halves), "the bare loop does not train the same model"
    times = [(cpu_s(simulated, worlds[0]), cpu_s(bare_loop, worlds[1])) for _ in range(pairs)]
    ours, bare = np.median(times, axis=0)
    return [
        f"whole run, {scenario} {' '.join(overrides)}: {ours:.2f} CPU s simulated,"
        f" {bare:.2f} CPU s bare loop, ratio {ours / bare:.3f} (aim: at most 1.05)"
    ]


if __name__ == "__main__":
    print("\n".join(measure(*sys.argv[1:2])))
