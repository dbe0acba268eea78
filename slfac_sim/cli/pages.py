"""The pages of the docs, which come with the program: which there are, what they say, which tells of what."""

import dataclasses
import json
import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from slfac_sim.cli.completing.places import package_file
from slfac_sim.foundation.errors import BadInput, did_you_mean
from slfac_sim.foundation.files import read_text
from slfac_sim.foundation.program import program

if TYPE_CHECKING:
    from slfac_sim.scenario.schema import Scenario

SettingPath = tuple[str | int, ...]

_CHAPTER = re.compile(r"^```\{toctree\}\n:caption: (.+)\n((?:.*\n)*?)```$", re.MULTILINE)
_SAID_BY = {"settings": "schema", "setting": "schema", "commands": "--help"}
_HEADING = re.compile(r"^(#+) (.+)$", re.MULTILINE)
_BLOCK = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


def folder() -> Path:
    """Return where the pages lie. Raises `BadInput` where they were left out of what was installed."""
    index = package_file("docs", "index.md")
    if index is None:
        raise BadInput("the pages of the docs are not in this installation")
    return index.parent


def chapters() -> dict[str, list[str]]:
    """Return the names of all pages, by the caption of their chapter, as the first page orders them.

    Those of the site's reference are none: `schema` and `help` say what they say.
    """
    files = (file.relative_to(folder()) for file in folder().rglob("*.md"))
    there = sorted(file.with_suffix("").as_posix() for file in files if file.parts[0] != "reference")
    found = {}
    for caption, lines in _CHAPTER.findall(read_text(folder() / "index.md")):
        wanted = [line for line in lines.splitlines() if line and not line.startswith(":")]
        found[caption] = [name for line in wanted for name in there if _is_meant(name, line)]
    return found


def _is_meant(name: str, pattern: str) -> bool:
    return fnmatchcase(name, pattern) and name.count("/") == pattern.count("/")


def title_of(page: str) -> str:
    """Return the first heading of a page."""
    heading = _HEADING.search(text_of(page))
    return heading[2].replace("`", "") if heading else page


def text_of(page: str) -> str:
    """Return what a page says, as Markdown."""
    return read_text(folder() / f"{page}.md")


def find(asked: str) -> str:
    """Return the text of a page, by its name or the last part of it; after ``#`` that of one section.

    A section is named by its anchor, or by how that begins.
    Raises `BadInput` for one that is not there: with the nearest name, or the pages that have the word.
    """
    name, _, section = asked.removesuffix(".md").partition("#")
    names = [page for pages in chapters().values() for page in pages]
    known = {page.rpartition("/")[2]: page for page in names} | {page: page for page in names}
    if name not in known and (verb := _SAID_BY.get(name.split("/")[-1])):
        raise BadInput(f"no page '{name}': `{program(verb)}` says it")
    if name not in known:
        raise BadInput(f"no page '{name}'{did_you_mean(name, known) or _having(name, names)}")
    return _section(text_of(known[name]), known[name], section) if section else text_of(known[name])


def _having(word: str, names: Iterable[str]) -> str:
    pages = [page for page in names if word.casefold() in text_of(page).casefold()]
    lists = f"`{program('docs')}` lists all"
    return f"; the word stands in {', '.join(pages)}" if pages else f"; {lists}"


def _section(text: str, page: str, asked: str) -> str:
    """Return the section of `text` whose heading makes the anchor `asked`, with those below it."""
    found = [*_headings(text)]
    anchors = [anchor_of(title) for _, title, _ in found]
    meant = [anchor for anchor in anchors if anchor.startswith(asked)]
    if asked not in anchors and len(meant) != 1:
        near = did_you_mean(asked, anchors) or f" among {', '.join(anchors)}"
        raise BadInput(f"{page}: no section '{asked}'{near}")
    depth, _, start = found[anchors.index(asked if asked in anchors else meant[0])]
    ends = [at for other, _, at in found if at > start and other <= depth]
    return text[start : min(ends, default=len(text))]


def _headings(text: str) -> Iterator[tuple[int, str, int]]:
    """Yield depth, title and place of each heading; a comment in a block of code is none."""
    for heading in _HEADING.finditer(_BLOCK.sub(lambda block: " " * len(block[0]), text)):
        yield len(heading[1]), heading[2], heading.start()


def anchor_of(title: str) -> str:
    """Return what a heading is called in a link, as GitHub has it."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def read_on(paths: Iterable[SettingPath]) -> str:
    """Return the line that says where to read on about the settings at `paths`; empty for none.

    It is empty, too, where the docs were left out of what was installed: it stands below an error.
    """
    from slfac_sim.scenario import pages

    if package_file("docs", "index.md") is None:
        return ""
    return pages.read_on(paths, *_schemas(), program())


def page_of(path: SettingPath) -> str:
    """Return the page that tells of the setting at `path`."""
    from slfac_sim.scenario import pages

    return pages.told_in(path, *_schemas())[1]


def pages_of(scenario: "Scenario") -> list[str]:
    """Return the pages of what is in a scenario: its parts, and their settings that are no defaults."""
    from slfac_sim.scenario.pages import WHOLE

    paths: list[SettingPath] = []
    for part in dataclasses.fields(scenario):
        value: Any = getattr(scenario, part.name)
        inner = dataclasses.fields(value) if dataclasses.is_dataclass(value) else ()
        paths += [(part.name,)] if value is not None else []
        paths += [(part.name, one.name) for one in inner if getattr(value, one.name) != one.default]
    return [page for page in dict.fromkeys(map(page_of, paths)) if page != WHOLE]


@cache
def _schemas() -> tuple[Any, Any]:
    files = [folder() / f"{name}.schema.json" for name in ("scenario", "study")]
    scenario, study = (json.loads(file.read_bytes()) for file in files)
    return scenario, study
