"""FedAsync and FedBuff: known timelines, weights against a plain formula, and what equals what."""

import heapq
import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from math import inf, sqrt
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from fakes import FakeParticipants, FakeServer
from hypothesis import given
from hypothesis import strategies as st
from test_protocol_asynchronous import losing, played
from test_protocol_whole import fresh_batches, learnt, loop, model_of, play
from worlds import live_run, scenario, table, world

from slfac_sim.codecs import Payload
from slfac_sim.effects import Send
from slfac_sim.foundation.errors import BadInput
from slfac_sim.hosts.availability import Outage
from slfac_sim.hosts.names import SERVER
from slfac_sim.learning.weights import state_vector
from slfac_sim.ledger.store import MemoryLedger
from slfac_sim.protocols.fedasync import FedAsync
from slfac_sim.protocols.fedbuff import FedBuff
from slfac_sim.scenario.steering import steered
from slfac_sim.simulation.simulated import Stalled


def written(number: float) -> Payload:
    """Return a model of one number."""
    return Payload(struct.pack("d", number), 1)


def number_in(body: bytes) -> float:
    return float(struct.unpack("d", body)[0])


@dataclass
class NumberServer(FakeServer):
    """A server whose model is a number."""

    def state_of(self, model: Payload) -> Any:
        return number_in(model.body)

    def in_common(self, state: Any) -> Payload:
        return written(state)

    def decode_model(self, body: bytes) -> Any:
        return number_in(body)

    def moved(self, change: Any, given: Payload, now: Payload) -> Any:
        return change

    def decode_change(self, body: bytes) -> Any:
        return number_in(body)

    def average(self, states: Sequence[Any], samples: Sequence[Any]) -> Payload:
        pairs = zip(states, samples, strict=True)
        return written(sum(state * weight for state, weight in pairs) / sum(samples))


@dataclass
class NumberDevice:
    """A device that hands in its place + 1, whatever it is given; it writes down what that was."""

    name: str
    place: int
    work: SimpleNamespace
    model_values: int = 1
    lacks_frozen: bool = False
    model_codec_flops: tuple[float, float] = (0.0, 0.0)
    given: list[float] = field(default_factory=list)

    @property
    def trainee(self) -> Any:
        answers = SimpleNamespace(loss=1.0, correct=1)
        return SimpleNamespace(
            next_batch=lambda: [0], forward=lambda batch: answers, backward=lambda answers: None
        )

    def model_payload(self) -> Payload:
        return written(self.place + 1.0)

    def load_model(self, body: bytes) -> None:
        self.given.append(number_in(body))


class Numbers(FakeParticipants):
    """Participants whose models are numbers; the first is 0. A mini-batch takes 2e9 FLOPs."""

    def begun(self) -> tuple[int, Payload]:
        return self.kept[-1] if self.kept else (0, written(0.0))


def numbers(devices: int, may_be_absent: bool = False) -> Any:
    heard: list[str] = []
    work = SimpleNamespace(device_forward_flops=1e9, device_backward_flops=1e9)
    cast: Any = [NumberDevice(f"d{place:03d}", place, work) for place in range(devices)]
    return Numbers(cast, NumberServer(heard, 0), may_be_absent=may_be_absent)


SLOW = {"d000": 2e9, "d001": 2e9 / 4.4}
"""d000 takes 1 s a mini-batch and d001 4.4 s."""


def test_two_speeds_of_fedasync_worked_by_hand() -> None:
    """Of four trainings d000 has three, to 1, 2 and 3 s, and d001 one, to 4.4 s; a round is two of them."""
    cast = numbers(2)
    rows = played(FedAsync(rounds=2, steps=1, mixing=0.5).run(cast), SLOW, {})
    assert rows.tuples("staleness", ("at_s", "device", "kind", "staleness", "weight")) == [
        (1.0, "d000", "mix", 0, 0.5),
        (2.0, "d000", "mix", 0, 0.5),
        (3.0, "d000", "mix", 0, 0.5),
        (4.4, "d001", "mix", 3, 0.25),
    ]
    assert rows.tuples("rounds", ("at_s", "round", "devices", "samples")) == [(2.0, 1, 1, 2), (4.4, 2, 2, 2)]
    assert rows.tuples("evals", ("at_s", "round")) == [(0.0, 0), (2.0, 1), (4.4, 2)]
    assert cast.devices[0].given == [0.5, 0.75, 0.875]  # of 1s, mixed half and half
    assert cast.devices[1].given == [0.75 * 0.875 + 0.25 * 2.0]


