"""Docstrings as reStructuredText: examples are code, and types are shown without bounds and the like."""

import re
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx


def set_up(app: Sphinx) -> None:
    """Have docstrings and signatures changed before they are read."""
    app.connect("autodoc-process-docstring", _with_code)
    app.connect("autodoc-process-signature", _without_settings)
    app.connect("doctree-read", _without_marks)


def _with_code(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Make indented paragraphs literal blocks: our docstrings have examples there, never quotations."""
    text = "\n".join(lines)
    lines[:] = re.sub(r"(?<![:.]:)\n\n(?= {4}\S)", "\n\n::\n\n", text).splitlines()


def _without_settings(
    app: Sphinx, what: str, name: str, obj: Any, options: Any, signature: str | None, returns: str
) -> tuple[str, str | None] | None:
    """Leave out how a class of settings, or of results, is made: YAML makes it, or a function."""
    return ("", None) if what == "class" and signature is not None else None


def _without_marks(app: Sphinx, tree: nodes.document) -> None:
    """Leave out types that hold more than a type, such as the bounds of a setting."""
    for note in [*tree.findall(addnodes.desc_annotation)]:
        if "Annotated[" in note.astext() or "FieldInfo(" in note.astext():
            note.parent.remove(note)
