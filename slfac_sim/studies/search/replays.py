"""Recorded trainings, and what they would have measured with one setting at another value.

It trains what is not on record yet, and then only replays; it knows nothing of the search.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from slfac_sim.foundation.errors import BadInput
from slfac_sim.ledger.store import MemoryLedger
from slfac_sim.ledger.summary import label_of
from slfac_sim.runs.replay import Record, retime
from slfac_sim.scenario.files import load
from slfac_sim.scenario.fingerprint import learning_key
from slfac_sim.scenario.schema import Scenario, Seed
from slfac_sim.scenario.steering import steered
from slfac_sim.studies.search.question import Measure
from slfac_sim.studies.search.varied import Varied
from slfac_sim.studies.trainings import ensure, folder_of, has

Say = Callable[[str], None]

MOST_SEEDS = 1000


@dataclass(frozen=True)
class Replays:
    """One recorded training, and the `scenario` on whose network, speeds and server it is played."""

    record: Record
    scenario: Scenario

    @property
    def seed(self) -> Seed:
        """The seeds that are played."""
        return self.scenario.seed

    def measure(self, measure: Measure, varied: Varied) -> Callable[[float], float]:
        """Return the function from a value of `varied` to what a run with it measures, in SI.

        It raises `BadInput` for a value at which the scenario cannot run.
        """

        def replayed(value: float) -> float:
            rows = MemoryLedger()
            try:
                retime(self.record, varied.in_scenario(self.scenario, value), rows)
            except BadInput as error:
                raise BadInput(f"{varied.path} = {varied.shown(value)}: {error}") from error
            return measure.of(rows)

        return replayed


def recorded(
    asked: str, overrides: Sequence[str], seeds: int | None, cache: Path, threads: int, say: Say
) -> list[Replays]:
    """Return the trainings of the scenario `asked` for, one for each of the seeds 0 to `seeds` - 1.

    Without `seeds`, the scenario's own. A training that is not in `cache` is run and stays there; `say` is
    told before. Raises `BadInput`.
    """
    if seeds is not None and not 1 <= seeds <= MOST_SEEDS:
        raise BadInput(f"--seeds {seeds}: must be at least 1 and at most {MOST_SEEDS}")
    numbers = [None] if seeds is None else range(seeds)
    return [_one(load(asked, overrides, number), cache, threads, say) for number in numbers]


def _one(scenario: Scenario, cache: Path, threads: int, say: Say) -> Replays:
    reason = steered(scenario)
    if reason is not None:
        raise BadInput(
            f"{scenario.name}: {reason}; each value would be a training of its own: `sweep` runs them"
        )
    key = learning_key(scenario, threads)
    known = "on record" if has(cache, key) else "trained now, and kept"
    who = f"{scenario.name}, {label_of(scenario)}, seed {scenario.seed.learning}"
    say(f"{who}: {known} in {folder_of(cache, key)}")
    return Replays(Record.load(ensure(scenario, cache, threads)), scenario)
