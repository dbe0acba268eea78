"""What a round asks of devices, server and air, whatever the layout of the model; no clock, nothing is sent.

Compressed sizes come from one real batch of one device at the initial weights: they are a first guess.
"""

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from slfac_sim.codecs import Codec, Tensor
from slfac_sim.codecs.kit.pairs import follow
from slfac_sim.learning.batches import Indices
from slfac_sim.learning.draws import drawn_for
from slfac_sim.learning.model_exchange import exact
from slfac_sim.learning.participants import Exchange
from slfac_sim.learning.weights import state_size
from slfac_sim.protocols import Schedule
from slfac_sim.scenario.steering import exchanges_models

if TYPE_CHECKING:
    from slfac_sim.learning.world import World

_FLOAT = 4  # bytes
_MOST_FLOPS, _FEWEST = 1e11, 4  # of the mini-batch that is tried: a second or so, and some samples at least


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """Bytes of one mini-batch of one device, headers of the bodies included, and of its model each way.

    What is never sent has 0 bytes.
    """

    smashed_up: int = 0
    smashed_down: int = 0
    labels: int = 0
    middle_up: int = 0
    middle_down: int = 0
    model: int = 0
    model_down: int = 0

    @property
    def up(self) -> int:
        """All bytes up of one mini-batch."""
        return self.smashed_up + self.labels + self.middle_up

    @property
    def down(self) -> int:
        """All bytes down of one mini-batch."""
        return self.smashed_down + self.middle_down


@dataclass(frozen=True)
class Flops:
    """FLOPs per sample: of each device, and of the server for each device."""

    devices: Mapping[str, float]
    server: Mapping[str, float]


def flops_of(world: "World") -> Flops:
    """Return the FLOPs per sample that training takes, without the codecs' equivalent ones."""
    return _whole_flops(world) if is_whole(world) else _summed(world, _near, _far)


def _summed(world: "World", near: Callable[[Exchange], float], far: Callable[[Exchange], float]) -> Flops:
    """Return the sums over the cuts of each device of what they ask of it, and of the server."""
    crossings = {device.name: device.crossings for device in world.devices}
    return Flops(
        {name: sum(map(near, cuts)) for name, cuts in crossings.items()},
        {name: sum(map(far, cuts)) for name, cuts in crossings.items()},
    )


def plain_sizes(world: "World", schedule: Schedule) -> dict[str, Sizes]:
    """Return the sizes of each device without a codec; nothing is computed for them."""
    batch, models = world.scenario.learning.batch, schedule.models != "kept"
    found = {}
    for device in world.devices:
        crossed = [_FLOAT * batch * crossing.values_per_sample for crossing in device.crossings]
        outer, inner = (*crossed, 0, 0)[:2]
        model = _FLOAT * device.model_values * models
        found[device.name] = Sizes(
            smashed_up=outer, smashed_down=outer, labels=batch * (len(crossed) == 1),
            middle_up=inner, middle_down=inner, model=model, model_down=model,
        )  # fmt: skip
    return found


def compressed_sizes(world: "World") -> dict[str, Sizes]:
    """Return the sizes of each device with the scenario's codecs, from a real mini-batch of each cut."""
    parts = [(sizes_of(part)[1], part.devices) for part in _apart(world) or [world]]
    return {device.name: sizes for sizes, devices in parts for device in devices}


def server_values(world: "World", device: str) -> int:
    """Return how many numbers the state of the server's part for `device` has."""
    parts = _apart(world) or [world]
    part = next(part for part in parts if any(one.name == device for one in part.devices))
    return state_size(part.cast.split.server)


def sizes_of(world: "World") -> tuple[Sizes, Sizes]:
    """Return the sizes without a codec and with the scenario's, the latter from one real mini-batch.

    Where the cuts of devices differ they are means over the devices, and `model_down` is of the deepest half.
    """
    if is_whole(world):
        return _whole_sizes(world)
    parts = [(sizes_of(part), len(part.devices)) for part in _apart(world)]
    if parts:
        plain, compressed = (_mean([(sizes[of], count) for sizes, count in parts]) for of in (0, 1))
        return plain, compressed
    device: Any = world.devices[0]
    smashed = device.forward(_affordable(world, device.shard.epoch(0)[0]))
    there = device.encode(smashed)
    scale = world.scenario.learning.batch / len(smashed.labels)
    values = smashed.tensor.size
    with drawn_for(world.seed, "forecast"):
        middle, gradients = _judged(world, smashed)
    down = device.exchange.downlink
    sent = {"smashed_up": there.nbytes, "smashed_down": _answer(down, gradients[0], there.body)}
    raw = {"smashed_up": _FLOAT * values, "smashed_down": _FLOAT * values}
    if middle is None:
        labels = {"labels": device.encode_labels(smashed).nbytes}
        sent, raw = sent | labels, raw | labels
    else:
        between = device.inner.downlink.sender("forecast").encode(middle)
        back = _answer(device.inner.uplink, gradients[1], between.body)
        sent |= {"middle_down": between.nbytes, "middle_up": back}
        raw |= dict.fromkeys(("middle_down", "middle_up"), _FLOAT * middle.size)
    plain, compressed = (
        Sizes(**{kind: round(nbytes * scale) for kind, nbytes in one.items()}, **models)
        for one, models in zip((raw, sent), _models(world), strict=True)
    )
    return plain, compressed


def _affordable(world: "World", batch: Indices) -> Indices:
    """Return as much of the first mini-batch as passes of this model leave time for, all of it mostly."""
    work = world.cast.split.work
    flops = work.device_forward_flops + work.server_step_flops
    return batch[: max(_FEWEST, int(_MOST_FLOPS / flops))]


