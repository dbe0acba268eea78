"""What a network offers with its changes: the means in time and, for the best rates, the most."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace

from slfac_sim.network.air import Air
from slfac_sim.network.change import Effect
from slfac_sim.network.contract import Link, Survey
from slfac_sim.network.transfers import Path
from slfac_sim.network.varying.effects import Capacity, Effects

EffectsOn = Callable[[Path], Sequence[Effect]]


def surveyed(survey: Survey, air: Air, effects: EffectsOn) -> Survey:
    """Return the `survey` of `air` with what `effects` does to paths between devices and their servers."""
    devices: defaultdict[str, list[str]] = defaultdict(list)
    for link in survey.links:
        devices[link.server].append(link.device)
    together = [path for server, names in devices.items() for path in air.paths(server, tuple(names))]
    multicasts_bps = [_mean_bps(path, effects(path), survey.multicast_rate_bps, air) for path in together]
    return replace(
        survey,
        links=[_changed(link, air, effects) for link in survey.links],
        multicast_rate_bps=min(multicasts_bps, default=survey.multicast_rate_bps),
        crowd_independent=False,
    )


def mean_bps(effects: Sequence[Effect], rate_bps: float) -> float:
    """Return the mean of a rate, of the slowest receiver; 0 stays 0, as for what is not reached."""
    return Capacity(Effects(effects), rate_bps).mean if rate_bps > 0.0 else 0.0


def most_bps(effects: Sequence[Effect], rate_bps: float) -> float:
    """Return the most that a rate ever is."""
    return Capacity(Effects(effects), rate_bps).most if rate_bps > 0.0 else 0.0


def _mean_bps(path: Path, effects: Sequence[Effect], rate_bps: float, air: Air) -> float:
    """Return the mean of a rate; of one that stands in place of the PHY's what it is to a sender alone."""
    mean = mean_bps(effects, rate_bps)
    is_phy = air.framing(path.lane).holds_headers and any(effect.rates_bps for effect in effects)
    return air.alone_bps(path, mean) if is_phy and mean > 0.0 else mean


def _changed(link: Link, air: Air, effects: EffectsOn) -> Link:
    (path,) = air.paths(link.device, (link.server,))
    (back,) = air.paths(link.server, (link.device,))
    up, down = effects(path), effects(back)
    latency_s, wires_s = link.latency_s, sum(hop.latency_s for hop in path.hops)
    for effect in up:
        if effect.latencies_s:
            latency_s = wires_s + max(course.mean for course in effect.latencies_s)
    return replace(
        link,
        up_rate_bps=_mean_bps(path, up, link.up_rate_bps, air),
        down_rate_bps=_mean_bps(back, down, link.down_rate_bps, air),
        up_best_bps=most_bps(up, link.up_best_bps),
        down_best_bps=most_bps(down, link.down_best_bps),
        latency_s=latency_s,
    )
