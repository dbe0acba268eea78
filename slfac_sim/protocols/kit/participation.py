"""Who learns together, who takes part in a round, and what becomes of those who do not finish it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal, Protocol

from pydantic import Field

from slfac_sim.effects import MISSED, Failed, Failure, HostDown, Note, Present, Task, Together
from slfac_sim.foundation.plugins import Plugin, settings
from slfac_sim.foundation.streams import stream
from slfac_sim.foundation.units import Count, Seconds
from slfac_sim.protocols.selections.all import All

if TYPE_CHECKING:
    from slfac_sim.codecs import Payload
    from slfac_sim.effects import Compute, Send
    from slfac_sim.learning.participants import Device, EdgeServer

Order = Literal["fixed", "random"]


class Participants(Protocol):
    """Who learns together, and how the outcome is measured: a protocol asks no more of a world than this."""

    @property
    def devices(self) -> Sequence[Device]:
        """The devices, in device order."""

    @property
    def server(self) -> EdgeServer:
        """The edge server; where there are several, the cloud above them."""

    @property
    def servers(self) -> Sequence[str]:
        """The names of the servers that devices learn with."""

    @property
    def homes(self) -> Mapping[str, str]:
        """The server that each device learns with, by name."""

    def at(self, server: str) -> Participants:
        """Return the participants at one of `servers`, that and its devices, for which nobody else waits."""

    @property
    def waits_for_server(self) -> bool:
        """Whether a round waits while its server is down, or goes on without what that would do."""

    @property
    def seed(self) -> int:
        """The seed of everything that is drawn for learning."""

    @property
    def may_be_absent(self) -> bool:
        """Whether a host can be down; where none can, nobody is asked who is there."""

    def expected_s(self, device: str) -> float:
        """Return about how long a round of `device` takes with the air and the server to itself."""

    def evaluate(self, model: bytes, last: bool = False) -> dict[str, Any]:
        """Return the figures of `evals` for the devices' common part in the body `model`.

        The `last` evaluation of a training tells the accuracy without the codec too.
        """

    def begin_round(self, round_number: int) -> None:
        """Take note that `round_number` begins: from now on learning rates are those of this round."""

    @property
    def stopped(self) -> bool:
        """Whether the training has reached what it was to last until, so that no further round begins."""

    def due(self, round_number: int, rounds: int) -> bool:
        """Return whether round `round_number` of `rounds` ends with an evaluation."""

    def begun(self) -> tuple[int, Payload]:
        """Return how many rounds are done, and what the devices have learnt in common until then."""

    def keep(self, round_number: int, model: Payload, carried: Mapping[str, Any] = ...) -> None:
        """Take note that `round_number` is done and left `model`, and that the protocol has `carried`."""

    def carried(self) -> Mapping[str, Any]:
        """Return what the protocol had carried when the last round that is done was kept."""


@settings
class Participation:
    """Who is asked in a round, and how long it waits for them.

    A device that is away or down when the round begins is not asked. Work of those that are not done when it
    ends is cut short, their transfers cease and free the air, and their half is not averaged; what the server
    has learnt from them stays. Each is a row of `misses`. Ask for more than enough (`select: {kind: random,
    count: 12}`, `enough: 10`), and the slowest do not hold up the round.
    """

    select: Annotated[Any, Plugin("slfac_sim.protocols.selections", "all")] = All()
    """Who is asked, among the devices that are there when the round begins."""
    deadline: Annotated[Seconds, Field(gt=0.0)] | None = None
    """How long after its devices were set to work a round ends at the latest; null: it waits for all."""
    enough: Count | None = None
    """Devices that have to be done for the round to end; null: all that were asked."""

    @property
    def timing_steers_learning(self) -> bool:
        """Whether another clock could change who takes part or who finishes."""
        return self.deadline is not None or self.enough is not None or self.select.timing_steers_learning

    def check(self, devices: int) -> None:
        """Raise `ValueError` for what so many devices cannot meet."""
        if self.enough is None:
            return
        if self.enough > devices:
            raise ValueError(
                f"participation.enough must be at most devices.count, {devices} (got {self.enough})"
            )
        asked = self.select.at_most(devices)
        if self.enough > asked:
            raise ValueError(
                f"participation.enough must be at most {asked}, as many as participation.select ever asks"
                f" (got {self.enough})"
            )

    def choose(self, participants: Participants, round_number: int) -> Task:
        """Return the devices that take part in round `round_number`, in device order.

        Waits until one is there. Raises `Failure` when none ever will be.
        """
        names = tuple(device.name for device in participants.devices)
        there = names
        if participants.may_be_absent:
            there = yield Present(names, wait=True)
            if not there:
                raise nobody_left(round_number)
            for name in names:
                if name not in there:
                    yield miss(round_number, name, "absent")
        return self.among(participants, round_number, there)

    def among(self, participants: Participants, round_number: int, there: Sequence[str]) -> list[Device]:
        """Return those of the devices that are `there` that take part, in device order."""
        chosen = set(self.select.choose(there, round_number, participants.seed, participants.expected_s))
        return [device for device in participants.devices if device.name in chosen]

    def present(self, participants: Participants) -> Task:
        """Return the devices that are there now, in device order."""
        if not participants.may_be_absent:
            return list(participants.devices)
        there = yield Present(tuple(device.name for device in participants.devices))
        return [device for device in participants.devices if device.name in there]

    def gather(self, round_number: int, devices: Sequence[Any], tasks: Sequence[Task]) -> Task:
        """Run the `tasks` of `devices` side by side and return the results of those that were done.

        The others are noted.
        """
        results = yield Together(tasks, self.deadline, self.enough)
        done = [result for result in results if result is not MISSED and not isinstance(result, Failed)]
        cut = "enough" if self.enough is not None and len(done) >= self.enough else "deadline"
        for device, result in zip(devices, results, strict=True):
            reason = result.reason if isinstance(result, Failed) else cut
            if result is MISSED or isinstance(result, Failed):
                yield miss(round_number, device.name, reason)
        return done


def miss(round_number: int, device: str, reason: str) -> Note:
    """Return the row that says why `device` did not finish a round."""
    return Note("misses", {"round": round_number, "device": device, "reason": reason})


def nobody_left(round_number: int) -> Failure:
    """Return what is raised for a round that no device will ever be there for."""
    return Failure(f"round {round_number} cannot begin: no device is left")


def in_order(devices: Sequence[Device], order: Order, round_number: int, seed: int) -> list[Device]:
    """Return `devices` in device order, or in an order that is drawn for round `round_number`."""
    if order == "fixed":
        return list(devices)
    return [devices[place] for place in stream(seed, "order", round_number).permutation(len(devices))]


def in_turn(first: Task, then: Task) -> Task:
    """Do `first` and then `then`, whose result is returned.

    A `Failure` of `first` is one of `then` as well, as if its first effect had failed: so it excuses itself
    from queues that wait for it.
    """
    try:
        yield from first
    except Failure as failure:
        yield from _fail(then, failure)
        raise
    return (yield from then)


def _fail(task: Task, failure: Failure) -> Task:
    try:
        next(task)  # is not performed
        effect = task.throw(failure)
        while True:
            effect = task.send((yield effect))
    except StopIteration:
        return


def steadily(participants: Participants, effect: Compute | Send) -> Task:
    """Have `effect` done on the server, again if that goes down meanwhile and a round waits for it.

    Raises `HostDown` if it stays down, or if it is up and nobody is there to send to.
    """
    host = participants.server.name
    while True:
        try:
            return (yield effect)
        except HostDown:
            if not participants.waits_for_server:
                raise
            if (yield Present((host,))) or not (yield Present((host,), wait=True)):
                raise
