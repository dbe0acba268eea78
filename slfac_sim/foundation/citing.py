"""Publications: plug-ins name entries of `references.bib` by their keys, or bring an entry of their own."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from slfac_sim import __version__
from slfac_sim.foundation.errors import BadInput, did_you_mean

_ENTRY = re.compile(r"^@\w+\{([^,\s]+),\n((?: +\w+ = \{.*\},?\n)+)\}", re.MULTILINE)
_FIELD = re.compile(r"^ +(\w+) = \{(.*)\},?$", re.MULTILINE)
_WITHIN = ("journal", "booktitle", "institution", "howpublished")


@dataclass(frozen=True)
class Reference:
    """An entry of BibTeX: its `key`, its `fields` as they stand there, and the whole of it as `bibtex`."""

    key: str
    fields: Mapping[str, str]
    bibtex: str

    def text(self) -> str:
        """Return the reference in one line."""
        names = self.fields.get("author", "").split(" and ")
        authors = ", ".join(_given_first(name) for name in names if name != "others")
        within = next((self._plain(field) for field in _WITHIN if field in self.fields), "")
        pages = self._plain("pages").replace("--", "-")
        place = ", ".join(part for part in (within, self._numbered(), pages) if part)
        said = (authors + " et al" * ("others" in names), self._plain("title"), place)
        year = f", {self.fields['year']}" if "year" in self.fields else ""
        line = ". ".join(part for part in said if part) + year
        links = (("doi:", "doi"), ("arXiv:", "eprint"), ("", "url"))
        return ". ".join([line, *(name + self.fields[link] for name, link in links if link in self.fields)])

    def _plain(self, field: str) -> str:
        return _plain(self.fields.get(field, ""))

    def _numbered(self) -> str:
        volume, number = self._plain("volume"), self._plain("number")
        return f"{volume}({number})" if volume and number else volume or number


def reference(name: str) -> Reference:
    """Return the entry of `references.bib` with the key `name`, or the entry that `name` is itself.

    An entry has one field a line, ``  title = {...},``, as in that file. Raises `BadInput` for an unknown key
    and for what cannot be read.
    """
    if name.lstrip().startswith("@"):
        entries = _entries(name)
        if len(entries) != 1:
            raise BadInput(f"not one BibTeX entry with a field a line: {name.strip()[:60]!r}")
        return next(iter(entries.values()))
    if name not in library():
        raise BadInput(f"no '{name}' in references.bib{did_you_mean(name, library())}")
    return library()[name]


@cache
def library() -> Mapping[str, Reference]:
    """Return every entry of `references.bib`, by key; its ``@VERSION@`` is ours."""
    text = resources.files("slfac_sim").joinpath("references.bib").read_text(encoding="utf-8")
    return _entries(text.replace("@VERSION@", __version__))


def _entries(text: str) -> dict[str, Reference]:
    return {
        entry[1]: Reference(entry[1], dict(_FIELD.findall(entry[2])), entry[0])
        for entry in _ENTRY.finditer(text.strip() + "\n")
    }


def _given_first(author: str) -> str:
    """Return ``Family, Given`` the other way round; a group stands in braces, and keeps its name."""
    if author.startswith("{"):
        return _plain(author)
    family, _, given = _plain(author).partition(", ")
    return f"{given} {family}".strip()


def _plain(text: str) -> str:
    return re.sub(r"\\([&%_])|[{}]", r"\1", text)
