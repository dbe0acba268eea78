"""HAM10000 from both sources, on made files of the same formats: the splits, and each fault in a sentence."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_data import derma, ham, pixels

from slfac_sim.cli import main
from slfac_sim.learning.datasets import DataError
from slfac_sim.learning.datasets.ham10000 import Ham10000


@pytest.fixture(autouse=True)
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("SLFAC_DATA", raising=False)


def refused(source: Any) -> str:
    with pytest.raises(DataError) as fault:
        source.load()
    return str(fault.value)


def test_the_published_split_has_a_validation_part(tmp_path: Path) -> None:
    derma(tmp_path / "dermamnist.npz")
    data = Ham10000(folder=tmp_path, source="medmnist", size=28, split="published", verify=False).open()
    assert (data.classes, data.image_shape, len(data.mean)) == (7, (3, 28, 28), 3)
    assert (len(data.train_labels), len(data.test_labels)) == (21, 14)
    assert data.validation_labels is not None
    assert data.validation_labels.tolist() == list(range(7))
    assert np.array_equal(data.train_images, pixels(21, 28, 28, 3).transpose(0, 3, 1, 2))


def test_by_image_all_that_medmnist_has_is_split_anew(tmp_path: Path) -> None:
    derma(tmp_path / "dermamnist_64.npz", size=64, counts=(35, 5, 10))
    data = Ham10000(folder=tmp_path, source="medmnist", verify=False, validation=4).open()
    assert (len(data.train_labels), len(data.test_labels)) == (36, 10)
    assert data.validation_images is not None
    images = (*data.train_images, *data.test_images, *data.validation_images)
    assert len({image.tobytes() for image in images}) == 50


@pytest.mark.parametrize("split", ["image", "lesion"])
def test_the_original_is_split_by_image_or_by_lesion(tmp_path: Path, split: Any) -> None:
    ham(tmp_path, count=60, lesions=20)
    data = Ham10000(folder=tmp_path, split=split, size=16, verify=False, validation=9).open()
    assert (data.image_shape, data.classes) == ((3, 16, 16), 7)
    assert (len(data.train_labels), len(data.test_labels)) == (39, 12)
    assert sorted(data.columns) == ["lesion", "sex", "site"]
    lesions = [int(name[4:]) for name in data.columns["lesion"]]
    assert data.train_labels.tolist() == [lesion % 7 for lesion in lesions]
    assert data.validation_labels is not None
    learnt = np.bincount(lesions, minlength=20)
    whole = (learnt == 0) | (learnt == 3)  # each lesion has three pictures
    assert whole.all() if split == "lesion" else not whole.all()


def test_metadata_may_be_tab_separated_and_of_either_name(tmp_path: Path) -> None:
    ham(tmp_path)
    csv = tmp_path / "HAM10000_metadata.csv"
    one = Ham10000(folder=tmp_path, size=8, verify=False).load()
    text = csv.read_text(encoding="utf-8")
    csv.unlink()
    for name in ("HAM10000_metadata", "HAM10000_metadata.tab"):
        (tmp_path / name).write_text(text.replace(",", "\t"), encoding="utf-8")
        assert Ham10000(folder=tmp_path, size=8, verify=False).load().sha256 == one.sha256
        (tmp_path / name).unlink()


def _spoil(old: str, new: str) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        table = folder / "HAM10000_metadata.csv"
        table.write_text(table.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")

    return spoil


def _no_pictures(folder: Path) -> None:
    for path in (folder / "HAM10000_images_part_2").iterdir():
        path.unlink()


def _no_rows(folder: Path) -> None:
    table = folder / "HAM10000_metadata.csv"
    table.write_text(table.read_text(encoding="utf-8").partition("\n")[0], encoding="utf-8")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (
            _spoil("dx,", "diagnosis,"),
            "{at}/HAM10000_metadata.csv: found the columns lesion_id, image_id, diagnosis, dx_type, age, sex,"
            " localization, expected dx as well",
        ),
        (
            _spoil("0000003,ISIC_0000003,df", "0000003,ISIC_0000003,naevus"),
            "{at}/HAM10000_metadata.csv: found dx 'naevus' in line 5, expected akiec, bcc, bkl, df, mel, nv,"
            " vasc",
        ),
        (_no_rows, "{at}/HAM10000_metadata.csv: found no row, expected one for each picture"),
        (
            _no_pictures,
            "{at}: lacks ISIC_0000001.jpg, ISIC_0000003.jpg, ISIC_0000005.jpg and 18 more of the 42 pictures"
            " in HAM10000_metadata.csv",
        ),
        (
            lambda folder: (folder / "HAM10000_images_part_1/ISIC_0000002.jpg").write_bytes(b"\xff\xd8 no"),
            "{at}/HAM10000_images_part_1/ISIC_0000002.jpg: cannot be read as a picture (of no format that is"
            " known)",
        ),
    ],
)
def test_a_fault_of_the_original_is_one_sentence(
    tmp_path: Path, spoil: Callable[[Path], Any], said: str
) -> None:
    spoil(ham(tmp_path))
    assert refused(Ham10000(folder=tmp_path, size=8, verify=False)) == said.format(at=tmp_path)


def test_what_is_not_the_public_data_is_told(tmp_path: Path) -> None:
    hint = "(to use other data of the same form, set verify: false beside folder)"
    ham(tmp_path)
    found = f"{tmp_path}/HAM10000_metadata.csv: found 42 rows, expected 10015 {hint}"
    assert refused(Ham10000(folder=tmp_path)) == found
    path = derma(tmp_path / "dermamnist.npz")
    said = refused(Ham10000(folder=tmp_path, source="medmnist", size=28))
    assert said.startswith(f"{path}: MD5 is ")
    assert said.endswith(f", expected 0744692d530f8e62ec473284d019b0c7 {hint}")
    derma(path, train_labels=np.full(21, 7))
    assert refused(Ham10000(folder=tmp_path, source="medmnist", size=28, verify=False)) == (
        "data 'ham10000': train_labels: found the label 7 at index 0, expected 0 to 6 (classes: 7)"
    )


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("medmnist", "dermamnist_64.npz (https://zenodo.org/records/10519652)"),
        (
            "original",
            "HAM10000_metadata.csv and the folders of ISIC_*.jpg (https://doi.org/10.7910/DVN/DBW86T)",
        ),
    ],
)
def test_where_there_is_nothing_it_says_which_files_to_put_where(
    tmp_path: Path, source: Any, wanted: str
) -> None:
    none = tmp_path / "none"
    assert refused(Ham10000(folder=none, source=source)) == (
        f"data.folder {none}: no such folder (no other place was looked in); put {wanted} there"
    )
    assert refused(Ham10000(source=source)) == (
        "no files of ham10000 in any of these places:\n"
        f"  user cache ({tmp_path}/cache/slfac_sim/ham10000): no such folder\n"
        f"Put {wanted} into one of them,\nor into a folder that data.folder of the scenario names"
    )


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"source": "medmnist", "split": "lesion"}, "split: lesion needs source: original"),
        ({"split": "published"}, "split: published needs source: medmnist"),
        ({"source": "medmnist", "size": 32}, "size must be one of 28, 64, 128, 224 with source: medmnist"),
        ({"source": "medmnist", "split": "published", "validation": 5}, "published has its own part"),
        ({"verify": False}, "verify: false needs a folder"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(settings: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Ham10000(**settings)


@pytest.mark.parametrize("name", ["paper_ham10000_iid", "paper_ham10000_noniid"])
def test_the_papers_scenario_runs_on_files_of_the_same_format(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    ham(tmp_path / "made", count=60, lesions=20)
    made = ["data.folder=made", "data.verify=false", "data.validation=8"]
    assert main(["check", name, *made]) == 0
    told = capsys.readouterr().out
    assert "ham10000: 40 samples, 8 held out, " in told
    assert "cut after block1: 64 x 16 x 16 smashed" in told
    assert main(["run", name, *made, "protocol.rounds=1", "--strict", "--quiet"]) == 0
    (folder,) = (tmp_path / "runs" / name).iterdir()
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    assert summary["data"]["real"] is True
    assert len(summary["data"]["mean"]) == len(summary["data"]["std"]) == 3
    assert summary["rounds"] == 1
