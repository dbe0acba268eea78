"""What each device would take for a mini-batch if it had the air and the server to itself; nothing is played."""

from typing import TYPE_CHECKING

from slfac_sim.names import SERVER
from slfac_sim.simulation import host_speeds, survey_of

if TYPE_CHECKING:
    from slfac_sim.build import World

_BYTES_PER_VALUE = 4  # before any codec: what a selection can know in advance


def minibatch_s(world: "World") -> dict[str, float]:
    """Return the seconds of one mini-batch of each device: its computing, the air both ways, the server.

    Sizes are those of float32 and rates the mean ones of the survey; infinity without coverage.
    """
    scenario, speeds = world.scenario, host_speeds(world.scenario)
    found = {}
    for device, link in zip(world.devices, survey_of(scenario).links, strict=True):
        samples = min(scenario.learning.batch, len(device.shard.samples))
        cost = device.exchange
        training = cost.work.device_forward_flops + cost.work.device_backward_flops
        near = training + cost.encode_up_flops + cost.decode_down_flops
        far = cost.work.server_step_flops + cost.decode_up_flops + cost.encode_down_flops
        bits = 8 * _BYTES_PER_VALUE * samples * cost.values_per_sample
        rates = link.up_rate_bps, link.down_rate_bps
        air_s = sum(bits / rate if rate > 0.0 else float("inf") for rate in rates)
        found[device.name] = samples * (near / speeds[device.name] + far / speeds[SERVER]) + air_s
    return found
