"""Where data sets are looked for, in which order, and what is said when there are none."""

import numpy as np
import pytest
from data_files import ARRAYS, NAMES, FakePackage, FakeResponse, idx_bytes, no_network, tiny, write_tiny

from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.plugins import adapter
from slfac_sim.learning.datasets import DataError
from slfac_sim.learning.datasets.fashion_mnist import FashionMnist
from slfac_sim.learning.datasets.mnist import Mnist
from slfac_sim.learning.idx.load import load_idx


@pytest.fixture(autouse=True)
def places(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("SLFAC_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("SLFAC_OFFLINE", raising=False)


def load(files=None, folder=None, verify=True, train=None, test=None, opener=no_network):
    return load_idx(files or tiny(), folder, verify, train, test, None, opener)


def cache(tmp_path):
    return tmp_path / "cache/slfac_sim/tiny"


def test_the_first_place_that_has_the_files_wins(tmp_path):
    installed = tmp_path / "installed"
    files = tiny(FakePackage(installed_in=installed))
    order = [tmp_path / "data/tiny", tmp_path / "data", cache(tmp_path), installed]
    for folder in reversed(order):  # each better place, once filled, takes precedence
        write_tiny(folder, zipped=folder == installed)
        assert load(files).source == str(folder)


def test_a_damaged_copy_is_passed_over(tmp_path):
    write_tiny(tmp_path / "data/tiny")
    write_tiny(cache(tmp_path))
    (tmp_path / "data/tiny" / NAMES[3]).write_bytes(b"")
    assert load().source == str(cache(tmp_path))


def test_the_scenarios_folder_comes_first_and_is_binding(tmp_path):
    write_tiny(tmp_path / "data")
    mine = write_tiny(tmp_path / "mine", zipped=True)
    assert load(folder=mine).source == str(mine)
    (mine / f"{NAMES[1]}.gz").unlink()
    (mine / f"{NAMES[2]}.gz").unlink()
    with pytest.raises(DataError) as error:
        load(folder=mine)
    assert str(error.value) == (
        f"data.folder {mine}: lacks train-labels-idx1-ubyte, t10k-images-idx3-ubyte (no other place was"
        " looked in; to use other data in IDX form, set verify: false beside folder)"
    )
    with pytest.raises(DataError, match=r"data\.folder .*/none: no such folder \(no other place"):
        load(folder=tmp_path / "none")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"has none of the four files \(no other place was looked in\)"):
        load(folder=tmp_path / "empty", verify=False)


def test_what_is_loaded(tmp_path):
    write_tiny(tmp_path / "data")
    data = load()
    assert (data.name, data.classes, data.real, data.image_shape) == ("tiny", 3, True, (1, 4, 5))
    assert np.array_equal(data.train_images[:, 0], ARRAYS[0])
    assert np.array_equal(data.test_images[:, 0], ARRAYS[2])
    assert (data.train_images.dtype, data.train_labels.dtype) == (np.uint8, np.int64)
    assert data.train_labels.tolist() == [0, 1, 2, 2, 1, 0]
    assert data.test_labels.tolist() == [2, 0, 1]
    assert data.mean == pytest.approx(((ARRAYS[0] / 255).mean(),), abs=1e-12)
    assert data.std == pytest.approx(((ARRAYS[0] / 255).std(),), abs=1e-12)


def test_batches_are_normalised_by_the_training_pixels(tmp_path):
    write_tiny(tmp_path / "data")
    data = load()
    images, labels = data.train_batch(np.arange(6))
    assert (images.dtype, images.shape, labels.tolist()) == (np.float32, (6, 1, 4, 5), [0, 1, 2, 2, 1, 0])
    assert images.mean(dtype=np.float64) == pytest.approx(0, abs=1e-6)
    assert images.std(dtype=np.float64) == pytest.approx(1, abs=1e-6)
    images, labels = data.test_batch(np.array([2, 0]))
    expected = (ARRAYS[2][[2, 0], np.newaxis] / 255 - data.mean[0]) / data.std[0]
    assert np.allclose(images, expected, atol=1e-6)
    assert labels.tolist() == [1, 2]


def test_the_first_samples_can_be_kept_but_no_more_than_there_are(tmp_path):
    write_tiny(tmp_path / "data")
    data = load(train=4, test=2)
    assert np.array_equal(data.train_images[:, 0], ARRAYS[0][:4])
    assert data.test_labels.tolist() == [2, 0]
    assert data.mean == pytest.approx(((ARRAYS[0][:4] / 255).mean(),), abs=1e-12)
    with pytest.raises(DataError) as error:
        load(test=4)
    assert str(error.value) == "data.test_samples: found 4, expected at most 3"


NOT_FOUND = """\
no usable copy of tiny in any of these places:
  $SLFAC_DATA/tiny ({root}/data/tiny): {root}/data/tiny/{damaged}
  $SLFAC_DATA ({root}/data): has none of the four files
  user cache ({root}/cache/slfac_sim/tiny): no such folder
  the tiny package ({root}/installed): lacks t10k-labels-idx1-ubyte
  download: {download}
Run `python -m slfac_sim data fetch tiny`, or put these files, plain or as .gz, into one folder,
named by data.folder of the scenario or by the environment variable SLFAC_DATA:
  train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte"""


@pytest.mark.parametrize(
    ("offline", "download"),
    [
        ("1", "switched off by SLFAC_OFFLINE"),
        ("0", "one.example: no route to host; two.example: no route to host"),
    ],
)
def test_nothing_found_lists_every_place(tmp_path, monkeypatch, offline, download):
    monkeypatch.setenv("SLFAC_OFFLINE", offline)
    (write_tiny(tmp_path / "data/tiny") / NAMES[0]).write_bytes(b"")
    (write_tiny(tmp_path / "installed") / NAMES[3]).unlink()
    damaged = "train-images-idx3-ubyte: found 0 bytes, expected a header of 16"
    with pytest.raises(DataError) as error:
        load(tiny(FakePackage(installed_in=tmp_path / "installed")))
    assert str(error.value) == NOT_FOUND.format(root=tmp_path, download=download, damaged=damaged)


def test_offline_asks_no_mirror(monkeypatch):
    monkeypatch.setenv("SLFAC_OFFLINE", "1")
    asked = []
    with pytest.raises(DataError):
        load(opener=lambda address: asked.append(address) or FakeResponse(b""))
    assert asked == []


def test_other_peoples_files_are_refused_by_their_hash_and_named(tmp_path):
    other = write_tiny(tmp_path / "other")
    (other / NAMES[2]).write_bytes(idx_bytes(ARRAYS[2] ^ 1))
    with pytest.raises(
        DataError, match=r"t10k-images-idx3-ubyte: SHA-256 is [0-9a-f]{64}, expected [0-9a-f]{64}"
    ):
        load(folder=other)
    assert np.array_equal(load(folder=other, verify=False).test_images[:, 0], ARRAYS[2] ^ 1)


def test_unverified_data_may_have_another_size_but_must_fit_together(tmp_path):
    mine = write_tiny(tmp_path / "mine")
    data = Mnist(folder=mine, verify=False).load()
    assert (data.train_images.shape, data.test_images.shape) == ((6, 1, 4, 5), (3, 1, 4, 5))
    refused = [
        (
            3,
            np.array([1, 2], np.uint8),
            "t10k-labels-idx1-ubyte: found 2 labels, expected 3, one for each image",
        ),
        (
            1,
            np.array([0, 1, 2, 3, 9, 10], np.uint8),
            "train-labels-idx1-ubyte: found label 10, expected 0 to 9",
        ),
        (2, np.zeros((3, 5, 4), np.uint8), "found images of (5, 4), expected (4, 5) as in training"),
        (0, np.zeros((6, 4, 5), np.uint8), "all pixels of the training images are equal"),
    ]
    for which, array, text in refused:
        (write_tiny(mine) / NAMES[which]).write_bytes(idx_bytes(array))
        with pytest.raises(DataError) as error:
            Mnist(folder=mine, verify=False).load()
        assert text in str(error.value)


@pytest.mark.parametrize("cls", [Mnist, FashionMnist])
def test_settings(cls):
    read = adapter(cls).validate_python
    assert read({"train_samples": 10}).train_samples == 10
    for bad in ({"train_samples": 0}, {"verify": False}, {"foldr": "x"}):
        with pytest.raises(ValueError, match=r"train_samples|verify: false needs a folder|foldr"):
            read(bad)


def test_error_is_one_that_users_can_mend():
    assert issubclass(DataError, BadInput)
