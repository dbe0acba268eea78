"""Parallel split learning: all devices at once, one batched step of the server over the cohort.

Device-side halves are averaged at the end of each round, as SplitFed V1 does (Thapa et al., 2022,
arXiv:2004.12088, section 3); the server keeps one half and takes one step over the whole cohort.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from slfac_sim.effects import Compute, Note, Offer, Send, Task, Together
from slfac_sim.foundation.citing import Reference
from slfac_sim.foundation.plugins import settings

if TYPE_CHECKING:
    from slfac_sim.codecs import Payload
    from slfac_sim.learning.batches import Indices
    from slfac_sim.learning.participants import Device
    from slfac_sim.protocols import Participants

Count = Annotated[int, Field(ge=1)]


@settings
class Parallel:
    """`rounds` rounds of `steps` mini-batches per device, or of one local epoch when `steps` is null.

    There are two barriers: the server waits for the whole cohort of a step, and for all device halves at
    the end of a round. A device that has its gradient goes on at once. In a local epoch, devices that
    have run out of batches leave the cohort. `model_broadcast` sends the average once at the slowest
    device's rate (`multicast`) or once for each device (`unicast`). Initial halves come from the seed at
    no cost, or are sent by the server (`initial_model: broadcast`).
    """

    references: ClassVar[tuple[Reference, ...]] = (
        Reference(
            key="thapa2022splitfed",
            entry="inproceedings",
            title="SplitFed: When Federated Learning Meets Split Learning",
            authors=(
                "Thapa, Chandra",
                "Mahawaga Arachchige, Pathum Chamikara",
                "Camtepe, Seyit",
                "Sun, Lichao",
            ),
            year=2022,
            within="AAAI Conference on Artificial Intelligence",
            volume="36",
            number="8",
            pages="8485-8493",
            doi="10.1609/aaai.v36i8.20825",
            arxiv="2004.12088",
        ),
    )

    timing_steers_learning: ClassVar[bool] = False

    rounds: Count = 8
    steps: Count | None = None
    model_broadcast: Literal["multicast", "unicast"] = "multicast"
    initial_model: Literal["seed", "broadcast"] = "seed"

    def run(self, participants: Participants) -> Task:
        """Yield the effects of the whole training."""
        devices, server = participants.devices, participants.server
        model = devices[0].model_payload()
        yield Note("evals", {"round": 0, **participants.evaluate(model.body)})
        to_send = self.initial_model == "broadcast"
        for number in range(1, self.rounds + 1):
            results = yield from self._round(participants, number, model if to_send else None)
            flops = 2.0 * len(devices) * devices[0].model_values
            states, used, _ = zip(*results, strict=True)
            model = yield Compute(server.name, flops, partial(server.average, states, used), "average")
            to_send = True
            if participants.due(number, self.rounds):
                yield Note("evals", {"round": number, **participants.evaluate(model.body)})
            yield Note("rounds", _summary(number, results))
        yield from self._hand_out(participants, model)

    def device_steps(self, participants: Participants) -> int:
        """Return how many mini-batches all devices together go through."""
        return self.rounds * sum(self._steps_of(device) for device in participants.devices)

    def _round(self, participants: Participants, number: int, incoming: Payload | None) -> Task:
        devices, server = participants.devices, participants.server.name
        if incoming is not None:
            yield from self._multicast(devices, server, incoming)
        lengths = [self._steps_of(device) for device in devices]
        tasks = []
        for device in devices:
            batches = zip(_cohorts(lengths), self._batches(device, number), strict=False)
            tasks.append(self._device_round(participants, device, number, incoming, batches))
        return (yield Together(tasks))

    def _steps_of(self, device: Device) -> int:
        return self.steps if self.steps is not None else device.shard.steps_per_epoch()

    def _batches(self, device: Device, number: int) -> Iterator[Indices]:
        if self.steps is None:
            return iter(device.shard.epoch(number - 1))
        return (device.next_batch() for _ in range(self.steps))

    def _device_round(
        self,
        participants: Participants,
        device: Device,
        number: int,
        incoming: Payload | None,
        batches: Iterator[tuple[int, Indices]],
    ) -> Task:
        """One device's round: take the average, learn from its batches, hand in its half."""
        server = participants.server
        if incoming is not None:
            yield from self._take_model(device, server.name, incoming)
        samples, loss = 0, 0.0
        for step, (cohort, batch) in enumerate(batches, start=1):
            feedback = yield from exchange(participants, device, batch, f"{number}.{step}", cohort)
            seen = {"samples": len(batch), "loss": feedback.loss, "accuracy": feedback.correct / len(batch)}
            yield Note("steps", {"round": number, "step": step, "device": device.name, **seen})
            samples, loss = samples + len(batch), loss + feedback.loss * len(batch)
        state = yield from _hand_in(participants, device)
        return state, samples, loss

    def _hand_out(self, participants: Participants, model: Payload) -> Task:
        devices, server = participants.devices, participants.server.name
        yield from self._multicast(devices, server, model)
        yield Together([self._take_model(device, server, model) for device in devices])

    def _multicast(self, devices: Sequence[Device], server: str, model: Payload) -> Task:
        """Encode the average, and send it to all devices at once if it goes by multicast."""
        encode_flops, _ = devices[0].model_codec_flops
        yield Compute(server, encode_flops, _nothing, "encode_model")
        if self.model_broadcast == "multicast":
            yield Send(server, tuple(device.name for device in devices), {"model_down": model})

    def _take_model(self, device: Device, server: str, model: Payload) -> Task:
        if self.model_broadcast == "unicast":
            yield Send(server, device.name, {"model_down": model})
        _, decode_flops = device.model_codec_flops
        yield Compute(device.name, decode_flops, lambda: device.load_model(model.body), "decode_model")


