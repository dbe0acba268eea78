"""What setup.cfg cannot say: wheels and sdists keep the commit that they were built from, and the docs."""

import runpy
import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist

ROOT = Path(__file__).resolve().parent
VERSION = runpy.run_path(str(ROOT / "slfac_sim" / "foundation" / "version.py"))


def record(package: Path) -> None:
    """Write the commit into the folder `package`; nothing, where it is not known."""
    (package / VERSION["RECORD"]).write_text(VERSION["commit"]() or "", encoding="ascii")


def keep_docs(top: Path) -> None:
    """Put the pages, which `docs` shows, and the schemas, which completion reads, into ``docs`` of `top`."""
    docs = ROOT / "docs"
    for file in (*docs.glob("*.schema.json"), *docs.glob("*.md"), *docs.glob("howto/*.md")):
        kept = top / "docs" / file.relative_to(docs)
        kept.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, kept)


class BuildPackage(build_py):
    """Build, with the commit; an editable installation asks git when it runs."""

    def run(self) -> None:
        """Copy the modules, and put the commit and the docs beside them."""
        super().run()
        if not self.editable_mode:
            record(Path(self.build_lib) / "slfac_sim")
            keep_docs(Path(self.build_lib) / "slfac_sim")


class SourceArchive(sdist):
    """Pack the sources, with the commit, since their history stays behind."""

    def make_release_tree(self, base_dir: str, files: list[str]) -> None:
        """Lay out what is packed, the commit and the docs too."""
        super().make_release_tree(base_dir, files)
        record(Path(base_dir) / "slfac_sim")
        keep_docs(Path(base_dir))


setup(cmdclass={"build_py": BuildPackage, "sdist": SourceArchive})
