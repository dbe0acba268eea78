"""What `check` tells, against what runs then do."""

import math
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from worlds import world

from slfac_sim.forecast.air import Rush, fading_remarks
from slfac_sim.forecast.demands import sizes_of
from slfac_sim.forecast.forecast import Forecast, forecast
from slfac_sim.forecast.host import host_time
from slfac_sim.foundation.errors import BadInput
from slfac_sim.hosts.names import SERVER, device_names
from slfac_sim.network import Hosts
from slfac_sim.runs.opening import build
from slfac_sim.scenario.files import load

RAW = ("codec=raw", "network.fading=none", "protocol.rounds=1")


def told(*overrides: str) -> Forecast:
    one = world(*overrides)
    survey = one.scenario.network.survey(
        Hosts(device_names(one.scenario.devices.count), (SERVER,)), one.scenario.seed.air
    )
    return forecast(one, survey)


def test_a_device_without_coverage_is_told_and_not_divided_by() -> None:
    positions = "network.positions=[[20,0],[0,20],[9000,0],[30,0],[0,30]]"
    figures = told(positions, "network.outage=allow")
    assert figures.round.seconds == math.inf
    assert figures.round.reason == "d002 has no coverage"
    assert figures.bottleneck == ""
    assert any("no coverage for d002" in remark for remark in figures.survey.remarks)


@pytest.mark.data
def test_memory_of_the_main_job_is_within_a_quarter_of_what_was_seen() -> None:
    """1.33 GB were seen (README)."""

    main = build(load("100_devices"))
    survey = main.scenario.network.survey(Hosts(device_names(100), (SERVER,)), 0)
    assert forecast(main, survey).memory_bytes == pytest.approx(1.33e9, rel=0.25)


def test_all_at_once_is_what_the_medium_does_with_them() -> None:
    """On a fair medium each of the five has a fifth of half of the time, until the first is through."""
    figures = told("network.fading=none", "network.positions=[[20,0],[0,20],[-20,0],[0,-20],[14,14.5]]")
    for way, rates in (("up", "up_rate_bps"), ("down", "down_rate_bps")):
        alone = [getattr(link, rates) for link in figures.survey.links]
        together = figures.together[way]
        assert len(set(alone)) == 1
        assert list(together.rates_bps) == pytest.approx([rate / 10 for rate in alone])
        assert together.through_s == max(together.last_bits_s) == min(together.last_bits_s)


def test_a_device_out_of_reach_keeps_nobody_waiting() -> None:
    positions = "network.positions=[[20,0],[0,20],[9000,0],[30,0],[0,30]]"
    together = told(positions, "network.outage=allow").together["up"]
    assert together.rates_bps[2] == 0.0
    assert math.isinf(together.last_bits_s[2])
    assert 0.0 < together.through_s < 10.0


@pytest.mark.parametrize(("coherence", "said"), [("0.1 ms", True), ("36 ms", False)])
def test_ergodic_fading_is_advised_where_blocks_are_short(coherence: str, said: bool) -> None:
    figures = told(f"network.fading={{kind: block, coherence: {coherence}}}")
    advice = [remark for remark in figures.remarks if "network.fading: ergodic" in remark]
    assert len(advice) == said
    assert not said or re.match(r"with all sending, a transfer lasts [\d,]+ blocks of fading;", advice[0])


def test_ergodic_fading_is_advised_to_a_crowd() -> None:
    survey = told("network.fading={kind: block, coherence: 1 s}").survey
    crowd = replace(survey, links=list(survey.links) * 101)
    (advice,) = fading_remarks(crowd, [Rush([1.0], [1.0])])
    assert advice.startswith("up to 505 transfers change their rates every 1,000 ms; network.fading: ergodic")
    assert fading_remarks(replace(crowd, coherence_s=None), [Rush([1.0], [1.0])]) == []


def test_steps_of_an_epoch() -> None:
    figures = told("protocol.steps=null")
    assert figures.steps_per_round == 6  # 240 samples, 5 devices, batches of 8