def test_two_speeds_of_fedbuff_worked_by_hand() -> None:
    """The server steps at 2 s, on two changes of d000, and at 4.4 s, on one that is one step stale."""
    cast = numbers(2)
    rows = played(FedBuff(rounds=2, steps=1, buffer=2, server_learning_rate=3.0).run(cast), SLOW, {})
    assert rows.tuples("staleness", ("at_s", "device", "staleness", "weight")) == [
        (1.0, "d000", 0, 1.5),
        (2.0, "d000", 0, 1.5),
        (3.0, "d000", 0, 1.5),
        (4.4, "d001", 1, pytest.approx(1.5 / sqrt(2.0))),
    ]
    assert cast.devices[0].given == [0.0, 3.0, 3.0]
    assert cast.devices[1].given == [pytest.approx(3.0 + 1.5 + 3.0 / sqrt(2.0))]


def test_changes_that_wait_at_the_end_are_left_out() -> None:
    cast = numbers(2)
    played(FedBuff(rounds=2, steps=1, buffer=3).run(cast), SLOW, {})
    assert cast.devices[1].given == [1.0]  # three changes of 1, and not the fourth


@dataclass(frozen=True)
class Rule:
    """A protocol, and what its paper says of its weights."""

    protocol: Any
    weight: Callable[[int], float]
    buffer: int


def expected(rule: Rule, speeds: Sequence[float], trainings: int) -> Iterator[tuple[float, int, int, float]]:
    """Yield when whose training ended, how stale it was and its weight."""
    version, arrived = 0, 0
    ends = [(2e9 / speed, place, 0) for place, speed in enumerate(speeds)]
    heapq.heapify(ends)
    begun = len(ends)
    while ends:
        at_s, place, given = heapq.heappop(ends)
        yield at_s, place, version - given, rule.weight(version - given)
        arrived += 1
        version += arrived % rule.buffer == 0
        if begun < trainings:
            begun += 1
            heapq.heappush(ends, (at_s + 2e9 / speeds[place], place, version))


SHARES = st.floats(0.01, 1.0)
SLOPES = st.floats(0.0, 20.0)
FEDASYNC = [
    st.builds(
        lambda m: Rule(FedAsync(rounds=4, steps=1, mixing=m, staleness="constant"), lambda t: m, 1), SHARES
    ),
    st.builds(
        lambda m, a: Rule(
            FedAsync(rounds=4, steps=1, mixing=m, staleness_exponent=a), lambda t: m * (t + 1.0) ** -a, 1
        ),
        SHARES,
        SLOPES,
    ),
    st.builds(
        lambda m, a, b: Rule(
            FedAsync(rounds=4, steps=1, mixing=m, staleness="hinge", hinge_slope=a, hinge_from=float(b)),
            lambda t: m if t <= b else m / (a * (t - b) + 1.0),
            1,
        ),
        SHARES,
        SLOPES,
        st.integers(0, 6),
    ),
]
FEDBUFF = st.builds(
    lambda r, k: Rule(
        FedBuff(rounds=4, steps=1, buffer=k, server_learning_rate=r), lambda t: r / sqrt(1.0 + t) / k, k
    ),
    st.floats(0.1, 3.0),
    st.integers(1, 8),
)
SPEEDS = st.lists(st.floats(1e9, 1e10), min_size=2, max_size=5, unique=True)


