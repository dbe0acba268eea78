"""The site: these pages, and the reference that is made from the code.

    python -m sphinx -W -b html docs DIR

Nothing that a page needs comes from a network: a folder of it can be read offline, its search included.
"""

from pygments.lexers.special import TextLexer
from sphinx.application import Sphinx

from slfac_sim import __version__

project = "slfac_sim"
release = __version__
copyright = "the authors of slfac_sim"
extensions = ["myst_parser"]
exclude_patterns = ["_build"]

myst_heading_anchors = 4  # as GitHub names headings

html_theme = "furo"
html_title = f"slfac_sim {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False


def setup(app: Sphinx) -> None:
    """Tell Sphinx of words behind ``` that Pygments does not know."""
    for name in ("csv", "mermaid"):
        app.add_lexer(name, TextLexer)
