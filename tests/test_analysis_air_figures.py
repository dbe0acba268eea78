"""The figures of the air: what they show of networks worked by hand, and of networks without a place."""

import csv
import importlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from run_folders import fake_run
from test_analysis_run_figures import run_of
from timelines import several_rounds, worked_by_hand

from slfac_sim.analysis import rates_over_time
from slfac_sim.analysis.air import Offered, busy
from slfac_sim.analysis.attribution import attribute
from slfac_sim.analysis.bottleneck import NAMES, bottleneck
from slfac_sim.analysis.draw import BEFORE, draw_air
from slfac_sim.analysis.style import house_style
from slfac_sim.ledger.folder import load
from slfac_sim.network import Link, Station, Survey
from slfac_sim.simulation.networks import air_rows

LINKS = (
    Link("d000", 50.0, 20.0, 30.0, 40e6, 50e6, 60e6, 50e6, "a", 30.0, 40.0, True),
    Link("d001", 10.0, 5.0, 15.0, 10e6, 20e6, 30e6, 20e6, "a", 0.0, -10.0, False),
    Link("d002", 80.0, -30.0, -20.0, 0.0, 0.0, 0.0, 0.0, "b", 120.0, 0.0, False),
)


def survey(links: Sequence[Link] = LINKS, **changes: Any) -> Survey:
    """Two stations 200 m apart that share fairly; three devices, one of them out of reach."""
    told: dict[str, Any] = {
        "links": links, "up_share": 0.25, "down_share": 0.75, "multicast_rate_bps": 1e7,
        "redraws": 3, "remarks": (), "medium": "ofdma", "duplex": "tdd", "crowd_independent": False,
        "stations": (Station("a", 0.0, 0.0), Station("b", 200.0, 0.0)), "radius_m": 100.0,
    }  # fmt: skip
    return Survey(**{**told, **changes})


def without_places() -> Survey:
    links = [Link(f"d{i:03d}", 0.0, np.inf, np.inf, 8e6, 8e6, 8e6, 8e6) for i in range(3)]
    return survey(links, stations=(), radius_m=np.nan)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("air")
    files = draw_air("two cells", air_rows(survey()), folder)
    assert [path.name for path in files] == [
        f"{name}.{end}" for name in BEFORE for end in ("png", "svg", "csv")
    ]
    return folder


def texts(path: Path) -> list[str]:
    return re.findall(r"<text [^>]*>([^<]*)</text>", path.read_text(encoding="utf-8"))


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def figure(name: str, one: Survey) -> Any:
    module = importlib.import_module(f"slfac_sim.analysis.figures.{name}")
    with house_style():
        return module.draw([Offered("x", **air_rows(one))])


def test_the_map_has_every_station_and_device_in_its_place(pictures: Path) -> None:
    found = rows(pictures / "cell_map.csv")
    assert [(row["device"], row["station"], row["x_m"], row["y_m"]) for row in found] == [
        ("d000", "a", "30.0", "40.0"), ("d001", "a", "0.0", "-10.0"), ("d002", "b", "120.0", "0.0"),
        ("", "a", "0.0", "0.0"), ("", "b", "200.0", "0.0"),
    ]  # fmt: skip
    written = texts(pictures / "cell_map.svg")
    assert [row["up_rate_bps"] for row in found[:3]] == ["10000000.0", "2500000.0", "0.0"]  # as it is drawn
    at = written.index("3 devices, median 2.5 Mbit/s up, least 0 (d002):")
    assert written[at + 1] == "alone on the air, in its way's part of the time"
    assert {"line of sight", "no line of sight", "no coverage", "station", "a", "b"} <= set(written)


def test_the_map_is_to_scale_and_shows_the_radius() -> None:
    axes = figure("cell_map", survey()).axes[0]
    assert axes.get_aspect() == 1.0
    circles = [patch for patch in axes.patches if hasattr(patch, "radius")]
    assert [(circle.center, circle.radius) for circle in circles] == [
        ((0.0, 0.0), 100.0),
        ((200.0, 0.0), 100.0),
    ]
    colours = {
        tuple(c) for points in axes.collections for c in points.get_facecolors() if len(points.get_offsets())
    }
    assert len(colours) >= 2