def test_memory_waits_for_gradients_of_the_devices_that_take_part_alone() -> None:
    select = "protocol.participation.select={{kind: random, count: {}}}"
    two, three, four = (told(select.format(count)).memory_bytes for count in (2, 3, 4))
    assert 0 < three - two == pytest.approx(four - three, abs=1)
    assert told().memory_bytes == pytest.approx(four + (four - three), abs=1)


def test_the_memory_of_a_device_is_told_in_parts_and_the_limit_is_sharp() -> None:
    memory = told().device_memory
    assert memory["total"] == sum(nbytes for part, nbytes in memory.items() if part != "total")
    told(f"devices.memory={memory['total']}")
    with pytest.raises(BadInput, match=r"devices.memory: d000 has .* a batch of 7 would fit"):
        told(f"devices.memory={memory['total'] - 1}")


def test_another_cut_that_would_fit_is_named() -> None:
    needed = told("cut=conv1").device_memory["total"]
    with pytest.raises(BadInput, match=r"with this batch so would the cut conv1$"):
        told("cut=conv2", f"devices.memory={needed}")


def test_what_the_times_leave_out_is_told_and_that_timing_steers() -> None:
    assert not told().remarks
    assert not told("devices.slowdowns=[jitter]").remarks
    outages, steered = told("devices.battery=1 kJ").remarks
    assert outages == "the time of a round is that with everybody up: outages are left out"
    (fades,) = told("network.fading={kind: block, coherence: 1 s}").remarks
    assert fades == "the time of a round is that at mean rates: what changes with time is left out"
    assert steered.startswith("devices have a battery")
    assert steered.endswith("so none can be replayed")


@pytest.mark.parametrize(
    ("protocol", "takes"),
    [
        ("parallel", {"start", "devices", "server", "codecs", "evaluations", "simulator"}),
        ("sequential", {"start", "devices", "server", "codecs", "evaluations", "simulator"}),
        ("u_shaped", {"start", "devices", "server", "codecs", "evaluations", "simulator"}),
        ("fedavg", {"start", "devices", "evaluations", "simulator"}),
        ("centralised", {"start", "devices", "evaluations", "simulator"}),
    ],
)
def test_the_seconds_on_this_host_are_told_by_what_they_are_for(protocol: str, takes: set[str]) -> None:
    parts_s = host_time(world(f"protocol={{kind: {protocol}, rounds: 1}}")).parts_s
    assert {part for part, seconds in parts_s.items() if seconds > 0.0} == takes


def test_twice_the_rounds_take_about_twice_the_simulator() -> None:
    one, two = (host_time(world(f"protocol.rounds={rounds}")).parts_s["simulator"] for rounds in (1, 2))
    assert two == pytest.approx(2 * one)


def test_few_samples_go_through_a_model_whose_passes_take_long(monkeypatch: pytest.MonkeyPatch) -> None:
    heavy = world("model.width=128", "data.size=64", "learning.batch=48", "codec=raw")
    seen = []

    def forward(model: Callable[[torch.Tensor], torch.Tensor], inputs: torch.Tensor) -> torch.Tensor:
        if inputs.shape[1] == 128:  # of the server's half, which has most of the work
            seen.append(len(inputs))
        return model(inputs)

    monkeypatch.setattr("slfac_sim.forecast.host.forward", forward)
    assert host_time(heavy).parts_s["server"] > 0.0
    assert max(seen) <= 6
    device = heavy.devices[0]
    learnt = device.forward
    monkeypatch.setattr(device, "forward", lambda samples: seen.append(len(samples)) or learnt(samples))
    plain, compressed = sizes_of(heavy)
    assert 6 < seen[-1] < 48
    assert plain.smashed_up == 4 * 48 * 128 * 32 * 32
    assert compressed.smashed_up == pytest.approx(plain.smashed_up, rel=0.01)


def test_a_link_that_has_nothing_to_give_any_more_is_told_as_slow(tmp_path: Path) -> None:
    file = tmp_path / "short.csv"
    file.write_text("time_s,rate_bps\n0,1e5\n0.01,1e5\n")
    figures = told(f"network={{kind: trace, file: {file}, end: zero}}")
    assert set(figures.together["up"].last_bits_s) == {math.inf}
