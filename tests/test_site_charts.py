"""The charts of the site: Mermaid of our pages, drawn as SVG."""

import pytest

pytest.importorskip("sphinx", reason="the extra docs is not installed")

from docs_site.charts import svg_of

CHART = """sequenceDiagram
    participant d000
    participant server
    par
        Note over d000: forward, encode
        d000->>server: smashed_up + labels
    and
        server->>d000: a < b
    end
"""


def test_a_chart_is_drawn_with_its_steps_in_words() -> None:
    svg = svg_of(CHART)
    assert (
        'aria-label="d000: forward, encode; d000 to server: smashed_up + labels; server to d000: a &lt; b"'
        in svg
    )
    assert svg.count('class="tip"') == 2
    assert ">a &lt; b</text>" in svg
    with pytest.raises(ValueError, match="loop"):
        svg_of(CHART + "    loop twice\n")
