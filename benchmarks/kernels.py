"""Whether the kernels that a host chooses change what is learnt, and how much faster they are: paired seeds.

    python benchmarks/kernels.py [--smoke] [--seeds N] [--arms chosen,plain,nudged] [KEY=VALUE ...]

Each seed is trained by `scenarios/100_devices.yaml` with 20 devices and 60 steps, once by the `chosen`
kernels (`slfac_sim.learning.kernels`) and once by `plain` torch; `nudged` is a control, plain but for one
weight of the server's half that is 1e-6 larger. It prints the final accuracies on the full test set, and the
mean of the paired differences to `plain` with a 95 % t interval. Held to AVX2, where the two differ most:

    ONEDNN_MAX_CPU_ISA=AVX2 MKL_ENABLE_INSTRUCTIONS=AVX2 ATEN_CPU_CAPABILITY=avx2 python benchmarks/kernels.py
"""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from unittest import mock

import numpy as np
import torch
from _measuring import last_of, parser, show

from slfac_sim.analysis.statistics import mean_interval
from slfac_sim.effects import Note
from slfac_sim.learning.world import World
from slfac_sim.runs.opening import build
from slfac_sim.runs.starting import set_threads
from slfac_sim.scenario.files import load
from slfac_sim.simulation.instant import InstantPlayer

ARMS = ("chosen", "plain", "nudged")
SIZE = (
    *("devices.count=20", "protocol.rounds=6", "protocol.steps=10"),
    *("learning.batch=16", "evaluation.every_rounds=6"),
)
SMOKE = ("devices.count=2", "protocol.rounds=1", "protocol.steps=1", "data.test_samples=16")
USERS = tuple(f"slfac_sim.learning.{module}.forward" for module in ("halves", "evaluation"))


def plain(model: Callable[[torch.Tensor], torch.Tensor], inputs: torch.Tensor) -> torch.Tensor:
    """Return ``model(inputs)`` by torch's own kernels."""
    return model(inputs)


def trained(arm: str, seed: int, overrides: Sequence[str]) -> tuple[float, float]:
    """Return the final accuracy of the training `seed` in `arm`, and the CPU seconds that it took."""
    world = build(load("100_devices", last_of([*SIZE, *overrides]), seed))
    if arm == "nudged":
        with torch.no_grad():
            next(iter(world.server.half.model.parameters())).view(-1)[0] += 1e-6
    begun_s = time.process_time()
    if arm == "chosen":
        return last_accuracy(world), time.process_time() - begun_s
    with mock.patch(USERS[0], plain), mock.patch(USERS[1], plain):
        return last_accuracy(world), time.process_time() - begun_s


def last_accuracy(world: World) -> float:
    """Train without a clock and return the accuracy of the last evaluation."""
    accuracies: list[float] = []

    def hear(effect: Any) -> None:
        if isinstance(effect, Note) and effect.table == "evals":
            accuracies.append(effect.row["accuracy"])

    InstantPlayer(hear).play(world.scenario.protocol.run(world))
    return accuracies[-1]


def measure(seeds: int, arms: Sequence[str], overrides: Sequence[str]) -> Iterator[str]:
    """Yield a line for each seed, then one for each arm beside `plain`."""
    found: dict[str, list[tuple[float, float]]] = {arm: [] for arm in arms}
    for seed in range(seeds):
        for arm in arms:
            found[arm].append(trained(arm, seed, overrides))
        last = {arm: runs[-1] for arm, runs in found.items()}
        each = [f"{arm} {100 * share:.2f} % in {cpu_s:.1f} CPU s" for arm, (share, cpu_s) in last.items()]
        yield f"kernels, seed {seed}: {', '.join(each)}"
    for arm in (arm for arm in arms if arm != "plain" and "plain" in arms):
        pairs = list(zip(found[arm], found["plain"], strict=True))
        gained = mean_interval([100 * (ours[0] - base[0]) for ours, base in pairs])
        ratio = float(np.median([base[1] / ours[1] for ours, base in pairs]))
        yield (
            f"kernels, {arm} against plain, {seeds} seeds: accuracy {gained.mean:+.2f} points, 95 % interval"
            f" {gained.low:+.2f} to {gained.high:+.2f}; {ratio:.2f} times as fast"
        )


def main() -> None:
    """Read the command line and print what was measured."""
    options = parser(__doc__)
    options.add_argument("--seeds", type=int, default=10)
    options.add_argument("--arms", default="chosen,plain")
    options.add_argument("overrides", nargs="*", metavar="KEY=VALUE")
    given = options.parse_args()
    set_threads(1)
    seeds, more = (1, SMOKE) if given.smoke else (given.seeds, ())
    show(measure(seeds, given.arms.split(","), [*more, *given.overrides]))


if __name__ == "__main__":
    main()
