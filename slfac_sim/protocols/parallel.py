"""Parallel split learning: all devices at once, one batched step of the server over the cohort.

Device-side halves are averaged at the end of each round, as SplitFed V1 does (Thapa et al., 2022,
arXiv:2004.12088, section 3); the server keeps one half and takes one step over the whole cohort. Two variants
do not wait for the cohort: a step for each mini-batch as it arrives, or for as many as a batching queue has.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from slfac_sim.effects import Compute, Offer, Task
from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import Count, Seconds
from slfac_sim.protocols import Broadcast, InitialModel, Participation, Schedule
from slfac_sim.protocols.fedavg import FederatedAveraging
from slfac_sim.protocols.kit.exchange import InFlight, Meeting, ServerStep, in_cohorts, on_cohort

if TYPE_CHECKING:
    from slfac_sim.learning.participants import Device
    from slfac_sim.protocols import Participants


@settings
class Parallel(FederatedAveraging):
    """All devices learn at once, against one half on the server.

    There are two barriers: the server waits for the whole cohort of a step, and for all device halves at the
    end of a round. A device that has its gradient goes on at once. In a local epoch, devices that have run
    out of batches leave the cohort.
    """

    references: ClassVar[tuple[str, ...]] = ("thapa2022splitfed",)

    rounds: Count = 8
    steps: Count | None = None
    model_broadcast: Broadcast = "multicast"
    initial_model: InitialModel = "seed"
    server_step: Literal["cohort", "arrival", "batching"] = "cohort"
    """What the server takes a step on: the whole `cohort`; each mini-batch in the order of `arrival`; or what
    a queue has (`batching`). The latter two know no barrier within a round, and there timing steers learning.
    """
    max_items: Count = 8
    """Mini-batches in the queue at which `batching` takes a step at once."""
    wait: Annotated[Seconds, Field(ge=0.0)] = 0.1
    """How long the first mini-batch in the queue of `batching` waits for others at most."""
    participation: Participation = Participation()

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

    def learning(
        self, participants: Participants, round_number: int, devices: Sequence[Device]
    ) -> Iterator[Task]:
        """Yield the task of each of `devices`."""
        steps: dict[str, ServerStep] = {
            "cohort": on_cohort,
            "arrival": on_arrival,
            "batching": self._on_what_is_there,
        }
        step, waits = steps[self.server_step], self.server_step == "cohort"
        return in_cohorts(participants, round_number, devices, self.steps, step, waits=waits)

    def _on_what_is_there(
        self, participants: Participants, device: Device, in_flight: InFlight, arrived: Any, meeting: Meeting
    ) -> Offer:
        """Offer what `arrived` to a queue that takes a step on what is there when it is full, or in time."""
        server, queue = participants.server, f"batching {meeting.round_number}"
        return Offer(
            server.name, queue, device.place, arrived, server.train, in_flight.train_flops,
            self.max_items, "train", self.wait,
        )  # fmt: skip


def on_arrival(
    participants: Participants, device: Device, in_flight: InFlight, arrived: Any, meeting: Meeting
) -> Compute:
    """Take a step on what `arrived`, by itself."""
    server = participants.server
    return Compute(server.name, in_flight.train_flops, lambda: server.train([arrived])[0], "train")
