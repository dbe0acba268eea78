"""How device halves travel and are averaged: handed out, taken, handed in. It knows no batch."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from slfac_sim.effects import Compute, HostDown, Present, Send, Task, Together
from slfac_sim.protocols._participation import steadily

if TYPE_CHECKING:
    from slfac_sim.codecs import Payload
    from slfac_sim.learning.participants import Device
    from slfac_sim.learning.whole import WholeDevice
    from slfac_sim.protocols import Participants
    from slfac_sim.protocols._rounds import Share

Broadcast = Literal["multicast", "unicast"]


def announce(participants: Participants, devices: Sequence[Device], model: Payload, way: Broadcast) -> Task:
    """Encode `model` on the server, and send it to all `devices` at once if it goes by multicast."""
    server = participants.server.name
    encode_flops, _ = devices[0].model_codec_flops
    yield from steadily(server, Compute(server, encode_flops, nothing, "encode_model"))
    if way == "multicast":
        names = tuple(device.name for device in devices)
        try:
            yield from steadily(server, Send(server, names, {"model_down": model}))
        except HostDown:  # of devices, each of which finds out for itself, unless it is the server
            if not (yield Present((server,))):
                raise


def take(participants: Participants, device: Device | WholeDevice, model: Payload, way: Broadcast) -> Task:
    """Have `device` load `model`, after it was sent to it alone if it goes by unicast."""
    if way == "unicast":
        yield Send(participants.server.name, device.name, {"model_down": model})
    _, decode_flops = device.model_codec_flops
    yield Compute(device.name, decode_flops, lambda: device.load_model(model.body), "decode_model")


def hand_in(participants: Participants, device: Device) -> Task:
    """Send the device's half to the server; returns its state as the server decoded it."""
    server = participants.server.name
    encode_flops, decode_flops = device.model_codec_flops
    model = yield Compute(device.name, encode_flops, device.model_payload, "encode_model")
    yield Send(device.name, server, {"model_up": model})
    return (
        yield Compute(
            server, decode_flops, lambda: participants.server.decode_model(model.body), "decode_model"
        )
    )


def average(participants: Participants, shares: Sequence[Share], model: Payload) -> Task:
    """Return the mean of the halves in `shares`, weighted by samples; `model` where there is none."""
    if not shares:
        return model
    server = participants.server
    states, samples = [share.state for share in shares], [share.samples for share in shares]
    flops = 2.0 * len(shares) * participants.devices[0].model_values
    work = Compute(server.name, flops, partial(server.average, states, samples), "average")
    return (yield from steadily(server.name, work))


def hand_out(participants: Participants, devices: Sequence[Device], model: Payload, way: Broadcast) -> Task:
    """Bring `model` to all `devices`; those that cannot be reached go without it."""
    if not devices:
        return
    yield from announce(participants, devices, model, way)
    yield Together([take(participants, device, model, way) for device in devices])


def nothing() -> Any:
    """Stand in for work whose result is at hand already."""
