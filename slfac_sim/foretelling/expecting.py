"""What each device takes for a mini-batch if it has the air and the server to itself; nothing is played."""

from typing import TYPE_CHECKING

from slfac_sim.foretelling.demands import crossing_values, is_whole, seconds_of
from slfac_sim.simulation import survey_of
from slfac_sim.steering import exchanges_models

if TYPE_CHECKING:
    from slfac_sim.build import World

_BYTES_PER_VALUE = 4  # before any codec: what a selection can know in advance


def minibatch_s(world: "World") -> dict[str, float]:
    """Return the seconds of one mini-batch of each device: its computing, the air both ways, the server.

    Sizes are those of float32 and rates the mean ones of the survey; infinity without coverage. Where whole
    models travel and mini-batches do not, it is one mini-batch and the model both ways.
    """
    scenario, seconds = world.scenario, seconds_of(world)
    model_bytes = world.cast.initial().nbytes if is_whole(world) and exchanges_models(scenario) else 0
    found = {}
    for device, link in zip(world.devices, survey_of(scenario).links, strict=True):
        samples = min(scenario.learning.batch, len(device.shard.samples))
        values = 0 if is_whole(world) else crossing_values(device)
        bits = 8 * (_BYTES_PER_VALUE * samples * values + model_bytes)
        rates = link.up_rate_bps, link.down_rate_bps
        air_s = sum(bits / rate if rate > 0.0 else float("inf") for rate in rates)
        found[device.name] = samples * (seconds.devices[device.name] + seconds.server[device.name]) + air_s
    return found
