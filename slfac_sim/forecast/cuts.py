"""Every cut of a model: what it asks of devices and air, and how long a round would take; nothing is trained.

`cut: auto` takes the one with the shortest predicted round, `cut: per_device` one for each device.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from slfac_sim.analysis.format import count
from slfac_sim.forecast.actors import Actor, actors_of
from slfac_sim.forecast.demands import chosen, compressed_sizes
from slfac_sim.forecast.round_time import (
    RoundTime,
    alone,
    alone_s,
    no_schedule,
    round_time,
    time_of,
)
from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.plugins import kind_of
from slfac_sim.learning.cutting import refuse_mixtures
from slfac_sim.learning.datasets import Dataset
from slfac_sim.learning.given import blocks_of
from slfac_sim.learning.world import World
from slfac_sim.network import Survey
from slfac_sim.scenario.schedule import Schedule
from slfac_sim.scenario.schema import PER_DEVICE, Scenario
from slfac_sim.scenario.steering import cuts_a_model
from slfac_sim.simulation.simulate import survey_of

MOST_LIMITS = 12  # tried for a mixture of cuts, each a round that is played


@dataclass(frozen=True)
class Cut:
    """The model cut after `block`. FLOPs are per sample, bytes per mini-batch of a device, seconds per round.

    A cut that some device cannot have is not for all: `refused` says why, and there is no `time`. `fits` are
    the devices that can have it, and `actors` those with it; without them it has only its name.
    """

    block: str
    refused: str = ""
    smashed_shape: tuple[int, ...] = ()
    device_flops: float = 0.0
    server_flops: float = 0.0
    memory_bytes: int = 0
    up_bytes: int = 0
    down_bytes: int = 0
    time: RoundTime | None = None
    fits: tuple[str, ...] = ()
    actors: Mapping[str, Actor] = field(default_factory=dict, repr=False, compare=False)
    asked: frozenset[str] = field(default=frozenset(), repr=False, compare=False)

    @property
    def parts_s(self) -> Mapping[str, float]:
        """The parts of the predicted round; none where it is impossible, or never ends."""
        return (self.time.parts_s if self.time is not None else None) or {}

    @property
    def round_s(self) -> float:
        """The predicted duration of a round; infinite where the cut is impossible."""
        seconds = self.time.seconds if self.time is not None else None
        return math.inf if seconds is None else seconds

    @property
    def bottleneck(self) -> str:
        """The part that takes longest."""
        return max(self.parts_s, key=lambda part: self.parts_s[part], default="")


@dataclass(frozen=True)
class Mixture:
    """A cut for each device: `cut_of` has the blocks by device, `time` is that of a round with them."""

    cut_of: Mapping[str, str]
    time: RoundTime

    @property
    def round_s(self) -> float:
        """The predicted duration of a round."""
        return math.inf if self.time.seconds is None else self.time.seconds


def cuts_of(scenario: Scenario, data: Dataset) -> list[Cut]:
    """Return every cut, from the input on. Raises `BadInput` for a protocol that cuts no model."""
    if not cuts_a_model(scenario):
        raise BadInput(f"cut: {kind_of(scenario.protocol)} cuts no model, so there is nothing to choose")
    names = [name for name, _ in blocks_of(scenario, data.image_shape, data.classes)]
    _schedule(scenario)  # or there is nothing to choose by
    survey = survey_of(scenario)
    return [_cut(scenario, name, data, survey) for name in names[:-1]]


def best_of(cuts: Sequence[Cut]) -> Cut:
    """Return the cut with the shortest predicted round, of equals the first. Raises `BadInput` for none."""
    best = min(cuts, key=lambda cut: cut.round_s)
    if best.refused:
        raise BadInput(f"cut: auto: no cut is possible; after '{best.block}': {best.refused}")
    return best


def with_best_cut(scenario: Scenario, data: Dataset) -> Scenario:
    """Return `scenario` with the best cut in place of `auto`, or of `per_device` with one for each device.

    If different cuts are not predicted to be faster, all devices have the best one. Raises `BadInput`.
    """
    cuts = cuts_of(scenario, data)
    if scenario.cut != PER_DEVICE:
        return replace(scenario, cut=best_of(cuts).block)
    refuse_mixtures(scenario)
    mixed = mixture_of(scenario, cuts).cut_of
    blocks = set(mixed.values())
    return replace(scenario, cut=dict(mixed) if len(blocks) > 1 else blocks.pop())


def mixture_of(scenario: Scenario, cuts: Sequence[Cut]) -> Mixture:
    """Return cuts for each device with about the shortest predicted round.

    Tried are the best cut for all, and limits on what a device may take by itself of a round alone: within
    each, every device has the cut that asks least of what all share, air and server, or its fastest one, of
    those that fit into its memory. Raises `BadInput` for a device without any.
    """
    schedule, survey = _schedule(scenario), survey_of(scenario)
    possible = {name: [cut for cut in cuts if name in cut.fits] for cut in cuts for name in cut.actors}
    if not possible or not all(possible.values()):
        best_of(cuts)  # says why
    best = min(cuts, key=lambda cut: cut.round_s)
    choices = [] if best.refused else [dict.fromkeys(possible, best)]
    shares = {cut.block: _shares(scenario, survey, schedule, cut) for cut in cuts if cut.actors}
    limits_s = sorted({share.own_s for of_cut in shares.values() for share in of_cut.values()})
    for limit_s in limits_s[:: max(1, -(-len(limits_s) // MOST_LIMITS))]:
        choices.append({name: _least_shared(of, name, shares, limit_s) for name, of in possible.items()})
    mixtures = [_mixture(scenario, survey, schedule, cut_of) for cut_of in choices]
    return min(mixtures, key=lambda mixture: mixture.round_s)


def in_words(cut: str | Mapping[str, str]) -> str:
    """Return a cut for people, and of cuts that differ how many devices have each."""
    if isinstance(cut, str):
        return cut
    counts = Counter(cut.values())
    return ", ".join(f"{block} ({count(devices, 'device')})" for block, devices in counts.items())


@dataclass(frozen=True)
class _Share:
    """Of a round of one device alone the seconds of its own, and of what all share: air and server."""

    own_s: float
    shared_s: float


def _shares(scenario: Scenario, survey: Survey, schedule: Schedule, cut: Cut) -> dict[str, _Share]:
    alone_of = alone(scenario, survey, schedule, list(cut.actors.values()))
    return {name: _Share(parts.pop("devices", 0.0), sum(parts.values())) for name, parts in alone_of.items()}


def _least_shared(
    cuts: Sequence[Cut], device: str, shares: Mapping[str, Mapping[str, _Share]], limit_s: float
) -> Cut:
    fitting = [cut for cut in cuts if shares[cut.block][device].own_s <= limit_s]
    if not fitting:
        return min(cuts, key=lambda cut: shares[cut.block][device].own_s)
    return min(fitting, key=lambda cut: shares[cut.block][device].shared_s)


def _mixture(scenario: Scenario, survey: Survey, schedule: Schedule, cut_of: Mapping[str, Cut]) -> Mixture:
    """Return the round in which devices have the cuts of `cut_of`."""
    actors = [cut.actors[name] for name, cut in cut_of.items() if name in cut.asked]
    blocks = {name: cut.block for name, cut in cut_of.items()}
    return Mixture(blocks, time_of(scenario, survey, schedule, actors))


def _cut(scenario: Scenario, block: str, data: Dataset, survey: Survey) -> Cut:
    scenario, refused = replace(scenario, cut=block), ""
    try:
        world = World(scenario, data, alone_s)
    except BadInput as fault:
        refused = str(fault)
        try:
            world = World(scenario, data, alone_s, limited=False)
        except BadInput as other:
            return Cut(block, str(other))
    schedule, sizes, flops = _schedule(scenario), compressed_sizes(world), world.layout.flops()
    first = next(iter(sizes.values()))
    actors = actors_of(world, schedule, sizes, everybody=True)
    return Cut(
        block=block,
        refused=refused,
        fits=tuple(world.layout.fitting()),
        smashed_shape=world.layout.smashed_shape,
        device_flops=max(flops.devices.values()),
        server_flops=max(flops.server.values()),
        memory_bytes=world.layout.memory().total,
        up_bytes=first.up,
        down_bytes=first.down,
        time=None if refused else round_time(world, survey, schedule, sizes),
        actors={actor.name: actor for actor in actors},
        asked=frozenset(chosen(world)),
    )


def _schedule(scenario: Scenario) -> Schedule:
    schedule: Schedule | None = scenario.protocol.schedule
    if schedule is None:
        raise BadInput(
            f"cut: no round can be foretold, so none is the best: {no_schedule(scenario)}; name a cut"
        )
    return schedule
