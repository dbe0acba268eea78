"""Maps of the ways of devices that move, for the page: who served them where, and their handovers."""

from collections.abc import Iterator, Sequence
from typing import Any

from slfac_sim.analysis.air import Offered
from slfac_sim.analysis.format import count, one_decimal
from slfac_sim.analysis.report.blocks import Chart
from slfac_sim.analysis.report.lines import series_colour
from slfac_sim.analysis.report.maps import MOST_MAPS, metres, stations
from slfac_sim.analysis.stations import station_numbers
from slfac_sim.analysis.structure import Row
from slfac_sim.analysis.tracks import Track, Tracks

_MOST_WAYS, _INSTANTS = 60, 120  # devices whose ways are drawn, and points of a stretch of one


def ways(run: Tracks) -> Iterator[Chart]:
    """Yield a map of the ways of devices in each access network, in the colour of who serves them there."""
    within = {link["device"]: link["access"] for link in run.links}
    for row in run.air[:MOST_MAPS]:
        tracks = [track for track in run.tracks if within[track.device] == row["access"]]
        if tracks:
            yield _ways(run.within(row["access"]), tracks, several=len(run.air) > 1)


def _ways(run: Offered, tracks: Sequence[Track], several: bool) -> Chart:
    shown = tracks[:: -(-len(tracks) // _MOST_WAYS)]
    numbers = station_numbers(run.stations)
    lines: dict[str, tuple[list[float | None], list[float | None]]] = {}
    for track in shown:
        for part, station in track.stretches():
            x, y = lines.setdefault(station, ([], []))
            step = -(-(part.stop - part.start) // _INSTANTS)
            x += [*track.x_m[part].tolist()[::step], float(track.x_m[part][-1]), None]
            y += [*track.y_m[part].tolist()[::step], float(track.y_m[part][-1]), None]
    traces = [_way(station, *lines[station], numbers.get(station, 8)) for station in sorted(lines)]
    traces += [_starts(shown), *_handovers(shown), stations(run)]
    title = f"Ways in {run.air[0]['access']}" if several else "Ways of devices"
    return Chart(title, _ways_in_words(tracks, shown), traces, metres(run), height_px=560)


def _ways_in_words(tracks: Sequence[Track], shown: Sequence[Track]) -> str:
    handovers = sum(len(track.handovers) for track in tracks)
    until_s = max(float(track.at_s[-1]) for track in tracks)
    drawn = f", of which {len(shown)} are drawn" if len(shown) < len(tracks) else ""
    return (
        f"{count(len(tracks), 'device')}{drawn} on the way for {one_decimal(until_s)} s, with"
        f" {count(handovers, 'handover')}; a way has the colour of the station that serves there."
    )


def _way(station: str, x: list[float | None], y: list[float | None], number: int) -> dict[str, Any]:
    name = f"served by {station.rpartition('/')[2]}" if station else "way"
    look = {"color": series_colour(number), "width": 1.8}
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": x,
        "y": y,
        "line": look,
        "hoverinfo": "name",
    }


def _starts(tracks: Sequence[Track]) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "start",
        "x": [float(track.x_m[0]) for track in tracks],
        "y": [float(track.y_m[0]) for track in tracks],
        "text": [track.device for track in tracks],
        "marker": {"symbol": "circle", "size": 6, "color": "var(--ink)"},
        "hovertemplate": "%{text}<extra>starts here</extra>",
    }


def _handovers(tracks: Sequence[Track]) -> Iterator[dict[str, Any]]:
    looks = {"handover": "diamond-open", "ping-pong": "x"}
    for back, (name, symbol) in enumerate(looks.items()):
        rows = [(track, row) for track in tracks for row in track.handovers if row["is_ping_pong"] == back]
        if rows:
            places = [track.place_m(row["at_s"]) for track, row in rows]
            yield {
                "type": "scatter",
                "mode": "markers",
                "name": name,
                "x": [x_m for x_m, _ in places],
                "y": [y_m for _, y_m in places],
                "text": [
                    f"{t.device} at {one_decimal(r['at_s'])} s, {r['source']} to {r['target']}"
                    for t, r in rows
                ],
                "marker": {"symbol": symbol, "size": 8, "color": "var(--ink)"},
                "hovertemplate": "%{text}<extra>%{fullData.name}</extra>",
            }


def _handover(track: Track, row: Row) -> str:
    return f"{track.device} at {one_decimal(row['at_s'])} s, {row['source']} to {row['target']}"
