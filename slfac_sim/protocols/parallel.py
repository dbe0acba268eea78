"""Parallel split learning: all devices at once, one batched step of the server over the cohort.

Device-side halves are averaged at the end of each round, as SplitFed V1 does (Thapa et al., 2022,
arXiv:2004.12088, section 3); the server keeps one half and takes one step over the whole cohort. Two variants
do not wait for the cohort: a step for each mini-batch as it arrives, or for as many as a batching queue has.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from slfac_sim.effects import Offer, Task
from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import Count, Seconds
from slfac_sim.protocols import ProtocolSettings, Schedule
from slfac_sim.protocols._averaged import averaged_round, in_averaged_rounds
from slfac_sim.protocols._exchange import Asked, answer, batches_of, cohort_sizes, in_cohorts, steps_of
from slfac_sim.protocols._participation import Participation
from slfac_sim.protocols._served import alone, learn

if TYPE_CHECKING:
    from slfac_sim.codecs import Payload
    from slfac_sim.learning.participants import Device
    from slfac_sim.protocols import Participants


@settings
class Parallel(ProtocolSettings):
    """`rounds` rounds of `steps` mini-batches per device, or of one local epoch when `steps` is null.

    There are two barriers: the server waits for the whole cohort of a step, and for all device halves at
    the end of a round. A device that has its gradient goes on at once. In a local epoch, devices that
    have run out of batches leave the cohort. `model_broadcast` sends the average once at the slowest
    device's rate (`multicast`) or once for each device (`unicast`). Initial halves come from the seed at
    no cost, or are sent by the server (`initial_model: broadcast`).

    `server_step` is what the server takes a step on: the whole `cohort`; each mini-batch in the order of
    `arrival`; or what a queue has (`batching`) once `max_items` mini-batches are there or the first has
    waited for `wait`. The latter two know no barrier within a round, and there timing steers learning.
    """

    references: ClassVar[tuple[str, ...]] = ("thapa2022splitfed",)
    layout: ClassVar[str] = "split"

    rounds: Count = 8
    steps: Count | None = None
    model_broadcast: Literal["multicast", "unicast"] = "multicast"
    initial_model: Literal["seed", "broadcast"] = "seed"
    server_step: Literal["cohort", "arrival", "batching"] = "cohort"
    max_items: Count = 8
    wait: Annotated[Seconds, Field(ge=0.0)] = 0.1
    participation: Participation = Participation()

    @property
    def timing_steers_learning(self) -> bool:
        """Whether another clock could change what is learnt: who finishes, or the order of arrival."""
        return self.server_step != "cohort" or self.participation.timing_steers_learning

    @property
    def schedule(self) -> Schedule:
        """What a round asks of devices, server and air in which order."""
        return Schedule(
            steps=self.steps,
            server_step=self.server_step,
            max_items=self.max_items,
            wait_s=self.wait,
            broadcast=self.model_broadcast,
        )

    def run(self, participants: Participants) -> Task:
        """Yield the effects of the whole training."""
        yield from in_averaged_rounds(participants, self, partial(self._round, participants))

    def device_steps(self, participants: Participants) -> int:
        """Return how many mini-batches all devices together go through."""
        return self.rounds * sum(steps_of(device, self.steps) for device in participants.devices)

    def _round(self, participants: Participants, number: int, model: Payload) -> Task:
        learning = self._in_cohorts if self.server_step == "cohort" else self._as_they_come
        return (
            yield from averaged_round(
                participants, self, number, model, partial(learning, participants, number)
            )
        )

    def _in_cohorts(
        self, participants: Participants, number: int, devices: Sequence[Device]
    ) -> Iterator[Task]:
        lengths = [steps_of(device, self.steps) for device in devices]
        cohorts = cohort_sizes(lengths)
        for device, length in zip(devices, lengths, strict=True):
            batches = batches_of(device, self.steps, number)
            yield in_cohorts(participants, device, number, batches, cohorts[:length])

    def _as_they_come(
        self, participants: Participants, number: int, devices: Sequence[Device]
    ) -> Iterator[Task]:
        for device in devices:
            if self.server_step == "arrival":
                served = partial(alone, participants, device, partial(_train_one, participants))
            else:
                served = partial(self._in_queue, participants, device, number)
            yield learn(participants, device, number, batches_of(device, self.steps, number), served)

    def _in_queue(
        self, participants: Participants, device: Device, number: int, step: int, asked: Asked, arrived: Any
    ) -> Task:
        server, flops = participants.server, asked.samples * device.exchange.work.server_step_flops
        feedback = yield Offer(
            server.name, f"batching {number}", device.place, arrived, server.train, flops,
            self.max_items, "train", self.wait,
        )  # fmt: skip
        yield from answer(participants, device, asked, feedback)
        return feedback


def _train_one(participants: Participants, arrived: Any) -> Any:
    return participants.server.train([arrived])[0]
