"""Whether timing steers learning: every setting that lets it is found, and questions are refused."""

from pathlib import Path

import pytest
from worlds import TINY, scenario

from slfac_sim.foundation.errors import BadInput
from slfac_sim.protocols.parallel import Parallel
from slfac_sim.scenario.steering import steered, work_needs_speed
from slfac_sim.studies.search.ask import ask
from slfac_sim.studies.search.replays import Request

STEERING = {
    "devices.availability=on_off": "devices may be down (devices.availability), and when is a matter of time",
    "server.availability=crash": "server may be down (server.availability), and when is a matter of time",
    "devices.battery=5 J": (
        "devices have a battery (devices.battery), and one that is empty takes its device out"
    ),
}


@pytest.mark.parametrize(
    "change", ["devices.slowdowns=[jitter, thermal]", "server.discipline=sharing", "devices.memory=1 GB"]
)
def test_what_only_takes_time_steers_nothing(change: str) -> None:
    assert steered(scenario()) is None
    assert steered(scenario(change)) is None


@pytest.mark.parametrize("change", STEERING)
def test_what_lets_timing_steer_is_told(change: str) -> None:
    assert steered(scenario(change)) == STEERING[change]


def test_a_protocol_says_so_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Parallel, "timing_steers_learning", True)
    assert steered(scenario()) == "timing steers learning in the protocol parallel"
    monkeypatch.setattr(Parallel, "timing_steers_learning", None)
    reason = steered(scenario())
    assert reason is not None
    assert reason.startswith("the protocol parallel does not say whether timing steers learning")


@pytest.mark.parametrize("change", STEERING)
def test_a_question_that_replays_cannot_answer_is_refused(change: str, tmp_path: Path) -> None:
    request = Request(str(TINY), "network.bandwidth", [change], cache=tmp_path, out=tmp_path / "answer")
    with pytest.raises(
        BadInput, match="each value would be a training of its own: `sweep` runs them"
    ) as caught:
        ask(request, "simulated_s <= 1 s")
    assert STEERING[change] in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_where_the_work_is_in_the_speeds() -> None:
    assert not work_needs_speed(scenario())
    fleet = "devices.speed={kind: profiles, names: {phone: 5}, hardware: %s}"
    assert not work_needs_speed(scenario(fleet % "false"))
    table = Path(__file__).with_name("block_times.csv")
    for change in (
        "devices.memory_bandwidth=1 GB/s",
        fleet % "true",
        f"devices.speed={{kind: measured, table: {table}}}",
    ):
        assert work_needs_speed(scenario(change))
