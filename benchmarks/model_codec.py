"""Whether a codec of models changes what is learnt: the main job with and without it, paired seeds.

    python benchmarks/model_codec.py [--smoke] [--seeds N] [--codec CODEC] [KEY=VALUE ...]

Each learning seed is trained by `scenarios/100_devices.yaml` with `codec.model=raw` and with CODEC (fp16). It
prints the final accuracies on the full test set, and the mean of the paired differences to `raw` with a 95 %
t interval. No loss: its lower end is above -1 point, which is what kernels are held to.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from _measuring import last_of, parser, show

from slfac_sim.analysis.statistics import mean_interval
from slfac_sim.effects import Note
from slfac_sim.runs.opening import build
from slfac_sim.runs.starting import set_threads
from slfac_sim.scenario.files import load
from slfac_sim.simulation.instant import InstantPlayer

SMOKE = (
    *("devices.count=2", "protocol.rounds=1", "protocol.steps=1", "data.test_samples=16"),
    "data.train_samples=64",
)


def trained(codec: str, seed: int, overrides: Sequence[str]) -> float:
    """Return the final accuracy of the training `seed`, whose models travel through `codec`."""
    settings = [f"seed.learning={seed}", f"codec.model={codec}", "evaluation.every_rounds=8", *overrides]
    world = build(load("100_devices", last_of(settings)))
    accuracies: list[float] = []

    def heard(effect: Any) -> None:
        if isinstance(effect, Note) and effect.table == "evals":
            accuracies.append(effect.row["accuracy"])

    InstantPlayer(heard).play(world.scenario.protocol.run(world))
    return accuracies[-1]


def measure(seeds: int, codec: str, overrides: Sequence[str]) -> Iterator[str]:
    """Yield a line for each seed, then one for the difference."""
    gained = []
    for seed in range(seeds):
        plain, coded = (trained(one, seed, overrides) for one in ("raw", codec))
        gained.append(100 * (coded - plain))
        yield f"models, seed {seed}: raw {100 * plain:.2f} %, {codec} {100 * coded:.2f} %"
    if seeds > 1:
        found = mean_interval(gained)
        yield (
            f"models, {codec} against raw, {seeds} seeds: accuracy {found.mean:+.2f} points, 95 % interval"
            f" {found.low:+.2f} to {found.high:+.2f}"
        )


def main() -> None:
    """Read the command line and print what was measured."""
    options = parser(__doc__)
    options.add_argument("--seeds", type=int, default=5)
    options.add_argument("--codec", default="fp16")
    options.add_argument("overrides", nargs="*", metavar="KEY=VALUE")
    given = options.parse_args()
    set_threads(1)
    seeds, more = (1, SMOKE) if given.smoke else (given.seeds, ())
    show(measure(seeds, given.codec, [*more, *given.overrides]))


if __name__ == "__main__":
    main()
