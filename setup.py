"""What setup.cfg cannot say: a wheel and an sdist keep the commit that they were built from."""

import runpy
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist

VERSION = runpy.run_path(str(Path(__file__).resolve().parent / "slfac_sim" / "foundation" / "version.py"))


def record(package: Path) -> None:
    """Write the commit into the folder `package`; nothing, where it is not known."""
    (package / VERSION["RECORD"]).write_text(VERSION["commit"]() or "", encoding="ascii")


class BuildPackage(build_py):
    """Build, with the commit; an editable installation asks git when it runs."""

    def run(self) -> None:
        """Copy the modules, and write the commit beside them."""
        super().run()
        if not self.editable_mode:
            record(Path(self.build_lib) / "slfac_sim")


class SourceArchive(sdist):
    """Pack the sources, with the commit, since their history stays behind."""

    def make_release_tree(self, base_dir: str, files: list[str]) -> None:
        """Lay out what is packed, and write the commit there."""
        super().make_release_tree(base_dir, files)
        record(Path(base_dir) / "slfac_sim")


setup(cmdclass={"build_py": BuildPackage, "sdist": SourceArchive})
