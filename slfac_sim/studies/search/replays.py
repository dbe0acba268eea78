"""Recorded trainings, and what they would have measured with one setting at another value.

What is not on record is trained first; from then on there are only replays.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.host import threads_for
from slfac_sim.ledger.store import MemoryLedger
from slfac_sim.ledger.summary import label_of
from slfac_sim.runs.replay import Record, retime
from slfac_sim.scenario.files import Report
from slfac_sim.scenario.fingerprint import learning_key, refuse_notebook_classes
from slfac_sim.scenario.from_python import Given, scenario_of
from slfac_sim.scenario.schema import Scenario, Seed
from slfac_sim.scenario.steering import steered
from slfac_sim.studies import trainings
from slfac_sim.studies.search.question import Measure
from slfac_sim.studies.search.setting import Setting

MOST_SEEDS = 1000


@dataclass(frozen=True)
class Request:
    """What both questions need: the scenario and its overrides, what is varied over which range, the seeds.

    `seeds` None takes the scenario's own; `threads` are the host threads of a training (None: the usual
    number), and a part of what makes a training; `between` is a text such as ``"1 MHz,100 MHz"``.
    Trainings lie in `cache`, the answer goes into `out` (None: a new folder under ``runs/``), and `say` gets
    a line about what takes long.
    """

    scenario: Given
    vary: str
    overrides: Sequence[str] = ()
    between: str | None = None
    seeds: int | None = None
    cache: Path = trainings.DEFAULT
    threads: int | None = None
    out: Path | None = None
    say: Report = lambda line: None

    def scenario_with(self, *sides: Sequence[str]) -> Scenario:
        """Return the scenario; say, once, what its overrides and those of `sides` drop."""
        notes: dict[str, None] = {}
        scenario = scenario_of(self.scenario, self.overrides, report=notes.setdefault)
        for further in sides:
            scenario_of(self.scenario, [*self.overrides, *further], report=notes.setdefault)
        for note in notes:
            self.say(f"note: {note}")
        return scenario

    def replays(self, further: Sequence[str] = ()) -> "list[Replays]":
        """Return the training of each seed, with overrides `further` to its own, trained if need be.

        Raises `BadInput`.
        """
        seeds, overrides = self.seeds, [*self.overrides, *further]
        if seeds is not None and not 1 <= seeds <= MOST_SEEDS:
            raise BadInput(f"--seeds {seeds}: must be at least 1 and at most {MOST_SEEDS}")
        numbers = [None] if seeds is None else range(seeds)
        return [self._recorded(scenario_of(self.scenario, overrides, number)) for number in numbers]

    def _recorded(self, scenario: Scenario) -> "Replays":
        reason = steered(scenario)
        if reason is not None:
            raise BadInput(
                f"{scenario.name}: {reason}; each value would be a training of its own: `sweep` runs them"
            )
        refuse_notebook_classes(scenario, "a search, which keeps trainings,")
        threads = threads_for(self.threads)
        key = learning_key(scenario, threads)
        known = "on record" if trainings.has(self.cache, key) else "trained now, and kept"
        name = f"{scenario.name}, {label_of(scenario)}, seed {scenario.seed.learning}"
        self.say(f"{name}: {known} in {trainings.folder_of(self.cache, key)}")
        return Replays(Record.load(trainings.ensure(scenario, self.cache, threads)), scenario)


@dataclass(frozen=True)
class Replays:
    """One recorded training, and the `scenario` on whose network, speeds and server it is played."""

    record: Record
    scenario: Scenario

    @property
    def seed(self) -> Seed:
        """The seeds that are played."""
        return self.scenario.seed

    def measure(self, measure: Measure, setting: Setting) -> Callable[[float], float]:
        """Return the function from a value of `setting` to what a run with it measures, in SI.

        It raises `BadInput` for a value at which the scenario cannot run.
        """

        def replayed(value: float) -> float:
            rows = MemoryLedger()
            try:
                retime(self.record, setting.in_scenario(self.scenario, value), rows)
            except BadInput as error:
                raise BadInput(f"{setting.path} = {setting.shown(value)}: {error}") from error
            return measure.of(rows)

        return replayed
