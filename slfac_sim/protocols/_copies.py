"""The server's copies of its half, one per device, within a round: made, and averaged at its end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Protocol

from slfac_sim.effects import Compute, Task
from slfac_sim.protocols._exchange import batches_of
from slfac_sim.protocols._participation import steadily
from slfac_sim.protocols._served import alone, learn

if TYPE_CHECKING:
    from slfac_sim.learning.mixed_cuts import MixedCopies
    from slfac_sim.learning.participants import Device
    from slfac_sim.learning.server_copies import ServerCopies
    from slfac_sim.protocols import Participants

    Copies = ServerCopies | MixedCopies


class Plan(Protocol):
    """What the settings of a protocol with copies say of them."""

    @property
    def steps(self) -> int | None:
        """Mini-batches per device and round; None: one local epoch."""
        ...


def learn_with_copies(
    participants: Participants, plan: Plan, copies: Copies, number: int, devices: Sequence[Device]
) -> Iterator[Task]:
    """Return the tasks in which `devices` learn, each with its own of `copies`."""
    copies.begin([device.name for device in devices])
    for device in devices:
        served = partial(alone, participants, device, partial(copies.train, device.name))
        yield learn(participants, device, number, batches_of(device, plan.steps, number), served)


def average_copies(
    participants: Participants, copies: Copies, devices: Sequence[str], samples: Sequence[int]
) -> Task:
    """Make the server's half the mean of the copies of `devices`, weighted by `samples`.

    The work is that of averaging device halves: 2 FLOPs per value of each copy.
    """
    server = participants.server
    average = partial(copies.average, devices, samples)
    if not devices:
        average()  # there is nothing to compute: the half is again what it was before the round
        return
    flops = 2.0 * sum(copies.values_of(device) for device in devices)
    work = Compute(server.name, flops, average, "average")
    yield from steadily(server.name, work)
