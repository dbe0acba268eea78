"""What a network offers with its changes: the means in time and, for the best rates, the most."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace

from slfac_sim.network.change import Effect
from slfac_sim.network.contract import Link, Survey
from slfac_sim.network.effects import Capacity, Effects
from slfac_sim.network.transfers import Path

Paths = Callable[[str, tuple[str, ...]], Sequence[Path]]
EffectsOn = Callable[[Path], Sequence[Effect]]


def surveyed(survey: Survey, paths: Paths, effects: EffectsOn) -> Survey:
    """Return `survey` with what `effects` does to the `paths` between devices and their servers."""
    devices: defaultdict[str, list[str]] = defaultdict(list)
    for link in survey.links:
        devices[link.server].append(link.device)
    together = [path for server, names in devices.items() for path in paths(server, tuple(names))]
    multicasts_bps = [mean_bps(effects(path), survey.multicast_rate_bps) for path in together]
    return replace(
        survey,
        links=[_changed(link, paths, effects) for link in survey.links],
        multicast_rate_bps=min(multicasts_bps, default=survey.multicast_rate_bps),
        crowd_independent=False,
    )


def mean_bps(effects: Sequence[Effect], rate_bps: float) -> float:
    """Return the mean of a rate, of the slowest receiver; 0 stays 0, as for what is not reached."""
    return Capacity(Effects(effects), rate_bps).mean if rate_bps > 0.0 else 0.0


def most_bps(effects: Sequence[Effect], rate_bps: float) -> float:
    """Return the most that a rate ever is."""
    return Capacity(Effects(effects), rate_bps).most if rate_bps > 0.0 else 0.0


def _changed(link: Link, paths: Paths, effects: EffectsOn) -> Link:
    (path,) = paths(link.device, (link.server,))
    (back,) = paths(link.server, (link.device,))
    up, down = effects(path), effects(back)
    latency_s, wires_s = link.latency_s, sum(hop.latency_s for hop in path.hops)
    for effect in up:
        if effect.latencies_s:
            latency_s = wires_s + max(course.mean for course in effect.latencies_s)
    return replace(
        link,
        up_rate_bps=mean_bps(up, link.up_rate_bps),
        down_rate_bps=mean_bps(down, link.down_rate_bps),
        up_best_bps=most_bps(up, link.up_best_bps),
        down_best_bps=most_bps(down, link.down_best_bps),
        latency_s=latency_s,
    )
