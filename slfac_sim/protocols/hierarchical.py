"""Hierarchical split learning: parallel split learning at each of several edges, which a cloud averages.

Liu et al., 2020, "Client-Edge-Cloud Hierarchical Federated Learning" (arXiv:1905.06641, algorithm 1, HierFAVG):
edges average their clients' models, and every so many of these averages the cloud averages the edges', weighted
by samples. Here what an edge has is a split model, as in SplitFed (Thapa et al., 2022): the average of its
devices' halves, and the server's half that has learnt beside them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from slfac_sim.effects import Compute, Failed, Failure, Task, Together
from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import Count
from slfac_sim.protocols import Broadcast, InitialModel, Participation, RoundProtocol, Share
from slfac_sim.protocols.fedavg import average, learnt
from slfac_sim.protocols.kit.edges import choose, encode_for_edges, hand_in, homes, take
from slfac_sim.protocols.kit.exchange import in_cohorts
from slfac_sim.protocols.kit.models import hand_out
from slfac_sim.protocols.kit.participation import miss, steadily

if TYPE_CHECKING:
    from slfac_sim.codecs import Payload
    from slfac_sim.learning.edges import EdgeOfCloud
    from slfac_sim.learning.participants import Device
    from slfac_sim.protocols import Participants


@dataclass(frozen=True)
class _Arrived:
    """The model of an edge as the cloud has it: its state, and the samples that it has learnt from since."""

    state: Any
    samples: int


@settings
class Hierarchical(RoundProtocol):
    """Each edge does a round of `parallel` with its own devices and its own half; the edges do so side by side.

    Every `cloud_every` rounds, and after the last, edges send both halves to the cloud, which averages them by
    the samples that each has learnt from since, and sends the mean back before the next round. Optimisers'
    moments stay where they are. Between, what is evaluated is the mean that the cloud would have.

    Nobody waits for an edge that is down: its devices miss the round, and when it is up again it goes on from
    the cloud's newest model. A cloud that is down is waited for.
    """

    references: ClassVar[tuple[str, ...]] = ("liu2020client", "thapa2022splitfed")
    layout: ClassVar[str] = "split_edges"
    servers: ClassVar[Literal["one", "edges"]] = "edges"

    rounds: Count = 8
    steps: Count | None = None
    cloud_every: Count = 1
    """Rounds of the edges from one average of the cloud to the next: more spare the way to it, and edges learn
    apart for longer.
    """
    model_broadcast: Broadcast = "multicast"
    """Whether an edge sends the device half once for all its devices (`multicast`) or once for each."""
    initial_model: InitialModel = "seed"
    participation: Participation = Participation()
    """Who is asked to take part in a round, among the devices of all edges; `deadline` and `enough` are those of
    an edge.
    """

    @property
    def timing_steers_learning(self) -> bool:
        """Whether another clock could change who takes part or who finishes."""
        return self.participation.timing_steers_learning

    def round(self, participants: Participants, round_number: int, model: Payload) -> Task:
        """Let every edge do its round, and the cloud average what they bring."""
        devices = yield from choose(self.participation, participants, round_number)
        edges = [participants.at(name) for name in participants.servers]
        home = homes(participants)
        groups = [[device for device in devices if home[device.name] == name] for name in participants.servers]
        sent = yield from self._encoded(participants, edges, groups)
        to_cloud = round_number % self.cloud_every == 0 or round_number == self.rounds
        results = yield Together(
            [
                self._at_edge(participants, edge, group, round_number, sent, to_cloud)
                for edge, group in zip(edges, groups, strict=True)
            ]
        )
        shares = [share for mine, _ in results for share in mine]
        arrived = [arrival for _, arrival in results if arrival is not None]
        cloud: Any = participants.server
        if not to_cloud:
            return cloud.mean_of_edges(model), shares
        return (yield from _average(participants, arrived, model)), shares

    def _encoded(
        self,
        participants: Participants,
        edges: Sequence[Participants],
        groups: Sequence[Sequence[Device]],
    ) -> Task:
        """Encode the cloud's model, if the edge of one of `groups` does not have it yet."""
        cloud: Any = participants.server
        servers: list[Any] = [edge.server for edge, group in zip(edges, groups, strict=True) if group]
        if all(server.averaged == cloud.averaged for server in servers):
            return None
        return (yield from encode_for_edges(participants, cloud.model))

    def _at_edge(
        self,
        participants: Participants,
        edge: Participants,
        devices: Sequence[Device],
        round_number: int,
        sent: Payload | None,
        to_cloud: bool,
    ) -> Task:
        """Yield the round of one edge; returns the shares of its devices, and what has arrived at the cloud."""
        server: Any = edge.server
        shares: list[Share] = []
        left = [device.name for device in devices]
        try:
            if devices:
                if sent is not None and server.averaged != participants.server.averaged:
                    yield from take(participants, server, sent)
                is_known = self.is_known(round_number)
                learning = partial(in_cohorts, steps=self.steps)
                shares = yield from learnt(self, edge, round_number, devices, server.model, is_known, learning)
                left = [share.device for share in shares]
                mean = yield from average(edge, devices, shares, server.model)
                server.keep(mean, sum(share.samples for share in shares))
                left = []
            arrived = None
            if to_cloud and server.samples:
                arrived = _Arrived((yield from hand_in(participants, server)), server.samples)
        except Failure as failure:
            for device in left:
                yield miss(round_number, device, failure.reason)
            return [] if left else shares, None
        return shares, arrived

    def hand_out_last(self, participants: Participants, model: Payload) -> Task:
        """Bring the cloud's model to the edges, and from there to all devices that are there."""
        sent = yield from encode_for_edges(participants, model)
        edges = [participants.at(name) for name in participants.servers]
        yield Together([self._handed_out(participants, edge, sent) for edge in edges])

    def _handed_out(self, participants: Participants, edge: Participants, sent: Payload) -> Task:
        server: Any = edge.server
        yield from take(participants, server, sent)
        devices = yield from self.participation.present(edge)
        yield from hand_out(edge, devices, server.model, self.model_broadcast)


def _average(participants: Participants, arrived: Sequence[_Arrived], model: Payload) -> Task:
    """Return the cloud's mean of the models of edges, weighted by samples; `model` where there is none."""
    if not arrived:
        return model
    cloud: Any = participants.server
    states, samples = [edge.state for edge in arrived], [edge.samples for edge in arrived]
    mean = partial(cloud.average_edges, states, samples)
    flops = 2.0 * model.values * len(arrived)
    return (yield from steadily(participants, Compute(cloud.name, flops, mean, "average")))
