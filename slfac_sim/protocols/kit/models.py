"""How models, or halves of them, travel: handed out, taken, handed in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from slfac_sim.effects import Compute, HostDown, Present, Send, Task, Together, TransferLost
from slfac_sim.protocols.kit.participation import Participants, steadily

if TYPE_CHECKING:
    from slfac_sim.codecs import Payload
    from slfac_sim.learning.participants import Device
    from slfac_sim.learning.whole import WholeDevice
    from slfac_sim.scenario.schedule import Broadcast


@dataclass(frozen=True)
class Handout:
    """A model for devices to take, encoded, by the size of the part that it is.

    One multicast has brought the only part to `reached`; None: each device is sent the part of its size.
    """

    parts: Mapping[int, Payload]
    reached: tuple[str, ...] | None = None

    def part_of(self, device: Device | WholeDevice) -> Payload:
        """Return what `device` is sent, or was."""
        return self.parts.get(device.model_values) or max(self.parts.values(), key=lambda part: part.values)


def announce(
    participants: Participants, devices: Sequence[Device], model: Payload, broadcast: Broadcast
) -> Task:
    """Encode `model` on the server, and send it to all `devices` at once if it goes by multicast.

    Of the model a device needs as many values as its own part has; a multicast has those of the largest part.
    Parts without weights that learn need none. A device that lacks frozen weights is sent them beside, once.
    Returns the `Handout`.
    """
    server = participants.server.name
    if broadcast == "multicast":
        yield from _bring_frozen(participants, [device for device in devices if device.lacks_frozen])
    devices = [device for device in devices if device.model_values]
    if not devices:
        return Handout({})
    sizes = list(dict.fromkeys(device.model_values for device in devices))
    if broadcast == "multicast":
        sizes = [max(sizes)]
    encode_flops = sum(participants.server.model_codec_flops(values)[0] for values in sizes)
    encode = partial(participants.server.encode_model, model, sizes)
    parts = yield from steadily(participants, Compute(server, encode_flops, encode, "encode_model"))
    if broadcast == "unicast":
        return Handout(parts)
    (sent,) = parts.values()
    return Handout(parts, (yield from _multicast(participants, devices, sent)))


def take(participants: Participants, device: Device | WholeDevice, handout: Handout) -> Task:
    """Have `device` load the model. Raises `HostDown` if it did not get it, or is down."""
    if device.lacks_frozen:
        yield Send(participants.server.name, device.name, {"model_down": device.frozen_payload()})
        device.lacks_frozen = False
    if not device.model_values:
        return
    model = handout.part_of(device)
    if handout.reached is None:
        yield Send(participants.server.name, device.name, {"model_down": model})
    elif device.name not in handout.reached and (yield Present((device.name,))):
        raise unreached(device.name)
    _, decode_flops = device.model_codec_flops
    yield Compute(device.name, decode_flops, partial(device.load_model, model.body), "decode_model")


def _bring_frozen(participants: Participants, devices: Sequence[Device]) -> Task:
    """Send `devices` their frozen weights by one multicast, those of the largest part for all of them."""
    if devices:
        sent = max(devices, key=lambda device: device.frozen.size).frozen_payload()
        reached = yield from _multicast(participants, devices, sent)
        for device in devices:
            device.lacks_frozen = device.name not in reached


def _multicast(participants: Participants, devices: Sequence[Device], model: Payload) -> Task:
    """Send `model` to all `devices` at once; returns the names of those that it has reached."""
    server, names = participants.server.name, tuple(device.name for device in devices)
    try:
        return (yield from steadily(participants, Send(server, names, {"model_down": model})))
    except (HostDown, TransferLost):  # of all devices, unless it is the server that is down
        if not (yield Present((server,))):
            raise
        return ()


def unreached(host: str) -> HostDown:
    """Return what is raised for `host`, which is up and has missed a multicast: was down, or it was lost."""
    return HostDown(f"{host} missed a multicast")


def hand_in(
    participants: Participants,
    device: Device | WholeDevice,
    received: Callable[[bytes], Any] | None = None,
) -> Task:
    """Send the device's half to the server; returns its state as the server decoded it.

    With `received` it is what that makes of the body. Nothing is sent of a half in which nothing learns.
    """
    if not device.model_values:
        return device.frozen[:0]
    server, decode = participants.server.name, received or participants.server.decode_model
    encode_flops, _ = device.model_codec_flops
    _, decode_flops = participants.server.model_codec_flops(device.model_values)
    model = yield Compute(device.name, encode_flops, device.model_payload, "encode_model")
    yield Send(device.name, server, {"model_up": model})
    return (yield Compute(server, decode_flops, lambda: decode(model.body), "decode_model"))


def hand_out(
    participants: Participants, devices: Sequence[Device], model: Payload, broadcast: Broadcast
) -> Task:
    """Bring `model` to all `devices`; those that cannot be reached go without it."""
    if not devices:
        return
    handout = yield from announce(participants, devices, model, broadcast)
    yield Together([take(participants, device, handout) for device in devices])