def test_maps_of_several_access_networks_share_one_scale() -> None:
    """The same rate has one colour in all of them, and one bar says which."""
    tables = air_rows(survey(LINKS[:2]))
    tables["air"] = [{**tables["air"][0], "access": access} for access in ("x", "y")]
    tables["links"] = [{**row, "access": "xy"[place]} for place, row in enumerate(tables["links"])]
    module = importlib.import_module("slfac_sim.analysis.figures.cell_map")
    with house_style():
        *maps, bar = module.draw([Offered("x", **tables)]).axes
    scales = [points.norm for axes in maps for points in axes.collections]
    assert len(maps) == len(scales) == 2
    assert (scales[0].vmin, scales[0].vmax) == (scales[1].vmin, scales[1].vmax) == (2.5, 10.0)
    assert bar.get_ylim() == (2.5, 10.0)


def test_links_are_sorted_by_their_uplink_and_gains_are_shown(pictures: Path) -> None:
    found = rows(pictures / "link_rates.csv")
    assert [(row["device"], float(row["up_rate_bps"]), float(row["up_best_bps"])) for row in found] == [
        ("d000", 10e6, 15e6), ("d001", 2.5e6, 7.5e6), ("d002", 0.0, 0.0),
    ]  # fmt: skip
    above, below = figure("link_rates", survey()).axes
    assert above.lines[0].get_ydata().tolist() == [-30.0, 5.0, 20.0]
    shown = {line.get_label(): line.get_ydata().tolist() for line in below.lines}
    assert shown["up, at best"] == [0.0, 7.5, 15.0]
    assert not [name for name in shown if name.startswith("down, at best")]
    assert "up: 0 to 10, median 2.5 Mbit/s" in shown  # a quarter of the time is the uplink's


def test_a_network_without_places_or_noise_says_so(tmp_path: Path) -> None:
    draw_air("ideal", air_rows(without_places()), tmp_path)
    assert "The devices of this network have no places:" in texts(tmp_path / "cell_map.svg")
    assert "The links of this network have no noise." in texts(tmp_path / "link_rates.svg")
    assert "up: 2 to 2, median 2 Mbit/s" in texts(tmp_path / "link_rates.svg")


@pytest.mark.parametrize("name", BEFORE)
def test_a_run_from_before_there_were_such_tables_says_so(tmp_path: Path, name: str) -> None:
    module = importlib.import_module(f"slfac_sim.analysis.figures.{name}")
    series = module.data(load(fake_run(tmp_path / "run")))
    assert list(module.table([series])) == []
    drawn = module.draw([series])
    said = " ".join(text.get_text() for axes in drawn.axes for text in axes.texts).split()
    assert "did not write down what the air offered." in " ".join(said)


def test_rates_over_time_carry_every_bit(tmp_path: Path) -> None:
    """Also of a transfer that was cancelled: what it had sent."""
    tables = worked_by_hand()
    gone = dict(tables["transfers"][-1], outcome="cancelled", airtime_s=0.01, rate_bps=8e6)
    tables["transfers"][-1] = gone
    module = importlib.import_module("slfac_sim.analysis.figures.rate_over_time")
    series = module.data(load(run_of(tmp_path / "run", tables)))
    assert series.busy_bps["up"] == pytest.approx(8e6)
    widths_s = np.diff(series.edges_s)
    up = sum(8 * row["wire_bytes"] for row in tables["transfers"][:-1] if row["dst"] == "server")
    down = sum(8 * row["wire_bytes"] for row in tables["transfers"][:-1] if row["dst"] != "server")
    assert float(series.total_bps["up"] @ widths_s) == pytest.approx(up)
    assert float(series.total_bps["down"] @ widths_s) == pytest.approx(down + 8e4)
    quiet = series.edges_s[1:] <= 0.25  # the fastest device computes
    assert not series.total_bps["up"][quiet].any()
    table = list(module.table([series]))
    assert len(table) == 60
    assert table[0]["up_median_transfer_bps"] == ""
    module.draw([series]).draw_without_rendering()


