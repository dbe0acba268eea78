"""The site of the docs: it builds without a warning, its reference is whole, its links lead somewhere."""

import dataclasses
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from report_pages import browser

import slfac_sim as sf
from slfac_sim.analysis.draw import FIGURES
from slfac_sim.cli.commands import COMMANDS
from slfac_sim.cli.pages import chapters
from slfac_sim.cli.parsing import parser_of
from slfac_sim.foundation.plugins import family_of, find, kinds
from slfac_sim.scenario.pages import FAMILIES
from slfac_sim.scenario.schema import Scenario

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytest.importorskip("sphinx", reason="the extra docs is not installed")
pytest.importorskip("furo", reason="the extra docs is not installed")
pytest.importorskip("myst_parser", reason="the extra docs is not installed")

from docs_site.settings import slugs

pytestmark = pytest.mark.slow  # the site is built
ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the site, built anew; a warning is an error."""
    folder = tmp_path_factory.mktemp("site")
    words = (
        "-q",
        "-W",
        "--keep-going",
        "-b",
        "html",
        "-d",
        str(folder / "read"),
        "docs",
        str(folder / "html"),
    )
    command = [sys.executable, "-m", "sphinx", *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return folder / "html"


class Page(HTMLParser):
    """The anchors of a page, what it links to, and what a browser loads for it."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.feed(file.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        self.anchors |= {given["id"]} if "id" in given else set()
        if tag == "a":
            self.links.append(given.get("href", ""))
        elif "src" in given or tag == "link":
            self.loaded.append(given.get("src", given.get("href", "")))


@cache
def read(file: Path) -> Page:
    return Page(file)


def pages(site: Path) -> Iterator[tuple[Path, Page]]:
    yield from ((file, read(file)) for file in sorted(site.rglob("*.html")))


def test_every_page_is_there_and_every_link_leads_to_an_anchor(site: Path) -> None:
    for names in chapters().values():
        assert all((site / f"{name}.html").is_file() for name in names)
    for file, page in pages(site):
        for link in (link for link in page.links if not re.match(r"[a-z]+:", link)):
            path, _, anchor = link.partition("#")
            target = (file.parent / path).resolve() if path else file
            assert target.is_file(), f"{file.name}: {link}"
            if anchor and target.suffix == ".html":
                assert anchor in read(target).anchors, f"{file.name}: {link}"


def test_no_page_loads_anything_from_a_network(site: Path) -> None:
    for file, page in pages(site):
        assert page.loaded
        for name in page.loaded:
            assert not re.match(r"[a-z]+:|//", name), f"{file.name}: {name}"
    styles = "".join(file.read_text(encoding="utf-8") for file in site.rglob("*.css"))
    assert not re.findall(r"@import|url\(['\"]?(?:https?:)?//", styles)


def test_every_setting_has_an_anchor(site: Path) -> None:
    reference = site / "reference" / "settings"
    for family, slug in slugs().items():
        anchors = read(reference / f"{slug}.html").anchors
        for kind in kinds(family):
            fields = [field.name for field in dataclasses.fields(find(family, kind))]
            there = {f"{slug}-{kind}", *(f"{slug}-{kind}-{name}" for name in fields)}
            assert {_id(name) for name in there} <= anchors
    assert "network-cell-radius" in read(reference / "network.html").anchors
    top = read(reference / "scenario.html").anchors
    assert {field.name for field in dataclasses.fields(Scenario)} | {"learning-batch", "devices-count"} <= top
    assert slugs().keys() == FAMILIES.keys()


def _id(name: str) -> str:
    """Return the anchor that docutils makes of a label."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def test_every_command_and_every_option_is_told(site: Path) -> None:
    text = (site / "reference" / "commands.html").read_text(encoding="utf-8")
    for verb in COMMANDS:
        assert f'id="command-{verb}"' in text
        for action in parser_of(verb)._subparsers._group_actions[0].choices[verb]._actions:  # type: ignore[union-attr, index]
            for option in action.option_strings:
                assert f">{option}<" in text or f"<code>{option}</code>" in text or option in text, (
                    verb,
                    option,
                )


def test_the_api_the_contracts_and_the_figures_are_told(site: Path) -> None:
    reference = site / "reference"
    api = read(reference / "python.html").anchors
    assert {f"slfac_sim.{name}" for name in sf.__all__} - api <= {
        "slfac_sim.__version__",
        "slfac_sim.analysis",
        *(f"slfac_sim.{name}" for name in sf.__all__ if not name.islower()),
    }
    contracts = read(reference / "contracts.html").anchors
    for family in FAMILIES:
        contract = family_of(family).contract
        assert f"{contract.__module__}.{contract.__name__}" in contracts
    text = (reference / "figures.html").read_text(encoding="utf-8")
    assert all(f">{name}<" in text for name in kinds(FIGURES))


def test_no_docstring_shows_what_only_its_reader_needs(site: Path) -> None:
    for name in ("python", "contracts"):
        text = (site / "reference" / f"{name}.html").read_text(encoding="utf-8")
        assert "Annotated[" not in text
        assert "FieldInfo" not in text
        assert "``" not in text


def test_every_chart_is_drawn(site: Path) -> None:
    text = (site / "protocols.html").read_text(encoding="utf-8")
    drawn = (ROOT / "docs" / "protocols.md").read_text(encoding="utf-8").count("```mermaid")
    assert text.count('<svg class="chart"') == drawn
    assert "sequenceDiagram" not in text


@pytest.fixture(scope="module")
def chromium() -> "Iterator[Browser]":
    with browser() as opened:
        yield opened


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_are_accessible_and_can_be_searched_from_a_folder(
    site: Path, chromium: "Browser", scheme: str
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    context = chromium.new_context(color_scheme=scheme)  # type: ignore[arg-type]
    page, faults = context.new_page(), []
    page.on("console", lambda message: faults.append(message.text))
    page.on("request", lambda request: faults.append(request.url) if request.url[:5] != "file:" else None)
    for name in ("index", "reference/settings/network", "reference/commands", "protocols"):
        page.goto((site / f"{name}.html").as_uri())
        found = Axe().run(page, options={"preload": False}).response["violations"]  # it would fetch styles
        assert [f"{name}: {fault['id']} {fault['nodes'][0]['html'][:200]}" for fault in found] == []
    page.goto((site / "search.html").as_uri() + "?q=handover")
    page.locator("ul.search li").first.wait_for()
    assert "network.multi_cell.handover" in page.locator("ul.search").inner_text()
    page.set_viewport_size({"width": 360, "height": 740})
    for name in ("index", "reference/settings/network", "results", "protocols"):
        page.goto((site / f"{name}.html").as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, name
    context.close()
    assert faults == []
