"""Makes a release of what is committed, and tries it as somebody would who has neither the checkout nor us.

    python tools/release.py [FOLDER]      # the wheel and the sdist go there (default: dist)

It stops at the first fault. The version, the citation and the changelog agree, and all is committed. The
sdist is built from a clone, the wheel from the sdist, and `twine` reads both. Then the wheel is installed,
with what it needs, into a new environment, and `TRIED` is run in an empty folder. In the end it prints how to
tag the release, and its changelog. It wants the extra `release`, the network for pip, and MNIST, or the
network for it. What its commands print is in FOLDER/release.log.
"""

import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TRIED = (
    "slfac-sim --version",
    "slfac-sim docs",
    "slfac-sim data fetch mnist",
    "slfac-sim quick",
    "slfac-sim explain runs/latest",
    "slfac-sim report runs/latest",
    "slfac-sim figure runs/latest --for ieee --format pdf",
    "slfac-sim trace runs/latest --svg run.svg",
    "slfac-sim cite runs/latest --bibtex",
)
"""What is run in the new environment, one after the other."""
LEFT = ("runs/latest/summary.json", "runs/latest/report.html", "run.svg")
"""What must lie in the folder afterwards."""
_OURS = ("PYTHONPATH", "VIRTUAL_ENV")


def version(text: str) -> str:
    """Return the version that the text of the package's ``__init__.py`` states."""
    return re.findall(r'^__version__ = "(.+)"$', text, re.MULTILINE)[0]


def section(changelog: str, name: str) -> str:
    """Return what stands under the heading `name` of the changelog, its date left out; empty for none."""
    parts = re.split(r"^## (\S+).*\n", changelog, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True)).get(name, "").strip()


def faults(root: Path) -> Iterator[str]:
    """Yield what hinders a release of the sources in `root`."""
    init, citation, changelog = (
        (root / name).read_text(encoding="utf-8")
        for name in ("slfac_sim/__init__.py", "CITATION.cff", "CHANGELOG.md")
    )
    ours = version(init)
    (day,) = re.findall(r"^date-released: (.+)$", citation, re.MULTILINE)
    if f"\nversion: {ours}\n" not in citation:
        yield f"CITATION.cff: its version is not {ours}, as in slfac_sim/__init__.py"
    if f"\n## {ours} - {day}\n" not in changelog:
        yield f"CHANGELOG.md: no heading '## {ours} - {day}', the version and the day of CITATION.cff"
    if section(changelog, "Unreleased"):
        yield f"CHANGELOG.md: changes under Unreleased; they belong under {ours}, or to a later release"


@dataclass(frozen=True)
class Steps:
    """Runs commands without our environment's paths, and keeps what they print in the file `log`."""

    log: Path

    def run(self, *command: str | Path, folder: Path = ROOT) -> str:
        """Say and run a command; return its output. A failure ends it all."""
        print("$", shlex.join(map(str, command)), flush=True)
        kept = {name: value for name, value in os.environ.items() if name not in _OURS}
        told = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        done = subprocess.run(command, cwd=folder, env=kept, text=True, check=False, **told)
        with self.log.open("a", encoding="utf-8") as log:
            log.write(f"$ {shlex.join(map(str, command))}\n{done.stdout}\n")
        if done.returncode:
            raise SystemExit(
                f"{done.stdout[-2000:]}\nno release: that ended with {done.returncode}; see {self.log}"
            )
        return done.stdout

    def build(self, folder: Path, scratch: Path) -> Path:
        """Build what is committed into `folder`, the sdist and from it the wheel; return the wheel."""
        checkout, python = scratch / "checkout", sys.executable
        self.run("git", "clone", "-q", ROOT, checkout)
        self.run(python, "-m", "build", "--outdir", folder, checkout)
        ours = version((ROOT / "slfac_sim" / "__init__.py").read_text(encoding="utf-8"))
        wheel, source = folder / f"slfac_sim-{ours}-py3-none-any.whl", folder / f"slfac_sim-{ours}.tar.gz"
        self.run(python, "-m", "twine", "check", "--strict", wheel, source)
        return wheel

    def use(self, wheel: Path, scratch: Path) -> None:
        """Install `wheel` into a new environment, and use it in an empty folder."""
        programs, folder = scratch / "environment" / "bin", scratch / "folder"
        folder.mkdir()
        self.run(sys.executable, "-m", "venv", programs.parent)
        constraints = ROOT / "constraints.txt"
        self.run(programs / "python", "-m", "pip", "install", "-q", "-c", constraints, wheel)
        head = self.run("git", "rev-parse", "--short=12", "HEAD").strip()
        for command in TRIED:
            name, *words = shlex.split(command)
            told = self.run(programs / name, *words, folder=folder)
            if command == TRIED[0] and f", commit {head}\n" not in told:
                raise SystemExit(f"no release: the wheel is not of {head}")
        missing = [name for name in LEFT if not (folder / name).is_file()]
        if missing:
            raise SystemExit(f"no release: it left no {', '.join(missing)}")


def main() -> int:
    """Make it, try it, and say how to tag it."""
    target = Path(sys.argv[1] if len(sys.argv) > 1 else "dist").resolve()
    hindered = [*faults(ROOT)]
    if subprocess.run(("git", "status", "--porcelain"), cwd=ROOT, capture_output=True, check=True).stdout:
        hindered.append("the tree: not all is committed")
    if hindered:
        raise SystemExit("\n".join(hindered))
    target.mkdir(parents=True, exist_ok=True)
    steps = Steps(target / "release.log")
    with tempfile.TemporaryDirectory() as scratch:
        wheel = steps.build(target, Path(scratch))
        steps.use(wheel, Path(scratch))
    ours = wheel.name.split("-")[1]
    print(f"\n{wheel} and its sdist are good. To tag them:\n")
    print(f"git tag -a v{ours} -m 'slfac_sim {ours}' && git push origin v{ours}\n")
    print(f"# slfac_sim {ours}\n\n{section((ROOT / 'CHANGELOG.md').read_text(encoding='utf-8'), ours)}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
