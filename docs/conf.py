"""The site: these pages, and the reference that is made from the code.

    python -m sphinx -W -b html docs DIR

Nothing that a page needs comes from a network: a folder of it can be read offline, its search included.
"""

import sys
from pathlib import Path

from pygments.lexers.special import TextLexer
from sphinx.application import Sphinx

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "tools"), str(HERE.parent)]  # so that a checkout is described by itself

import docs_site  # noqa: E402

from slfac_sim import __version__  # noqa: E402

project = "slfac_sim"
release = __version__
copyright = "the authors of slfac_sim"
extensions = ["myst_parser", "sphinx.ext.autodoc"]
exclude_patterns = ["_build"]

smartquotes = False  # what is quoted is often to be typed
default_role = "code"  # docstrings put code between single backticks
autodoc_member_order = "bysource"
toc_object_entries_show_parents = "hide"
python_use_unqualified_type_names = True
myst_heading_anchors = 4  # as GitHub names headings

html_theme = "furo"
html_title = f"slfac_sim {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
html_show_search_summary = False  # it would be fetched, which no browser does in a folder


def setup(app: Sphinx) -> None:
    """Write the reference, draw charts; tell Sphinx of a word behind ``` that Pygments does not know."""
    docs_site.set_up(app, HERE / "reference")
    app.add_lexer("csv", TextLexer)
