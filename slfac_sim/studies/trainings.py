"""Trainings on disk: an ordinary run folder for each learning key, complete or absent.

It knows where they lie and how one comes there whole, whoever else is about to make the same.
"""

import io
import os
import shutil
import socket
import tarfile
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from platform import python_version

from slfac_sim.analysis.format import count
from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.files import own_name
from slfac_sim.foundation.host import threads_for
from slfac_sim.ledger.folder import LEDGER, SCENARIO, SUMMARY, WEIGHTS, load, weights_file
from slfac_sim.scenario.fingerprint import learning_key
from slfac_sim.scenario.named_files import KEPT as FILES
from slfac_sim.scenario.own_plugins import FOLDER as PLUGINS
from slfac_sim.scenario.schema import Scenario

DEFAULT = Path("runs") / "trainings"
KEPT = (SCENARIO, SUMMARY, LEDGER)  # what a replay reads


class Failed(BadInput):
    """A training that came to its own end without success; trying again would end alike."""


def ensure(scenario: Scenario, cache: Path = DEFAULT, threads: int | None = None) -> Path:
    """Return the folder of the finished training of `scenario`, which is run first if it is not in `cache`.

    `threads` are torch's host threads (None: the usual number). Raises `Failed` when the training fails, and
    `BadInput` when it cannot begin.
    """
    threads = threads_for(threads)
    key = learning_key(scenario, threads)
    if not has(cache, key):
        train(scenario, threads, cache, key)
    return folder_of(cache, key)


def folder_of(cache: Path, key: str) -> Path:
    """Return where the training `key` lies, or would lie."""
    return cache / key


def has(cache: Path, key: str, weights: bool = False) -> bool:
    """Say whether the training is there, and if `weights` are wanted, with what it keeps of its model."""
    folder = folder_of(cache, key)
    return folder.is_dir() and (not weights or _kept_weights(folder))


def _kept_weights(folder: Path) -> bool:
    """Say whether the run in `folder` was told to keep its model, and has all of it."""
    try:
        kept = load(folder).summary.get(WEIGHTS)
    except BadInput:
        return False
    return kept is not None and all(weights_file(folder, name).is_file() for name in kept)


def with_other_threads(scenarios: Iterable[Scenario], threads: int, cache: Path) -> str:
    """Say how many trainings of `scenarios` lie in `cache` with another number of threads; empty if none."""
    given = list(scenarios) if cache.is_dir() else []
    notes = []
    for other in sorted({1, 2} - {threads}):
        found = sum(has(cache, learning_key(scenario, other)) for scenario in given)
        if found:
            are = "was made" if found == 1 else "were made"
            again = "it is trained" if found == 1 else "they are trained"
            notes.append(
                f"{count(found, 'training')} on record {are} with {count(other, 'thread')}; with {threads}"
                f" {again} again, with --threads {other} not"
            )
    return "; ".join(notes)


def train(scenario: Scenario, threads: int, cache: Path, key: str, weights: bool = False) -> None:
    """Run `scenario` on this machine, as a run folder in `cache`, which appears when it is finished.

    The trained model is kept in it if its `weights` are wanted. Raises `Failed` or `BadInput`, and then
    leaves nothing behind.
    """
    here = learning_key(scenario, threads)
    if here != key:
        raise BadInput(
            f"training {key}: on {socket.gethostname()} it would be {here}, with {_versions()}; Python,"
            " torch, numpy and our source files must be those of the process that asked for it"
        )
    from slfac_sim.runs.run import prepare, run

    part = part_of(cache, key)
    try:
        summary = run(prepare(scenario, part, threads), weights=weights)
        if summary["status"] == "interrupted":
            raise KeyboardInterrupt
        if summary["status"] != "finished":
            raise Failed(f"training {key} {summary['status']}: {summary['reason']}")
        _appear(part, folder_of(cache, key), weights)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _versions() -> str:
    """Return what computes here, in words."""
    libraries = (f"{name} {version(name)}" for name in ("torch", "numpy"))
    return ", ".join([f"Python {python_version()}", *libraries])


def pack(folder: Path) -> bytes:
    """Return what a replay needs of the run in `folder` as the bytes of a tar file."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name in (*KEPT, *(name for name in (PLUGINS, FILES, WEIGHTS) if (folder / name).is_dir())):
            archive.add(folder / name, name)
    return buffer.getvalue()


def unpack(packed: bytes, cache: Path, key: str, weights: bool = False) -> Path:
    """Put the training in `packed` into `cache`, whole, and return its folder.

    Where it is there already, its `weights` are put beside if they are wanted.
    """
    part = part_of(cache, key)
    try:
        part.mkdir(parents=True)
        with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
            archive.extractall(part, filter="data")
        _appear(part, folder_of(cache, key), weights)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return folder_of(cache, key)


def part_of(cache: Path, key: str) -> Path:
    """Return a folder of this process for the training `key` while it is unfinished."""
    return own_name(cache.resolve() / f"{key}.{socket.gethostname()}")


def clear_remains(cache: Path) -> None:
    """Remove what processes of this machine that no longer live have left unfinished in `cache`."""
    for part in cache.glob(f"*.{socket.gethostname()}.*.part"):
        owner = part.name.split(".")[-2]
        if owner.isdecimal() and not _alive(int(owner)):
            shutil.rmtree(part, ignore_errors=True)


def _appear(part: Path, whole: Path, weights: bool) -> None:
    """Let `part` become `whole` at once; one that is there is as good, but for `weights` it may lack."""
    try:
        os.rename(part, whole)
    except OSError:
        if not whole.is_dir():
            raise
        if weights and not _kept_weights(whole):
            _add_weights(part, whole)


def _add_weights(part: Path, whole: Path) -> None:
    """Put the model of the training in `part` beside the record `whole` of the same one. Raises `Failed`."""
    here, there = (load(folder).summary for folder in (part, whole))
    if here["digest"] != there["digest"]:
        digests = f"{str(there['digest'])[:16]} on record, {str(here['digest'])[:16]} now"
        raise Failed(f"{whole}: done again for its weights, it came out otherwise (digest {digests})")
    shutil.rmtree(whole / WEIGHTS, ignore_errors=True)
    if (part / WEIGHTS).is_dir():
        os.rename(part / WEIGHTS, whole / WEIGHTS)
    os.replace(part / SUMMARY, whole / SUMMARY)  # last, since it says that the weights are there


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except OSError:
        return os.name == "posix" and not Path("/proc/self").exists()  # it has just gone, or nobody tells
    return state != "Z"  # dead, but not yet buried by its parent
