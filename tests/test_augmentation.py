"""Augmentations: what each does to an image, and that what is drawn is keyed by device, sample and time."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_resume import killed, resumed, undisturbed
from worlds import TINY, scenario, world

from slfac_sim.cli import main
from slfac_sim.foundation.plugins import find, kinds
from slfac_sim.learning.augmentations.crop import Crop
from slfac_sim.learning.augmentations.flip import Flip
from slfac_sim.learning.augmentations.rotate import Rotate
from slfac_sim.scenario.located import ScenarioError

FAMILY = "slfac_sim.learning.augmentations"
ALL = "data.augment=[flip, {kind: crop, pad: 2}, rotate]"


def image(seed: int = 0, channels: int = 3, height: int = 9, width: int = 12) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (channels, height, width), dtype=np.uint8)


@pytest.mark.parametrize("kind", kinds(FAMILY))
@given(seed=st.integers(0, 1000), channels=st.integers(1, 3), side=st.integers(5, 12))
def test_law_an_image_keeps_its_form_and_is_left_as_it_was(
    kind: str, seed: int, channels: int, side: int
) -> None:
    before = image(seed, channels, side, side + 2)
    kept = before.copy()
    one, two = (find(FAMILY, kind)().apply(before, np.random.default_rng(seed)) for _ in range(2))
    assert (one.shape, one.dtype) == (before.shape, np.uint8)
    assert np.array_equal(before, kept)
    assert np.array_equal(one, two)


def test_a_flip_mirrors_half_of_the_times() -> None:
    draws, shown = np.random.default_rng(0), image()
    flipped = [np.array_equal(Flip().apply(shown, draws), shown[:, :, ::-1]) for _ in range(400)]
    assert 150 < sum(flipped) < 250
    assert np.array_equal(Flip(chance=0.0).apply(shown, draws), shown)


def test_a_crop_takes_every_shift_alike() -> None:
    draws, shown = np.random.default_rng(0), image()
    shown[:] = 0
    shown[:, 4, 6] = 200
    places = [np.argwhere(Crop(pad=1).apply(shown, draws)[0])[0].tolist() for _ in range(900)]
    counts = {(down, right): places.count([down, right]) for down in (3, 4, 5) for right in (5, 6, 7)}
    assert sum(counts.values()) == 900
    assert 60 < min(counts.values()) <= max(counts.values()) < 150


def test_a_rotation_turns_about_the_middle() -> None:
    class Quarter:
        def uniform(self, low: float, high: float) -> float:
            assert (low, high) == (-90.0, 90.0)
            return 90.0

    shown = image(height=9, width=9)
    turned = Rotate(degrees=90.0).apply(shown, Quarter())  # type: ignore[arg-type]
    assert any(np.array_equal(turned, np.rot90(shown, quarters, axes=(1, 2))) for quarters in (1, 3))
    assert turned[:, 4, 4].tolist() == shown[:, 4, 4].tolist()


def test_what_a_device_sees_is_keyed_by_device_sample_and_time() -> None:
    one, two = world(ALL), world(ALL)
    fetch, other = (each.devices[0]._fetch for each in (one, two))
    samples = one.devices[0].shard.samples[:6]
    first, labels = fetch(samples)
    second, _ = fetch(samples)
    assert not np.array_equal(first, second)
    assert labels.tolist() == one.data.train_labels[samples].tolist()
    backwards = [other(samples[place : place + 1])[0] for place in range(5, -1, -1)]  # in another order
    assert np.array_equal(np.concatenate(backwards[::-1]), first)
    plain, _ = world().devices[0]._fetch(samples)
    assert np.array_equal(plain, one.data.train_batch(samples)[0])
    assert not np.array_equal(first, plain)


@pytest.mark.parametrize("protocol", ["parallel", "fedavg", "u_shaped"])
def test_a_resumed_run_goes_on_with_the_same_images(tmp_path: Path, protocol: str) -> None:
    asked = [f"protocol={protocol}", ALL]
    summary = undisturbed(tmp_path / "whole", *asked)
    assert summary["digest"] != undisturbed(tmp_path / "plain", *asked[:1])["digest"]
    killed(tmp_path / "cut", 36, *asked)
    assert resumed(tmp_path / "cut")["digest"] == summary["digest"]


@pytest.mark.parametrize("codec", ["aq_sgd", "{kind: error_feedback, codec: topk}"])
def test_codecs_that_remember_samples_do_not_go_with_it(codec: str) -> None:
    kind = codec.strip("{}").removeprefix("kind: ").partition(",")[0]
    said = f"data.augment: the codec {kind} remembers samples, and augmented they are others each time"
    with pytest.raises(ScenarioError, match=said):
        scenario(f"codec={{uplink: {codec}, downlink: raw}}", ALL)


def test_a_run_with_it_obeys_all_laws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    words: list[Any] = ["run", str(TINY), ALL, "protocol.rounds=1", "--strict", "--quiet"]
    assert main(words) == 0
    assert main(["verify", "runs/latest", "--quiet"]) == 0
