"""What the air will make of everybody's transfers at once, played on the network itself, whatever its medium.

It knows sizes and links, nothing of learning.
"""

import math
from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import simpy

from slfac_sim.hosts.names import device_names
from slfac_sim.network import Delivery, Lost, Network, Survey
from slfac_sim.scenario.hosts import homes_of, hosts_of
from slfac_sim.scenario.schema import Scenario
from slfac_sim.simulation.networks import open_network

_MANY_BLOCKS, _MANY_ACTIVE = 50, 500  # from here on block fading costs events and changes little


@dataclass(frozen=True)
class Rush:
    """Everybody's transfer in one direction, all begun at once on idle air.

    `rates_bps` [devices] are bits with headers over the time to the last bit, `last_bits_s` these times; 0
    and infinity for a device that is not reached. `limited_s` says, where there are wires, for how long each
    link bound the rates, summed over the transfers. `lost` is how many of them were sent in vain, since their
    transport gave them up.
    """

    rates_bps: Sequence[float]
    last_bits_s: Sequence[float]
    limited_s: Mapping[str, float] = field(default_factory=dict)
    lost: int = 0

    @property
    def through_s(self) -> float:
        """When the last of those that are reached was through; 0 if none is."""
        return max((at_s for at_s in self.last_bits_s if math.isfinite(at_s)), default=0.0)


def rush(scenario: Scenario, survey: Survey, nbytes: int, uplink: bool) -> Rush:
    """Play the transfers of `nbytes` between each device and its server, and return how they went."""
    env = simpy.Environment()
    names = device_names(scenario.devices.count)
    network = open_network(scenario.network, env, hosts_of(scenario), scenario.seed.air)
    rate = "up_rate_bps" if uplink else "down_rate_bps"
    reached = list(dict.fromkeys(link.device for link in survey.links if getattr(link, rate) > 0.0))
    went: dict[str, Delivery] = {}
    homes = homes_of(scenario)
    ends = [(name, homes[name]) if uplink else (homes[name], name) for name in reached]
    transfers = [
        env.process(_transferred(network, *pair, nbytes, name, went))
        for name, pair in zip(reached, ends, strict=True)
    ]
    through = simpy.AllOf(env, transfers)
    while not through.processed and env.peek() < math.inf:  # a link may have nothing to give any more
        env.step()
    rates, last_bits = zip(*(_figures(went.get(name)) for name in names), strict=True)
    limited_s: Counter[str] = Counter()
    for delivery in went.values():
        limited_s.update(delivery.limited_s)
    lost = sum(not delivery.delivered for delivery in went.values())
    return Rush(rates, last_bits, dict(limited_s), lost)


def _transferred(
    network: Network, src: str, dst: str, nbytes: int, device: str, went: dict[str, Delivery]
) -> Generator[simpy.Event, Any, None]:
    try:
        went[device] = yield network.transfer(src, dst, nbytes)
    except Lost as lost:
        went[device] = lost.delivery


def _figures(delivery: Delivery | None) -> tuple[float, float]:
    """Return the rate of a transfer, and when its last bit had left."""
    if delivery is None:
        return 0.0, math.inf
    took_s = delivery.last_bit_s - delivery.asked_s
    return 8.0 * delivery.wire_bytes / took_s if took_s > 0.0 else math.inf, delivery.last_bit_s


def fading_remarks(survey: Survey, rushes: Sequence[Rush]) -> list[str]:
    """Return the advice to take the mean over the fades, where blocks of them cost much and change little."""
    block_s = survey.coherence_s
    lasting_s = [at_s for went in rushes for at_s in went.last_bits_s if math.isfinite(at_s)]
    if block_s is None or not lasting_s:
        return []
    advice = "; network.fading: ergodic gives nearly the same times, with no event at every block"
    blocks = median(lasting_s) / block_s
    if len(survey.links) > _MANY_ACTIVE:
        return [
            f"up to {len(survey.links)} transfers change their rates every {1e3 * block_s:,.6g} ms{advice}"
        ]
    if blocks > _MANY_BLOCKS:
        return [f"with all sending, a transfer lasts {blocks:,.0f} blocks of fading{advice}"]
    return []
