"""What one mini-batch of one device costs: CPU of a whole simulated run against a bare PyTorch loop, memory.

    python benchmarks/device_steps.py [ratio|memory|startup] [DEVICES ...] [KEY=VALUE ...]

`ratio` (aim: at most 1.05) trains the same batches in the same cohorts, by `parallel` with the codec `raw`,
once in the simulator (events, queues, network, bodies with their checksums and fingerprints, ledger) and once
with modules, tensors and optimisers alone; both must end in the same weights. `memory` (aim: 2 GB) has 50 of
1,000 devices take part in each round. `startup` (aim: 20 s) is the time until 10,000 devices are there. Each
measurement is a process of its own. KEY=VALUE overrides the scenario.
"""

import copy
import hashlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from slfac_sim.build import World, build
from slfac_sim.learning.weights import load_state_vector, state_vector, weighted_mean
from slfac_sim.ledger import Ledger
from slfac_sim.scenario_file import load
from slfac_sim.simulation import simulate
from slfac_sim.summary import peak_rss_bytes

MODES = {"ratio": (10, 100, 1000), "memory": (1000,), "startup": (10_000,)}
PLAIN = ("codec=raw", "data.test_samples=50", "protocol.rounds=1", "evaluation.every_rounds=1000")
STEPS = {10: 10, 100: 3, 1000: 1}
FEW = ("protocol={kind: parallel, rounds: 40, steps: 1, participation: {select: {kind: random, count: 50}}}",)
SMALL = ("data.test_samples=50", "evaluation.every_rounds=1000")


class Bare:
    """Modules, tensors and optimisers: what is left of parallel split learning without a simulator."""

    def __init__(self, world: World) -> None:
        self.world = world
        opened = world.scenario.learning.optimiser.open
        self.halves = [copy.deepcopy(world.cast.split.device) for _ in world.devices]
        self.optimisers = [opened(half.parameters()) for half in self.halves]
        self.server: nn.Module = copy.deepcopy(world.cast.split.server)
        self.server_optimiser = opened(self.server.parameters())
        self.batches = [device.shard.endless() for device in world.devices]

    def train(self) -> None:
        """Do what the protocol does, rounds and steps."""
        protocol = self.world.scenario.protocol
        self.world.cast.evaluate(self.world.cast.initial().body)
        for _ in range(protocol.rounds):
            samples = np.sum([self.step() for _ in range(protocol.steps)], axis=0)
            mean = weighted_mean([state_vector(half) for half in self.halves], [int(n) for n in samples])
            self.world.cast.evaluate(self.world.cast.initial().body)
            for half in self.halves:
                load_state_vector(half, mean)

    def step(self) -> list[int]:
        """Take one step of all devices and of the server; return the samples of each device."""
        activations, labels = self.forward()
        leaves = torch.cat([one.detach() for one in activations]).requires_grad_()
        self.server_optimiser.zero_grad(set_to_none=True)
        self.server.train()
        cross_entropy(self.server(leaves), torch.cat(labels)).backward()
        self.server_optimiser.step()
        self.backward(leaves, activations)
        return [len(one) for one in labels]

    def forward(self) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
        """Run the next mini-batch of every device up to the cut."""
        activations, labels = [], []
        for half, batches in zip(self.halves, self.batches, strict=True):
            images, truth = self.world.data.train_batch(next(batches))
            activations.append(half.train()(torch.from_numpy(images)))
            labels.append(torch.from_numpy(truth))
        return activations, labels

    def backward(self, leaves: torch.Tensor, activations: Sequence[torch.Tensor]) -> None:
        """Update every device by the gradient of its own mean loss."""
        assert leaves.grad is not None
        sizes = [len(one) for one in activations]
        gradients = leaves.grad.split(sizes)
        for gradient, size, activation, optimiser in zip(
            gradients, sizes, activations, self.optimisers, strict=True
        ):
            optimiser.zero_grad(set_to_none=True)
            activation.backward(gradient * (len(leaves) / size))
            optimiser.step()


def bare(overrides: Sequence[str]) -> dict[str, Any]:
    """Train without a simulator."""
    world = build(load("100_devices", overrides))
    loop = Bare(world)
    found = _spent(loop.train)
    return {**found, "steps": world.device_steps, "learnt": _hash(loop.server, loop.halves[0])}