def chosen(world: "World") -> set[str]:
    """Return the names of the devices that are asked in the first round, if everybody is there."""
    select, names = world.scenario.protocol.participation.select, [device.name for device in world.devices]
    return set(select.choose(names, 1, world.seed, world.expected_s))


def samples_a_round(world: "World") -> dict[str, int]:
    """Return the samples that each device uses in the first round; 0 for one that is not asked.

    Without a schedule everybody has mini-batches of its own size, as many as all.
    """
    schedule: Schedule | None = world.scenario.protocol.schedule
    if schedule is None:
        steps = world.device_steps // (len(world.devices) * world.scenario.protocol.rounds)
        return {device.name: sum(device.shard.sizes(steps)) for device in world.devices}
    asked = chosen(world)
    return {
        device.name: sum(device.shard.sizes(schedule.steps, schedule.passes)) * (device.name in asked)
        for device in world.devices
    }


def is_whole(world: "World") -> bool:
    """Return whether the model lies whole where it is trained: then no mini-batch is sent."""
    return bool(world.cast.whole)


def learners(world: "World") -> list[tuple[nn.Module, tuple[int, ...], int]]:
    """Return the parts of the model that learn: each with the shape of its input, and how many there are."""
    cast, shape, count = world.cast, world.data.image_shape, world.scenario.devices.count
    if is_whole(world):
        return [(cast.model, shape, count if cast.devices_learn else 1)]
    return [(cast.held.part, shape, count), (cast.split.server, cast.split.smashed_shape, 1)]


def evaluated(world: "World") -> tuple[int, int]:
    """Return the samples that go through the devices' part, and through the server's, in all evaluations.

    Where the accuracy without the codec is measured too, the server's pass is done twice.
    """
    scenario = world.scenario
    times: int = 1 + scenario.protocol.rounds // scenario.evaluation.every_rounds
    exact = times if scenario.evaluation.no_codec == "every" else 1
    samples = world.cast.evaluated_models * len(world.data.test_labels)
    return times * samples, 0 if is_whole(world) else (times + exact) * samples


def crossing_values(device: Any) -> int:
    """Return the numbers of one sample that `device` sends up, which are as many as it is sent."""
    return sum(one.values_per_sample for one in device.crossings)


def _apart(world: "World") -> list["World"]:
    """Return a world for the devices of each cut, where these differ; else none."""
    parts = []
    for cast in world.cast.by_cut.values():
        part = copy.copy(world)
        part.cast, part.server = cast, cast.server
        parts.append(part)
    return parts


def _mean(parts: Sequence[tuple[Sizes, int]]) -> Sizes:
    """Return the mean of sizes, each of so many devices."""
    total = sum(count for _, count in parts)
    names = [field.name for field in fields(Sizes) if field.name != "model_down"]
    mean = {name: round(sum(getattr(one, name) * count for one, count in parts) / total) for name in names}
    return Sizes(**mean, model_down=max(one.model_down for one, _ in parts))


def _near(one: Exchange) -> float:
    return one.work.device_forward_flops + one.work.device_backward_flops


def _far(one: Exchange) -> float:
    return one.work.server_step_flops


def _whole_flops(world: "World") -> Flops:
    cast: Any = world.cast
    passes = {
        device.name: device.work.device_forward_flops + device.work.device_backward_flops
        for device in cast.devices
    }
    nothing, work = dict.fromkeys(passes, 0.0), cast.work
    if cast.devices_learn:
        return Flops(passes, nothing)
    return Flops(nothing, dict.fromkeys(passes, work.device_forward_flops + work.device_backward_flops))


def _whole_sizes(world: "World") -> tuple[Sizes, Sizes]:
    trainee: Any = world.devices[0].trainee
    trainee.backward(trainee.forward(trainee.shard.epoch(0)[0]))  # so that there is a difference to send
    plain, compressed = _models(world)
    return Sizes(**plain), Sizes(**compressed)


def _models(world: "World") -> tuple[dict[str, int], dict[str, int]]:
    """Return the bytes of a device's model each way, without a codec and with that of models."""
    if not exchanges_models(world.scenario):
        return {}, {}
    device, common = world.devices[0], world.cast.initial()
    (down,) = world.server.encode_model(common, [device.model_values]).values()
    raw = exact(world.server.state_of(common)[: device.model_values]).nbytes
    plain = {"model": raw, "model_down": raw}
    return plain, {"model": device.model_payload().nbytes, "model_down": down.nbytes}


def _judged(world: "World", smashed: Any) -> tuple[Tensor | None, list[Tensor]]:
    """Return what crosses the second cut, if there is one, and the gradients at the cuts, outermost first."""
    host = next(world.cast.split.server.parameters()).device
    far = [part.to(host).train() for part in _beyond(world)]
    leaves = [torch.from_numpy(smashed.tensor).to(host).requires_grad_()]
    tensor = far[0](leaves[0])
    middle = tensor.detach().cpu().numpy() if len(far) > 1 else None
    if len(far) > 1:
        leaves.append(tensor)
        tensor.retain_grad()
        tensor = far[1](tensor)
    nn.functional.cross_entropy(tensor.cpu(), torch.from_numpy(smashed.labels)).backward()
    return middle, [leaf.grad.cpu().numpy() for leaf in leaves if leaf.grad is not None]


def _beyond(world: "World") -> list[nn.Module]:
    """Return what follows the smashed data: the server's part, and of a U the tail of the devices as well."""
    return list(world.cast.beyond)


def _answer(codec: Codec, gradient: Tensor, asked: bytes) -> int:
    """Return the bytes of `gradient` in answer to the body `asked`."""
    sender = codec.sender("forecast")
    follow(sender, asked)
    return sender.encode(gradient).nbytes
