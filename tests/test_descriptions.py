"""The text under a field, read from whatever source there is."""

import importlib
import zipfile
from pathlib import Path
from typing import Any

import pytest

from slfac_sim.foundation.descriptions import descriptions
from slfac_sim.foundation.plugins import settings

OWN = '''
"""Half of something. It is described by its source."""

from slfac_sim.foundation.plugins import settings


@settings
class Half:
    """Says nothing of its settings."""

    depth: int = 1
    """How deep
    it goes."""
    width: int = 2
'''


def imported(folder: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(folder))
    return importlib.import_module(name)


def test_a_class_inside_a_function_may_have_lines_that_are_flush_left() -> None:
    @settings
    class Inner:
        """Says
flush left.
"""  # fmt: skip

        x: int = 1
        """The x."""

    assert descriptions(Inner) == {"x": "The x."}


def test_the_nearest_text_wins_and_a_field_without_one_inherits_it() -> None:
    @settings
    class Above:
        x: int = 1
        """The x above."""
        y: int = 1
        """The y above."""

    @settings
    class Below(Above):
        y: int = 2
        """The y below."""
        x: int = 2
        z: int = 3

    assert descriptions(Below) == {"x": "The x above.", "y": "The y below."}


def test_source_in_a_zip_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with zipfile.ZipFile(tmp_path / "own.zip", "w") as archive:
        archive.writestr("zipped_half.py", OWN)
    module = imported(tmp_path / "own.zip", "zipped_half", monkeypatch)
    assert descriptions(module.Half) == {"depth": "How deep it goes."}


def test_source_that_is_no_longer_what_runs_gives_no_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "changed_half.py"
    file.write_text(OWN)
    module = imported(tmp_path, "changed_half", monkeypatch)
    file.write_text("class Half(:\n  oops\n" * 9)
    assert descriptions(module.Half) == {}
