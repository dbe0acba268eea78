"""Checkpoint files: what goes in comes out, to the type and the bit; what is damaged is refused."""

import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from slfac_sim.runs.checkpoint_file import BadCheckpoint, read_tree, write_tree

PLAIN = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary()
KEYS = st.text() | st.integers()
TREES = st.recursive(
    PLAIN,
    lambda inner: st.lists(inner) | st.lists(inner).map(tuple) | st.dictionaries(KEYS, inner),
    max_leaves=20,
)
ARRAYS: dict[str, Any] = {
    "floats": np.linspace(0.0, 1.0, 7, dtype=np.float16).reshape(1, 7),
    "not contiguous": np.arange(12).reshape(3, 4).T,
    "empty": np.empty((0, 3), np.int8),
    "without axes": np.array(2.5),
    "a number": np.float32(1.5),
    "not finite": np.array([np.nan, -np.inf, -0.0]),
    "tensor": torch.arange(6.0).reshape(2, 3),
    "half": torch.tensor([1.0, -2.0], dtype=torch.bfloat16),
    "flags": torch.tensor([True, False]),
    "counter": torch.tensor(7),
    "no values": torch.empty(0),
    "a part": torch.arange(10)[::3],
    "learnt": torch.nn.Parameter(torch.ones(2)),
}


def same(a: Any, b: Any) -> bool:
    if isinstance(a, torch.Tensor):
        return bool(a.dtype == b.dtype and a.shape == b.shape and torch.equal(a, b))
    return type(a) is type(b) and a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tree") / "x.checkpoint"


@settings(max_examples=50)
@given(TREES)
def test_trees_come_back(path: Path, tree: Any) -> None:
    assert write_tree(path, tree) == path.stat().st_size
    found = read_tree(path)
    assert found == tree
    assert repr(found) == repr(tree)  # True is not 1, 1.0 is not 1, and a tuple is no list


@pytest.mark.parametrize("name", ARRAYS)
def test_arrays_come_back_to_the_bit_and_can_be_written_to(name: str, tmp_path: Path) -> None:
    write_tree(tmp_path / "x", {"before": b"abc", "it": ARRAYS[name]})
    found = read_tree(tmp_path / "x")["it"]
    assert same(ARRAYS[name].detach() if isinstance(ARRAYS[name], torch.Tensor) else ARRAYS[name], found)
    if found.shape:
        found[...] = 0


@pytest.mark.parametrize("cut", [0, 1, 20, 40, 100, -33, -1])
def test_a_file_that_was_cut_short_is_refused(cut: int, tmp_path: Path) -> None:
    path = tmp_path / "x"
    write_tree(path, {"weights": torch.ones(100)})
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(BadCheckpoint, match=r"no checkpoint of this version|its checksum is another"):
        read_tree(path)


@given(st.integers(min_value=0), st.integers(min_value=1, max_value=255))
def test_a_changed_byte_is_found_wherever_it_is(
    tmp_path_factory: pytest.TempPathFactory, place: int, by: int
) -> None:
    path = tmp_path_factory.mktemp("changed") / "x"
    write_tree(path, {"weights": torch.ones(10), "round": 3})
    raw = bytearray(path.read_bytes())
    raw[place % len(raw)] ^= by
    path.write_bytes(raw)
    with pytest.raises(BadCheckpoint):
        read_tree(path)


def test_nothing_in_a_file_is_run(tmp_path: Path) -> None:
    """A pickle, which could do anything, is a file like any other that is no checkpoint."""

    class Trap:
        def __reduce__(self) -> Any:
            return os.mkdir, (str(tmp_path / "sprung"),)

    (tmp_path / "x").write_bytes(pickle.dumps(Trap()))
    with pytest.raises(BadCheckpoint):
        read_tree(tmp_path / "x")
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("value", [object(), {1, 2}, np.array([object()]), np.array(["text"])])
def test_what_it_cannot_hold_is_refused_and_the_old_file_stays(value: Any, tmp_path: Path) -> None:
    write_tree(tmp_path / "x", 1)
    with pytest.raises(TypeError, match="a checkpoint cannot hold a"):
        write_tree(tmp_path / "x", {"odd": value})
    assert read_tree(tmp_path / "x") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_a_kill_while_it_is_written_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_disk(number: int) -> None:
        raise OSError("no space left")

    write_tree(tmp_path / "x", 1)
    monkeypatch.setattr("os.fsync", no_disk)
    with pytest.raises(OSError, match="no space left"):
        write_tree(tmp_path / "x", 2)
    assert read_tree(tmp_path / "x") == 1