@given(st.one_of(*FEDASYNC, FEDBUFF), SPEEDS)
def test_staleness_and_weights_are_those_of_a_plain_count(rule: Rule, speeds: list[float]) -> None:
    """And the model is what they make of what was handed in."""
    cast = numbers(len(speeds))
    named = {f"d{place:03d}": speed for place, speed in enumerate(speeds)}
    rows = played(rule.protocol.run(cast), named, {})
    found = rows.tuples("staleness", ("at_s", "device", "staleness", "weight"))
    wanted = list(expected(rule, speeds, 4 * len(speeds)))
    if len({round(at_s, 9) for at_s, *_ in wanted}) == len(wanted):  # else equals may come in either order
        counted = [(f"d{place:03d}", staleness) for _, place, staleness, _ in wanted]
        assert [(device, staleness) for _, device, staleness, _ in found] == counted
    model, waiting = 0.0, 0.0
    for number, (_, device, staleness, weight) in enumerate(found, start=1):
        assert weight == pytest.approx(rule.weight(staleness), rel=1e-12)
        sent = int(device[1:]) + 1.0
        if isinstance(rule.protocol, FedAsync):
            model = (1.0 - weight) * model + weight * sent
            continue
        waiting += weight * sent
        if number % rule.buffer == 0:
            model, waiting = model + waiting, 0.0
    last = cast.devices[int(found[-1][1][1:])]
    assert last.given[-1] == pytest.approx(model, rel=1e-9)


@pytest.mark.parametrize("concurrency", [1, 2, 4])
def test_so_many_train_at_once_and_everybody_comes(tmp_path: Path, concurrency: int) -> None:
    path = tmp_path / "ledger.sqlite"
    live_run(path, f"protocol={{kind: fedasync, rounds: 8, steps: 1, concurrency: {concurrency}}}")
    work = [row for row in table(path, "computes") if row["what"] in ("forward", "backward")]
    begun = [row["start_s"] for row in work]
    assert max(sum(row["start_s"] <= at_s < row["end_s"] for row in work) for at_s in begun) == concurrency
    assert {row["host"] for row in work} == {f"d{place:03d}" for place in range(5)}
    assert len(table(path, "staleness")) == 8 * 5
    stale = [row["staleness"] for row in table(path, "staleness")]
    assert (max(stale) > 0) == (concurrency > 1)


def test_a_crash_costs_the_training_and_the_device_begins_anew_from_the_model_as_it_is_then() -> None:
    cast = numbers(2, may_be_absent=True)
    crash = {"d001": [Outage(1.5, 3.2, "crash")]}
    rows = played(FedAsync(rounds=3, steps=1, mixing=1.0).run(cast), {"d000": 2e9, "d001": 1e9}, crash)
    assert rows.tuples("misses", ("at_s", "round", "device", "reason")) == [
        (1.5, 1, "d001", "d001 is down: crash")
    ]
    ends = rows.tuples("staleness", ("at_s", "device", "staleness"))
    assert ends == [(1.0, "d000", 0), (2.0, "d000", 0), (3.0, "d000", 0), (4.0, "d000", 0), (5.2, "d001", 1)]
    assert cast.devices[1].given[0] == 1.0
    assert rows.tuples("rounds", ("at_s", "round")) == [(1.5, 1), (3.0, 2), (5.2, 3)]


def test_a_slot_whose_device_is_away_is_taken_by_another() -> None:
    """One of three trains at a time; whoever is away is not drawn, and comes back."""
    cast = numbers(3, may_be_absent=True)
    away = {"d000": [Outage(0.0, 20.0, "off")], "d001": [Outage(0.0, 20.0, "off")]}
    rows = played(
        FedBuff(rounds=20, steps=1, concurrency=1).run(cast), dict.fromkeys(SLOW | {"d002": 0}, 2e9), away
    )
    ends = rows.tuples("staleness", ("at_s", "device"))
    assert {device for at_s, device in ends if at_s <= 20.0} == {"d002"}
    assert {device for at_s, device in ends if at_s > 21.0} == {"d000", "d001", "d002"}
    assert len(cast.kept) == 20


def test_a_server_that_is_down_is_waited_for() -> None:
    cast = numbers(1, may_be_absent=True)
    rows = played(
        FedAsync(rounds=3, steps=1).run(cast), {"d000": 2e9}, {SERVER: [Outage(0.3, 7.0, "restart")]}
    )
    assert rows.tuples("misses", ("at_s", "reason")) == [(1.0, "server is down: restart")]
    assert [at_s for (at_s,) in rows.tuples("staleness", ("at_s",))] == [8.0, 9.0]


def test_when_nobody_is_left_the_training_says_so() -> None:
    cast = numbers(2, may_be_absent=True)
    ends = {name: [Outage(1.2, inf, "battery empty")] for name in ("d000", "d001")}
    with pytest.raises(Stalled, match="round 3 cannot end: no device can reach the server any more"):
        played(FedBuff(rounds=4, steps=1).run(cast), dict.fromkeys(ends, 2e9), ends)


