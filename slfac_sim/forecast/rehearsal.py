"""A round of a schedule as a protocol without learning: every compute and every transfer, sizes for tensors.

Played on a scenario's own network and hosts it takes as long as the round that it stands for.
"""

import math
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from slfac_sim.effects import Compute, Note, Offer, Send, Task, Together
from slfac_sim.forecast.actors import Actor, Edge
from slfac_sim.learning.work import Work
from slfac_sim.protocols import Participation, Schedule
from slfac_sim.simulation.replay_log import RecordedParcel

EVERYBODY = Participation()

Begun = tuple[int, int]
"""A mini-batch that its device has encoded: the step that it is for, and its samples."""


def rehearsal(
    actors: Sequence[Actor], schedule: Schedule, limits: Participation = EVERYBODY, rounds: int = 1
) -> Task:
    """Yield the effects of a round of `actors`; the row of `rounds` says when it is over.

    Where nobody waits for anybody it is `rounds` of them, since none has an end of its own; under a cloud
    those from one of its averages to the next.
    """
    if schedule.cloud_every is not None:
        yield from _under_cloud(actors, schedule, limits, rounds)
    elif schedule.models == "mixed":
        yield from _Rehearsal(schedule, limits).at_own_pace(actors, rounds)
    else:
        yield from _Rehearsal(schedule, limits).in_groups(actors)
    yield Note("rounds", {"round": 1, "devices": len(actors), "samples": 0, "loss": 0.0})


def in_turn(actors: Sequence[Actor], schedule: Schedule, limits: Participation) -> Task:
    """Yield the effects of a round for one of `actors` after the other, each with its row of `rounds`."""
    for number, actor in enumerate(actors, start=1):
        yield from _Rehearsal(schedule, limits).group([actor], actor.name)
        yield Note("rounds", {"round": number, "devices": 1, "samples": 0, "loss": 0.0})


def _under_cloud(actors: Sequence[Actor], schedule: Schedule, limits: Participation, rounds: int) -> Task:
    """Yield the rounds from one average of the cloud to the next, that with its way to the edges and back."""
    first, groups = actors[0], [
        [actor for actor in actors if actor.server == server]
        for server in dict.fromkeys(actor.server for actor in actors)
    ]  # fmt: skip
    edge = first.edge
    assert edge is not None
    for number in range(rounds):
        is_first, is_last = number == 0, number == rounds - 1
        if is_first:
            yield Compute(edge.cloud, edge.cloud_codec_flops[0], _nothing, "encode_model")
        play = _Rehearsal(schedule, limits)
        yield Together([play.at_edge(group, edge, is_first, is_last) for group in groups])
        if is_last:
            yield Compute(edge.cloud, 2.0 * edge.values * len(groups), _nothing, "average")


