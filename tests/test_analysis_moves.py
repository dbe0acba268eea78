"""Ways of devices, their handovers, and the figures of both: tables by hand, and texts with few and many."""

import csv
import importlib
from dataclasses import replace
from math import cos, pi, sin
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from drawn_texts import drawn, faults

from slfac_sim.analysis.air import Offered
from slfac_sim.analysis.draw import draw
from slfac_sim.analysis.maps import station_colours
from slfac_sim.analysis.style import house_style
from slfac_sim.analysis.tracks import Tracks, tracked
from slfac_sim.cli import main
from slfac_sim.ledger.folder import load
from slfac_sim.network.kinds.multi_cell import hexagonal

FIGURES = ("trajectories", "serving_cell")
TINY = str(Path(__file__).with_name("tiny.yaml"))
STATIONS = [{"name": "a", "x_m": 0.0, "y_m": 0.0}, {"name": "b", "x_m": 200.0, "y_m": 0.0}]
SEEN = [
    {"device": "d001", "at_s": t, "x_m": 10.0 * t, "y_m": 0.0, "station": "ab"[t > 12],
     "up_rate_bps": 1e6 * (1 + t), "down_rate_bps": 8e6}
    for t in (0.0, 10.0, 20.0)
]  # fmt: skip
GONE = {"device": "d001", "at_s": 12.0, "source": "a", "target": "b", "is_ping_pong": 0}


def air(stations: list[dict[str, Any]], devices: int = 2, access: tuple[str, ...] = ("",)) -> Offered:
    row = {"up_share": 0.25, "down_share": 0.75, "radius_m": 100.0}
    link = {"station": "a", "x_m": 0.0, "y_m": 0.0, "server": "server"}
    homes = [access[number % len(access)] for number in range(devices)]
    links = [{**link, "device": f"d{i:03}", "access": home} for i, home in enumerate(homes)]
    return Offered("x", [{**row, "access": name} for name in access], stations, links)


def crowd(devices: int, cells: int, changes: int, access: tuple[str, ...] = ("",)) -> Tracks:
    """Return the ways of devices that go round a grid of cells, handed over so many times each."""
    names = [f"{home}/s{i}" if home else f"s{i}" for home in access for i in range(cells)]
    places = hexagonal(cells, 200.0) * len(access)
    stations = [{"name": name, "x_m": x, "y_m": y} for name, (x, y) in zip(names, places, strict=True)]
    offered = air(stations, devices, access)
    seen, gone = [], []
    for number, link in enumerate(offered.links):
        own = [name for name in names if not link["access"] or name.startswith(link["access"])]
        times = [(i + 1.3) * 90.0 / (changes + 2) for i in range(changes)]
        for i, at_s in enumerate(times):
            source, target = (own[(number + i + step) % len(own)] for step in (0, 1))
            gone.append({"device": link["device"], "at_s": at_s, "source": source, "target": target,
                "is_ping_pong": int(i % 5 == 4)})  # fmt: skip
        for at_s in np.linspace(0.0, 90.0, 41).tolist():
            turn = number / devices + at_s / 200.0
            far_m = 60.0 + 300.0 * ((7 * number) % devices) / devices
            seen.append({"device": link["device"], "at_s": at_s, "x_m": far_m * cos(2 * pi * turn),
                "y_m": far_m * sin(2 * pi * turn), "up_rate_bps": 4e7 * abs(cos(9 * turn)),
                "down_rate_bps": 1e7,
                "station": own[(number + sum(one <= at_s for one in times)) % len(own)] if own else "",
            })  # fmt: skip
    return tracked(offered, seen, gone)


def test_a_handover_is_where_the_device_was_then_and_parts_its_way() -> None:
    (track,) = tracked(air(STATIONS), SEEN, [GONE]).tracks
    assert (track.device, track.at_s.tolist()) == ("d001", [0.0, 10.0, 12.0, 20.0])
    assert track.x_m.tolist() == [0.0, 100.0, 120.0, 200.0]
    assert list(track.station) == ["a", "a", "b", "b"]
    assert [(track.at_s[part].tolist(), station) for part, station in track.stretches()] == [
        ([0.0, 10.0, 12.0], "a"),
        ([12.0, 20.0], "b"),
    ]
    assert track.place_m(12.0) == (120.0, 0.0)
    assert track.up_bps.tolist() == pytest.approx([0.25e6, 2.75e6, 3.25e6, 5.25e6])
    assert track.down_bps.tolist() == [6e6] * 4


