"""What a scenario will run, told before anything is trained: sizes, rates, airtime, work and memory.

Compressed sizes come from one real batch of one device at the initial weights: they are a first guess, and
say so. Nothing here is drawn that the run would not draw alike.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import nn

from slfac_sim.build import World
from slfac_sim.codecs._pairs import follow
from slfac_sim.codecs.raw import Raw
from slfac_sim.forecast_air import Rush, airtime_s, fading_remarks, rush
from slfac_sim.layouts._fleet import held_memory
from slfac_sim.learning.participants import Exchange
from slfac_sim.names import SERVER
from slfac_sim.network import Link, Survey
from slfac_sim.partitions import label_histogram
from slfac_sim.scenario import Scenario
from slfac_sim.simulation import host_speeds
from slfac_sim.steering import steered, why_down


@dataclass(frozen=True)
class Sizes:
    """Bytes of one mini-batch of one device, headers of the bodies included, and of its half."""

    smashed_up: int
    smashed_down: int
    labels: int
    model: int


@dataclass(frozen=True)
class Forecast:
    """The figures of `check`. Sizes are per device and mini-batch; airtimes and seconds per round.

    `device_memory` are the bytes that a device needs, by what they are for. `together` has, by direction, the
    compressed transfers of one mini-batch of all devices at once.
    """

    devices: int
    samples: int
    steps_per_round: float
    smashed_shape: tuple[int, ...]
    uncompressed: Sizes
    compressed: Sizes
    survey: Survey
    speeds: Sequence[float]
    together: Mapping[str, Rush]
    round_s: Mapping[str, float]
    round_s_uncompressed: Mapping[str, float]
    device_parameters: int
    server_parameters: int
    device_flops: float
    server_flops: float
    total_flops: float
    memory_bytes: int
    device_memory: Mapping[str, int]
    samples_per_device: Sequence[int]
    classes_per_device: Sequence[int]
    remarks: Sequence[str]

    @property
    def bottleneck(self) -> str:
        """The part that takes longest when nothing else does: a lower bound of the round's duration."""
        return max(self.round_s, key=lambda part: self.round_s[part])


def forecast(world: World, survey: Survey) -> Forecast:
    """Return the forecast for `world` on the air of `survey`."""
    scenario, work = world.scenario, world.cast.split.work
    speeds = host_speeds(scenario)
    uncompressed, compressed = _sizes(world)
    device_flops = work.device_forward_flops + work.device_backward_flops
    cost = world.devices[0].exchange
    plain = replace(cost, uplink=Raw(), downlink=Raw())
    samples = sum(_samples_a_round(world).values()) * scenario.protocol.rounds
    together = {
        "up": rush(scenario, survey, compressed.smashed_up + compressed.labels, uplink=True),
        "down": rush(scenario, survey, compressed.smashed_down, uplink=False),
    }
    return Forecast(
        devices=scenario.devices.count,
        samples=len(world.data.train_labels),
        steps_per_round=world.device_steps / (scenario.devices.count * scenario.protocol.rounds),
        smashed_shape=world.cast.split.smashed_shape,
        uncompressed=uncompressed,
        compressed=compressed,
        survey=survey,
        speeds=[speeds[device.name] for device in world.devices],
        together=together,
        round_s=_round_seconds(world, survey, speeds, compressed, cost),
        round_s_uncompressed=_round_seconds(world, survey, speeds, uncompressed, plain),
        device_parameters=_parameters(world.cast.split.device),
        server_parameters=_parameters(world.cast.split.server),
        device_flops=device_flops,
        server_flops=work.server_step_flops,
        total_flops=samples * (device_flops + work.server_step_flops) + _evaluation_flops(world),
        memory_bytes=memory_of(world),
        device_memory=_device_memory(world),
        samples_per_device=[len(device.shard.samples) for device in world.devices],
        classes_per_device=_classes(world),
        remarks=[
            *survey.remarks,
            *_remarks(world, uncompressed, compressed),
            *_timing_remarks(scenario),
            *fading_remarks(survey, list(together.values())),
        ],
    )


