"""From a scenario to who learns in it: data, participants, and what they hold between rounds; no clock."""

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from functools import cached_property
from types import MappingProxyType
from typing import Any

from slfac_sim.codecs import Payload
from slfac_sim.foundation.host import Spare
from slfac_sim.foundation.targets import ACCURACY
from slfac_sim.learning.counting import metrics_of
from slfac_sim.learning.datasets import Dataset
from slfac_sim.learning.ground import Ground
from slfac_sim.learning.kept import Model
from slfac_sim.learning.layouts import Layout, open_layout
from slfac_sim.learning.states import restore, state_of
from slfac_sim.learning.trained import Trained
from slfac_sim.scenario.schema import Scenario
from slfac_sim.scenario.steering import cuts_a_model, why_down

_NOTHING: Mapping[str, Any] = MappingProxyType({})


class World:
    """The participants of a scenario, in the layout that its protocol needs, and how far they have come.

    `expected` is handed in by who knows clock and network: it tells about how long each device takes for a
    round with the air and the server to itself, and is asked when a protocol wants to know. Unless `limited`,
    the memory of devices has no limit.
    """

    def __init__(
        self, scenario: Scenario, data: Dataset, expected: "Expected | None" = None, limited: bool = True
    ) -> None:
        self.scenario = scenario
        self.data = data
        self.layout: Layout = open_layout(_layout(scenario), Ground(scenario, data, limited))
        self.server: Any = self.layout.server
        self.waits_for_server = True
        self._expected = expected
        self.when_kept: Callable[[int], object] = lambda round_number: None
        self._spare = Spare()
        self._kept: tuple[int, Payload] | None = None
        self._carried: Mapping[str, Any] = {}
        self.models = Trained(self.layout)
        self._round = 0
        self._measured: bytes | None = None
        self._evaluations: list[Mapping[str, float | None]] = []  # all from round 1 on, as far as they count

    @property
    def devices(self) -> Sequence[Any]:
        """The devices, in device order."""
        return self.layout.devices

    @property
    def servers(self) -> Sequence[str]:
        """The names of the servers that devices learn with."""
        return tuple(self.layout.at)

    @cached_property
    def homes(self) -> Mapping[str, str]:
        """The server that each device learns with, by name."""
        return {device.name: server for server, part in self.layout.at.items() for device in part.devices}

    def at(self, server: str) -> "World":
        """Return the part of the world that one of `servers` sees: itself, and its devices."""
        part = copy.copy(self)
        part.layout = self.layout.at[server]
        part.server = part.layout.server
        part.waits_for_server = False
        return part

    @property
    def seed(self) -> int:
        """The seed of everything that is drawn for learning: who takes part in a round, for instance."""
        return self.scenario.seed.learning

    @property
    def may_be_absent(self) -> bool:
        """Whether a host can be down."""
        return why_down(self.scenario) is not None

    def expected_s(self, device: str) -> float:
        """Return about how long a round of `device` takes with the air and the server to itself."""
        return self._times_s[device]

    @cached_property
    def _times_s(self) -> Mapping[str, float]:
        if self._expected is None:
            raise RuntimeError("nobody has told the world what to expect of its devices")
        return self._expected(self)

    def evaluate(self, model: bytes, last: bool = False) -> dict[str, Any]:
        """Return the figures of `evals` for the devices' common part in the body `model`."""
        exact = last or self.scenario.evaluation.no_codec == "every"
        figures = self.layout.evaluate(model, exact)
        self._measured = model
        self.models.measured(self._round, model)
        if self._round:
            until = self.scenario.learning.until
            self._evaluations.append(metrics_of(figures, (ACCURACY,) if until is None else until.metrics))
        return figures

    def trained(self) -> Model | None:
        """Return the whole model as it is after the round that was measured last; None where none can tell.

        Of what devices do not have in common it has what the first of them has.
        """
        round_number, kept = self.begun()
        accuracy = {ACCURACY: self._evaluations[-1][ACCURACY]} if self._evaluations else {}
        if self._measured is None:  # all was learnt before this world went on from there
            return self.models.model(kept.body, {"round": round_number, **accuracy})
        return self.models.model(self._measured, {"round": self._round, **accuracy})

    @property
    def stopped(self) -> bool:
        """Whether the training has reached what it was to last until, so that no further round begins."""
        until = self.scenario.learning.until
        return until is not None and until.met(self._evaluations) is not None

    def begin_round(self, round_number: int) -> None:
        """Take note that `round_number` begins: from now on learning rates are those of this round."""
        self._round = round_number
        schedule = self.scenario.learning.schedule
        if schedule is not None:
            rounds = self.scenario.protocol.rounds
            self.layout.ground.updates.rate = schedule.factor(round_number, rounds)

    def due(self, round_number: int, rounds: int) -> bool:
        """Return whether round `round_number` of `rounds` ends with an evaluation; the last always does."""
        return round_number == rounds or round_number % self.scenario.evaluation.every_rounds == 0

    def begun(self) -> tuple[int, Payload]:
        """Return how many rounds are done, and what the devices have learnt in common until then."""
        return self._kept if self._kept is not None else (0, self.layout.initial())

    def carried(self) -> Mapping[str, Any]:
        """Return what the protocol had carried when the last round that is done was kept."""
        return self._carried

    def keep(self, round_number: int, model: Payload, carried: Mapping[str, Any] = _NOTHING) -> None:
        """Take note that `round_number` is done and left `model`: all that a later start needs to know.

        `carried` is what the protocol itself needs to know beside, as a plain tree (`learning.states`).
        """
        self._kept, self._carried = (round_number, model), carried
        self.when_kept(round_number)
        self._spare.give_back()

    def get_state(self) -> dict[str, Any]:
        """Return all that the rounds to come depend on, after a round; see `learning.states`."""
        number, model = self.begun()
        common = {field.name: getattr(model, field.name) for field in fields(model)}
        parts = {"devices": state_of(self.devices), "server": state_of(self.server)}
        told = {"carried": dict(self._carried), "evaluations": list(self._evaluations)}
        return {"round": number, "common": common, **told, "models": self.models.get_state(), **parts}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Go on after the round at which another world of this scenario gave `state`."""
        restore(self.devices, state["devices"])
        restore(self.server, state["server"])
        self._kept, self._carried = (state["round"], Payload(**state["common"])), state["carried"]
        self._evaluations = list(state["evaluations"])
        self.models.set_state(state["models"])

    @property
    def device_steps(self) -> int:
        """How many mini-batches all devices together will go through."""
        return int(self.scenario.protocol.device_steps(self))


def _layout(scenario: Scenario) -> str:
    if isinstance(scenario.cut, dict) and cuts_a_model(scenario):
        return "split_each"
    return str(scenario.protocol.layout)


Expected = Callable[[World], Mapping[str, float]]
"""Tells the seconds of a round of each device of a world alone, by its name."""
