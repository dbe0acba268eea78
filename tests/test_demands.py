"""What `check` foretells of every protocol, against what its runs then send and compute."""

from collections import Counter
from pathlib import Path

import pytest
from worlds import live_run, table, world

from slfac_sim.effects import CODEC_WORK
from slfac_sim.forecast.demands import samples_a_round, sizes_of
from slfac_sim.forecast.forecast import forecast
from slfac_sim.foundation.plugins import kinds
from slfac_sim.hosts.names import SERVER
from slfac_sim.simulation.simulate import survey_of

ROUNDS, STEPS = 2, 2


def settings_of(kind: str) -> str:
    return f"protocol={{kind: {kind}, rounds: {ROUNDS}, steps: {STEPS}}}"


@pytest.mark.matrix
@pytest.mark.parametrize("kind", kinds("slfac_sim.protocols"))
def test_every_protocol_can_be_checked_and_sends_what_was_foretold(tmp_path: Path, kind: str) -> None:
    one = world(settings_of(kind), "codec=raw")
    figures = forecast(one, survey_of(one.scenario))
    path = tmp_path / "ledger.sqlite"
    live_run(path, settings_of(kind), "codec=raw")
    sent: Counter[str] = Counter()
    messages: Counter[str] = Counter()
    for row in table(path, "payloads"):
        sent[row["kind"]] += row["bytes"]
        messages[row["kind"]] += 1
    sizes = figures.uncompressed
    told = {"smashed_up": sizes.smashed_up, "labels": sizes.labels, "middle_up": sizes.middle_up,
            "model_up": sizes.model, "smashed_down": sizes.smashed_down, "middle_down": sizes.middle_down,
            "model_down": sizes.model_down, "edge_up": sizes.edge_up,
            "edge_down": sizes.edge_down}  # fmt: skip
    assert set(sent) == {name for name, nbytes in told.items() if nbytes}
    for name in ("smashed_up", "labels", "middle_up", "model_up", "model_down"):
        assert sent[name] == pytest.approx(messages[name] * told[name], rel=0.02), name  # headers
    if kind != "asynchronous":  # which hands in when it likes
        assert messages["model_up"] == (ROUNDS * 5 if sizes.model else 0)
    assert len(table(path, "steps")) == pytest.approx(figures.steps_per_round * ROUNDS * _learners(kind))


def _learners(kind: str) -> int:
    return 1 if kind == "centralised" else 5


@pytest.mark.matrix
@pytest.mark.parametrize(
    "kind", ["parallel", "u_shaped", "fedavg", "centralised", "local_only", "sequential"]
)
def test_the_work_is_what_the_run_then_computes(tmp_path: Path, kind: str) -> None:
    path, settings = tmp_path / "ledger.sqlite", settings_of(kind)
    one = world(settings)
    flops = one.layout.flops()
    samples = samples_a_round(one)
    live_run(path, settings)
    spent: Counter[str] = Counter()
    for row in table(path, "computes"):
        if row["what"] not in {*CODEC_WORK, "average"}:
            spent[row["host"]] += row["flops"]
    for name, count in samples.items():
        assert spent[name] == pytest.approx(ROUNDS * count * flops.devices[name])
    served = sum(count * flops.server[name] for name, count in samples.items())
    assert spent[SERVER] == pytest.approx(ROUNDS * served)


def test_compressed_models_are_foretold(tmp_path: Path) -> None:
    settings = (
        "protocol={kind: fedavg, rounds: 2, steps: 1, send: difference}",
        "codec.model={uplink: {kind: topk, rate: 0.1}, downlink: fp16}",
    )
    plain, coded = sizes_of(world(*settings))
    live_run(tmp_path / "ledger.sqlite", *settings)
    for kind, told in (("model_up", coded.model), ("model_down", coded.model_down)):
        rows = [row for row in table(tmp_path / "ledger.sqlite", "payloads") if row["kind"] == kind]
        assert [row["bytes"] for row in rows] == [told] * len(rows)
    assert coded.model < 0.2 * plain.model
    assert coded.model_down < 0.6 * plain.model_down


def test_only_those_who_are_asked_count() -> None:
    few = world("protocol={kind: parallel, steps: 2, participation: {select: {kind: random, count: 2}}}")
    samples = samples_a_round(few)
    assert sorted(samples.values()) == [0, 0, 0, 16, 16]
    fast = world("protocol={kind: fedavg, steps: 2, participation: {select: {kind: fastest, count: 1}}}")
    (chosen,) = (name for name, count in samples_a_round(fast).items() if count)
    assert chosen == min(samples, key=fast.expected_s)


def test_settings_without_effect_are_told() -> None:
    whole = "cut, codec.uplink and codec.downlink have no effect"
    for kind, said in (("fedavg", whole), ("centralised", "cut, codec and network")):
        one = world(f"protocol={{kind: {kind}}}")
        assert any(said in remark for remark in forecast(one, survey_of(one.scenario)).remarks)
    one = world()
    assert not any("no effect" in remark for remark in forecast(one, survey_of(one.scenario)).remarks)
