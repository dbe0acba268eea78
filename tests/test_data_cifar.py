"""CIFAR-10 and CIFAR-100: binary files, unpacked or as an archive, and each fault of them in a sentence."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_data import cifar10, cifar100, packed, records
from told import sentences

from slfac_sim.cli import main
from slfac_sim.learning.datasets import DataError
from slfac_sim.learning.datasets.cifar10 import Cifar10
from slfac_sim.learning.datasets.cifar100 import Cifar100


@pytest.fixture(autouse=True)
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("SLFAC_DATA", str(tmp_path / "data"))


def refused(source: Any) -> str:
    with pytest.raises(DataError) as fault:
        source.load()
    return str(fault.value)


def test_records_are_a_label_and_three_planes(tmp_path: Path) -> None:
    bodies = cifar10(tmp_path / "mine")
    data = Cifar10(folder=tmp_path / "mine", verify=False).load()
    assert (data.name, data.classes, data.image_shape, data.real) == ("cifar10", 10, (3, 32, 32), True)
    assert data.train_labels.tolist() == [(place + number) % 10 for number in range(5) for place in range(4)]
    assert data.test_labels.tolist() == [5, 6, 7, 8]
    second = bodies["data_batch_2.bin"][3073:]
    assert data.train_images[5].tobytes() == second[1:3073]
    assert data.train_images[5, 1, 2, 3] == second[1 + 1024 + 2 * 32 + 3]  # green, row 2, column 3
    few = Cifar10(folder=tmp_path / "mine", verify=False, train_samples=6, test_samples=2).load()
    assert np.array_equal(few.train_images, data.train_images[:6])
    assert np.array_equal(few.test_labels, data.test_labels[:2])


@pytest.mark.parametrize(("labels", "classes", "column"), [("fine", 100, "coarse"), ("coarse", 20, "fine")])
def test_of_two_labels_one_is_learnt_and_one_a_column(
    tmp_path: Path, labels: Any, classes: int, column: str
) -> None:
    cifar100(tmp_path)
    data = Cifar100(folder=tmp_path, verify=False, labels=labels, train_samples=25).load()
    assert (data.classes, list(data.columns)) == (classes, [column])
    of = {"coarse": np.arange(25) % 20, "fine": np.arange(25)}
    assert data.train_labels.tolist() == of[labels].tolist()
    assert data.columns[column].tolist() == of[column].tolist()
    ends = {"fine": ("apple", "worm"), "coarse": ("aquatic_mammals", "vehicles_2")}[labels]
    assert (data.class_names[0], data.class_names[-1], len(set(data.class_names))) == (*ends, classes)


def test_an_archive_is_read_as_it_is_and_verified_by_its_md5(tmp_path: Path) -> None:
    cifar10(tmp_path / "files")
    unpacked = Cifar10(folder=tmp_path / "files", verify=False).load()
    archive = packed(tmp_path / "cifar-10-binary.tar.gz", tmp_path / "files", "cifar-10-batches-bin")
    assert Cifar10(folder=tmp_path, verify=False).load().sha256 == unpacked.sha256
    said = refused(Cifar10(folder=tmp_path))
    assert said.startswith(f"{archive}: MD5 is ")
    assert ", expected c32a1d4ab5d03f1284b67883e8d87530 (" in said
    archive.write_bytes(archive.read_bytes()[:-3000])
    assert refused(Cifar10(folder=tmp_path, verify=False)).startswith(f"{archive}: cannot be unpacked (")
    packed(archive, tmp_path / "files", "elsewhere")
    said = refused(Cifar10(folder=tmp_path, verify=False))
    assert said == f"{archive}: has no cifar-10-batches-bin/data_batch_1.bin"
    archive.write_bytes(b"no archive at all")
    assert (
        refused(Cifar10(folder=tmp_path, verify=False)) == f"{archive}: cannot be unpacked (not a gzip file)"
    )


def test_files_of_the_published_number_are_taken_as_the_public_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cifar10(tmp_path / "data" / "cifar10" / "cifar-10-batches-bin")
    said = refused(Cifar10())
    assert said == (
        f"{tmp_path}/data/cifar10/cifar-10-batches-bin/data_batch_1.bin: found 4 records, expected 10000"
        " (to use other data of the same form, set verify: false beside folder)"
    )
    monkeypatch.setattr(Cifar10, "form", replace_records(Cifar10.form, (4, 4)))
    assert Cifar10().load().source == f"{tmp_path}/data/cifar10/cifar-10-batches-bin"


def replace_records(form: Any, counts: tuple[int, int]) -> Any:
    return form._replace(records=counts)


def _short(folder: Path) -> None:
    (folder / "data_batch_3.bin").write_bytes(records([[1], [2]])[:-1])


def _empty(folder: Path) -> None:
    (folder / "test_batch.bin").write_bytes(b"")


def _label(folder: Path) -> None:
    (folder / "data_batch_1.bin").write_bytes(records([[1], [2], [10]]))


def _lacking(folder: Path) -> None:
    (folder / "data_batch_5.bin").unlink()
    (folder / "test_batch.bin").unlink()


ADVICE = (
    "put cifar-10-binary.tar.gz (https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz) or the files in it"
    " there"
)
NO_OTHER = "(no other place was looked in)"


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (
            _short,
            "{at}/data_batch_3.bin: found 6145 bytes, expected whole records of 3073; the last one has 3072",
        ),
        (_empty, "{at}/test_batch.bin: found 0 bytes, expected whole records of 3073"),
        (_label, "{at}/data_batch_1.bin: found the label 10 in record 2, expected 0 to 9"),
        (
            _lacking,
            "data.folder {at}: has neither cifar-10-binary.tar.gz nor data_batch_5.bin, test_batch.bin"
            f" {NO_OTHER}; {ADVICE}",
        ),
    ],
)
def test_a_fault_of_a_file_is_one_sentence(tmp_path: Path, spoil: Callable[[Path], None], said: str) -> None:
    cifar10(tmp_path)
    spoil(tmp_path)
    assert refused(Cifar10(folder=tmp_path, verify=False)) == said.format(at=tmp_path)


def test_where_there_is_nothing_it_says_which_files_to_put_where(tmp_path: Path) -> None:
    missing = tmp_path / "none"
    assert refused(Cifar10(folder=missing)) == f"data.folder {missing}: no such folder {NO_OTHER}; {ADVICE}"
    (tmp_path / "data").mkdir()
    advice = ADVICE.removesuffix(" there").removeprefix("p")
    assert refused(Cifar10()) == (
        "no files of cifar10 in any of these places:\n"
        f"  $SLFAC_DATA/cifar10 ({tmp_path}/data/cifar10): no such folder\n"
        f"  $SLFAC_DATA ({tmp_path}/data): has neither cifar-10-binary.tar.gz nor data_batch_1.bin and"
        " the other files\n"
        f"  user cache ({tmp_path}/cache/slfac_sim/cifar10): no such folder\n"
        f"P{advice} into one of them,\nor into a folder that data.folder of the scenario names"
    )


@pytest.mark.parametrize("cls", [Cifar10, Cifar100])
def test_data_go_unverified_only_from_a_folder_of_ones_own(cls: Any) -> None:
    with pytest.raises(ValueError, match="verify: false needs a folder"):
        cls(verify=False)
    assert cls().most_samples == 50_000
    assert replace(cls(), train_samples=7).most_samples == 7


def test_what_is_put_in_place_by_hand_is_not_fetched_but_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["data", "fetch", "cifar10"]) == 2
    files = ADVICE.removeprefix("put ").removesuffix(" there")
    told = "\n".join(sentences(capsys.readouterr().err))
    assert (
        told
        == f"cifar10 is put in place by hand: {files}; `python -m slfac_sim data where cifar10` says where"
    )
    cifar10(tmp_path / "data" / "cifar10")
    assert main(["data", "where", "cifar10"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "cifar10",
        f"  $SLFAC_DATA/cifar10: {tmp_path}/data/cifar10: there",
        f"  $SLFAC_DATA: {tmp_path}/data: there",
        f"  user cache: {tmp_path}/cache/slfac_sim/cifar10: no such folder",
        f"  put there by hand: {files}",
    ]
