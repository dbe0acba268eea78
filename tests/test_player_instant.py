"""The instant player: excuses, who is present, impatient queues, failures."""

from typing import Any

import pytest

from slfac_sim.effects import Compute, Excuse, Failed, Failure, Offer, Present, Task, Together
from slfac_sim.simulation.instant import InstantPlayer


def one(effect: Any) -> Task:
    return (yield effect)


def offer(place: int, served: list[list[int]], **more: Any) -> Offer:
    def serve(items: list[int]) -> list[int]:
        served.append(items)
        return [10 * item for item in items]

    return Offer("server", "q", place, place, serve, 1.0, what="train", **{"max_items": 3, **more})


def test_an_excuse_counts_before_and_after_offers() -> None:
    for order in ([0, 1, 2], [2, 1, 0], [1, 2, 0]):
        served: list[list[int]] = []
        effects = [offer(2, served), offer(1, served), Excuse("server", "q")]
        results = InstantPlayer().play(one(Together([one(effects[place]) for place in order])))
        assert served == [[1, 2]]
        assert results == [[20, 10, None][place] for place in order]


def test_if_all_are_excused_nothing_is_served() -> None:
    player = InstantPlayer()
    assert player.play(one(Together([one(Excuse("server", "q"))] * 1))) == [None]


def test_an_impatient_queue_is_served_when_nothing_else_can_happen() -> None:
    served: list[list[int]] = []

    def late() -> Task:
        for _ in range(5):
            yield Compute("d000", 1.0, lambda: None, "work")
        return (yield offer(3, served, wait_s=1.0))

    tasks = [one(offer(2, served, wait_s=1.0)), one(offer(9, served, wait_s=1.0, max_items=9)), late()]
    assert InstantPlayer().play(one(Together(tasks))) == [20, 90, 30]
    assert served == [[2, 3, 9]]
    with pytest.raises(RuntimeError, match="offers that never come"):
        InstantPlayer().play(one(offer(2, served)))


def test_everybody_is_present() -> None:
    assert InstantPlayer().play(one(Present(("b", "a"), wait=True))) == ("b", "a")


def test_a_task_that_fails_has_failed_and_its_siblings_live() -> None:
    def fails() -> Task:
        yield Compute("d000", 1.0, lambda: None, "work")
        raise Failure("no device is left")

    well = one(Compute("d000", 1.0, lambda: "well", "work"))
    assert InstantPlayer().play(one(Together([fails(), well]))) == [Failed("no device is left"), "well"]
    with pytest.raises(Failure, match="no device is left"):
        InstantPlayer().play(fails())