def test_a_lost_transfer_costs_its_training() -> None:
    """The second model on its way up, and the third on its way down."""
    cast, rows, sends = numbers(1), MemoryLedger(), []

    def lost(send: Send) -> bool:
        sends.append(send.src)
        return len(sends) in {3, 6}

    rows = played(losing(FedAsync(rounds=5, steps=1).run(cast), lost), {"d000": 2e9}, {})
    assert rows.tuples("misses", ("round", "reason")) == [(2, "lost on the air"), (4, "lost on the air")]
    assert rows.tuples("rounds", ("round", "samples")) == [(1, 1), (2, 1), (3, 1), (4, 0), (5, 1)]
    assert len(rows.tuples("staleness", ("weight",))) == 3


def test_fedbuff_with_everybody_in_the_buffer_and_nobody_stale_is_fedavg() -> None:
    """In the first round all begin with one model; shards are of one size, so that a mean is a mean."""
    ours, theirs = (
        learnt_by(f"protocol={{kind: {kind}, rounds: 1, steps: 4{more}}}", "learning.optimiser=adam")
        for kind, more in (("fedbuff", ", buffer: 5"), ("fedavg", ""))
    )
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)


def test_statistics_of_a_stale_change_go_to_where_the_device_left_them() -> None:
    """And weights move on as far as they did."""
    one = world("protocol=fedbuff")
    model = one.layout.model
    marks = {id(weight) for weight in model.parameters()}
    values = [value for value in model.state_dict(keep_vars=True).values() if value.is_floating_point()]
    is_weight = np.concatenate([np.full(value.numel(), id(value) in marks) for value in values])
    assert 0 < np.count_nonzero(~is_weight) < len(is_weight) == len(state_vector(model))
    draws = np.random.default_rng(0)
    given, now, change = (draws.standard_normal(len(is_weight)).astype(np.float32) for _ in range(3))
    moved = one.server.moved(change, one.server.in_common(given), one.server.in_common(now))
    np.testing.assert_array_equal(moved[is_weight], change[is_weight])
    np.testing.assert_allclose((now + moved)[~is_weight], (given + change)[~is_weight], rtol=1e-5, atol=1e-6)


def learnt_by(*overrides: str) -> Any:
    """Return the last model that a world of these settings was asked to evaluate."""
    one = world(*overrides)
    evaluate, bodies = one.evaluate, []
    one.evaluate = lambda model, last=False: (bodies.append(model), evaluate(model, last))[1]  # type: ignore[method-assign]
    play(one)
    return one.server.state_of(SimpleNamespace(body=bodies[-1]))


@pytest.mark.parametrize("mu", [0.0, 0.5])
def test_fedasync_of_one_device_that_mixes_wholly_is_local_training(mu: float) -> None:
    """With momentum and batch-norm; the distance is to the model that each training begins with."""
    settings = f"protocol={{kind: fedasync, rounds: 2, steps: 3, mixing: 1, mu: {mu}}}"
    one = play(world("devices.count=1", settings))
    batches = fresh_batches(one, 0, 6)
    if mu == 0.0:
        plain = loop(one, model_of(one), batches)
        np.testing.assert_allclose(learnt(one), state_vector(plain), rtol=1e-4, atol=1e-6)
        return
    first = play(world("devices.count=1", settings, "protocol.rounds=1"))
    plain = loop(first, model_of(first), batches[:3], mu)
    np.testing.assert_allclose(learnt(first), state_vector(plain), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("kind", ["fedasync", "fedbuff"])
def test_the_clock_steers_what_is_learnt(kind: str) -> None:
    assert steered(scenario(f"protocol={kind}")) == f"timing steers learning in the protocol {kind}"


@pytest.mark.parametrize(
    ("protocol", "fault"),
    [
        ("{kind: fedasync, concurrency: 6}", "concurrency must be at most devices.count, 5 (got 6)"),
        (
            "{kind: fedbuff, rounds: 2, buffer: 11}",
            "buffer must be at most 10, rounds x devices.count (got 11)",
        ),
    ],
)
def test_what_so_many_devices_cannot_meet_is_refused(protocol: str, fault: str) -> None:
    with pytest.raises(BadInput) as caught:
        scenario(f"protocol={protocol}")
    assert fault in str(caught.value)
