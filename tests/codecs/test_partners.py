"""One codec given for both directions: it and the partner that it declares, in every resolved scenario."""

import json
from pathlib import Path

import pytest
from codec_cases import KINDS, codec_of
from worlds import TINY, scenario

from slfac_sim.cli import main
from slfac_sim.foundation.plugins import kind_of
from slfac_sim.runs.run import prepare, run
from slfac_sim.scenario.files import ScenarioError, dump, read

KEEPS_SOME = ("topk", "randtopk", "splitfc", "error_feedback")


@pytest.mark.parametrize("kind", KINDS)
def test_a_codec_and_its_partner_stand_for_both_directions(kind: str) -> None:
    codecs = scenario(f"codec={kind}").codec
    partner = codec_of(kind).partner
    assert partner is None or partner in KINDS
    assert (kind_of(codecs.uplink), kind_of(codecs.downlink)) == (kind, partner or kind)
    assert (partner == "on_support") == (kind in KEEPS_SOME)
    assert read(dump(scenario(f"codec={kind}")), "again").codec == codecs


@pytest.mark.parametrize("kind", KEEPS_SOME)
def test_two_independent_choices_remain_possible(kind: str) -> None:
    codecs = scenario(f"codec={{uplink: {kind}, downlink: {kind}}}").codec
    assert codecs.uplink == codecs.downlink == codec_of(kind)


def test_changing_the_uplink_alone_keeps_the_partner() -> None:
    codecs = scenario("codec={kind: topk, rate: 0.3}", "codec.uplink.rate=0.2").codec
    assert (codecs.uplink, codecs.downlink) == (codec_of("topk", rate=0.2), codec_of("on_support"))
    codecs = scenario("codec=topk", "codec.downlink.codec=fp16").codec
    assert codecs.downlink == codec_of("on_support", codec=codec_of("fp16"))


def test_a_wrapper_has_the_partner_of_what_it_wraps() -> None:
    assert codec_of("error_feedback", codec=codec_of("uniform")).partner is None


def test_models_of_whole_rounds_answer_nothing() -> None:
    models = scenario("codec.model=topk").codec.model
    assert models.uplink == models.downlink == codec_of("topk")


def test_check_scenario_and_summary_tell_the_partner(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = "up top-k, 0.1 of the values in float16, down raw fp32, on the support"
    assert main(["check", str(TINY), "codec=topk"]) == 0
    assert words in " ".join(capsys.readouterr().out.split())
    small = ("codec=topk", "protocol.rounds=1", "protocol.steps=1")
    run(prepare(scenario(*small), tmp_path / "run", threads=1))
    assert json.loads((tmp_path / "run" / "summary.json").read_text())["label"] == words
    resolved = (tmp_path / "run" / "scenario.yaml").read_text()
    assert "downlink:\n    kind: on_support\n" in resolved


def test_a_class_that_leaves_out_a_part_of_its_contract_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "partly").mkdir()
    (tmp_path / "partly" / "done.py").write_text(
        "from slfac_sim.codecs import Codec\nfrom slfac_sim.foundation.plugins import settings\n"
        "@settings\nclass Done(Codec):\n    label = 'x'\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    words = "Done has no decode_flops_per_value, encode_flops_per_value, receiver, sender, which its contract"
    with pytest.raises(ScenarioError, match=words):
        scenario("codec=partly.done")


def test_a_codec_that_does_not_inherit_its_contract_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg" / "no_heir.py").write_text(
        "from slfac_sim.foundation.plugins import settings\n@settings\nclass NoHeir:\n    label = 'x'\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    words = r"codec\.downlink\.kind: pkg\.no_heir\.NoHeir does not inherit from slfac_sim\.codecs\.Codec$"
    with pytest.raises(ScenarioError, match=words):
        scenario("codec.downlink=pkg.no_heir")