def _classes(world: World) -> list[int]:
    """Return how many classes each device has samples of."""
    shards = [device.shard.samples for device in world.devices]
    histogram = label_histogram(world.data.train_labels, shards, world.data.classes)
    return [int(count) for count in (histogram > 0).sum(axis=1)]


def _samples_a_round(world: World) -> dict[str, int]:
    """Return the samples that each device uses in a round."""
    steps, batch = world.scenario.protocol.steps, world.scenario.learning.batch
    shards = {device.name: len(device.shard.samples) for device in world.devices}
    if steps is None:
        return shards
    return {name: steps * min(batch, samples) for name, samples in shards.items()}


def _remarks(world: World, uncompressed: Sizes, compressed: Sizes) -> list[str]:
    """Return what a user may not expect of these settings."""
    batch = world.scenario.learning.batch
    small = [device.name for device in world.devices if len(device.shard.samples) < batch]
    remarks = []
    if small:
        few = f"{len(small)} of {len(world.devices)} devices"
        remarks.append(f"{few} hold fewer samples than a batch of {batch}, and use them all")
    for way in ("smashed_up", "smashed_down"):
        sent, raw = getattr(compressed, way), getattr(uncompressed, way)
        if sent > 1.05 * raw:
            remarks.append(f"the codec makes {way} larger: {sent:,} bytes instead of {raw:,}")
    return remarks


def _timing_remarks(scenario: Scenario) -> list[str]:
    """Return what the figures leave out, and whether timing steers learning."""
    remarks = []
    if scenario.devices.slowdowns or scenario.server.slowdowns or why_down(scenario) is not None:
        remarks.append("the times of a round leave out slowdowns and outages")
    reason = steered(scenario)
    if reason is not None:
        remarks.append(f"{reason}: a run on another network learns otherwise, so none can be replayed")
    return remarks


def _device_memory(world: World) -> dict[str, int]:
    memory = held_memory(world.scenario, world.cast.held)
    parts = asdict(memory)
    parts.pop("batch")
    return {**parts, "total": memory.total}


def _sizes(world: World) -> tuple[Sizes, Sizes]:
    """Return the sizes without a codec and with the scenario's, the latter from one real mini-batch."""
    device = world.devices[0]
    smashed = device.forward(device.shard.epoch(0)[0])
    labels, model = device.encode_labels(smashed).nbytes, device.model_payload().nbytes
    there = device.encode(smashed)
    leaf = torch.from_numpy(smashed.tensor).requires_grad_()
    logits = world.cast.split.server.train()(leaf.to(next(world.cast.split.server.parameters()).device))
    nn.functional.cross_entropy(logits.cpu(), torch.from_numpy(smashed.labels)).backward()
    assert leaf.grad is not None
    answering = world.scenario.codec.downlink.sender("forecast")
    follow(answering, there.body)
    back = answering.encode(leaf.grad.numpy())
    scale = world.scenario.learning.batch / len(smashed.labels)
    raw = 4 * smashed.tensor.size
    return tuple(  # type: ignore[return-value]
        Sizes(round(up * scale), round(down * scale), round(labels * scale), model)
        for up, down in ((raw, raw), (there.nbytes, back.nbytes))
    )


