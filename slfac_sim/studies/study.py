"""The settings of a study: a base scenario, axes, seeds and targets. It knows no file and runs nothing."""

from typing import Annotated, Any

from pydantic import Field

from slfac_sim.foundation.host import threads_for
from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import Count, SeedNumber
from slfac_sim.scenario.files import name_of
from slfac_sim.scenario.schema import Targets, check_targets

BASE_AXIS = "base"
"""The axis whose values are scenarios, in place of one that is varied."""
FIRST_AIR_DRAW = 1000
"""The draws of the air of a study have the seeds from here on; seeds of trainings lie below."""

Seeds = Annotated[int, Field(ge=1, le=FIRST_AIR_DRAW)]
AirSeeds = Annotated[int, Field(ge=0, le=100_000)]


@settings
class Study:
    """What is varied, and what is asked.

    Every combination of the values of `axes` is run with every seed, and points that differ only in what
    learning cannot see share one training.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
    """What the study is called: its folder under runs/studies/; without one it is the file's name."""
    base: Annotated[str, Field(min_length=1)]
    """The scenario that is varied: a file, relative to the study's, or the name of a shipped one. With an
    axis `base` it is the first on it, and need not be given.
    """
    overrides: tuple[str, ...] = ()
    """Changes to the base, each `key.path=value`, or `key.path+=value` for one more in a list."""
    axes: dict[str, Annotated[tuple[Any, ...], Field(min_length=1)]] = Field(default_factory=dict)
    """What is varied: each setting's path with the list of its values, or `base` with a list of scenarios."""
    seeds: Seeds | Annotated[tuple[SeedNumber, ...], Field(min_length=1)] = 3
    """How many seeds, from 0, or a list of them; seed n sets both seeds, learning and air, so that points are
    paired.
    """
    air_seeds: AirSeeds = 0
    """Over how many further draws of the air each training is replayed."""
    targets: Targets = ()
    """Accuracies whose times are asked for, in place of those of the base; or lists of targets by metric."""
    threads: Count = Field(default_factory=lambda: threads_for(None))
    """Host threads of each training, a part of its identity; without it 2, or 1 on one core."""

    @property
    def seed_numbers(self) -> tuple[int, ...]:
        """The seeds of the trainings."""
        return tuple(range(self.seeds)) if isinstance(self.seeds, int) else self.seeds

    @property
    def air_draws(self) -> tuple[int, ...]:
        """The seeds of the further draws of the air."""
        return tuple(range(FIRST_AIR_DRAW, FIRST_AIR_DRAW + self.air_seeds))

    def __post_init__(self) -> None:
        check_targets(self.targets)
        bases = [name_of(str(value)) for value in self.axes.get(BASE_AXIS, ())]
        if len(set(bases)) < len(bases):
            raise ValueError(f"axes.base must name scenarios of different names (got {', '.join(bases)})")
        numbers = self.seed_numbers
        if len(set(numbers)) < len(numbers):
            raise ValueError(f"seeds must differ from each other (got {list(numbers)})")
        if max(numbers) >= FIRST_AIR_DRAW:
            raise ValueError(f"seeds must be below {FIRST_AIR_DRAW}, where the draws of the air begin")
