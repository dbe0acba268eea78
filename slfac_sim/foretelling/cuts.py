"""Every cut of a model: what it asks of devices and air, and how long a round would take; nothing is trained.

`cut: auto` takes the one with the shortest predicted round, `cut: per_device` one for each device.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import torch

from slfac_sim.build import World
from slfac_sim.datasets import Dataset
from slfac_sim.foretelling.demands import (
    Seconds,
    Sizes,
    flops_of,
    samples_a_round,
    samples_if_asked,
    seconds_of,
    sizes_of,
)
from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.plugins import kind_of
from slfac_sim.layouts._cutting import refuse_mixtures
from slfac_sim.layouts._fleet import fitting, held_memory
from slfac_sim.network import Link, Survey
from slfac_sim.scenario import PER_DEVICE, Scenario
from slfac_sim.simulation import survey_of
from slfac_sim.steering import cuts_a_model

MOST_LIMITS = 32  # tried for a mixture of cuts: 7 ms with 100 devices and 10 cuts


@dataclass(frozen=True)
class Cut:
    """The model cut after `block`. FLOPs are per sample, bytes per mini-batch of a device, seconds per round.

    `parts_s` add up to the predicted round; `devices_s` are rounds in which all devices were like that one.
    A cut that some device cannot have is not for all: `refused` says why, and there are no `parts_s`. `fits`
    are the devices that can have it, and `rounds` predict with it; without them it has only its name.
    """

    block: str
    refused: str = ""
    smashed_shape: tuple[int, ...] = ()
    device_flops: float = 0.0
    server_flops: float = 0.0
    memory_bytes: int = 0
    up_bytes: int = 0
    down_bytes: int = 0
    parts_s: Mapping[str, float] | None = None
    devices_s: Mapping[str, float] | None = None
    fits: tuple[str, ...] = ()
    rounds: "Rounds | None" = field(default=None, repr=False, compare=False)

    @property
    def round_s(self) -> float:
        """The predicted duration of a round; infinite where the cut is impossible."""
        return sum(self.parts_s.values()) if self.parts_s is not None else float("inf")

    @property
    def bottleneck(self) -> str:
        """The part that takes longest."""
        parts_s = self.parts_s or {}
        return max(parts_s, key=lambda part: parts_s[part], default="")


@dataclass(frozen=True)
class Mixture:
    """A cut for each device: `cut_of` has the blocks by device, `parts_s` add up to the predicted round."""

    cut_of: Mapping[str, str]
    parts_s: Mapping[str, float]

    @property
    def round_s(self) -> float:
        """The predicted duration of a round."""
        return sum(self.parts_s.values())


def cuts_of(scenario: Scenario, data: Dataset) -> list[Cut]:
    """Return every cut, from the input on. Raises `BadInput` for a protocol that cuts no model."""
    if not cuts_a_model(scenario):
        raise BadInput(f"cut: {kind_of(scenario.protocol)} cuts no model, so there is nothing to choose")
    with torch.device("meta"):
        names = [name for name, _ in scenario.model.blocks(data.image_shape[0], data.classes)]
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
    mixed = mixture_of(cuts).cut_of
    blocks = set(mixed.values())
    return replace(scenario, cut=dict(mixed) if len(blocks) > 1 else blocks.pop())


def mixture_of(cuts: Sequence[Cut]) -> Mixture:
    """Return cuts for each device with about the shortest predicted round.

    Tried are the best cut for all, and times that a device may take for a step by itself: within each, every
    device has the cut that asks least of what all share, air and server, or its fastest one, of those that
    fit into its memory. Raises `BadInput` for a device without any.
    """
    rounds = {cut.block: cut.rounds for cut in cuts if cut.rounds is not None}
    fits = {cut.block: set(cut.fits) for cut in cuts}
    devices = next(iter(rounds.values())).shares if rounds else {}
    possible = {name: [block for block in rounds if name in fits[block]] for name in devices}
    if not possible or not all(possible.values()):
        best_of(cuts)  # says why
    best = min(cuts, key=lambda cut: cut.round_s)
    choices = [] if best.refused else [dict.fromkeys(possible, best.block)]
    own_s = sorted({share.device_s for one in rounds.values() for share in one.shares.values()})
    shares = {name: {block: rounds[block].shares[name] for block in possible[name]} for name in possible}
    for limit_s in own_s[:: max(1, len(own_s) // MOST_LIMITS)]:
        choices.append({name: _least_shared(shares[name], limit_s) for name in possible})
    found = [Mixture(cut_of, _mixed(rounds, cut_of)) for cut_of in choices]
    return min(found, key=lambda mixture: mixture.round_s)


def in_words(cut: str | Mapping[str, str]) -> str:
    """Return a cut for people, and of cuts that differ how many devices have each."""
    if isinstance(cut, str):
        return cut
    counts = Counter(cut.values())
    return ", ".join(f"{block} ({count} device{'s' if count > 1 else ''})" for block, count in counts.items())


def _least_shared(shares: Mapping[str, "_Share"], limit_s: float) -> str:
    fitting = [block for block, share in shares.items() if share.device_s <= limit_s]
    if not fitting:
        return min(shares, key=lambda block: shares[block].device_s)
    return min(fitting, key=lambda block: shares[block].shared_s)


def _mixed(rounds: Mapping[str, "Rounds"], cut_of: Mapping[str, str]) -> dict[str, float]:
    """Return the seconds of each part of a round in which devices have the cuts of `cut_of`."""
    some = next(iter(rounds.values()))
    return some.of_shares([rounds[cut_of[name]].shares[name] for name in some.asked])


def _cut(scenario: Scenario, block: str, data: Dataset, survey: Survey) -> Cut:
    scenario, refused = replace(scenario, cut=block), ""
    try:
        world = World(scenario, data)
    except BadInput as fault:
        refused = str(fault)
        try:
            world = World(scenario, data, limited=False)
        except BadInput as other:
            return Cut(block, str(other))
    _, sizes = sizes_of(world)
    flops = flops_of(world)
    rounds = Rounds(world, survey, sizes)
    return Cut(
        block=block,
        refused=refused,
        fits=tuple(fitting(scenario, world.cast.held)),
        smashed_shape=world.cast.split.smashed_shape,
        device_flops=max(flops.devices.values()),
        server_flops=max(flops.server.values()),
        memory_bytes=held_memory(scenario, world.cast.held).total,
        up_bytes=sizes.up,
        down_bytes=sizes.down,
        parts_s=None if refused else rounds.parts_s(),
        devices_s=None
        if refused
        else {device.name: sum(rounds.parts_s(device.name).values()) for device in world.devices},
        rounds=rounds,
    )


@dataclass(frozen=True)
class _Share:
    """The seconds of one device's mini-batch: its own, the server's and the air's; and of its model."""

    medium: str
    device_s: float
    server_s: float
    up_s: float
    down_s: float
    model_up_s: float
    model_down_s: float
    model_down_bytes: int

    @property
    def shared_s(self) -> float:
        """The seconds of what all devices share."""
        return self.up_s + self.server_s + self.down_s


