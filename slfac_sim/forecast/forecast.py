"""What a scenario will run, told before anything is trained: sizes, rates, airtime, work and memory.

Compressed sizes come from one real batch of one device at the initial weights: they are a first guess, and
say so. Nothing here is drawn that the run would not draw alike.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

import numpy as np
import torch
from torch import nn

from slfac_sim.forecast._air import Rush, fading_remarks, rush
from slfac_sim.forecast.demands import (
    Sizes,
    compressed_sizes,
    evaluated,
    is_whole,
    learners,
    samples_a_round,
    sizes_of,
)
from slfac_sim.forecast.round_time import RoundTime, round_time
from slfac_sim.foundation.plugins import kind_of
from slfac_sim.learning.draws import drawn_for
from slfac_sim.learning.kernels import forward
from slfac_sim.learning.layouts._fleet import held_memory
from slfac_sim.learning.partitions import label_histogram
from slfac_sim.learning.world import World
from slfac_sim.network import Link, Survey
from slfac_sim.protocols import Schedule
from slfac_sim.scenario.schema import Scenario
from slfac_sim.scenario.steering import exchanges_models, steered, why_down
from slfac_sim.simulation.simulate import host_speeds


@dataclass(frozen=True)
class Forecast:
    """The figures of `check`. Sizes are per device and mini-batch; seconds per round.

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
    round: RoundTime
    round_uncompressed: RoundTime
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
        """The part of a round that takes longest; empty where there is no forecast."""
        parts_s = self.round.parts_s or {}
        return max(parts_s, key=lambda part: parts_s[part], default="")


