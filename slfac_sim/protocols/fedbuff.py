"""FedBuff: the server gathers what so many trainings have changed, and then takes one step.

Nguyen, Malik, Zhan, Yousefpour, Rabbat, Malek, Huba (2022, arXiv:2106.06639, algorithm 1).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field

from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import Count, NotNegative
from slfac_sim.protocols import InitialModel
from slfac_sim.protocols._own_pace import AtOwnPace, Trainings
from slfac_sim.protocols.kit.course import discount

if TYPE_CHECKING:
    from slfac_sim.codecs import Payload
    from slfac_sim.protocols import Participants


@settings
class FedBuff(AtOwnPace):
    """Devices hand in what they have changed in the model that they were given; K changes make one step.

    The server's model x becomes x + r (s(t1) c1 + ... + s(tK) cK) / K, K being the `buffer` and r the
    `server_learning_rate`. For each change c, s(t) is 1/(1+t)^a, and t the number of such steps since the
    device was given the model from which it has learnt. Devices train as many times as in so many rounds of
    `fedavg`, `concurrency` of them at once; whoever begins is given x as it is then. When a training has
    ended, a device that is there and does not train is drawn for the next. A training in which something
    fails is spent, and a row of `misses`; changes that wait at the end are left out. Differences and models
    travel through `codec.model`. Statistics of batch-norm are not added up so: a change moves them from x
    towards where the device left them, as they would overshoot else.

    A row of `rounds` is written whenever as many trainings have ended as there are devices, and then x is
    evaluated. With a `concurrency` of 1, or one device, nothing is under way then, and a training can go on
    from there; otherwise one that is resumed begins again. The settings `cut`, `codec.uplink` and
    `codec.downlink` of the scenario have no effect.
    """

    references: ClassVar[tuple[str, ...]] = ("nguyen2022fedbuff",)
    send = "difference"

    rounds: Count = 8
    """How long the training is: as many trainings as devices have in so many rounds of `fedavg`."""
    steps: Count | None = None
    """Mini-batches of a training; null: `local_epochs` passes over the device's samples."""
    local_epochs: Count = 1
    """Passes over a device's samples in a training, where `steps` is null."""
    concurrency: Count | None = None
    """Devices that train at once; null: all of them."""
    buffer: Count | None = None
    """Changes K that make one step of the server; null: as many as there are devices."""
    server_learning_rate: Annotated[float, Field(gt=0.0, le=1e3)] = 1.0
    """Learning rate r of a step of the server, eta_g of the paper."""
    staleness_exponent: NotNegative = 0.5
    """Exponent a of 1/(1+t)^a, by which a change that is t steps stale counts for less; with 0 it counts in
    full.
    """
    initial_model: InitialModel = "seed"

    def check(self, devices: int) -> None:
        """Raise `ValueError` for settings that so many devices cannot meet."""
        super().check(devices)
        trainings = self.rounds * devices
        if self.buffer is not None and self.buffer > trainings:
            raise ValueError(
                f"buffer must be at most {trainings}, rounds x devices.count (got {self.buffer})"
            )

    def received(self, server: Any, body: bytes) -> Any:
        """Return what a device has changed."""
        return server.decode_change(body)

    def take_in(
        self, participants: Participants, course: Trainings, sent: Any, given: Payload, staleness: int
    ) -> float:
        """Add the change that a device has `sent` to those that wait; take a step if they are enough."""
        server: Any = participants.server
        enough = self.buffer or len(participants.devices)
        weight = self.server_learning_rate * discount(staleness, self.staleness_exponent) / enough
        course.gathered = course.gathered + weight * server.moved(sent, given, course.common)
        course.waiting += 1
        if course.waiting == enough:
            course.common = server.in_common(server.state_of(course.common) + course.gathered)
            course.gathered, course.waiting, course.mixings = 0.0, 0, course.mixings + 1
        return weight
