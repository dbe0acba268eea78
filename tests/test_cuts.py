"""Cuts of a model: what is predicted of each, against runs, and that `cut: auto` takes the best one."""

import json
from pathlib import Path

import pytest
from worlds import live_run, scenario, table, world

from slfac_sim.cli import main
from slfac_sim.forecast.cuts import best_of, cuts_of
from slfac_sim.foundation.errors import BadInput
from slfac_sim.runs.run import prepare, run
from slfac_sim.scenario.files import load
from slfac_sim.scenario.fingerprint import learning_key
from slfac_sim.scenario.steering import cut_is_open, steered

TINY = str(Path(__file__).with_name("tiny.yaml"))
NETWORKS = {"slow air": "network.bandwidth=500 kHz", "fast air": "network.bandwidth=50 MHz"}


@pytest.mark.parametrize(
    ("protocol", "network"),
    [*(("parallel", name) for name in NETWORKS), ("sequential", "slow air"), ("u_shaped", "fast air")],
)
def test_the_predicted_rounds_are_about_those_of_runs_and_in_their_order(
    tmp_path: Path, protocol: str, network: str
) -> None:
    """The prediction is a round as it is when halves are handed out; the mean of a run's is about that."""
    overrides = (NETWORKS[network], f"protocol={{kind: {protocol}, rounds: 2, steps: 3}}")
    one = scenario(*overrides)
    cuts = [cut for cut in cuts_of(one, one.data.load()) if not cut.refused]
    seconds = {}
    for cut in cuts:
        path = tmp_path / f"{cut.block}.sqlite"
        seconds[cut.block] = live_run(path, *overrides, f"cut={cut.block}")[1] / 2
        assert 0.95 < cut.round_s / seconds[cut.block] < 1.1
        assert cut.bottleneck == max(cut.parts_s, key=cut.parts_s.__getitem__)
    assert best_of(cuts).block == min(seconds, key=seconds.__getitem__)


def test_sizes_work_and_memory_of_a_cut_are_those_that_check_tells_of_it() -> None:
    from slfac_sim.forecast.forecast import forecast
    from slfac_sim.simulation.simulate import survey_of

    one = world("cut=conv2")
    told = forecast(one, survey_of(one.scenario))
    cut = next(cut for cut in cuts_of(one.scenario, one.data) if cut.block == "conv2")
    assert (cut.up_bytes, cut.down_bytes) == (told.compressed.up, told.compressed.down)
    assert cut.smashed_shape == told.smashed_shape
    assert cut.memory_bytes == told.device_memory["total"]
    assert cut.device_flops == told.device_flops


def test_a_run_with_auto_keeps_the_block_that_was_chosen(tmp_path: Path) -> None:
    summaries, wanted = [], scenario("protocol.rounds=1", "cut=auto")
    best = best_of(cuts_of(wanted, wanted.data.load())).block
    for cut in ("auto", best):
        prepared = prepare(scenario("protocol.rounds=1", f"cut={cut}"), tmp_path / cut, threads=1)
        summaries.append(run(prepared))
        kept = load(tmp_path / cut / "scenario.yaml")
        assert kept.cut == best
        assert steered(kept) is None
    assert summaries[0]["digest"] == summaries[1]["digest"]


def test_what_chooses_the_cut_is_part_of_what_is_learnt() -> None:
    """One training must not be taken for another that a different network has cut elsewhere."""
    one, other = scenario("cut=auto"), scenario("cut=auto", "network.bandwidth=1 MHz")
    assert cut_is_open(one)
    assert "cut: auto" in str(steered(one))
    assert learning_key(one, 1) != learning_key(other, 1)
    whole = scenario("cut=auto", "protocol={kind: fedavg}")
    assert not cut_is_open(whole)
    assert world("cut=auto", "protocol={kind: fedavg}").scenario.cut == "auto"


def test_cuts_that_do_not_fit_are_left_out_and_told_of(capsys: pytest.CaptureFixture[str]) -> None:
    memory = "devices.memory=70 kB"
    assert world("cut=auto", memory).scenario.cut == "conv1"
    assert main(["check", TINY, memory, "--cuts"]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "conv2 not possible" in out
    assert "note: conv2: devices.memory: d000 has 70 kB" in out
    assert "best: cut after conv1" in out
    with pytest.raises(BadInput, match=r"cut: auto: no cut is possible; after 'conv1': devices\.memory"):
        world("cut=auto", "devices.memory=1 kB")


def test_a_protocol_that_cuts_nothing_has_no_cuts(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", TINY, "protocol={kind: fedavg}", "--cuts"]) == 2
    assert "cut: fedavg cuts no model, so there is nothing to choose" in capsys.readouterr().err


def test_check_tells_of_every_cut_as_table_json_and_figure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", TINY, "--cuts", "--figures", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    rows = [line for line in out.splitlines() if line.startswith("conv")]
    assert [row.split()[0] for row in rows] == ["conv1", "conv2", "conv3"]
    assert f"figure: {tmp_path / 'cuts.png'}" in out
    svg = (tmp_path / "cuts.svg").read_text()
    assert all(word in svg for word in ("conv1", "conv3", "uplink air", "predicted round (s)", "best"))
    assert main(["check", TINY, "--cuts", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    rounds = {cut["block"]: cut["round_s"] for cut in told["cuts"]}
    assert told["best"] == min(rounds, key=rounds.__getitem__)
    assert told["cuts"][0]["smashed_shape"] == [4, 6, 6]


def test_check_resolves_auto_first(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", TINY, "cut=auto"]) == 0
    assert "cut after conv2: 8 x 3 x 3 smashed" in " ".join(capsys.readouterr().out.split())


def test_a_run_of_auto_is_a_run_like_any_other(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    live_run(path, "cut=auto", "protocol.rounds=1")
    assert len(table(path, "rounds")) == 1
