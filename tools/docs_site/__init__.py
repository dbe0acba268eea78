"""What the site of the docs has besides the pages in docs/: a reference that is made from the code."""

import re
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

from docs_site import docstrings
from docs_site.charts import svg_of
from docs_site.commands import commands
from docs_site.contracts import contracts, python
from docs_site.figures import figures
from docs_site.settings import settings


def set_up(app: Sphinx, folder: Path) -> None:
    """Have `app` build the site, with the reference in `folder`."""
    write(folder)
    docstrings.set_up(app)
    app.connect("doctree-read", _with_charts)
    app.connect("html-page-context", _with_short_names)
    app.connect("build-finished", _accessible)


def _with_charts(app: Sphinx, tree: nodes.document) -> None:
    """Put a drawing in place of each chart that stands as Mermaid."""
    for block in [*tree.findall(nodes.literal_block)]:
        if block.get("language") == "mermaid":
            block.replace_self(nodes.raw("", svg_of(block.astext()), format="html"))


def _with_short_names(app: Sphinx, page: str, template: str, context: dict[str, Any], tree: Any) -> None:
    """Leave out of the contents of a page of settings what all names below one heading begin with."""
    if page.startswith("reference/settings/") and "toc" in context:
        above = r"\w+\." if page.endswith(("/scenario", "/study")) else r"\w+\.\w+\."
        context["toc"] = re.sub(rf'(<span class="pre">){above}', r"\1", context["toc"])


_MENDED = {
    'role="heading">': 'role="heading" aria-level="2">',
    '<aside class="sidebar-drawer">': '<aside class="sidebar-drawer" aria-label="Pages">',
    '<aside class="toc-drawer': '<aside aria-label="On this page" class="toc-drawer',
    "<pre>": '<pre tabindex="0">',
}
"""What the theme leaves out for those who hear a page, or have no mouse."""


def _accessible(app: Sphinx, failure: Exception | None) -> None:
    """Mend the pages that were written."""
    for file in app.outdir.rglob("*.html"):
        text = mended = file.read_text(encoding="utf-8")
        for found, better in _MENDED.items():
            mended = mended.replace(found, better)
        if mended != text:
            file.write_text(mended, encoding="utf-8")


def reference() -> dict[str, str]:
    """Return the pages of the reference, as Markdown, by their paths below docs/reference."""
    return {
        "commands": commands(),
        "python": python(),
        "contracts": contracts(),
        "figures": figures(),
        **settings(),
    }


def write(folder: Path) -> None:
    """Write the reference into `folder`; a page that is there already stays untouched, one of old goes."""
    pages = {folder / f"{name}.md": text for name, text in reference().items()}
    for old in {*folder.rglob("*.md")} - pages.keys():
        old.unlink()
    for file, text in pages.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        if not file.is_file() or file.read_text(encoding="utf-8") != text:
            file.write_text(text, encoding="utf-8")
