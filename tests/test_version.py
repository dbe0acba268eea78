"""Which commit runs: that of the checkout, that which a build recorded, or none."""

import shutil
import subprocess
from pathlib import Path

import pytest

from slfac_sim.foundation import version

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a package that lies in a repository of its own, with one commit."""
    folder = tmp_path / "checkout" / "slfac_sim"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("")
    git = ("git", "-C", str(folder.parent), "-c", "user.name=a", "-c", "user.email=a@b")
    for arguments in (("init", "-q"), ("add", "."), ("commit", "-q", "-m", "one"), ("tag", "v1")):
        subprocess.run((*git, *arguments), check=True)
    monkeypatch.setattr(version, "_PACKAGE", folder)
    return folder


def _commit() -> str | None:
    return version.commit.__wrapped__()


def test_a_checkout_tells_its_commit_and_whether_it_was_edited(package: Path) -> None:
    head = subprocess.run(("git", "-C", str(package), "rev-parse", "HEAD"), capture_output=True, check=True)
    commit = _commit()
    assert commit == head.stdout.decode()[:12]
    (package / "__init__.py").write_text("edited = True\n")
    assert _commit() == f"{commit}-dirty"


def test_a_record_comes_before_git(package: Path) -> None:
    (package / version.RECORD).write_text("0123456789ab")
    assert _commit() == "0123456789ab"
    (package / version.RECORD).write_text("")  # built where nothing told it
    assert _commit() is None


def test_the_repository_of_somebody_else_is_not_ours(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inside = package.parent / "site-packages" / "slfac_sim"
    inside.mkdir(parents=True)
    monkeypatch.setattr(version, "_PACKAGE", inside)
    assert _commit() is None


def test_without_git_there_is_no_commit(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert _commit() is None
    monkeypatch.undo()
    monkeypatch.setattr(version, "_PACKAGE", package)
    shutil.rmtree(package.parent / ".git")
    assert _commit() is None
