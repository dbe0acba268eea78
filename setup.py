"""What setup.cfg cannot say: wheels and sdists keep the commit that they were built from, and the schemas."""

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


def keep_schemas(top: Path) -> None:
    """Put the JSON Schemas into ``docs`` of `top`: scenarios beside it name them, completion reads them."""
    (top / "docs").mkdir(exist_ok=True)
    for schema in ROOT.glob("docs/*.schema.json"):
        shutil.copy(schema, top / "docs")


class BuildPackage(build_py):
    """Build, with the commit; an editable installation asks git when it runs."""

    def run(self) -> None:
        """Copy the modules, and put the commit and the schemas beside them."""
        super().run()
        if not self.editable_mode:
            record(Path(self.build_lib) / "slfac_sim")
            keep_schemas(Path(self.build_lib) / "slfac_sim")


class SourceArchive(sdist):
    """Pack the sources, with the commit, since their history stays behind."""

    def make_release_tree(self, base_dir: str, files: list[str]) -> None:
        """Lay out what is packed, the commit and the schemas too."""
        super().make_release_tree(base_dir, files)
        record(Path(base_dir) / "slfac_sim")
        keep_schemas(Path(base_dir))


setup(cmdclass={"build_py": BuildPackage, "sdist": SourceArchive})
