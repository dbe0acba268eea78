"""Training that diverges ends in words, whatever the protocol, the codec, and who notices first."""

import json
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from studies import Here, rows, swept, tiny_plan
from worlds import TINY, table, with_servers, world

from slfac_sim.cli import main
from slfac_sim.foundation.errors import Diverged
from slfac_sim.foundation.plugins import kinds
from slfac_sim.learning.divergence import LARGEST, sound, sound_loss
from slfac_sim.simulation.instant import InstantPlayer

ABSURD = ("learning.optimiser={kind: sgd, learning_rate: 1e12, momentum: 0.9}", "model.batch_norm=false")
REASON = r"^diverged in round [12] on (server|edge2|cloud|d00[0-4]): [^\n]+$"
PROTOCOLS = kinds("slfac_sim.protocols")


@pytest.mark.matrix
@pytest.mark.parametrize("codec", ["raw", "slfac"])
@pytest.mark.parametrize("kind", PROTOCOLS)
def test_it_fails_in_words_and_keeps_what_was_recorded(
    kind: str, codec: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = (f"protocol={{kind: {kind}, rounds: 2, steps: 3}}", f"codec={codec}", *ABSURD)
    folder = tmp_path / "run"
    assert main(["run", str(TINY), *with_servers(told), "--out", str(folder), "--quiet", "--strict"]) == 1
    summary = json.loads((folder / "summary.json").read_text())
    assert summary["status"] == "failed"
    assert re.match(REASON, summary["reason"]), summary["reason"]
    log = (folder / "run.log").read_text()
    assert summary["reason"] in log
    assert "Traceback" not in log
    assert summary["reason"] in capsys.readouterr().err
    assert table(folder / "ledger.sqlite", "evals")[0]["round"] == 0
    assert all(math.isfinite(row["loss"]) for row in table(folder / "ledger.sqlite", "steps"))


@pytest.mark.matrix
@pytest.mark.parametrize("spoilt", [math.nan, math.inf])
@pytest.mark.parametrize("kind", [kind for kind in PROTOCOLS if kind != "centralised"])
def test_the_host_that_is_ill_is_named(kind: str, spoilt: float) -> None:
    """A device's first weight is spoilt before it learns: its own forward pass, or the loss, tells."""
    one = world(f"protocol={{kind: {kind}, rounds: 1, steps: 2}}", "codec=raw")
    with torch.no_grad():
        _first_weight(one.devices[0]).fill_(spoilt)
    with pytest.raises(Diverged, match=r"^diverged on (d000|server): .*"):
        InstantPlayer().play(one.scenario.protocol.run(one))


def _first_weight(device: Any) -> torch.Tensor:
    learner = getattr(device, "trainee", device)
    learner.forward(np.arange(4))  # brings the model into being
    state = learner.get_state()
    model = (state["learner"] if learner is not device else state["half"])["model"]
    weight: torch.Tensor = next(iter(model.values()))
    return weight


VALUES = st.floats(width=32) | st.sampled_from([math.nan, math.inf, -math.inf, LARGEST, -LARGEST, 3e20])


@given(tensor=arrays(np.float32, st.integers(0, 5), elements=VALUES))
def test_a_sound_tensor_is_finite_and_has_a_square(tensor: Any) -> None:
    if all(math.isfinite(value) and abs(value) <= LARGEST for value in tensor.tolist()):
        assert sound(tensor, "d000", "weights") is tensor
    else:
        with pytest.raises(Diverged, match=r"^diverged on d000: weights are between \S+ and \S+$"):
            sound(tensor, "d000", "weights")


@given(loss=st.floats())
def test_a_sound_loss_is_finite(loss: float) -> None:
    if math.isfinite(loss):
        assert sound_loss(loss, "server") == loss
    else:
        with pytest.raises(Diverged, match=r"^diverged in round 3 on server: the loss is (nan|inf|-inf)$"):
            raise _caught(loss).during(3)


def _caught(loss: float) -> Diverged:
    with pytest.raises(Diverged) as found:
        sound_loss(loss, "server")
    return found.value


def test_in_a_study_its_point_fails_in_words_and_the_others_go_on(tmp_path: Path) -> None:
    plan = tiny_plan("learning.optimiser.learning_rate=0.05,1e12", overrides=["model.batch_norm=false"])
    (failure,) = swept(plan, tmp_path / "study", Here(tmp_path / "cache"), tmp_path / "cache")
    assert re.search(REASON.strip("^"), failure.reason)
    found = [json.loads(text) for text in rows(tmp_path / "study").values()]
    assert sorted(row["status"] for row in found) == ["failed", "finished"]
    assert all(re.search(REASON.strip("^"), row["reason"]) for row in found if row["reason"])


def test_a_capture_of_a_training_that_diverges_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["capture", str(TINY), *ABSURD, "--steps", "5", "--out", str(tmp_path / "caught")]
    assert main(words) == 1
    assert re.match(r"^diverged on \S+: [^\n]+$", capsys.readouterr().err.splitlines()[-1])