def forecast(world: World, survey: Survey) -> Forecast:
    """Return the forecast for `world` on the air of `survey`."""
    scenario = world.scenario
    speeds = host_speeds(scenario)
    uncompressed, compressed = sizes_of(world)
    schedule: Schedule | None = scenario.protocol.schedule
    together = {
        "up": rush(scenario, survey, _rushed(compressed.up, compressed.model), uplink=True),
        "down": rush(scenario, survey, _rushed(compressed.down, compressed.model_down), uplink=False),
    }
    device_flops, server_flops = passes_of(world)
    return Forecast(
        devices=scenario.devices.count,
        samples=len(world.data.train_labels),
        steps_per_round=world.device_steps / (learners(world)[0][2] * scenario.protocol.rounds),
        smashed_shape=() if is_whole(world) else world.cast.split.smashed_shape,
        uncompressed=uncompressed,
        compressed=compressed,
        survey=survey,
        speeds=[speeds[device.name] for device in world.devices],
        together=together,
        round=round_time(world, survey, schedule, compressed_sizes(world)),
        round_uncompressed=round_time(world, survey, schedule),
        device_parameters=_parameters(world.cast.held.part) if _devices_learn(world) else 0,
        server_parameters=sum(_parameters(part) for part, _, _ in learners(world)[_devices_learn(world) :]),
        device_flops=device_flops,
        server_flops=server_flops,
        total_flops=_samples(world) * (device_flops + server_flops) + _evaluation_flops(world),
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


def _devices_learn(world: World) -> bool:
    return bool(world.cast.devices_learn)


def _rushed(minibatch: int, model: int) -> int:
    """Return the bytes of the transfer that all devices may begin at once: a mini-batch's or a model's."""
    return minibatch or model


def _samples(world: World) -> float:
    """Return the samples that are learnt from in the whole run."""
    return sum(samples_a_round(world).values()) * float(world.scenario.protocol.rounds)


def passes_of(world: World) -> tuple[float, float]:
    """Return the FLOPs per sample of the passes on a device and on the server, without codecs."""
    works = world.cast.works
    passes = sum(work.device_forward_flops + work.device_backward_flops for work in works)
    server = 0.0 if is_whole(world) else works[0].server_step_flops
    return (passes, server) if _devices_learn(world) else (server, passes)


def _remarks(world: World, uncompressed: Sizes, compressed: Sizes) -> list[str]:
    """Return what a user may not expect of these settings."""
    batch = world.scenario.learning.batch
    small = [device.name for device in world.devices if len(device.shard.samples) < batch]
    remarks = [*_without_effect(world), *_mixed_cuts(world)]
    if small:
        few = f"{len(small)} of {len(world.devices)} devices"
        remarks.append(f"{few} hold fewer samples than a batch of {batch}, and use them all")
    for way in ("smashed_up", "smashed_down", "middle_up", "middle_down", "model"):
        sent, raw = getattr(compressed, way), getattr(uncompressed, way)
        if sent > 1.05 * raw:
            remarks.append(f"the codec makes {way} larger: {sent:,} bytes instead of {raw:,}")
    return remarks


def _without_effect(world: World) -> list[str]:
    """Return which settings the protocol makes no use of."""
    protocol = world.scenario.protocol
    if not is_whole(world):
        return []
    models = exchanges_models(world.scenario)
    unused = "cut, codec.uplink and codec.downlink have" if models else "cut, codec and network have"
    how = "; models travel through codec.model" if models else ""
    return [f"{unused} no effect: {kind_of(protocol)} cuts no model{how}"]


def _mixed_cuts(world: World) -> list[str]:
    """Return what sizes and work mean where the cuts of devices differ."""
    if not world.cast.by_cut:
        return []
    return [
        "the cuts of devices differ: smashed data, parameters, passes and memory are those of the cut that "
        "most have, bytes are means over the devices"
    ]


def _timing_remarks(scenario: Scenario) -> list[str]:
    """Return what the figures leave out, and whether timing steers learning."""
    remarks = []
    if why_down(scenario) is not None:
        remarks.append("the time of a round is that with everybody up: outages are left out")
    if scenario.network.still != scenario.network:
        remarks.append("the time of a round is that at mean rates: fades are left out")
    reason = steered(scenario)
    if reason is not None:
        remarks.append(f"{reason}: a run on another network learns otherwise, so none can be replayed")
    return remarks


def _device_memory(world: World) -> dict[str, int]:
    if not _devices_learn(world):
        return {"total": 0}
    memory = held_memory(world.scenario, world.cast.held)
    parts = asdict(memory)
    parts.pop("batch")
    return {**parts, "total": memory.total}


def _parameters(half: nn.Module) -> int:
    return sum(parameter.numel() for parameter in half.parameters())


def _evaluation_flops(world: World) -> float:
    """Return the work of all evaluations, on this host: none of it takes simulated time."""
    work = world.cast.work if is_whole(world) else world.cast.split.work
    on_devices, on_server = evaluated(world)
    return float(on_devices * work.device_forward_flops + on_server * work.server_forward_flops)


# As seen on Linux: Python with torch and matplotlib loaded, and a backward pass, which holds gradients and
# scratch memory beside what the forward pass kept.
_INTERPRETER_BYTES = 350e6
_BACKWARD = 3.0


def memory_of(world: World) -> int:
    """Return the bytes that a run takes at its peak, roughly.

    These are data, weights with gradients and two moments, and what waits for gradients.
    """
    scenario = world.scenario
    images = world.data.train_images.nbytes + world.data.test_images.nbytes
    parts = learners(world)
    weights = sum(count * _parameters(part) for part, _, count in parts)
    cohort = scenario.devices.count * scenario.learning.batch
    kept = sum(_kept_bytes(part, shape) for part, shape, _ in parts)
    return int(_INTERPRETER_BYTES + images + 16 * weights + _BACKWARD * cohort * kept)


def _kept_bytes(half: nn.Module, shape: tuple[int, ...]) -> float:
    """Return the bytes per sample that `half` keeps for its backward pass, by torch's saved-tensor hooks."""
    kept: dict[int, int] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        kept[tensor.untyped_storage()._cdata] = tensor.numel() * tensor.element_size()
        return tensor

    weights = 4 * _parameters(half)
    sample = torch.from_numpy(np.zeros((2, *shape), np.float32)).to(next(half.parameters()).device)
    with drawn_for(0, "forecast"), torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        forward(half.train(), sample)
    waiting: float = max(sum(kept.values()) - weights, 0) / 2
    return waiting


def spread(values: Sequence[float]) -> tuple[float, float, float]:
    """Return minimum, median and maximum of `values`."""
    return min(values), float(median(values)), max(values)


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
