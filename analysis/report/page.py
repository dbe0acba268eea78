"""Makes a page of sections: one file, without a network, light and dark, on paper too."""

import importlib
import json
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment

from slfac_sim.analysis.report.blocks import Block, Section
from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.json_values import json_value

_ASSETS = "slfac_sim.analysis.report.assets"
_UNREADABLE = (BadInput, ArithmeticError, AssertionError, LookupError, TypeError, ValueError)


def sections(package: str, of: Any) -> Iterator[Section]:
    """Yield the sections in the room `package` that have something to show of a run or of a study.

    What cannot be made of what lies in the folder is said in its section.
    """
    for name in importlib.import_module(package).ORDER:
        module = importlib.import_module(f"{package}.{name}")
        section = _made(name, module, of)
        if section.blocks or section.damage:
            yield section


def _made(name: str, module: Any, of: Any) -> Section:
    blocks: list[Block] = []
    try:
        blocks.extend(module.blocks(of))
    except _UNREADABLE as error:
        reason = str(error) if isinstance(error, BadInput) else f"{type(error).__name__}: {error}"
        return Section(name, module.TITLE, blocks, reason)
    return Section(name, module.TITLE, blocks)


def page(title: str, parts: Sequence[Section]) -> str:
    """Return the page, in HTML."""
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters["json"] = _json
    environment.tests["kind"] = lambda block, kind: type(block).__name__ == kind
    template = environment.from_string(_asset("page.html"))
    return template.render(
        title=title, sections=parts, css=_asset("report.css"), js=_asset("report.js"), plotly=_plotly()
    )


def _json(value: Any) -> str:
    """Return `value` as JSON that can stand inside a script element."""
    return json.dumps(json_value(value), separators=(",", ":")).replace("<", "\\u003c")


@cache
def _asset(name: str) -> str:
    return (files(_ASSETS) / name).read_text(encoding="utf-8")


@cache
def _plotly() -> str:
    from plotly.offline import get_plotlyjs

    return str(get_plotlyjs()).replace("</script", "<\\/script")