def exchange(participants: Participants, device: Device, batch: Indices, step: str, cohort: int) -> Task:
    """One mini-batch, there and back; returns the server's `Feedback`. `cohort` devices share the step."""
    server, cost, n = participants.server, device.exchange, len(batch)
    smashed = yield Compute(
        device.name, n * cost.work.device_forward_flops, lambda: device.forward(batch), "forward"
    )
    there = yield Compute(device.name, n * cost.encode_up_flops, lambda: device.encode(smashed), "encode")
    labels = device.encode_labels(smashed)
    yield Send(device.name, server.name, {"smashed_up": there, "labels": labels})
    arrived = yield Compute(
        server.name,
        n * cost.decode_up_flops,
        lambda: server.decode(device.name, there.body, labels.body),
        "decode",
    )
    feedback = yield Offer(
        server.name, f"cohort {step}", device.place, arrived, server.train,
        n * cost.work.server_step_flops, cohort, "train",
    )  # fmt: skip
    back = yield Compute(
        server.name,
        n * cost.encode_down_flops,
        lambda: server.encode(device.name, feedback, there.body),
        "encode",
    )
    yield Send(server.name, device.name, {"smashed_down": back})
    gradient = yield Compute(
        device.name, n * cost.decode_down_flops, lambda: device.decode(back.body, there.body), "decode"
    )
    yield Compute(
        device.name,
        n * cost.work.device_backward_flops,
        lambda: device.backward(smashed.pending, gradient),
        "backward",
    )
    return feedback


def _hand_in(participants: Participants, device: Device) -> Task:
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


def _cohorts(lengths: Sequence[int]) -> Iterator[int]:
    """Yield, step by step, how many devices still have a batch when `lengths` are their numbers of steps."""
    for step in range(max(lengths)):
        yield sum(length > step for length in lengths)


def _summary(number: int, results: Sequence[tuple[Any, int, float]]) -> dict[str, Any]:
    samples = sum(used for _, used, _ in results)
    loss = sum(total for _, _, total in results) / samples
    return {"round": number, "devices": len(results), "samples": samples, "loss": loss}


def _nothing() -> None:
    """Stand in for work whose result is at hand already."""
