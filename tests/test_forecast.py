"""What `check` tells, against what runs then do."""

import math
from pathlib import Path

import pytest
from worlds import live_run, table, world

from slfac_sim.build import build
from slfac_sim.forecast import Forecast, forecast
from slfac_sim.names import SERVER, device_names
from slfac_sim.scenario_file import load

RAW = ("codec=raw", "network.fading=none", "protocol.rounds=1")


def told(*overrides: str) -> Forecast:
    one = world(*overrides)
    survey = one.scenario.network.survey(
        device_names(one.scenario.devices.count), SERVER, one.scenario.seed.air
    )
    return forecast(one, survey)


@pytest.mark.parametrize("broadcast", ["multicast", "unicast"])
def test_airtime_of_a_round_is_what_the_run_then_spends(tmp_path: Path, broadcast: str) -> None:
    overrides = (*RAW, f"protocol.model_broadcast={broadcast}", "network.uplink_share=0.3")
    figures = told(*overrides)
    live_run(tmp_path / "ledger.sqlite", *overrides)
    rows = table(tmp_path / "ledger.sqlite", "transfers")
    up_s = sum(row["airtime_s"] for row in rows if row["dst"] == SERVER) / 0.3
    down_s = sum(row["airtime_s"] for row in rows if row["src"] == SERVER) / 0.7
    assert figures.round_s["uplink air"] == pytest.approx(up_s, rel=0.01)  # headers of bodies are not in it
    assert figures.round_s["downlink air"] == pytest.approx(down_s, rel=0.01)


def test_work_of_a_round_is_what_the_run_then_computes(tmp_path: Path) -> None:
    figures = told(*RAW, "codec=slfac")
    live_run(tmp_path / "ledger.sqlite", *RAW, "codec=slfac")
    model = ("encode_model", "decode_model", "average")
    spent: dict[str, float] = {}
    for row in table(tmp_path / "ledger.sqlite", "computes"):
        if row["what"] not in model:
            spent[row["host"]] = spent.get(row["host"], 0.0) + row["end_s"] - row["start_s"]
    assert figures.round_s["server"] == pytest.approx(spent.pop(SERVER))
    assert figures.round_s["slowest device"] == pytest.approx(max(spent.values()))


def test_a_device_without_coverage_is_told_and_not_divided_by() -> None:
    positions = "network.positions=[[20,0],[0,20],[9000,0],[30,0],[0,30]]"
    figures = told(positions, "network.outage=allow")
    assert math.isinf(figures.round_s["uplink air"])
    assert figures.bottleneck in ("uplink air", "downlink air")
    assert any("no coverage for d002" in remark for remark in figures.survey.remarks)


@pytest.mark.data
def test_memory_of_the_main_job_is_within_a_quarter_of_what_was_seen() -> None:
    """1.77 GB were seen (README)."""

    main = build(load("100_devices"))
    survey = main.scenario.network.survey(device_names(100), SERVER, 0)
    assert forecast(main, survey).memory_bytes == pytest.approx(1.77e9, rel=0.25)


def test_steps_of_an_epoch() -> None:
    figures = told("protocol.steps=null")
    assert figures.steps_per_round == 6  # 240 samples, 5 devices, batches of 8
