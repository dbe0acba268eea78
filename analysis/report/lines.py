"""Lines and bars of charts, and the looks of kinds and parts, for plotly; colours are names of the page."""

from collections.abc import Sequence
from typing import Any

DASHES = ("solid", "dash", "dot", "dashdot", "longdash")
_SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross")
_PATTERNS = ("", "/", ".", "x", "-", "|", "\\", "+")
_HATCHING = {"size": 6, "solidity": 0.2, "fillmode": "overlay", "fgcolor": "var(--ink)", "fgopacity": 0.6}
_UP, _DOWN = "var(--up)", "var(--down)"
_PALE = "color-mix(in srgb, {} 35%, transparent)"

_KINDS = {
    "smashed_up": (_UP, ""),
    "smashed_down": (_DOWN, ""),
    "middle_up": (_UP, "x"),
    "middle_down": (_DOWN, "x"),
    "labels": (_PALE.format(_UP), "/"),
    "model_up": (_PALE.format(_UP), ""),
    "model_down": (_PALE.format(_DOWN), ""),
    "edge_up": (_PALE.format(_UP), "."),
    "edge_down": (_PALE.format(_DOWN), "."),
}


def series_colour(index: int) -> str:
    """Return the colour of the series `index`."""
    return f"var(--series-{index % 10})"


def line(
    name: str, x: Sequence[Any], y: Sequence[Any], index: int, said: str, colour: str = ""
) -> dict[str, Any]:
    """Return a line with marks, in a look of its own by `index`; `said` is plotly's text beside a point."""
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": name,
        "x": list(x),
        "y": list(y),
        "line": {"color": colour or series_colour(index), "dash": DASHES[index % len(DASHES)], "width": 2},
        "marker": {"symbol": _SYMBOLS[index % len(_SYMBOLS)], "size": 6},
        "hovertemplate": f"{said}<extra>%{{fullData.name}}</extra>",
    }


def level(name: str, ends: Sequence[float], value: float) -> dict[str, Any]:
    """Return a thin level line from end to end with its name on it, such as that of a target."""
    return {
        "type": "scatter",
        "mode": "lines+text",
        "name": name,
        "x": [min(ends), max(ends)],
        "y": [value, value],
        "text": [name, ""],
        "textposition": "top right",
        "line": {"color": "var(--faint)", "dash": "dot", "width": 1.5},
        "hoverinfo": "skip",
        "showlegend": False,
    }


def bars(
    name: str, x: Sequence[Any], y: Sequence[Any], look: tuple[str, str], said: str, flat: bool = False
) -> dict[str, Any]:
    """Return bars in a `look`, upright or `flat`, with plotly's text beside one."""
    colour, pattern = look
    marker: dict[str, Any] = {"color": colour, "line": {"color": "var(--ink)", "width": 0.5}}
    if pattern:
        marker["pattern"] = {**_HATCHING, "shape": pattern}
    trace = {"type": "bar", "name": name, "x": list(x), "y": list(y), "marker": marker}
    return {
        **trace,
        "orientation": "h" if flat else "v",
        "hovertemplate": f"{said}<extra>%{{fullData.name}}</extra>",
    }


def kind_look(kind: str) -> tuple[str, str]:
    """Return colour and pattern of a kind of payload: those of its direction, or paler ones."""
    return _KINDS.get(kind, ("var(--faint)", "x"))


def look(index: int) -> tuple[str, str]:
    """Return colour and pattern of the bars `index`, to be told apart without colour as well."""
    return series_colour(index), _PATTERNS[index % len(_PATTERNS)]


def titled(x: str, y: str, **more: Any) -> dict[str, Any]:
    """Return a layout with titles of both axes."""
    return {"xaxis": {"title": {"text": x}}, "yaxis": {"title": {"text": y}}, **more}


def rounds_axis(rounds: Sequence[Any]) -> dict[str, Any]:
    """Return the axis of rounds, with ticks at whole ones."""
    return {"title": {"text": "round"}, "tick0": 0, "dtick": max(1, -(-len(rounds) // 12))}
