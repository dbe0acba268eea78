"""Writes small files of the formats that public data sets have; it holds no tests."""

import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

CIFAR10 = (*(f"data_batch_{number}.bin" for number in range(1, 6)), "test_batch.bin")
LABELS = ("akiec", "bcc", "bkl", "df", "mel", "nv", "vasc")


def pixels(count: int, *shape: int, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (count, *shape), dtype=np.uint8)


def records(labels: Sequence[Sequence[int]], seed: int = 0) -> bytes:
    """Return records of CIFAR: the labels of each, then 3,072 drawn pixels."""
    images = pixels(len(labels), 3072, seed=seed)
    return np.hstack([np.array(labels, np.uint8), images]).tobytes()


def cifar10(folder: Path, each: int = 4) -> dict[str, bytes]:
    """Write the six files of CIFAR-10 with so many records `each`, and return them by name."""
    bodies = {
        name: records([[(place + number) % 10] for place in range(each)], seed=number)
        for number, name in enumerate(CIFAR10)
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, body in bodies.items():
        (folder / name).write_bytes(body)
    return bodies


def cifar100(folder: Path) -> dict[str, bytes]:
    """Write the two files of CIFAR-100, 30 and 10 records, and return them by name."""
    bodies = {
        name: records([[place % 20, place % 100] for place in range(count)], seed=count)
        for name, count in (("train.bin", 30), ("test.bin", 10))
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, body in bodies.items():
        (folder / name).write_bytes(body)
    return bodies


def packed(archive: Path, folder: Path, within: str) -> Path:
    """Pack the files of `folder` as ``within/...`` into the `archive`."""
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(folder, within)
    return archive


def derma(path: Path, size: int = 28, counts: tuple[int, int, int] = (21, 7, 14), **other: Any) -> Path:
    """Write an archive as MedMNIST's is, with `other` arrays in place of its own."""
    arrays: dict[str, Any] = {}
    for place, (part, count) in enumerate(zip(("train", "val", "test"), counts, strict=True)):
        arrays[f"{part}_images"] = pixels(count, size, size, 3, seed=place)
        arrays[f"{part}_labels"] = (np.arange(count) % 7)[:, None].astype(np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, **(arrays | other))
    return path


def picture(path: Path, seed: int, width: int = 60, height: int = 45, mode: str = "RGB") -> Path:
    """Write a picture of drawn pixels."""
    path.parent.mkdir(parents=True, exist_ok=True)
    shape = (height, width, 3) if mode == "RGB" else (height, width)
    Image.fromarray(pixels(1, *shape, seed=seed)[0], mode).save(path)
    return path


def ham(folder: Path, count: int = 42, lesions: int = 15) -> Path:
    """Write metadata and two folders of pictures as the original has them, so many of so many lesions."""
    lines = ["lesion_id,image_id,dx,dx_type,age,sex,localization"]
    for place in range(count):
        lesion = place % lesions
        name = f"ISIC_{place:07d}"
        lines.append(f"HAM_{lesion:07d},{name},{LABELS[lesion % 7]},histo,{40 + lesion}.0,male,back")
        picture(folder / f"HAM10000_images_part_{1 + place % 2}" / f"{name}.jpg", seed=place)
    (folder / "HAM10000_metadata.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def classes_of(
    folder: Path, names: Sequence[str] = ("cat", "dog", "owl"), each: int = 5, size: int = 12
) -> Path:
    """Write a folder of `each` pictures, of `size` pixels a side, for each of these classes."""
    for place, name in enumerate(names):
        for number in range(each):
            picture(folder / name / f"{number}.png", 100 * place + number, size, size)
    return folder
