"""FedAsync: the server mixes each device's model into its own as it comes, the staler the less.

Xie, Koyejo, Gupta (2019, arXiv:1903.03934, algorithm 1; the functions of staleness of section 5.2).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

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
class FedAsync(AtOwnPace):
    """The server's model x becomes (1 - m) x + m w with each model w that is handed in.

    Here m is `mixing` times s(t), and t the number of such mixings since the device was given the model from
    which it has learnt, 0 for one that is fresh. `constant` is s(t) = 1, `polynomial` 1/(1+t)^a, and `hinge`
    1 up to a t of b and 1/(1+a(t-b)) beyond. Devices train as many times as in so many rounds of `fedavg`,
    `concurrency` of them at once; whoever begins is given x as it is then. When a training has ended, a
    device that is there and does not train is drawn for the next. A training in which something fails is
    spent, and a row of `misses`. Models travel through `codec.model`.

    A row of `rounds` is written whenever as many trainings have ended as there are devices, and then x is
    evaluated. With a `concurrency` of 1, or one device, nothing is under way then, and a training can go on
    from there; otherwise one that is resumed begins again. The settings `cut`, `codec.uplink` and
    `codec.downlink` of the scenario have no effect.
    """

    references: ClassVar[tuple[str, ...]] = ("xie2019fedasync",)

    rounds: Count = 8
    """How long the training is: as many trainings as devices have in so many rounds of `fedavg`."""
    steps: Count | None = None
    """Mini-batches of a training; null: `local_epochs` passes over the device's samples."""
    local_epochs: Count = 1
    """Passes over a device's samples in a training, where `steps` is null."""
    concurrency: Count | None = None
    """Devices that train at once; null: all of them."""
    mixing: Annotated[float, Field(gt=0.0, le=1.0)] = 0.6
    """Weight m of a model that is not stale, alpha of the paper."""
    staleness: Literal["constant", "hinge", "polynomial"] = "polynomial"
    """Function s of the staleness t, by which what is stale counts for less."""
    staleness_exponent: NotNegative = 0.5
    """Exponent a of `polynomial`."""
    hinge_slope: NotNegative = 10.0
    """Slope a of `hinge`."""
    hinge_from: NotNegative = 4.0
    """Staleness b up to which `hinge` counts a model in full."""
    mu: NotNegative = 0.0
    """rho of the paper, half of which is the weight of the squared distance to the model that the device was
    given, in its loss. The losses in the tables are without that term.
    """
    initial_model: InitialModel = "seed"

    def discount(self, staleness: int) -> float:
        """Return s of so many mixings (section 5.2)."""
        if self.staleness == "constant":
            return 1.0
        if self.staleness == "polynomial":
            return discount(staleness, self.staleness_exponent)
        return 1.0 / (1.0 + self.hinge_slope * max(staleness - self.hinge_from, 0.0))

    def received(self, server: Any, body: bytes) -> Any:
        """Return the model that a device has handed in."""
        return server.decode_model(body)

    def take_in(
        self, participants: Participants, course: Trainings, sent: Any, given: Payload, staleness: int
    ) -> float:
        """Mix the model that a device has `sent` into the server's."""
        server, weight = participants.server, self.mixing * self.discount(staleness)
        course.common = server.average([server.state_of(course.common), sent], [1.0 - weight, weight])
        course.mixings += 1
        return weight
