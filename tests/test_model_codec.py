"""The codec of models: whatever a protocol exchanges goes through it, and is learnt from as it arrives."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from worlds import TINY, scenario, table, with_servers, world

from slfac_sim.cli import main
from slfac_sim.codecs import Tensor
from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.plugins import kind_of, kinds
from slfac_sim.runs.run import prepare, run
from slfac_sim.scenario.files import dump, read
from slfac_sim.scenario.steering import exchanges_models, steered
from slfac_sim.simulation.instant import InstantPlayer

BITS = {"raw": 32, "fp16": 16, "{kind: uniform, bits: 8}": 8}
FRAME_BYTES = 40  # at most, of a message
PROTOCOLS = kinds("slfac_sim.protocols")
EXCHANGING = [kind for kind in PROTOCOLS if exchanges_models(scenario(f"protocol={kind}"))]


def protocol(kind: str) -> str:
    return f"protocol={{kind: {kind}, rounds: 2, steps: 2}}"


def test_who_sends_no_model() -> None:
    assert set(PROTOCOLS) - set(EXCHANGING) == {"centralised", "local_only", "splitfed_v3"}


@pytest.mark.matrix
@pytest.mark.parametrize("codec", BITS)
@pytest.mark.parametrize("kind", PROTOCOLS)
def test_every_model_goes_through_it(kind: str, codec: str, tmp_path: Path) -> None:
    told = with_servers([protocol(kind), f"codec.model={codec}"])
    here, again = tmp_path / "run", tmp_path / "again"
    assert main(["run", str(TINY), *told, "--strict", "--out", str(here), "--quiet"]) == 0
    sent = table(here / "ledger.sqlite", "payloads")
    models = [row for row in sent if row["kind"].startswith(("model", "edge"))]
    assert bool(models) == (kind in EXCHANGING)
    for row in models:
        assert 0 < row["bytes"] - BITS[codec] * row["value_count"] / 8 <= FRAME_BYTES
    if steered(scenario(*told)) is None:
        assert main(["replay", str(here), "--out", str(again), "--quiet", "--strict"]) == 0
        assert digest_of(again) == digest_of(here)


def digest_of(folder: Path) -> str:
    return str(json.loads((folder / "summary.json").read_text())["digest"])


@pytest.mark.matrix
@pytest.mark.parametrize("kind", EXCHANGING)
def test_receivers_learn_with_what_they_decoded(kind: str) -> None:
    """Every device that has just taken a model holds values that float16 can hold, and nothing else."""
    one = world(protocol(kind), "codec=raw", "codec.model=fp16")
    taken = 0

    def performed(effect: Any) -> None:
        nonlocal taken
        for device in one.devices:
            if getattr(effect, "what", "") == "decode_model" and effect.host == device.name:
                body = effect.job.args[0]
                state = device_state(device, body)
                np.testing.assert_array_equal(state, state.astype(np.float16).astype(np.float32))
                taken += 1

    InstantPlayer(performed).play(one.scenario.protocol.run(one))
    assert taken >= 5


def device_state(device: Any, body: bytes) -> Tensor:
    """Return the state of `device` once it has taken the model in `body`."""
    device.load_model(body)
    return np.asarray(device.trainee.state() if hasattr(device, "trainee") else device.model_state())


@pytest.mark.parametrize("codec", ["aq_sgd", "on_support", "{kind: error_feedback, codec: aq_sgd}"])
@pytest.mark.parametrize("way", ["uplink", "downlink"])
def test_what_cannot_send_a_model_is_refused_in_a_sentence(codec: str, way: str) -> None:
    with pytest.raises(BadInput, match=rf"^codec\.model\.{way}: \w+ cannot send a model: it \w+") as fault:
        world(f"codec.model.{way}={codec}")
    assert "\n" not in str(fault.value)


@pytest.mark.matrix
@pytest.mark.parametrize("kind", kinds("slfac_sim.codecs"))
def test_a_codec_sends_models_or_is_refused(kind: str) -> None:
    try:
        one = world(f"codec.model={kind}", "protocol={kind: parallel, rounds: 1, steps: 1}")
    except BadInput:
        with pytest.raises(BadInput, match=r"^codec\.model\.uplink: "):
            world(f"codec.model={kind}")
        return
    InstantPlayer().play(one.scenario.protocol.run(one))
    assert all(np.isfinite(device.model_state()).all() for device in one.devices)


@pytest.mark.parametrize("kind", ["fedavg", "fedprox"])
def test_the_key_of_before_names_the_one_of_now(kind: str) -> None:
    with pytest.raises(BadInput, match=r"protocol\.model_codec: has become codec\.model\b"):
        scenario(f"protocol={{kind: {kind}, rounds: 1, model_codec: fp16}}")


@pytest.mark.parametrize(
    ("overrides", "wanted"),
    [
        (["codec=slfac"], ("slfac", "slfac", "raw", "raw")),
        (["codec=slfac", "codec.model=fp16"], ("slfac", "slfac", "fp16", "fp16")),
        (["codec.model=fp16", "codec.model.uplink=bf16"], ("slfac", "slfac", "bf16", "fp16")),
        (["codec.model.downlink=fp16"], ("slfac", "slfac", "raw", "fp16")),
        (["codec.model=fp16", "codec.uplink=raw"], ("raw", "slfac", "fp16", "fp16")),
        (["codec={uplink: raw, downlink: fp16, model: bf16}"], ("raw", "fp16", "bf16", "bf16")),
    ],
)
def test_one_codec_stands_for_both_directions_of_its_own_kind(
    overrides: list[str], wanted: tuple[str, ...]
) -> None:
    codec = scenario(*overrides).codec
    four = (codec.uplink, codec.downlink, codec.model.uplink, codec.model.downlink)
    assert tuple(map(kind_of, four)) == wanted
    assert read(dump(scenario(*overrides)), "again.yaml").codec == codec


def test_the_closing_table_tells_of_models_that_are_compressed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for codec, told in (("raw", 0), ("fp16", 1)):
        words = ["run", str(TINY), "protocol.rounds=1", f"codec.model={codec}", "--draw", "none"]
        assert main([*words, "--out", str(tmp_path / codec)]) == 0
        assert capsys.readouterr().out.count("bits per value of models") == told


def test_a_summary_tells_the_bits_of_a_value_of_models(tmp_path: Path) -> None:
    figures = run(prepare(scenario("codec.model=fp16"), tmp_path / "run", threads=1))["bits_per_value"]
    assert 16.0 < figures["model_up"] == figures["model_down"] < 19.0
