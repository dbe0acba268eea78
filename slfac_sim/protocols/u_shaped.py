"""U-shaped split learning: head and tail on the devices, the body on the server; labels never leave home.

Vepakomma et al., 2018 (arXiv:1812.00564), the configuration without label sharing. Four messages per
mini-batch: activations up, the body's activations down, their gradient up, the gradient at the cut down.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from slfac_sim.effects import Compute, Excuse, Offer, Task
from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import BlockName, Count
from slfac_sim.protocols import Broadcast, InitialModel, Participation, Schedule
from slfac_sim.protocols.fedavg import FederatedAveraging
from slfac_sim.protocols.kit.exchange import Meeting, meetings, message
from slfac_sim.protocols.kit.mini_batches import batches_of, learn, steps_of

if TYPE_CHECKING:
    from slfac_sim.learning.batches import Indices
    from slfac_sim.learning.halves import Feedback
    from slfac_sim.learning.u_shape import Middle, UDevice, UServer
    from slfac_sim.protocols import Participants


@settings
class UShaped(FederatedAveraging):
    """Head and tail of the model are on the devices, the body is on the server.

    The server waits twice in a step: it runs the body over the smashed data of the whole cohort as one batch,
    and takes one step when it has all their gradients. Head and tail are averaged at the end of a round. With
    one step a round that is one step on the large batch, as in `parallel`; with more, the tails learn apart
    in between, as the heads do. The uplink's codec is used on both messages up, the downlink's on both
    messages down.
    """

    references: ClassVar[tuple[str, ...]] = ("vepakomma2018split",)
    layout: ClassVar[str] = "u_shape"

    rounds: Count = 8
    steps: Count | None = None
    tail: BlockName | None = None
    """Block with which the tail begins, the last part of the model, which devices hold as they do the head;
    null: the last block with weights.
    """
    model_broadcast: Broadcast = "multicast"
    initial_model: InitialModel = "seed"
    participation: Participation = Participation()

    @property
    def schedule(self) -> Schedule:
        """What a round asks of devices, server and air in which order."""
        return Schedule(steps=self.steps, exchanges=2, broadcast=self.model_broadcast)

    def learning(
        self, participants: Participants, round_number: int, devices: Sequence[Any]
    ) -> Iterator[Task]:
        """Yield the task of each of `devices`, in step with the others.

        A device that fails is excused from all that still waits for it: a cohort whose body has seen its
        smashed data then steps without its gradient.
        """
        server: Any = participants.server
        lengths = [steps_of(device, self.steps) for device in devices]
        ahead = meetings(round_number, lengths)
        for device, length in zip(devices, lengths, strict=True):
            excuses = [
                Excuse(server.name, _queue(way, meeting))
                for meeting in ahead[:length]
                for way in ("forward", "backward")[: 1 + device.inner.answered]
            ]
            batches = batches_of(device, self.steps, round_number)
            exchange = partial(_exchange, server, device, ahead, excuses)
            yield learn(device.name, round_number, batches, exchange, excuses)


def _queue(way: str, meeting: Meeting) -> str:
    return f"{way} {meeting.round_number}.{meeting.step}"


def _exchange(
    server: UServer,
    device: UDevice,
    ahead: Sequence[Meeting],
    excuses: list[Excuse],
    step: int,
    batch: Indices,
) -> Task:
    """One mini-batch through head, body and tail, and back; returns the device's own `Feedback`.

    The first two of the `excuses` are dropped as the cohort has met.
    """
    n, outer, inner, meeting = len(batch), device.exchange, device.inner, ahead[step - 1]
    forward = partial(device.forward, batch)
    smashed = yield Compute(device.name, n * outer.work.device_forward_flops, forward, "forward")
    up, arrived = yield from message(
        (device.name, n * outer.encode_up_flops, lambda: device.encode(smashed)),
        (server.name, n * outer.decode_up_flops, lambda body: server.decode(device.name, body)),
        "smashed_up",
    )
    middle = yield _pass(server, device, meeting, arrived, n, "forward")
    excuses.pop(0)
    down, activations = yield from message(
        (server.name, n * inner.encode_down_flops, lambda: server.encode_middle(device.name, middle)),
        (device.name, n * inner.decode_down_flops, device.decode_middle),
        "middle_down",
    )
    tail_flops = n * (inner.work.device_forward_flops + inner.work.device_backward_flops)
    feedback = yield Compute(device.name, tail_flops, partial(device.judge, activations, smashed), "tail")
    back = None
    if inner.answered:
        own = yield from _to_body(server, device, meeting, middle, feedback, down.body)
        excuses.pop(0)
    if outer.answered:
        _, back = yield from message(
            (
                server.name,
                n * outer.encode_down_flops,
                lambda: server.encode_gradient(device.name, own, up.body),
            ),
            (device.name, n * outer.decode_down_flops, lambda body: device.decode(body, up.body)),
            "smashed_down",
        )
    else:
        device.hear(up.body)
    backward = partial(device.backward, smashed.pending, back)
    yield Compute(device.name, n * outer.work.device_backward_flops, backward, "backward")
    return feedback


def _to_body(
    server: UServer, device: UDevice, meeting: Meeting, middle: Middle, feedback: Feedback, asked: bytes
) -> Task:
    """Bring the gradient at the tail to the body, which learns; returns the device's own at the cut."""
    inner, n = device.inner, len(middle.tensor)
    _, gradient = yield from message(
        (device.name, n * inner.encode_up_flops, lambda: device.encode_gradient(feedback, asked)),
        (
            server.name,
            n * inner.decode_up_flops,
            lambda body: server.decode_gradient(device.name, body, asked),
        ),
        "middle_up",
    )
    return (yield _pass(server, device, meeting, (middle, gradient), n, "backward"))


def _pass(server: UServer, device: UDevice, meeting: Meeting, item: object, n: int, way: str) -> Offer:
    """Return the offer of `item` to the body's pass one way over the whole cohort."""
    work = device.exchange.work
    serve = server.forward if way == "forward" else server.backward
    flops = n * (work.server_forward_flops if way == "forward" else work.server_backward_flops)
    queue = _queue(way, meeting)
    return Offer(server.name, queue, device.place, item, serve, flops, meeting.devices, way)
