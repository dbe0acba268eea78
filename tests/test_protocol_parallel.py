"""Parallel split learning: the order of its effects, driven by hand and by the instant player."""

from typing import Any

from fakes import FakeParticipants, participants

from slfac_sim.effects import Compute, Note, Offer, Send, Task, Together
from slfac_sim.protocols.kit.exchange import Meeting, exchange
from slfac_sim.protocols.parallel import Parallel
from slfac_sim.simulation.instant import InstantPlayer


def in_words(effect: Any) -> str:
    match effect:
        case Compute():
            return f"{effect.host} {effect.what} {effect.flops:g}"
        case Send():
            return f"{effect.src} -> {effect.dst}: {'+'.join(effect.payloads)}"
        case Offer():
            return f"{effect.host} {effect.what} {effect.queue} {effect.place} of {effect.max_items}"
        case Note():
            return f"note {effect.table}"
        case Together():
            return f"together {len(effect.tasks)}"


def drive(task: Task, seen: list[str]) -> Any:
    """Perform the effects of `task` one by one, write them to `seen`, and return its result."""
    reply: Any = None
    while True:
        try:
            effect = task.send(reply)
        except StopIteration as stop:
            return stop.value
        seen.append(in_words(effect))
        reply = effect.job() if isinstance(effect, Compute) else None
        if isinstance(effect, Offer):
            reply = effect.serve(["d000", effect.item, "d002"])[effect.place]


def test_one_exchange_driven_by_hand() -> None:
    """Every effect of a mini-batch, in its order, each job called as a player would call it."""
    cast = participants(codec_flops=5.0)
    task = exchange(cast, cast.devices[1], [Meeting(2, 1, 3)], 1, [7])  # type: ignore[arg-type]
    seen: list[str] = []
    feedback = drive(task, seen)
    assert feedback.device == "d001"
    assert seen == [
        "d001 forward 1e+09",
        "d001 encode 5",
        "d001 -> server: smashed_up+labels",
        "server decode 5",
        "server train cohort 2.1 1 of 3",
        "server encode 5",
        "server -> d001: smashed_down",
        "d001 decode 5",
        "d001 backward 1e+09",
    ]


def heard_by(cast: FakeParticipants, plan: Parallel) -> list[str]:
    heard: list[str] = []
    InstantPlayer(lambda effect: heard.append(in_words(effect))).play(plan.run(cast))  # type: ignore[arg-type]
    return heard


def test_a_round_of_three() -> None:
    cast = participants()
    heard = heard_by(cast, Parallel(rounds=1, steps=1))
    assert heard[:2] == ["note evals", "together 3"]
    assert heard[-9:] == [
        "server average 6",
        "note evals",
        "note rounds",
        "server encode_model 0",
        "server -> ('d000', 'd001', 'd002'): model_down",
        "together 3",
        "d000 decode_model 0",
        "d001 decode_model 0",
        "d002 decode_model 0",
    ]
    assert cast.server.heard == [
        "d000 forward",
        "d001 forward",
        "d002 forward",
        "server trains on d000 d001 d002",
        "d000 backward by gradient of 500000 bytes",
        "d001 backward by gradient of 500000 bytes",
        "d002 backward by gradient of 500000 bytes",
        "server averages 3 halves",
        "d000 takes the average",
        "d001 takes the average",
        "d002 takes the average",
    ]


def test_unicast_sends_the_average_to_each_device() -> None:
    heard = heard_by(participants(), Parallel(rounds=2, steps=1, model_broadcast="unicast"))
    down = [line for line in heard if "model_down" in line]
    assert down == [f"server -> d{n:03d}: model_down" for n in (0, 1, 2)] * 2


def test_broadcast_of_the_initial_model_is_one_more_transfer() -> None:
    free = heard_by(participants(), Parallel(rounds=1, steps=1))
    charged = heard_by(participants(), Parallel(rounds=1, steps=1, initial_model="broadcast"))
    count = [sum("model_down" in line for line in heard) for heard in (free, charged)]
    assert count == [1, 2]


def test_devices_without_batches_leave_the_cohort() -> None:
    cast = participants(steps=(1, 3, 2))
    heard_by(cast, Parallel(rounds=1))
    cohorts = [line for line in cast.server.heard if "trains" in line]
    assert cohorts == [
        "server trains on d000 d001 d002",
        "server trains on d001 d002",
        "server trains on d001",
    ]


def test_device_steps_for_the_progress_display() -> None:
    cast = participants(steps=(1, 3, 2))
    assert Parallel(rounds=4, steps=5).device_steps(cast) == 60  # type: ignore[arg-type]
    assert Parallel(rounds=4).device_steps(cast) == 24  # type: ignore[arg-type]
