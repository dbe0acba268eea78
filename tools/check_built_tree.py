"""Builds the package as users install it, and runs the import contracts and the type checker on that tree.

    python tools/check_built_tree.py

Not on the checkout: there network, analysis and scenarios lie outside slfac_sim, and the import linter,
which would not see them, calls a broken wall kept.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ("slfac_sim", "network", "analysis", "scenarios")
FILES = ("setup.cfg", "setup.py", "pyproject.toml", "README.md", "LICENSE")
DOCS = ("*.schema.json", "*.md", "howto/*.md")


def copy_sources(checkout: Path) -> Path:
    """Copy what a build needs into the new folder `checkout`, so that building leaves no trace here."""
    for name in SOURCES:
        shutil.copytree(ROOT / name, checkout / name, ignore=shutil.ignore_patterns("__pycache__"))
    docs = [file.relative_to(ROOT) for pattern in DOCS for file in (ROOT / "docs").glob(pattern)]
    for name in (*FILES, *docs):
        if (ROOT / name).is_file():
            (checkout / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, checkout / name)
    return checkout


def build(checkout: Path, folder: Path) -> Path:
    """Build the wheel of `checkout` into `folder`, and return it."""
    pip = (sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation")
    subprocess.run([*pip, "--wheel-dir", str(folder), str(checkout)], check=True)
    return next(folder.glob("*.whl"))


def unpack(wheel: Path, tree: Path) -> Path:
    """Lay out what is in `wheel` in the folder `tree`, as an installation does."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tree)
    return tree


def check(tree: Path) -> int:
    """Run both checkers inside `tree`; return 0 if both are content. Both run, whatever the first says."""
    config = str(ROOT / "setup.cfg")
    commands = (
        ("lint-imports", "--no-cache", "--no-logo", "--config", config),
        (
            "mypy",
            "--config-file",
            config,
            "--cache-dir",
            str(ROOT / ".mypy_cache" / "built"),
            "-p",
            "slfac_sim",
        ),
    )
    environment = {**os.environ, "PYTHONPATH": str(tree)}
    beside = Path(sys.executable).parent  # of the environment that runs this, active or not
    codes = [
        subprocess.run([beside / name, *rest], cwd=tree, env=environment, check=False).returncode
        for name, *rest in commands
    ]
    return int(any(codes))


def main() -> int:
    """Build in a temporary folder and check there."""
    with tempfile.TemporaryDirectory() as folder:
        wheel = build(copy_sources(Path(folder) / "checkout"), Path(folder))
        return check(unpack(wheel, Path(folder) / "tree"))


if __name__ == "__main__":
    raise SystemExit(main())