class _Rehearsal:
    """The round of `schedule`, effect by effect, as the protocols of `slfac_sim.protocols` yield them."""

    def __init__(self, schedule: Schedule, limits: Participation) -> None:
        self._schedule, self._limits = schedule, limits

    def at_edge(self, actors: Sequence[Actor], edge: Edge, is_first: bool, is_last: bool) -> Task:
        """The devices of an edge learn, in the first round after an average of the cloud from that on."""
        first, sizes = actors[0], actors[0].sizes
        if is_first:
            yield Send(edge.cloud, first.server, {"edge_down": RecordedParcel(sizes.edge_down, 0, "")})
            yield _on_server(first, edge.edge_codec_flops[1], "decode_model")
        yield from self.group(actors, "")
        if is_last:
            yield _on_server(first, edge.edge_codec_flops[0], "encode_model")
            yield Send(first.server, edge.cloud, {"edge_up": RecordedParcel(sizes.edge_up, 0, "")})
            yield Compute(edge.cloud, edge.cloud_codec_flops[1], _nothing, "decode_model")

    def in_groups(self, actors: Sequence[Actor]) -> Task:
        """One group after the other learns, and what it has learnt is averaged."""
        size = self._schedule.at_once or len(actors)
        for first in range(0, len(actors), size):
            group = actors[first : first + size]
            yield from self.group(group, group[0].name)

    def group(self, actors: Sequence[Actor], name: str) -> Task:
        """The devices of a group learn at once; the server averages those that are done in time."""
        schedule, limits = self._schedule, self._limits
        if schedule.models != "kept":
            yield from self._announce(actors)
        cohorts = [
            [actor for actor in actors if len(actor.batches) > step]
            for step in range(max(len(actor.batches) for actor in actors))
        ]
        tasks = [self._turn(actor, _Cohorts(cohorts, name, schedule.aggregated)) for actor in actors]
        results = yield Together(tasks, limits.deadline, limits.enough)
        done = [actor for actor, result in zip(actors, results, strict=True) if result is actor]
        if schedule.models == "averaged":
            yield _on_server(actors[0], 2.0 * sum(actor.model_values for actor in done), "average")
        if schedule.averages_copies:
            yield _on_server(actors[0], 2.0 * sum(actor.server_values for actor in done), "average")

    def at_own_pace(self, actors: Sequence[Actor], rounds: int) -> Task:
        """Every device learns, hands in and is given back, as long as there is something to begin."""
        if self._schedule.exchanges:
            left = [rounds * sum(len(actor.batches) for actor in actors)]
            yield Together([self._alone(actor, left) for actor in actors])
            return
        left, idle = [rounds * len(actors)], deque(actors)
        yield Together([self._trainings(idle, left) for _ in range(self._schedule.at_once or len(actors))])

    def _trainings(self, idle: deque[Actor], left: list[int]) -> Task:
        """Whoever has been idle longest trains a whole model, hands it in and is given back."""
        while left[0] > 0:
            left[0] -= 1
            actor = idle.popleft()
            for samples in actor.batches:
                yield from _learn_whole(actor.work, actor.name, samples)
            yield from self._mixed(actor)
            idle.append(actor)

    def _mixed(self, actor: Actor) -> Task:
        """Hand in, be mixed into the common part, and be given that back."""
        yield from self._hand_in(actor)
        yield _on_server(actor, 4.0 * actor.model_values, "mix")
        yield from self._announce([actor])
        yield from self._take(actor)

    def _alone(self, actor: Actor, left: list[int]) -> Task:
        ahead: Iterator[Begun] = iter(())
        while left[0] > 0:
            left[0] -= 1
            begun = yield from self._begin(actor, ahead)
            if begun is None:
                ahead = iter(enumerate(actor.batches, start=1))
                begun = yield from self._begin(actor, ahead)
            yield from self._served(actor, _Cohorts([], "", 0.0), *begun)
            if begun[0] == len(actor.batches) or not left[0]:
                yield from self._mixed(actor)

    def _turn(self, actor: Actor, cohorts: "_Cohorts") -> Task:
        schedule = self._schedule
        if schedule.models != "kept":
            yield from self._take(actor)
        yield from self._lanes(actor, cohorts, iter(enumerate(actor.batches, start=1)), schedule.in_flight)
        if schedule.models != "kept":
            yield from self._hand_in(actor)
        return actor

    def _announce(self, actors: Sequence[Actor]) -> Task:
        """Encode what is handed out, once for each size of it, and send it if it goes to all at once."""
        actors = [actor for actor in actors if actor.model_values]
        if not actors:
            return
        sizes = {actor.model_values: actor.server_codec_flops[0] for actor in actors}
        if self._schedule.broadcast == "unicast":
            yield _on_server(actors[0], sum(sizes.values()), "encode_model")
            return
        yield _on_server(actors[0], max(sizes.values()), "encode_model")
        largest = RecordedParcel(max(actor.sizes.model_down for actor in actors), 0, "")
        yield Send(actors[0].server, tuple(actor.name for actor in actors), {"model_down": largest})

    def _take(self, actor: Actor) -> Task:
        if not actor.model_values:
            return
        if self._schedule.broadcast == "unicast":
            yield Send(
                actor.server, actor.name, {"model_down": RecordedParcel(actor.sizes.model_down, 0, "")}
            )
        yield _on(actor, actor.device_codec_flops[1], "decode_model")

    def _hand_in(self, actor: Actor) -> Task:
        if not actor.model_values:
            return
        yield _on(actor, actor.device_codec_flops[0], "encode_model")
        yield Send(actor.name, actor.server, {"model_up": RecordedParcel(actor.sizes.model, 0, "")})
        yield _on_server(actor, actor.server_codec_flops[1], "decode_model")

    def _lanes(self, actor: Actor, cohorts: "_Cohorts", ahead: Iterator[Begun], depth: int) -> Task:
        """Learn from all that is `ahead`, up to `depth` mini-batches in flight."""
        first = yield from self._begin(actor, ahead)
        lane = self._lane(actor, cohorts, ahead, first)
        if depth == 1 or first is None:
            return (yield from lane)
        return (yield Together([lane, self._lanes(actor, cohorts, ahead, depth - 1)]))

    def _lane(self, actor: Actor, cohorts: "_Cohorts", ahead: Iterator[Begun], begun: Begun | None) -> Task:
        while begun is not None:
            yield from self._served(actor, cohorts, *begun)
            begun = yield from self._begin(actor, ahead)

    def _begin(self, actor: Actor, ahead: Iterator[Begun]) -> Task:
        """Compute and encode the next mini-batch; returns it, or None if there is none."""
        begun = next(ahead, None)
        if begun is not None and self._schedule.exchanges:
            cost, samples = actor.crossings[0], begun[1]
            yield _on(actor, samples * actor.work.device_forward_flops, "forward")
            yield _on(actor, samples * cost.encode_up_flops, "encode")
        return begun

    def _served(self, actor: Actor, cohorts: "_Cohorts", step: int, samples: int) -> Task:
        """What becomes of a mini-batch from then on, until its device has learnt from it."""
        if not self._schedule.exchanges:
            yield from _learn_whole(actor.work, actor.name, samples)
            return
        cost, sizes = actor.crossings[0], actor.sizes
        yield Send(
            actor.name, actor.server, {"smashed_up": actor.parcel(sizes.smashed_up + sizes.labels, samples)}
        )
        yield _on_server(actor, samples * cost.decode_up_flops, "decode")
        if self._schedule.exchanges == 2:
            yield from self._through_tail(actor, cohorts, step, samples)
            together = 0
        else:
            together = cohorts.aggregated_in(step)
            flops = _step_flops(actor.work, samples, together, len(cohorts.of(step)))
            yield self._server_step(actor, cohorts, step, flops, "train")
        if not cost.answered:
            return
        yield from _answers(actor, cohorts, step, samples, together)
        yield _on(actor, samples * cost.decode_down_flops, "decode")
        yield _on(actor, samples * actor.work.device_backward_flops, "backward")

    def _through_tail(self, actor: Actor, cohorts: "_Cohorts", step: int, samples: int) -> Task:
        """The second crossing of a U: the body's activations down, their gradients up."""
        inner, work = actor.crossings[1], actor.work
        yield self._server_step(actor, cohorts, step, samples * work.server_forward_flops, "forward")
        yield _on_server(actor, samples * inner.encode_down_flops, "encode")
        yield Send(actor.server, actor.name, {"middle_down": actor.parcel(actor.sizes.middle_down, samples)})
        yield _on(actor, samples * inner.decode_down_flops, "decode")
        tail_flops = inner.work.device_forward_flops + inner.work.device_backward_flops
        yield _on(actor, samples * tail_flops, "tail")
        if not inner.answered:
            return
        yield _on(actor, samples * inner.encode_up_flops, "encode")
        yield Send(actor.name, actor.server, {"middle_up": actor.parcel(actor.sizes.middle_up, samples)})
        yield _on_server(actor, samples * inner.decode_up_flops, "decode")
        yield self._server_step(actor, cohorts, step, samples * work.server_backward_flops, "backward")

    def _server_step(
        self, actor: Actor, cohorts: "_Cohorts", step: int, flops: float, what: str
    ) -> Compute | Offer:
        """Return the server's work on a mini-batch, by itself or together with those of others."""
        schedule, place = self._schedule, actor.place
        if schedule.server_step == "arrival":
            return _on_server(actor, flops, what)
        if schedule.server_step == "batching":
            limits = (schedule.max_items, what, schedule.wait_s)
            return Offer(actor.server, "batching", place, None, list, flops, *limits)
        return cohorts.meeting(actor, step, flops, what)


