"""What protocols with several edges are written with: who is there, and the way to the cloud and back."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from slfac_sim.effects import Compute, Present, Send, Task
from slfac_sim.protocols.kit.participation import Participants, Participation, miss, nobody_left, steadily

if TYPE_CHECKING:
    from slfac_sim.codecs import Payload
    from slfac_sim.learning.edges import EdgeOfCloud


def choose(participation: Participation, participants: Participants, round_number: int) -> Task:
    """Return the devices that take part in a round, in device order, among those that are up with their edge.

    Waits until there is one. Raises `Failure` when none ever will be. It asks where nobody can be away too:
    effects then have the same numbers in a run in which somebody is.
    """
    home, names = participants.homes, [device.name for device in participants.devices]
    hosts = (*names, *participants.servers)
    while True:
        up = set((yield Present(hosts)))
        there = [name for name in names if {name, home[name]} <= up]
        if there:
            break
        if not (yield Present(tuple(host for host in hosts if host not in up), wait=True)):
            raise nobody_left(round_number)
    for name in names:
        if name not in there:
            reason = "absent" if name not in up else f"{home[name]} is down"
            yield miss(round_number, name, reason)
    return participation.among(participants, round_number, there)


def encode_for_edges(participants: Participants, model: Payload) -> Task:
    """Encode the cloud's `model` for edges; returns the payload."""
    cloud: Any = participants.server
    encode_flops, _ = cloud.model_codec_flops(model.values)
    encode = partial(cloud.encode_model, model, [model.values])
    sent = yield from steadily(participants, Compute(cloud.name, encode_flops, encode, "encode_model"))
    return sent[model.values]


def take_from_cloud(participants: Participants, edge: EdgeOfCloud, sent: Payload) -> Task:
    """Send the cloud's model to `edge`, which goes on from it. Raises `HostDown` if that is down."""
    cloud: Any = participants.server
    yield from steadily(participants, Send(cloud.name, edge.name, {"edge_down": sent}))
    _, decode_flops = edge.whole_codec_flops()
    load = partial(edge.take, sent.body, cloud.averaged)
    yield Compute(edge.name, decode_flops, load, "decode_model")


def bring_to_cloud(participants: Participants, edge: EdgeOfCloud) -> Task:
    """Send the model of `edge` to the cloud; returns its state as the cloud decoded it."""
    cloud: Any = participants.server
    encode_flops, _ = edge.whole_codec_flops()
    sent = yield Compute(edge.name, encode_flops, edge.whole_payload, "encode_model")
    yield from steadily(participants, Send(edge.name, cloud.name, {"edge_up": sent}))
    _, decode_flops = cloud.model_codec_flops(sent.values)
    decode = Compute(cloud.name, decode_flops, partial(cloud.decode_model, sent.body), "decode_model")
    return (yield from steadily(participants, decode))
