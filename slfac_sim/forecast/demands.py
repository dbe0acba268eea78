"""Who takes part in a round, with how many samples, and the bytes that it sends; nothing is played here."""

from dataclasses import fields

from slfac_sim.learning.sizes import Sizes
from slfac_sim.learning.world import World
from slfac_sim.scenario.schedule import Schedule


def compressed_sizes(world: World) -> dict[str, Sizes]:
    """Return the sizes of each device with the scenario's codecs, from a real mini-batch of each cut."""
    parts = [(part.sizes()[1], part.devices) for part in world.layout.parts]
    return {device.name: sizes for sizes, devices in parts for device in devices}


def sizes_of(world: World) -> tuple[Sizes, Sizes]:
    """Return the sizes without a codec and with the scenario's, the latter from one real mini-batch.

    Where the cuts of devices differ they are means over the devices, and `model_down` is of the deepest half.
    """
    tried = [(part.sizes(), len(part.devices)) for part in world.layout.parts]
    plain, compressed = (_mean([(sizes[of], count) for sizes, count in tried]) for of in (0, 1))
    return plain, compressed


def _mean(parts: list[tuple[Sizes, int]]) -> Sizes:
    """Return the mean of sizes, each of so many devices."""
    total = sum(count for _, count in parts)
    names = [field.name for field in fields(Sizes) if field.name != "model_down"]
    mean = {
        name: round(sum(getattr(sizes, name) * count for sizes, count in parts) / total) for name in names
    }
    return Sizes(**mean, model_down=max(sizes.model_down for sizes, _ in parts))


def chosen(world: World) -> set[str]:
    """Return the names of the devices that are asked in the first round, if everybody is there."""
    select, names = world.scenario.protocol.participation.select, [device.name for device in world.devices]
    return set(select.choose(names, 1, world.seed, world.expected_s))


def samples_a_round(world: World) -> dict[str, int]:
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


def evaluated(world: World) -> tuple[int, int]:
    """Return the samples that go through the devices' part, and through the server's, in all evaluations.

    Where the accuracy without the codec is measured too, the server's pass is done twice.
    """
    scenario = world.scenario
    times: int = 1 + scenario.protocol.rounds // scenario.evaluation.every_rounds
    exact = times if scenario.evaluation.no_codec == "every" else 1
    samples = world.layout.evaluated_models * len(world.data.test_labels)
    return times * samples, (times + exact) * samples if world.layout.smashed_shape else 0
