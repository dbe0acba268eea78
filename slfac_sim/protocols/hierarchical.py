"""Hierarchical split learning: parallel split learning at each of several edges, which a cloud averages.

Liu et al., 2020, "Client-Edge-Cloud Hierarchical Federated Learning" (arXiv:1905.06641, HierFAVG): edges
average the models of their clients, and once in so many such averages a cloud averages those of the edges,
weighted by samples. Khan et al., 2024 ("A Joint Communication and Learning Framework for Hierarchical Split
Federated Learning") cut the models, with a part on each device and the other at its edge. Their choices of
groups, of accuracies and of radio resources are not here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from slfac_sim.effects import Compute, Failure, Task, Together
from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import Count
from slfac_sim.protocols import Broadcast, InitialModel, Participation, RoundProtocol, Schedule
from slfac_sim.protocols.fedavg import average, learnt
from slfac_sim.protocols.kit.edges import bring_to_cloud, choose, encode_for_edges, take_from_cloud
from slfac_sim.protocols.kit.exchange import in_cohorts
from slfac_sim.protocols.kit.models import hand_out
from slfac_sim.protocols.kit.participation import miss, steadily

if TYPE_CHECKING:
    from slfac_sim.codecs import Payload
    from slfac_sim.learning.participants import Device
    from slfac_sim.protocols import Participants


@dataclass(frozen=True)
class _Round:
    """A round as edges are told of it: whether it ends at the cloud, and the model that this has `sent`."""

    number: int
    to_cloud: bool
    sent: Any


@settings
class Hierarchical(RoundProtocol):
    """Each edge does a round of `parallel` with its own devices and its own half, beside the others.

    Every `cloud_every` rounds, and after the last, edges send both halves to the cloud. It averages them by
    the samples that each has learnt from since, and sends the mean back before the next round. The moments of
    optimisers stay where they are. What is evaluated between is the mean that the cloud would have.

    Nobody waits for an edge that is down: its devices miss the round, and when it is up again it goes on from
    the cloud's newest model. A cloud that is down is waited for.
    """

    references: ClassVar[tuple[str, ...]] = ("liu2020client", "khan2024joint", "thapa2022splitfed")
    layout: ClassVar[str] = "split_edges"
    servers: ClassVar[Literal["one", "edges"]] = "edges"

    rounds: Count = 8
    steps: Count | None = None
    cloud_every: Count = 1
    """Rounds of the edges from one average of the cloud to the next: more of them spare the way to the cloud,
    and leave edges to learn apart for longer.
    """
    model_broadcast: Broadcast = "multicast"
    """Whether an edge sends the device half once for all its devices (`multicast`) or once for each."""
    initial_model: InitialModel = "seed"
    participation: Participation = Participation()
    """Who is asked to take part in a round, among the devices of all edges; `deadline` and `enough` are those
    of one edge.
    """

    @property
    def schedule(self) -> Schedule:
        """What a round asks of devices, edges, cloud and air in which order."""
        return Schedule(steps=self.steps, broadcast=self.model_broadcast, cloud_every=self.cloud_every)

    def round(self, participants: Participants, round_number: int, model: Payload) -> Task:
        """Let every edge do its round, and the cloud average what they bring."""
        devices = yield from choose(self.participation, participants, round_number)
        groups = {
            name: [device for device in devices if participants.homes[device.name] == name]
            for name in participants.servers
        }
        cloud = _cloud(participants)
        edges: list[Any] = [participants.at(name).server for name, group in groups.items() if group]
        sent = None
        if any(edge.averaged != cloud.averaged for edge in edges):
            sent = yield from encode_for_edges(participants, cloud.model)
        to_cloud = round_number % self.cloud_every == 0 or round_number == self.rounds
        this = _Round(round_number, to_cloud, sent)
        results = yield Together(
            [self._at_edge(participants, name, group, this) for name, group in groups.items()]
        )
        shares = [share for mine, _ in results for share in mine]
        if not to_cloud:
            return cloud.mean_of_edges(model), shares
        arrived = [arrival for _, arrival in results if arrival is not None]
        return (yield from _average(participants, arrived, model)), shares

    def _at_edge(
        self, participants: Participants, name: str, devices: Sequence[Device], this: _Round
    ) -> Task:
        """Do the round of an edge; returns its shares, and with how many samples what came to the cloud.

        A `Failure` ends it: who has not been averaged until then misses the round.
        """
        edge, cloud = participants.at(name), _cloud(participants)
        server: Any = edge.server
        left, shares, arrival = [device.name for device in devices], [], None
        try:
            if devices:
                if server.averaged != cloud.averaged:
                    yield from take_from_cloud(participants, server, this.sent)
                is_known = self.is_known(this.number)
                learning = partial(in_cohorts, steps=self.steps)
                shares = yield from learnt(self, edge, this.number, devices, server.model, is_known, learning)
                left = [share.device for share in shares]
                mean = yield from average(edge, devices, shares, server.model)
                server.keep(mean, sum(share.samples for share in shares))
                left = []
            if this.to_cloud and server.samples:
                state = yield from bring_to_cloud(participants, server)
                arrival = state, server.samples
        except Failure as failure:
            for device in left:
                yield miss(this.number, device, failure.reason)
        return ([] if left else shares), arrival

    def hand_out_last(self, participants: Participants, model: Payload) -> Task:
        """Bring the cloud's model to the edges, and from there to all devices that are there."""
        sent = yield from encode_for_edges(participants, model)
        yield Together([self._handed_out(participants, name, sent) for name in participants.servers])

    def _handed_out(self, participants: Participants, name: str, sent: Payload) -> Task:
        edge = participants.at(name)
        server: Any = edge.server
        yield from take_from_cloud(participants, server, sent)
        devices = yield from self.participation.present(edge)
        yield from hand_out(edge, devices, server.model, self.model_broadcast)


def _cloud(participants: Participants) -> Any:
    """Return the server above the edges."""
    return participants.server


def _average(participants: Participants, arrived: Sequence[tuple[Any, int]], model: Payload) -> Task:
    """Return the cloud's mean of the states of edges, weighted by samples; `model` where there is none."""
    if not arrived:
        return model
    cloud = _cloud(participants)
    states, samples = zip(*arrived, strict=True)
    mean = partial(cloud.average_edges, states, samples)
    flops = 2.0 * model.values * len(arrived)
    return (yield from steadily(participants, Compute(cloud.name, flops, mean, "average")))