class Rounds:
    """Predicts the rounds of `world`, from mean rates and with nothing down or slow.

    In a step devices compute side by side, and the air is at work from when the first is ready: the last bit
    leaves at the largest of r + (the airtime of all that are ready at r or later). Then the server has its
    turn, then the air down. In a protocol of turns devices do all this one after the other. Protocols without
    a barrier are faster than that.
    """

    def __init__(self, world: World, survey: Survey, sizes: Sizes) -> None:
        protocol = world.scenario.protocol
        self._survey, self._sizes = survey, sizes
        self._samples = samples_a_round(world)
        self._in_turn = kind_of(protocol) == "sequential"
        self._steps = world.device_steps / (len(self._samples) * protocol.rounds)
        self._to_all = protocol.model_broadcast == "multicast" and not self._in_turn
        seconds, batch = seconds_of(world), world.scenario.learning.batch
        self.asked = [name for name, count in self._samples.items() if count]
        used = samples_if_asked(world)
        self.shares = {
            link.device: self._share(link, used[link.device] / self._steps, batch, seconds)
            for link in survey.links
        }

    def parts_s(self, like: str = "") -> dict[str, float]:
        """Return the seconds of each part of a round; with all devices `like` the one of that name."""
        return self.of_shares([self.shares[like or name] for name in self.asked])

    def of_shares(self, shares: Sequence[_Share]) -> dict[str, float]:
        """Return the seconds of each part of a round of devices with these `shares`."""
        steps, latency_s = self._steps, self._survey.latency_s
        crossings = 1 + (self._sizes.middle_up > 0)
        devices_s, up_s = self._up(shares)
        down_s = self._on_air(shares, [share.down_s for share in shares])
        many = len(shares) if self._in_turn else 1
        return {
            "devices": steps * devices_s,
            "air up": steps * up_s,
            "server": steps * sum(share.server_s for share in shares),
            "air down": steps * down_s,
            "models": self._models(shares),
            "latency": 2 * many * latency_s * (steps * crossings + (self._sizes.model > 0)),
        }

    def _share(self, link: Link, samples: float, batch: int, seconds: Seconds) -> _Share:
        """Return what a mini-batch of `samples` of the device at the end of `link` takes."""
        survey, sizes, name = self._survey, self._sizes, link.device
        up_bps, down_bps = link.up_rate_bps * survey.up_share, link.down_rate_bps * survey.down_share
        return _Share(
            medium=name if survey.medium == "none" else link.station,
            device_s=samples * seconds.devices[name],
            server_s=samples * seconds.server[name],
            up_s=_seconds(survey.wire_bytes(sizes.up) * samples / batch, up_bps),
            down_s=_seconds(survey.wire_bytes(sizes.down) * samples / batch, down_bps),
            model_up_s=_seconds(survey.wire_bytes(sizes.model), up_bps),
            model_down_s=_seconds(survey.wire_bytes(sizes.model_down), down_bps),
            model_down_bytes=sizes.model_down,
        )

    def _up(self, shares: Sequence[_Share]) -> tuple[float, float]:
        """Return what devices and air take of a step until the last bit is up."""
        if self._in_turn:
            return sum(share.device_s for share in shares), sum(share.up_s for share in shares)
        whole_s: dict[str, float] = defaultdict(float)
        air_s: dict[str, float] = defaultdict(float)
        for share in sorted(shares, key=lambda share: -share.device_s):
            air_s[share.medium] += share.up_s
            whole_s[share.medium] = max(whole_s[share.medium], share.device_s + air_s[share.medium])
        devices_s = max(share.device_s for share in shares)
        return devices_s, max(0.0, max(whole_s.values()) - devices_s)

    def _models(self, shares: Sequence[_Share]) -> float:
        """Return what the air takes to bring models up and the average, or each turn's, down."""
        up_s = self._on_air(shares, [share.model_up_s for share in shares])
        if not self._to_all:
            return up_s + self._on_air(shares, [share.model_down_s for share in shares])
        rate_bps = self._survey.multicast_rate_bps * self._survey.down_share
        deepest = max(share.model_down_bytes for share in shares)
        return up_s + _seconds(self._survey.wire_bytes(deepest), rate_bps)

    def _on_air(self, shares: Sequence[_Share], each_s: Sequence[float]) -> float:
        """Return what the busiest medium takes, or all of them one after the other in turns."""
        found: dict[str, float] = defaultdict(float)
        for share, seconds in zip(shares, each_s, strict=True):
            found["" if self._in_turn else share.medium] += seconds
        return max(found.values())


def _seconds(nbytes: float, rate_bps: float) -> float:
    """Return the time on the air; for ever, where there is no coverage."""
    if nbytes == 0.0:
        return 0.0
    return 8.0 * nbytes / rate_bps if rate_bps > 0.0 else math.inf