def test_the_rate_of_a_transfer_counts_from_when_it_was_asked() -> None:
    bits, asked_s, last_s = np.array([8.0, 8.0, 8.0]), np.array([0.0, 0.0, 2.0]), np.array([2.0, 4.0, 3.0])
    found = rates_over_time.median_rates_bps(bits, asked_s, last_s, np.array([0.0, 2.0, 4.0, 5.0]))
    assert found[:2].tolist() == [3.0, 5.0]  # 4 and 2 bit/s, then 2 and 8
    assert np.isnan(found[2])


def test_airtime_per_round_is_that_of_the_ledger(tmp_path: Path) -> None:
    tables = several_rounds(rounds=2, steps=3)
    tables.update(air_rows(survey(LINKS[:2])))
    module = importlib.import_module("slfac_sim.analysis.figures.airtime_per_round")
    series = module.data(load(run_of(tmp_path / "run", tables)))
    assert series.shares == {"up": 0.25, "down": 0.75}
    assert [one.round for one in series.rounds] == [1, 2, None]
    for way in ("up", "down"):
        spent_s = sum(r["airtime_s"] for r in tables["transfers"] if (r["dst"] == "server") == (way == "up"))
        assert sum(one.airtime_s[way] for one in series.rounds) == pytest.approx(spent_s)
    first = series.rounds[0]
    assert first.to_s == tables["rounds"][0]["at_s"]
    assert first.devices_s["up"].size == 3
    assert first.airtime_s["up"] == pytest.approx(first.devices_s["up"].sum())
    written = list(module.table([series]))
    assert [row["round"] for row in written] == [1, 2, "after the last"]
    assert written[0]["up_share"] == pytest.approx(first.airtime_s["up"] / first.to_s)
    assert written[2]["down_device_median_s"] == ""  # the last average goes to all at once
    module.draw([series]).draw_without_rendering()
    tables.update(air_rows(survey()))
    assert module.data(load(run_of(tmp_path / "two", tables))).shares == {}  # two stations are two media


def test_each_access_network_is_busy_for_itself(tmp_path: Path) -> None:
    """With its own devices up and down, and with the multicasts of their server."""
    tables = several_rounds(rounds=1, steps=2, devices=2)
    tables.update(air_rows(survey(LINKS[:2])))
    tables["links"] = [
        {**row, "access": "xy"[place], "server": "server"} for place, row in enumerate(tables["links"])
    ]
    module = importlib.import_module("slfac_sim.analysis.figures.link_utilisation")
    series = module.data(load(run_of(tmp_path / "run", tables)))
    until_s = series.edges_s[-1]
    for device, access in (("d000", "x"), ("d001", "y")):
        own = [row for row in tables["transfers"] if device in (row["src"], row["dst"]) or row["dst"] == "*"]
        for way in ("up", "down"):
            assert series.mean[access, way] == pytest.approx(
                busy(own, way).within_s([0.0, until_s])[0] / until_s
            )
    assert "busy x up" in next(iter(module.table([series])))
    with house_style():
        titles = [axes.get_title("left") for axes in module.draw([series]).axes]
    assert [title.partition(":")[0] for title in titles] == ["x up", "x down", "y up", "y down"]


def test_the_bottleneck_is_the_largest_part_of_the_critical_path() -> None:
    found = bottleneck(attribute(worked_by_hand()))
    assert sum(found.shares.values()) == pytest.approx(1.0)
    assert set(found.shares) <= set(NAMES)
    assert list(found.shares.values()) == sorted(found.shares.values(), reverse=True)
    assert found.shares["downlink air"] == pytest.approx((1.5 + 0.1) / 4.79)  # one gradient, one average
    assert (
        found.sentence
        == "bottleneck: devices, 42 % of the time (downlink air 33 %, uplink air 18 %, server 6 %)"
    )