@dataclass(frozen=True)
class _Cohorts:
    """Who has a mini-batch in each step of the group called `name`, and the share that is `aggregated`."""

    steps: Sequence[Sequence[Actor]]
    name: str
    aggregated: float

    def of(self, step: int) -> Sequence[Actor]:
        """Return the devices that have a mini-batch in `step`, counted from 1."""
        return self.steps[step - 1] if self.steps else ()

    def aggregated_in(self, step: int) -> int:
        """Return how many samples of each mini-batch have their gradients aggregated."""
        if not self.aggregated:
            return 0
        smallest = min(actor.batches[step - 1] for actor in self.of(step))
        return max(1, math.ceil(round(self.aggregated * smallest, 9)))

    def meeting(self, actor: Actor, step: int, flops: float, what: str) -> Offer:
        """Return the offer of `actor` to what the server does for the whole cohort of `step`."""
        queue, cohort = f"{what} {self.name}.{step}", self.of(step)
        return Offer(actor.server, queue, actor.place, None, list, flops, len(cohort), what)


def _answers(actor: Actor, cohorts: _Cohorts, step: int, samples: int, together: int) -> Task:
    """Encode and send the gradients: `together` of them to the whole cohort at once, the rest to `actor`."""
    cost, nbytes = actor.crossings[0], actor.sizes.smashed_down
    if together:
        if cohorts.of(step)[0] is actor:
            yield _on_server(actor, together * cost.encode_down_flops, "encode")
            everybody = tuple(other.name for other in cohorts.of(step))
            yield Send(actor.server, everybody, {"smashed_down": actor.parcel(nbytes, together)})
        yield cohorts.meeting(actor, step, 0.0, "broadcast")
    if samples > together:
        yield _on_server(actor, (samples - together) * cost.encode_down_flops, "encode")
        yield Send(actor.server, actor.name, {"smashed_down": actor.parcel(nbytes, samples - together)})


def _step_flops(work: Work, samples: int, together: int, cohort: int) -> float:
    """Return the server's FLOPs for one mini-batch, where gradients of `together` samples are aggregated."""
    if not together:
        return float(samples * work.server_step_flops)
    own = samples * work.server_forward_flops + (samples - together) * work.server_backward_flops
    return float(own + together * work.server_step_flops / cohort)


def _learn_whole(work: Work, host: str, samples: int) -> Task:
    yield Compute(host, samples * work.device_forward_flops, _nothing, "forward")
    yield Compute(host, samples * work.device_backward_flops, _nothing, "backward")


def _on_server(actor: Actor, flops: float, what: str) -> Compute:
    return Compute(actor.server, flops, _nothing, what)


def _on(actor: Actor, flops: float, what: str) -> Compute:
    return Compute(actor.name, flops, _nothing, what)


def _nothing() -> None:
    """Stand in for work that is not done."""
