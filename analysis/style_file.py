"""Reads a matplotlibrc, or a style sheet of matplotlib, into a page; what is wrong in it is one sentence."""

import logging
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib import font_manager
from matplotlib.colors import to_hex

from slfac_sim.analysis.pages import Page
from slfac_sim.foundation.errors import BadInput, did_you_mean

_COMMENT = re.compile(r'("[^"]*")|#.*')  # no comment begins within quotes
_LINES = "lines such as 'font.size: 9'"
_OURS = {
    "pdf.fonttype": "fonts are embedded as TrueType",
    "svg.hashsalt": "equal figures give equal files",
    "savefig.bbox": "the width is that of the page",
    "backend": "it is chosen by --format",
}
"""Settings that a figure for a paper does not leave to a style, and why."""


def styled(page: Page, file: Path) -> Page:
    """Return `page` with the settings of `file`: its text size, width and colours too, where it has them.

    Raises `BadInput` that names the line, what was found and what is allowed.
    """
    rc = dict(_settings(file))
    _check_font(file, rc)
    colours = rc["axes.prop_cycle"].by_key().get("color", ()) if "axes.prop_cycle" in rc else ()
    return replace(
        page,
        rc={**page.rc, **rc},
        text_pt=rc.get("font.size", page.text_pt),
        width_mm=rc["figure.figsize"][0] * 25.4 if "figure.figsize" in rc else page.width_mm,
        colours=tuple(map(to_hex, colours)),
    )


def _settings(file: Path) -> Iterator[tuple[str, Any]]:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise BadInput(f"{file}: {reason}; expected a file of {_LINES}") from error
    for number, line in enumerate(text.splitlines(), start=1):
        if said := _COMMENT.sub(r"\1", line).strip():
            yield _setting(f"{file}:{number}", said)


def _setting(place: str, said: str) -> tuple[str, Any]:
    key, colon, value = (part.strip() for part in said.partition(":"))
    if not colon:
        raise BadInput(f"{place}: found '{said}', expected {_LINES}")
    known = matplotlib.rcParamsDefault
    if key not in known:
        raise BadInput(f"{place}: matplotlib has no setting '{key}'{did_you_mean(key, known)}")
    if key in _OURS:
        raise BadInput(f"{place}: '{key}' cannot be set: {_OURS[key]}")
    try:
        with matplotlib.rc_context():
            settings: Any = matplotlib.rcParams
            settings[key] = value.removeprefix('"').removesuffix('"')
            return key, settings[key]
    except (ValueError, TypeError) as error:
        reason = " ".join(str(error).split()).removeprefix(f"Key {key}: ")
        raise BadInput(f"{place}: '{key}' cannot be '{value}' ({reason})") from error


def _check_font(file: Path, rc: dict[Any, Any]) -> None:
    """Raise `BadInput` unless this machine has one of the fonts that `rc` names, if it names any."""
    if not any(key.startswith("font.") for key in rc):
        return
    with matplotlib.rc_context(rc):
        wanted = matplotlib.rcParams["font.family"]
        logger = logging.getLogger("matplotlib.font_manager")
        before = logger.level
        logger.setLevel(logging.ERROR)
        try:
            font_manager.findfont(font_manager.FontProperties(family=wanted), fallback_to_default=False)
        except ValueError as error:
            raise BadInput(f"{file}: font.family: this machine has none of {', '.join(wanted)}") from error
        finally:
            logger.setLevel(before)
