"""A release: the version is said once, and the citation and the changelog follow it."""

from pathlib import Path

import yaml

from slfac_sim import __version__
from slfac_sim.foundation.citing import library

ROOT = Path(__file__).resolve().parent.parent


def test_the_citation_is_of_this_version_and_has_its_day() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == __version__
    assert citation["date-released"].isoformat() >= "2026-11-29"
    assert library()["slfac_sim"].fields["howpublished"] == f"version {__version__}"