def simulated(overrides: Sequence[str]) -> dict[str, Any]:
    """Train in the simulator."""
    world = build(load("100_devices", overrides))
    with tempfile.TemporaryDirectory() as folder, Ledger(Path(folder) / "ledger.sqlite") as ledger:

        def work() -> None:
            simulate(world.scenario, world.scenario.protocol.run(world), ledger)
            ledger.digest()

        found = _spent(work)
        steps = len(ledger.tuples("steps", ("step",)))
    first = copy.deepcopy(world.cast.split.device)
    load_state_vector(first, world.server.decode_model(world.devices[0].model_payload().body))
    return {**found, "steps": steps, "learnt": _hash(world.server.half.model, first)}


def startup(overrides: Sequence[str]) -> dict[str, Any]:
    """Build a world, survey its air, and let the clock come to the first thing that is written down."""

    class Begun(Exception):
        pass

    def stop(table: str, row: Any) -> None:
        raise Begun

    began_s = time.perf_counter()
    world = build(load("100_devices", overrides))
    with tempfile.TemporaryDirectory() as folder, Ledger(Path(folder) / "l") as ledger, suppress(Begun):
        simulate(world.scenario, world.scenario.protocol.run(world), ledger, stop)
    return {"wall_s": time.perf_counter() - began_s, "peak_bytes": peak_rss_bytes()}


def _spent(work: Callable[[], None]) -> dict[str, Any]:
    before_s = time.process_time()
    work()
    return {"cpu_s": time.process_time() - before_s, "peak_bytes": peak_rss_bytes()}


def _hash(*modules: nn.Module) -> str:
    return hashlib.sha256(b"".join(state_vector(one).tobytes() for one in modules)).hexdigest()


def apart(what: str, overrides: Sequence[str]) -> dict[str, Any]:
    """Return what the function `what` returns in a new process with one thread."""
    command = [sys.executable, __file__, "--", what, *overrides]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def ratio(devices: int, overrides: Sequence[str], pairs: int = 3) -> str:
    """Return the line for `devices`: medians of runs in turn."""
    chosen = (*PLAIN, f"devices.count={devices}", f"protocol.steps={STEPS.get(devices, 1)}", *overrides)
    ours, alone = zip(
        *((apart("simulated", chosen), apart("bare", chosen)) for _ in range(pairs)), strict=True
    )
    assert ours[0]["learnt"] == alone[0]["learnt"], "the bare loop does not train the same model"
    steps = ours[0]["steps"]
    costs = [float(np.median([one["cpu_s"] for one in found])) / steps for found in (ours, alone)]
    peaks = [max(one["peak_bytes"] for one in found) / 1e9 for found in (ours, alone)]
    return (
        f"{devices:,} devices, {steps} device-steps: {1e3 * costs[0]:.2f} ms of CPU each simulated,"
        f" {1e3 * costs[1]:.2f} ms bare, ratio {costs[0] / costs[1]:.3f} (aim: at most 1.05);"
        f" peak memory {peaks[0]:.2f} GB, {peaks[1]:.2f} GB bare"
    )


def memory(devices: int, overrides: Sequence[str]) -> str:
    """Return the line for `devices` of which 50 take part in each round."""
    found = apart("simulated", (*SMALL, *FEW, f"devices.count={devices}", *overrides))
    return (
        f"{devices:,} devices, 50 a round, {found['steps']} device-steps:"
        f" peak memory {found['peak_bytes'] / 1e9:.2f} GB (aim: 2 GB), {found['cpu_s']:.0f} CPU s"
    )


def started(devices: int, overrides: Sequence[str]) -> str:
    """Return the line for the start with `devices`."""
    found = apart("startup", (*SMALL, *FEW, f"devices.count={devices}", *overrides))
    return (
        f"{devices:,} devices are there after {found['wall_s']:.1f} s (aim: 20 s),"
        f" with {found['peak_bytes'] / 1e9:.2f} GB"
    )


def measure(modes: Sequence[str] = tuple(MODES), sizes: Sequence[int] = (), more: Sequence[str] = ()) -> None:
    """Print the lines of all `modes`, for `sizes` or those of the aims."""
    lines: dict[str, Callable[[int, Sequence[str]], str]] = {
        "ratio": ratio,
        "memory": memory,
        "startup": started,
    }
    for mode in modes:
        for devices in sizes or MODES[mode]:
            print(f"{mode}: {lines[mode](devices, more)}", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--"]:
        torch.set_num_threads(1)
        torch.use_deterministic_algorithms(True)
        print(json.dumps(globals()[sys.argv[2]](sys.argv[3:])))
    else:
        given = sys.argv[1:]
        measure(
            [one for one in given if one in MODES] or tuple(MODES),
            [int(one) for one in given if one.isdigit()],
            [one for one in given if "=" in one],
        )