def test_stations_that_share_a_colour_are_the_farthest_from_each_other() -> None:
    places = hexagonal(37, 200.0)
    stations = [{"name": f"s{i}", "x_m": x, "y_m": y} for i, (x, y) in enumerate(places)]
    colours = list(station_colours(stations).values())
    assert len(set(colours)) == 10 == len(set(colours[:10]))
    for i, one in enumerate(places):
        for j, other in enumerate(places[:i]):
            neighbours = np.hypot(one[0] - other[0], one[1] - other[1]) < 201.0
            assert not (neighbours and colours[i] == colours[j])


CROWDS = {
    "nowhere": (3, 0, 0),
    "one": (1, 1, 0),
    "alone_among_cells": (1, 3, 1),
    "a_cell": (20, 1, 0),
    "twenty": (20, 3, 6),
    "named": (24, 7, 12),
    "many": (200, 7, 4),
    "a_country": (60, 127, 9),
    "two_sites": (12, 3, 5, ("campus", "home")),
    "many_sites": (12, 2, 2, tuple("abcdef")),
}


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.parametrize("case", CROWDS)
def test_texts_neither_overlap_nor_leave_the_canvas(name: str, case: str) -> None:
    figure = importlib.import_module(f"slfac_sim.analysis.figures.{name}")
    run = crowd(*CROWDS[case])
    with house_style():
        for label in ("[red] $x_1$ & <b>_", "a " * 70):
            assert not faults(figure.draw([replace(run, label=label)]))


def test_the_map_tells_who_was_handed_over_and_names_few() -> None:
    figure = importlib.import_module("slfac_sim.analysis.figures.trajectories")
    with house_style():
        few, many = ([text.get_text() for text in drawn(figure.draw([crowd(*CROWDS[case])]))]
            for case in ("twenty", "many"))  # fmt: skip
    assert any("20 devices on the way for 90.0 s, 120 handovers by 20 of them" in text for text in few)
    assert {"station", "start", "handover", "ping-pong", "s0", "s1", "s2"} <= set(few)
    assert any(text.startswith("d0") for text in few)
    assert not any(text.startswith("d0") for text in many)


def test_strips_are_of_the_devices_that_were_handed_over_most_first() -> None:
    figure = importlib.import_module("slfac_sim.analysis.figures.serving_cell")
    seen = SEEN + [{**row, "device": "d000", "station": "a"} for row in SEEN]
    run = tracked(air(STATIONS), seen, [GONE])
    with house_style():
        texts = [text.get_text() for text in drawn(figure.draw([run]))]
    assert texts.index("d001") < texts.index("d000")
    how = "rate up, alone on the air, in its way's part of the time:\na strip is filled from 0 to 5.25 Mbit/s"
    assert f"x\n{how}" in texts
    assert {"a", "b", "handover"} <= set(texts)
    assert "ping-pong" not in texts
    table = [(row["device"], row["at_s"], row["station"]) for row in figure.table([run])]
    assert table[:4] == [("d001", 0.0, "a"), ("d001", 10.0, "a"), ("d001", 12.0, "b"), ("d001", 20.0, "b")]


def test_a_run_in_which_devices_move_has_both_figures(tmp_path: Path) -> None:
    moving, still = str(tmp_path / "moving"), str(tmp_path / "still")
    settings = ["network={kind: foreign.roaming, speed: 5000}", "--draw", "all", "--out", moving]
    assert main(["run", TINY, "--quiet", *settings]) == 0
    assert main(["run", TINY, "--quiet", "--draw", "all", "--out", still]) == 0
    for name in FIGURES:
        assert (tmp_path / "moving/figures" / f"{name}.png").stat().st_size > 10_000
        assert not (tmp_path / "still/figures" / f"{name}.png").exists()
    with (tmp_path / "moving/figures/trajectories.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    handed = [row for row in rows if row["came_from"]]
    assert len(handed) == len(load(moving).table("handovers")["device"])
    assert all(row["came_from"] != row["station"] for row in handed)
    assert not draw([load(moving), load(still)], tmp_path / "both")[0].name.startswith(FIGURES)
