"""A release: the version is said once, and the citation and the changelog follow it."""

import shutil
from pathlib import Path

import pytest
import release
import yaml

from slfac_sim import __version__
from slfac_sim.cli import COMMANDS
from slfac_sim.foundation.citing import library

ROOT = Path(__file__).resolve().parent.parent
CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """A copy of what a release reads before it builds, its changelog cut."""
    (tmp_path / "slfac_sim").mkdir()
    for name in ("slfac_sim/__init__.py", "CITATION.cff"):
        shutil.copy(ROOT / name, tmp_path / name)
    day = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))["date-released"]
    parts = (
        "# Changelog",
        "## Unreleased",
        f"## {__version__} - {day}",
        "### Added",
        "- This.",
        "## 0.0.9",
        "- That.\n",
    )
    (tmp_path / "CHANGELOG.md").write_text("\n\n".join(parts), encoding="utf-8")
    return tmp_path


def test_the_citation_is_of_this_version_and_has_its_day() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == __version__
    assert citation["date-released"].isoformat() >= "2026-11-29"
    assert library()["slfac_sim"].fields["howpublished"] == f"version {__version__}"


def test_the_changelog_has_this_version_under_its_day() -> None:
    day = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))["date-released"]
    assert f"\n## {__version__} - {day}\n" in CHANGELOG
    assert "### Added" in release.section(CHANGELOG, __version__)


def test_sources_that_agree_can_be_released(sources: Path) -> None:
    assert [*release.faults(sources)] == []
    assert release.section((sources / "CHANGELOG.md").read_text(), __version__) == "### Added\n\n- This."
    assert release.section((sources / "CHANGELOG.md").read_text(), "0.0.8") == ""


@pytest.mark.parametrize(
    ("name", "before", "after", "told"),
    [
        (
            "slfac_sim/__init__.py",
            __version__,
            "9.9.9",
            ("CITATION.cff: its version is not 9.9.9", "no heading"),
        ),
        ("CITATION.cff", "date-released: ", "date-released: 1", ("no heading '## ",)),
        ("CHANGELOG.md", "Unreleased\n", "Unreleased\n\n- More.\n", ("changes under Unreleased",)),
    ],
)
def test_sources_that_disagree_are_not_released(
    sources: Path, name: str, before: str, after: str, told: tuple[str, ...]
) -> None:
    text = (sources / name).read_text(encoding="utf-8")
    (sources / name).write_text(text.replace(before, after, 1), encoding="utf-8")
    found = [*release.faults(sources)]
    assert len(found) == len(told)
    assert all(part in fault for part, fault in zip(told, found, strict=True))


def test_what_a_release_tries_are_commands() -> None:
    verbs = [command.split()[1] for command in release.TRIED]
    assert set(verbs) - {"--version", "quick"} <= set(COMMANDS)