def _round_seconds(
    world: World, survey: Survey, speeds: Mapping[str, float], sizes: Sizes, cost: Exchange
) -> dict[str, float]:
    """Return what each part would take in a round if the others took nothing."""
    samples, batch = _samples_a_round(world), world.scenario.learning.batch
    up_bytes = survey.wire_bytes(sizes.smashed_up + sizes.labels) / batch  # a sample
    down_bytes = survey.wire_bytes(sizes.smashed_down) / batch
    model_bytes = survey.wire_bytes(sizes.model)
    to_all = world.scenario.protocol.model_broadcast == "multicast"
    up = {name: count * up_bytes + model_bytes for name, count in samples.items()}
    down = {name: count * down_bytes + model_bytes * (not to_all) for name, count in samples.items()}
    codec_flops = cost.encode_up_flops + cost.decode_down_flops
    works = {device.name: device.exchange.work for device in world.devices}
    device_s = {
        name: (works[name].device_forward_flops + works[name].device_backward_flops + codec_flops)
        / speeds[name]
        for name in samples
    }
    server_flops = cost.work.server_step_flops + cost.decode_up_flops + cost.encode_down_flops
    exchanges = 1 + world.device_steps / (len(samples) * world.scenario.protocol.rounds)
    return {
        **airtime_s(survey, up, down, bytes_to_all=model_bytes * to_all),
        "slowest device": max(samples[name] * device_s[name] for name in samples),
        "server": sum(samples.values()) * server_flops / speeds[SERVER],
        "latency": 2 * exchanges * survey.latency_s,
    }


def _parameters(half: nn.Module) -> int:
    return sum(parameter.numel() for parameter in half.parameters())


def _evaluation_flops(world: World) -> float:
    """Return the work of all evaluations, on this host: none of it takes simulated time."""
    scenario, work = world.scenario, world.cast.split.work
    times: int = 1 + scenario.protocol.rounds // scenario.evaluation.every_rounds
    passes = work.device_forward_flops + 2 * work.server_forward_flops
    return times * len(world.data.test_labels) * passes


# As seen on Linux: Python with torch and matplotlib loaded, and a backward pass, which holds gradients and
# scratch memory beside what the forward pass kept.
_INTERPRETER_BYTES = 350e6
_BACKWARD = 1.5


def memory_of(world: World) -> int:
    """Return the bytes that a run takes at its peak, roughly.

    These are data, weights with gradients and two moments, and what waits for gradients.
    """
    scenario = world.scenario
    images = world.data.train_images.nbytes + world.data.test_images.nbytes
    weights = scenario.devices.count * _parameters(world.cast.split.device) + _parameters(
        world.cast.split.server
    )
    cohort = scenario.devices.count * scenario.learning.batch
    kept = _kept_bytes(world.cast.split.device, world.data.image_shape)
    kept += _kept_bytes(world.cast.split.server, world.cast.split.smashed_shape)
    return int(_INTERPRETER_BYTES + images + 16 * weights + _BACKWARD * cohort * kept)


def _kept_bytes(half: nn.Module, shape: tuple[int, ...]) -> float:
    """Return the bytes per sample that `half` keeps for its backward pass, by torch's saved-tensor hooks."""
    kept: dict[int, int] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        kept[tensor.untyped_storage()._cdata] = tensor.numel() * tensor.element_size()
        return tensor

    weights = 4 * _parameters(half)
    sample = torch.from_numpy(np.zeros((2, *shape), np.float32)).to(next(half.parameters()).device)
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        output = half.train()(sample)
        del output
    waiting: float = max(sum(kept.values()) - weights, 0) / 2
    return waiting


def spread(values: Sequence[float]) -> tuple[float, float, float]:
    """Return minimum, median and maximum of `values`."""
    return min(values), float(np.median(values)), max(values)


def link_figures(links: Sequence[Link]) -> dict[str, tuple[float, float, float]]:
    """Return minimum, median and maximum over the devices of each figure of their links."""
    names: dict[str, Any] = {
        "distance_m": [link.distance_m for link in links],
        "up_snr_db": [link.up_snr_db for link in links],
        "down_snr_db": [link.down_snr_db for link in links],
        "up_rate_bps": [link.up_rate_bps for link in links],
        "down_rate_bps": [link.down_rate_bps for link in links],
    }
    return {name: spread(values) for name, values in names.items()}
