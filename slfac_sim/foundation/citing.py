"""A reference to a publication: what a plug-in states of its source, as plain text and as BibTeX.

A plug-in lists its own in a class variable ``references``; this module knows none of them.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Reference:
    """A publication, keyed for BibTeX; `authors` as ``Family, Given`` (a group by its name;
    ``others`` last). What is unknown stays empty.

    `within` is the journal, the proceedings or the institution, as `entry` says.
    """

    key: str
    entry: Literal["article", "inproceedings", "techreport", "misc"]
    title: str
    authors: tuple[str, ...] = ()
    year: int | None = None
    within: str = ""
    volume: str = ""
    number: str = ""
    pages: str = ""
    doi: str = ""
    arxiv: str = ""
    url: str = ""

    def text(self) -> str:
        """Return the reference in one line."""
        place = ", ".join(part for part in (self.within, self._numbered(), self.pages) if part)
        named = ", ".join(_given_first(author) for author in self.authors if author != "others")
        authors = f"{named} et al" if "others" in self.authors else named
        line = ". ".join(part for part in (authors, self.title, place) if part) + (
            f", {self.year}" if self.year else ""
        )
        links = (
            f"doi:{self.doi}" if self.doi else "",
            f"arXiv:{self.arxiv}" if self.arxiv else "",
            self.url,
        )
        return ". ".join([line, *(link for link in links if link)])

    def bibtex(self) -> str:
        """Return the BibTeX entry."""
        fields = [f"  {name} = {{{value}}}," for name, value in self._fields() if value]
        return "\n".join([f"@{self.entry}{{{self.key},", *fields, "}"])

    def _numbered(self) -> str:
        return f"{self.volume}({self.number})" if self.volume and self.number else self.volume or self.number

    def _fields(self) -> list[tuple[str, str]]:
        place = {
            "article": "journal",
            "inproceedings": "booktitle",
            "techreport": "institution",
            "misc": "howpublished",
        }
        return [
            ("author", " and ".join(map(_author, self.authors))),
            ("title", f"{{{_escaped(self.title)}}}"),
            (place[self.entry], _escaped(self.within)),
            ("year", str(self.year or "")),
            ("volume", self.volume),
            ("number", self.number),
            ("pages", self.pages.replace("-", "--")),
            ("doi", self.doi),
            ("eprint", self.arxiv),
            ("archiveprefix", "arXiv" if self.arxiv else ""),
            ("url", self.url),
        ]


def _given_first(author: str) -> str:
    family, _, given = author.partition(", ")
    return f"{given} {family}".strip()


def _author(name: str) -> str:
    """Return the name for BibTeX; a group's stands in braces, so that it is not taken apart."""
    return _escaped(name) if ", " in name or name == "others" else f"{{{_escaped(name)}}}"


def _escaped(text: str) -> str:
    return text.replace("&", r"\&").replace("%", r"\%").replace("_", r"\_")
