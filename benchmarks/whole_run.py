"""CPU of a whole simulated run against the fastest plain loop: same training, same codec, no simulator.

    python benchmarks/whole_run.py [--smoke] [--scenario FILE] [--pairs N] [KEY=VALUE ...]

Both begin with the same weights and end in the same weights and accuracies, which is checked. They run in
turn, each from a world of its own; the ratio is the median over the pairs.
"""

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from _bare import Bare
from _measuring import last_of, parser, show, spent

from slfac_sim.codecs import Tensor
from slfac_sim.learning.weights import state_vector
from slfac_sim.learning.world import World
from slfac_sim.ledger.store import FileLedger
from slfac_sim.runs.opening import build
from slfac_sim.runs.starting import set_threads
from slfac_sim.scenario.files import load
from slfac_sim.simulation.simulate import simulate

SIZE = (
    "learning.batch=8",
    "protocol.rounds=1",
    "protocol.steps=3",
    "data.test_samples=1000",
    "codec.model=raw",  # the plain loop hands its halves on as they are
)
SMOKE = ("devices.count=2", "protocol.steps=1", "data.test_samples=16")
LIMIT = 1.05

Learnt = tuple[Tensor, Tensor, list[float]]
"""The weights of the server's and of a device's half, and the accuracies."""


def bare(world: World) -> Learnt:
    """Train without a simulator."""
    loop = Bare(world).train()
    return state_vector(loop.server), state_vector(loop.halves[0]), loop.accuracies


def simulated(world: World) -> Learnt:
    """Train with clock, network and ledger."""
    with tempfile.TemporaryDirectory() as folder, FileLedger(Path(folder) / "ledger.sqlite") as ledger:
        simulate(world.scenario, world.scenario.protocol.run(world), ledger)
        ledger.digest()
        accuracies = [accuracy for (accuracy,) in ledger.tuples("evals", ("accuracy",))]
    half = world.devices[0].model_state()
    return state_vector(world.server.half.model), half, accuracies


def pair(first: World) -> tuple[float, float]:
    """Return the CPU seconds of both, each from where `first` is."""
    second = World(first.scenario, first.data)
    ours, ours_s = spent(lambda: simulated(first))
    plain, plain_s = spent(lambda: bare(second))
    assert all(map(np.array_equal, ours, plain)), "the plain loop does not train the same model"
    return ours_s, plain_s


def measure(scenario: str, pairs: int, overrides: Sequence[str]) -> Iterator[str]:
    """Yield the line of the report."""
    world = build(load(scenario, overrides))
    times = [pair(World(world.scenario, world.data)) for _ in range(pairs)]
    ours_s, plain_s = np.median(times, axis=0)
    ratio = float(np.median([ours / plain for ours, plain in times]))
    yield (
        f"whole run, {scenario} {' '.join(overrides)}: {ours_s:.2f} CPU s simulated,"
        f" {plain_s:.2f} by the plain loop, ratio {ratio:.3f} (aim: at most {LIMIT})"
    )


def main() -> None:
    """Read the command line and print what was measured."""
    options = parser(__doc__)
    options.add_argument("--scenario", default="100_devices")
    options.add_argument("--pairs", type=int, default=5)
    options.add_argument("overrides", nargs="*", metavar="KEY=VALUE")
    given = options.parse_args()
    set_threads(1)
    pairs, more = (1, SMOKE) if given.smoke else (given.pairs, ())
    show(measure(given.scenario, pairs, last_of([*SIZE, *more, *given.overrides])))


if __name__ == "__main__":
    main()
