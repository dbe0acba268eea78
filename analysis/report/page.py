"""Makes a page of sections: one file, without a network, light and dark, on paper too."""

import base64
import hashlib
import importlib
import json
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, cast

from jinja2 import Environment, FunctionLoader

from slfac_sim import __version__
from slfac_sim.analysis.report import SectionModule
from slfac_sim.analysis.report.blocks import Block, Chart, Section, Table
from slfac_sim.analysis.report.spans import packed
from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.json_values import json_value

_ASSETS = "slfac_sim.analysis.report.assets"
_SCRIPTS = ("colours.js", "tables.js", "timeline.js", "report.js")
# Nothing is fetched and no script runs but our own; styles are inline, as plotly.js sets them.
_POLICY = (
    "default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data: blob:; "
    "base-uri 'none'; form-action 'none'"
)


def sections(package: str, of: Any) -> Iterator[Section]:
    """Yield the sections in the room `package` that have something to show of a run or of a study.

    What cannot be made of what lies in the folder is said in its section.
    """
    for name in importlib.import_module(package).ORDER:
        section = _made(name, cast("SectionModule[Any]", importlib.import_module(f"{package}.{name}")), of)
        if section.blocks or section.damage:
            yield section


def _made(name: str, module: SectionModule[Any], of: Any) -> Section:
    blocks: list[Block] = []
    try:
        blocks.extend(module.blocks(of))
    except BadInput as error:
        return Section(name, module.TITLE, blocks, str(error))
    except Exception as error:  # a damaged folder fails in ways that nobody lists; the other parts stand
        reason = f"what is recorded makes no sense here ({type(error).__name__}: {error})"
        return Section(name, module.TITLE, blocks, reason)
    return Section(name, module.TITLE, blocks)


def page(title: str, parts: Sequence[Section], subtitle: str = "") -> str:
    """Return the page, in HTML; `subtitle` says what it is a report of."""
    first, *rest = _scripts(any(isinstance(block, Chart) for part in parts for block in part.blocks))
    return (
        _environment()
        .get_template("page.html")
        .render(
            title=title,
            subtitle=subtitle,
            sections=parts,
            damaged=[part for part in parts if part.damage],
            css=_asset("report.css"),
            icon=_asset("icon.svg"),
            first_script=first,
            scripts=rest,
            policy=_POLICY.format(hashes=" ".join(map(_hash, (first, *rest)))),
            version=__version__,
        )
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, loader=FunctionLoader(_asset)
    )
    environment.filters |= {"json": _json, "numeric": _numeric, "timeline": packed}
    environment.tests["kind"] = lambda block, kind: type(block).__name__ == kind
    return environment


def _scripts(has_charts: bool) -> list[str]:
    """Return what runs before anything is seen, then the rest; charts last, for they take longest."""
    of_charts = [_plotly(), _asset("charts.js")] if has_charts else []
    return [_asset("theme.js"), "\n".join(map(_asset, _SCRIPTS)), *of_charts]


def _hash(script: str) -> str:
    digest = hashlib.sha256(script.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def _numeric(table: Table) -> list[bool]:
    """Return, for each column, whether it has numbers."""
    return [any(row[at].number is not None for row in table.rows) for at in range(len(table.head))]


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
