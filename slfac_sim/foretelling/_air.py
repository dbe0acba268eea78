"""What the air will make of a scenario's bytes: airtime at least, and everybody's transfers at once.

The first is arithmetic over the survey; the second is played on the network itself, whatever its medium. It
knows sizes and links, nothing of learning.
"""

import math
from collections import defaultdict
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import simpy

from slfac_sim.names import SERVER, device_names
from slfac_sim.network import Lost, Network, Survey
from slfac_sim.scenario import Scenario

_UNSHARED = "none"  # the medium of a network in which every device has the rates to itself
_MANY_BLOCKS, _MANY_ACTIVE = 50, 500  # from here on block fading costs events and changes little


@dataclass(frozen=True)
class Rush:
    """Everybody's transfer in one direction, all begun at once on idle air.

    `rates_bps` [devices] are bits with headers over the time to the last bit, `last_bits_s` these times; 0
    and infinity for a device that is not reached.
    """

    rates_bps: Sequence[float]
    last_bits_s: Sequence[float]

    @property
    def through_s(self) -> float:
        """When the last of those that are reached was through; 0 if none is."""
        return max((at_s for at_s in self.last_bits_s if math.isfinite(at_s)), default=0.0)


def rush(scenario: Scenario, survey: Survey, nbytes: int, uplink: bool) -> Rush:
    """Play the transfers of `nbytes` between the server and each device, and return how they went."""
    env = simpy.Environment()
    names = device_names(scenario.devices.count)
    network = scenario.network.open(env, names, SERVER, scenario.seed.air)
    rate = "up_rate_bps" if uplink else "down_rate_bps"
    reached = [link.device for link in survey.links if getattr(link, rate) > 0.0]
    went: dict[str, tuple[float, float]] = {}
    ends = [(name, SERVER) if uplink else (SERVER, name) for name in reached]
    transfers = [
        env.process(_one(network, *pair, nbytes, name, went))
        for name, pair in zip(reached, ends, strict=True)
    ]
    env.run(simpy.AllOf(env, transfers))
    rates, last_bits = zip(*(went.get(name, (0.0, math.inf)) for name in names), strict=True)
    return Rush(rates, last_bits)


def _one(
    network: Network, src: str, dst: str, nbytes: int, device: str, went: dict[str, tuple[float, float]]
) -> Generator[simpy.Event, Any, None]:
    try:
        delivery = yield network.transfer(src, dst, nbytes)
    except Lost:
        return
    took_s = delivery.last_bit_s - delivery.asked_s
    went[device] = (8.0 * delivery.wire_bytes / took_s if took_s > 0.0 else math.inf, delivery.last_bit_s)


def airtime_s(
    survey: Survey, bytes_up: Mapping[str, float], bytes_down: Mapping[str, float], bytes_to_all: float
) -> dict[str, float]:
    """Return what the air takes at least to carry these bytes of each device, and those sent to all at once.

    Bytes are with headers. Stations work side by side, and none is faster than its devices at their best.
    """
    up_s, down_s = _by_medium(survey, bytes_up, True), _by_medium(survey, bytes_down, False)
    to_all_s = _seconds(bytes_to_all, survey.multicast_rate_bps)
    down_s = {station: seconds + to_all_s for station, seconds in down_s.items()}
    parts = {
        "uplink air": max(up_s.values()) / survey.up_share,
        "downlink air": max(down_s.values()) / survey.down_share,
    }
    if survey.duplex == "half":
        parts["air, both ways"] = max(up_s[station] + down_s[station] for station in up_s)
    return parts


def _by_medium(survey: Survey, nbytes: Mapping[str, float], uplink: bool) -> dict[str, float]:
    found: dict[str, float] = defaultdict(float)
    for link in survey.links:
        best_bps = link.up_best_bps if uplink else link.down_best_bps
        medium = link.device if survey.medium == _UNSHARED else link.station
        found[medium] += _seconds(nbytes[link.device], best_bps)
    return found


def _seconds(nbytes: float, rate_bps: float) -> float:
    """Return the time alone on the air; for ever, where there is no coverage."""
    if nbytes == 0.0:
        return 0.0
    return 8.0 * nbytes / rate_bps if rate_bps > 0.0 else math.inf


def fading_remarks(survey: Survey, rushes: Sequence[Rush]) -> list[str]:
    """Return the advice to take the mean over the fades, where blocks of them cost much and change little."""
    block_s = survey.coherence_s
    lasting_s = [at_s for one in rushes for at_s in one.last_bits_s if math.isfinite(at_s)]
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
