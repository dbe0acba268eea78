"""What a scenario will run, told before anything is trained: sizes, rates, airtime, work and memory.

Compressed sizes come from one real batch of one device at the initial weights: they are a first guess, and
say so. Nothing here is drawn that the run would not draw alike.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from slfac_sim.forecast.air import Rush, fading_remarks, rush
from slfac_sim.forecast.demands import compressed_sizes, evaluated, samples_a_round, sizes_of
from slfac_sim.forecast.host_bytes import memory_of, parameters
from slfac_sim.forecast.round_time import RoundTime, round_time
from slfac_sim.foundation.plugins import kind_of
from slfac_sim.learning.partitions import label_histogram
from slfac_sim.learning.sizes import Sizes
from slfac_sim.learning.world import World
from slfac_sim.network import Survey
from slfac_sim.scenario.schedule import Schedule
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
    held_out: int
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
    layout = world.layout
    device_flops, server_flops = passes_of(world)
    return Forecast(
        devices=scenario.devices.count,
        samples=len(world.data.train_labels),
        held_out=0 if world.data.validation_labels is None else len(world.data.validation_labels),
        steps_per_round=world.device_steps / (layout.learners[0].count * scenario.protocol.rounds),
        smashed_shape=layout.smashed_shape,
        uncompressed=uncompressed,
        compressed=compressed,
        survey=survey,
        speeds=[speeds[device.name] for device in world.devices],
        together=together,
        round=round_time(world, survey, schedule, compressed_sizes(world)),
        round_uncompressed=round_time(world, survey, schedule),
        device_parameters=sum(parameters(part.module) for part in layout.learners if not part.on_server),
        server_parameters=sum(parameters(part.module) for part in layout.learners if part.on_server),
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


def held_by(world: World) -> dict[str, list[int]]:
    """Return by name how many samples of each class a device has; nothing where the server has all data."""
    shards = [device.shard.samples for device in world.devices]
    if not shards:
        return {}
    histogram = label_histogram(world.data.train_labels, shards, world.data.classes)
    return {device.name: counts.tolist() for device, counts in zip(world.devices, histogram, strict=True)}


def _classes(world: World) -> list[int]:
    """Return how many classes each device has samples of."""
    return [sum(count > 0 for count in counts) for counts in held_by(world).values()]


def _rushed(minibatch: int, model: int) -> int:
    """Return the bytes of the transfer that all devices may begin at once: a mini-batch's or a model's."""
    return minibatch or model


def _samples(world: World) -> float:
    """Return the samples that are learnt from in the whole run."""
    return sum(samples_a_round(world).values()) * float(world.scenario.protocol.rounds)


def passes_of(world: World) -> tuple[float, float]:
    """Return the FLOPs per sample of the passes on a device and on the server, without codecs."""
    layout = world.layout
    passes = sum(work.device_step_flops for work in layout.works)
    server = layout.works[0].server_step_flops if layout.smashed_shape else 0.0
    return (passes, server) if layout.devices_learn else (server, passes)


def _remarks(world: World, uncompressed: Sizes, compressed: Sizes) -> list[str]:
    """Return what a user may not expect of these settings."""
    batch = world.scenario.learning.batch
    small = [device.name for device in world.devices if len(device.shard.samples) < batch]
    remarks = [*_without_effect(world), *_idle_learning(world), *_mixed_cuts(world), *_frozen(world)]
    if small:
        few = f"{len(small)} of {len(world.devices)} devices"
        remarks.append(f"{few} hold fewer samples than a batch of {batch}, and use them all")
    for way in ("smashed_up", "smashed_down", "middle_up", "middle_down", "model"):
        sent, raw = getattr(compressed, way), getattr(uncompressed, way)
        if sent > 1.05 * raw:
            remarks.append(f"the codec makes {way} larger: {sent:,} bytes instead of {raw:,}")
    return remarks


def _frozen(world: World) -> list[str]:
    """Return what is frozen, and how devices come by it."""
    blocks, values = world.scenario.learning.freeze, world.devices[0].frozen.size
    if not blocks:
        return []
    how = "it is sent once" if world.devices[0].lacks_frozen else "devices have it from the start"
    there = f" ({values:,} values of a device's part: {how})" if values else ""
    return [f"frozen: {', '.join(blocks)}{there}"]


def _without_effect(world: World) -> list[str]:
    """Return which settings the protocol makes no use of."""
    protocol = world.scenario.protocol
    if world.layout.smashed_shape:
        return []
    models = exchanges_models(world.scenario)
    unused = "cut, codec.uplink and codec.downlink have" if models else "cut, codec and network have"
    how = "; models travel through codec.model" if models else ""
    return [f"{unused} no effect: {kind_of(protocol)} cuts no model{how}"]


def _idle_learning(world: World) -> list[str]:
    """Return which settings of learning come to nothing."""
    learning, protocol, remarks = world.scenario.learning, kind_of(world.scenario.protocol), []
    if learning.server_optimiser is not None and not any(part.on_server for part in world.layout.learners):
        remarks.append(f"learning.server_optimiser has no effect: in {protocol} no server learns")
    if learning.batch_norm == "local" and not exchanges_models(world.scenario):
        remarks.append(f"learning.batch_norm: local has no effect: {protocol} sends no models")
    schedule, rounds = learning.schedule, world.scenario.protocol.rounds
    if schedule is not None and schedule.warmup >= rounds:
        said = f"the warm-up of {schedule.warmup} lasts for all {rounds} rounds"
        remarks.append(f"learning.schedule: {said}; the full learning rate is never reached")
    return remarks


def _mixed_cuts(world: World) -> list[str]:
    """Return what sizes and work mean where the cuts of devices differ."""
    if not (world.layout.smashed_shape and isinstance(world.scenario.cut, Mapping)):
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
        remarks.append("the time of a round is that at mean rates: what changes with time is left out")
    if scenario.learning.until is not None:
        remarks.append("work and time on this host are those of all rounds: learning.until may end it before")
    reason = steered(scenario)
    if reason is not None:
        remarks.append(f"{reason}: a run on another network learns otherwise, so none can be replayed")
    return remarks


def _device_memory(world: World) -> dict[str, int]:
    if not world.layout.devices_learn:
        return {"total": 0}
    memory = world.layout.memory()
    parts = asdict(memory)
    parts.pop("batch")
    return {**parts, "total": memory.total}


def _evaluation_flops(world: World) -> float:
    """Return the work of all evaluations, on this host: none of it takes simulated time."""
    work = world.layout.works[0]
    on_devices, on_server = evaluated(world)
    return float(on_devices * work.device_forward_flops + on_server * work.server_forward_flops)
