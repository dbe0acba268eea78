"""The figures of one run: what they show of a known run, their tables, and runs with little in them."""

import csv
import importlib
import json
import re
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from run_folders import fake_run
from timelines import several_rounds, worked_by_hand
from worlds import scenario

from slfac_sim.analysis.air import busy
from slfac_sim.analysis.attribution import PARTS, attribute
from slfac_sim.analysis.draw import draw
from slfac_sim.analysis.style import house_style
from slfac_sim.cli import main
from slfac_sim.ledger.folder import load
from slfac_sim.ledger.tables import TABLES
from slfac_sim.runs.run import prepare, run

FIGURES = (
    *("time_by_part", "bytes_by_kind", "device_timeline", "transfer_times", "link_utilisation"),
    *("rate_over_time", "airtime_per_round", "cell_map", "link_rates"),
)
KINDS = ("smashed_up", "smashed_down", "labels", "model_up", "model_down")


def run_of(folder: Path, tables: Mapping[str, Sequence[Mapping[str, Any]]], **changes: Any) -> Path:
    """Write the run folder of what was played."""
    sent = {kind: sum(r["bytes"] for r in tables["payloads"] if r["kind"] == kind) for kind in KINDS}
    changes = {"bytes": {**sent, "total": sum(sent.values())}, "time_to_accuracy_s": {}, **changes}
    fake_run(folder, "raw fp32", changes=changes)
    with closing(sqlite3.connect(folder / "ledger.sqlite")) as ledger, ledger:
        for name, rows in tables.items():
            ledger.execute(f"DROP TABLE IF EXISTS {name}")
            ledger.execute(f"CREATE TABLE {name} ({', '.join(TABLES[name])})")
            marks = ", ".join("?" * len(TABLES[name]))
            ledger.executemany(f"INSERT INTO {name} VALUES ({marks})", [tuple(row.values()) for row in rows])
    return folder


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The figures of the round worked by hand."""
    folder = run_of(tmp_path_factory.mktemp("run") / "run", worked_by_hand())
    draw([load(folder)], folder / "figures")
    return folder / "figures"


def rows(figures: Path, name: str) -> list[dict[str, str]]:
    with (figures / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def texts(figures: Path, name: str) -> list[str]:
    return re.findall(r"<text [^>]*>([^<]*)</text>", (figures / f"{name}.svg").read_text(encoding="utf-8"))


def test_time_by_part_has_a_row_for_each_round_and_shares_in_its_legend(drawn: Path) -> None:
    (first, after) = rows(drawn, "time_by_part")
    assert (first["round"], after["round"]) == ("1", "after the last")
    parts_s = {part: float(first[part]) + float(after[part]) for part in PARTS}
    assert parts_s == pytest.approx(attribute(worked_by_hand()).parts_s)
    assert {"device compute, 42 %", "waiting for air, 26 %", "propagation, 0.84 %"} <= set(
        texts(drawn, "time_by_part")
    )
    assert not [text for text in texts(drawn, "time_by_part") if text.startswith(("codec", "server queue"))]


def test_bytes_by_kind(drawn: Path) -> None:
    found = {row["kind"]: int(row["payload_bytes"]) for row in rows(drawn, "bytes_by_kind")}
    assert found == {
        "smashed_up": 3 * 499_999, "smashed_down": 1_500_000, "labels": 3, "model_up": 300_000,
        "model_down": 100_000, "total": 3_400_000,
    }  # fmt: skip
    assert {"1.5 MB, 44 %", "300 kB, 8.8 %", "gradients, down"} <= set(texts(drawn, "bytes_by_kind"))


def test_bytes_of_every_kind_have_their_texts_within_the_picture() -> None:
    module = importlib.import_module("slfac_sim.analysis.figures.bytes_by_kind")
    sent = {"smashed_up": 3_620_000, "smashed_down": 4_050_000, "edge_up": 150_000, "edge_down": 150_000}
    with house_style():
        figure = module.draw([module.Series(name, sent, None) for name in "abcde"])
        figure.set_dpi(346)
        figure.draw_without_rendering()
    (axes,) = figure.axes
    texts = [*axes.texts, *axes.get_yticklabels()]
    assert "models of edges,\nto the cloud" in [text.get_text() for text in texts]
    boxes = [text.get_window_extent() for text in texts]
    assert all(figure.bbox.x0 <= box.x0 and box.x1 <= figure.bbox.x1 for box in boxes)


def test_device_timeline_has_every_second_of_every_device_fastest_first(drawn: Path) -> None:
    found = rows(drawn, "device_timeline")
    assert list(dict.fromkeys(row["device"] for row in found)) == ["d002", "d001", "d000"]
    slow = [
        (row["doing"], float(row["from_s"]), float(row["to_s"])) for row in found if row["device"] == "d000"
    ]
    expected = [
        ("compute", 0.0, 1.0), ("uplink", 1.0, 1.76), ("server", 1.76, 2.06), ("downlink", 2.06, 3.57),
        ("compute", 3.57, 4.57), ("uplink", 4.57, 4.68), ("server", 4.68, 4.68 + 6e-10),
    ]  # fmt: skip
    assert [row[0] for row in slow] == [row[0] for row in expected]
    assert [time for row in slow for time in row[1:]] == pytest.approx(
        [t for row in expected for t in row[1:]]
    )
    speeds = {row["device"]: float(row["speed_flops"]) for row in found}
    assert speeds == pytest.approx({"d002": 4e9, "d001": 2e9, "d000": 1e9})
    assert {"raw fp32: round 1", "waits for others", "d001"} <= set(texts(drawn, "device_timeline"))


def test_transfer_times_are_quantiles_of_the_ledger(drawn: Path) -> None:
    found = rows(drawn, "transfer_times")
    assert [float(found[place]["part of transfers"]) for place in (0, 200, 400)] == [0.0, 0.5, 1.0]
    up = [float(found[place]["up (s)"]) for place in (0, 200, 400)]
    assert up == pytest.approx([0.11, 0.11, 1.01])  # three of 0.11 s, then 0.76 s, 0.76 s, 1.01 s
    assert float(found[400]["down, airtime (s)"]) == pytest.approx(0.5)
    assert "up, airtime, median 100 ms" in texts(drawn, "transfer_times")


def test_link_utilisation_is_the_busy_part_of_the_time(drawn: Path) -> None:
    found = rows(drawn, "link_utilisation")
    width_s = float(found[0]["to_s"])
    assert len(found) == 60
    busy_s = {way: width_s * sum(float(row[f"busy {way}"]) for row in found) for way in ("up", "down")}
    assert busy_s == pytest.approx({"up": 1.5 + 0.3, "down": 1.5 + 0.1}, abs=1e-9)
    assert "up: busy for 37.6 % of the run" in texts(drawn, "link_utilisation")


def test_busy_stretches_join_what_overlaps() -> None:
    ends = [(0.0, 2.0), (1.0, 3.0), (3.0, 4.0), (5.0, 6.0), (5.5, 5.75)]
    transfers = [
        {"src": "d000", "dst": "server", "start_s": a, "last_bit_s": b, "airtime_s": (b - a) / 4}
        for a, b in ends
    ]
    found = busy(transfers, "up")
    assert (found.from_s.tolist(), found.to_s.tolist()) == ([0.0, 5.0], [4.0, 6.0])
    assert found.airtime_s.tolist() == [1.25, 0.3125]
    assert found.share == 0.3125
    assert found.within_s(np.array([0.0, 1.0, 4.5, 5.5, 9.0])).tolist() == [1.0, 3.0, 0.5, 0.5]
    assert busy(transfers, "down").within_s(np.array([0.0, 1.0])).tolist() == [0.0]


def test_many_devices_are_named_at_the_edges_only(tmp_path: Path) -> None:
    folder = run_of(tmp_path / "run", several_rounds(rounds=2, steps=1, devices=30))
    module = importlib.import_module("slfac_sim.analysis.figures.device_timeline")
    series = module.data(load(folder))
    assert series.round == 2
    axes = module.draw([series]).axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["d029", "d000"]
    assert axes.get_ylabel() == "30 devices, fastest on top"


def test_every_row_keeps_its_name(tmp_path: Path) -> None:
    """Where names take more than their row has, the figure grows."""
    folder = run_of(tmp_path / "run", several_rounds(1, 1, 2))
    module = importlib.import_module("slfac_sim.analysis.figures.time_by_part")
    one = module.data(load(folder))
    long = [
        replace(one, label=f"a codec with many settings that takes lines, run {number}")
        for number in range(9)
    ]
    with house_style():
        figure = module.draw(long)
        before_in = figure.get_figheight()
        figure.draw_without_rendering()
    labels = figure.axes[0].get_yticklabels()
    assert len(labels) == 9
    assert all(label.get_visible() for label in labels)
    boxes = [label.get_window_extent() for label in labels]
    assert all(above.y0 > below.y1 for above, below in pairwise(boxes))
    assert figure.get_figheight() > before_in


def test_several_runs_share_the_figures_that_can_show_them(tmp_path: Path) -> None:
    folders = [run_of(tmp_path / name, several_rounds(1, 2, 2)) for name in ("a", "b")]
    names = {path.name for path in draw([load(folder) for folder in folders], tmp_path / "out")}
    assert {f"{name}.csv" for name in ("time_by_part", "bytes_by_kind", "transfer_times")} <= names
    assert not [name for name in names if "device_timeline" in name or "link_utilisation" in name]
    assert [row["run"] for row in rows(tmp_path / "out", "time_by_part")] == [
        *2 * ["raw fp32, a"], *2 * ["raw fp32, b"],
    ]  # fmt: skip


def drawn_alone(folder: Path, name: str) -> tuple[list[str], list[dict[str, Any]]] | None:
    """Return the words of a figure and the rows behind it; None if it is left out."""
    module = importlib.import_module(f"slfac_sim.analysis.figures.{name}")
    series = module.data(load(folder))
    if series is None:
        return None
    with house_style():
        figure = module.draw([series])
        figure.draw_without_rendering()
    found = [text for axes in figure.axes for text in (axes.get_title(loc="left"), axes.get_xlabel())]
    found += [tick.get_text() for axes in figure.axes for tick in axes.get_yticklabels()]
    found += [text.get_text() for axes in figure.axes for text in axes.texts]
    return found, list(module.table([series]))


def energy_row(host: str, compute_j: float, idle_j: float) -> dict[str, Any]:
    drawn = {"compute_j": compute_j, "codec_j": compute_j / 4, "transmit_j": 1.0, "receive_j": 2.0}
    total_j = compute_j + idle_j + 3.0
    return {"host": host, **drawn, "idle_j": idle_j, "total_j": total_j, "busy_s": 1.0, "up_s": 1.0}


def test_energy_by_host_shows_sums_and_the_spread_of_devices(tmp_path: Path) -> None:
    hosts = {"d000": 40.0, "d001": 4.0, "d002": 8.0, "d003": 20.0, "server": 4000.0}
    tables = {**worked_by_hand(), "energy": [energy_row(host, j, 10.0) for host, j in hosts.items()]}
    found = drawn_alone(run_of(tmp_path / "run", tables), "energy_by_host")
    assert found is not None
    words, bars = found
    assert {"4 devices", "0.124 kJ", "4.01 kJ", "least: d001", "median: d002", "most: d000", "53 J"} <= set(
        words
    )
    assert [bar["total_j"] for bar in bars] == [124.0, 4013.0, 17.0, 21.0, 53.0]
    assert (bars[0]["computing_j"], bars[0]["codec_j"], bars[0]["sending_j"]) == (54.0, 18.0, 4.0)


def test_energy_to_accuracy_says_at_how_many_joules_a_target_was_reached(tmp_path: Path) -> None:
    tables = worked_by_hand()
    told = [(row["round"], row["at_s"], 700.0 * row["round"], 1.0) for row in tables["evals"]]
    names = ("round", "at_s", "devices_j", "server_j")
    tables["spent"] = [dict(zip(names, row, strict=True)) for row in told]
    best = max(row["accuracy"] for row in tables["evals"])
    at = next(row["round"] for row in tables["evals"] if row["accuracy"] == best)
    folder = run_of(tmp_path / "run", tables, time_to_accuracy_s={str(best): 0.0})
    found = drawn_alone(folder, "energy_to_accuracy")
    assert found is not None
    assert "energy drawn by all devices (J)" in found[0]
    module = importlib.import_module("slfac_sim.analysis.figures.energy_to_accuracy")
    assert module.data(load(folder)).reached_at == {best: pytest.approx(700.0 * at)}
    assert [row["devices_j"] for row in found[1]] == [row[2] for row in told]
    further = replace(
        module.data(load(folder)), others={"macro_f1": (np.linspace(0, 1, len(told)), {0.5: None})}
    )
    (first, *_, last) = module.table([further])
    assert list(first) == ["run", "devices_j", "server_j", "accuracy", "macro_f1"]
    assert (first["macro_f1"], last["macro_f1"]) == (0.0, 1.0)


def test_staleness_is_counted_by_kind(tmp_path: Path) -> None:
    row = {"task": "", "seq": 0, "at_s": 0.0, "device": "d000"}
    stale = [{**row, "kind": "step", "staleness": s, "weight": 1.0 / (1 + s)} for s in (0, 0, 3, 99)]
    stale.append({**row, "kind": "mix", "staleness": 1, "weight": 0.3})
    found = drawn_alone(run_of(tmp_path / "run", {**worked_by_hand(), "staleness": stale}), "staleness")
    assert found is not None
    assert "server steps: 4; median 0, 95 % up to 99, most 99" in found[0]
    assert [(row["kind"], row["staleness"], row["times"], row["mean weight"]) for row in found[1]] == [
        ("step", 0, 2, 1.0), ("step", 3, 1, 0.25), ("step", 99, 1, 0.01), ("mix", 1, 1, 0.3),
    ]  # fmt: skip


def test_misses_are_stacked_by_reason_without_the_names_of_devices(tmp_path: Path) -> None:
    tables = several_rounds(rounds=2, steps=1)
    ends_s = [row["at_s"] for row in tables["rounds"]]
    whys = [("d000", "d000 is down: off"), ("d001", "d001 is down: off"), ("d002", "server is down: off")]
    row = {"task": "", "seq": 0, "at_s": 0.0}
    tables["misses"] = [{**row, "round": 2, "device": name, "reason": why} for name, why in whys]
    tables["misses"].append({**row, "round": 1, "device": "d000", "reason": "deadline"})
    tables["outages"] = [{"host": "d000", "down_s": ends_s[0] / 2, "up_s": None, "reason": "off"}]
    found = drawn_alone(run_of(tmp_path / "run", tables), "misses")
    assert found is not None
    first, second = found[1]
    assert (first["missed: deadline"], first["missed: down: off"], first["down: off"]) == (1, 0, 0.5)
    assert (second["missed: down: off"], second["missed: server down: off"]) == (2, 1)
    assert second["down: off"] == pytest.approx(1.0)


def test_the_legend_of_misses_stays_within_the_picture(tmp_path: Path) -> None:
    """Long reasons stand below one another, whole."""
    tables = several_rounds(rounds=2, steps=1)
    whys = ["d000 -> server: a packet was lost too often", "server -> d000: a packet was lost too often"]
    row = {"task": "", "seq": 0, "at_s": 0.0, "round": 1, "device": "d000"}
    tables["misses"] = [{**row, "reason": why} for why in whys]
    module = importlib.import_module("slfac_sim.analysis.figures.misses")
    with house_style():
        figure = module.draw([module.data(load(run_of(tmp_path / "run", tables)))])
        figure.draw_without_rendering()
    (axes,) = figure.axes
    legend = axes.get_legend()
    assert [text.get_text() for text in legend.get_texts()] == [why.replace("d000", "device") for why in whys]
    assert legend.get_window_extent().x1 <= figure.bbox.x1
    assert axes.get_window_extent().width > 0.75 * figure.bbox.width
    assert module.MAIN  # it is drawn after the run


@pytest.mark.parametrize("name", ["energy_by_host", "energy_to_accuracy", "misses", "staleness"])
def test_what_is_not_on_record_is_left_out(tmp_path: Path, name: str) -> None:
    tables: dict[str, Any] = {key: [] for key in ("energy", "spent", "misses", "outages", "staleness")}
    assert drawn_alone(run_of(tmp_path / "empty", {**worked_by_hand(), **tables}), name) is None
    assert drawn_alone(fake_run(tmp_path / "old"), name) is None


@pytest.mark.parametrize("name", FIGURES)
def test_a_run_that_stopped_before_anything_was_recorded_is_drawn(tmp_path: Path, name: str) -> None:
    empty: dict[str, list[Any]] = {table: [] for table in TABLES}
    module = importlib.import_module(f"slfac_sim.analysis.figures.{name}")
    series = module.data(load(run_of(tmp_path / "run", empty, status="interrupted")))
    assert isinstance(list(module.table([series])), list)
    module.draw([series]).draw_without_rendering()


def test_explain_prints_the_parts_the_bounds_and_who_was_waited_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = run_of(tmp_path / "run", worked_by_hand(), time_to_accuracy_s={"0.5": 0.0, "0.9": None})
    assert main(["explain", str(folder), "--steps", "1"]) == 0
    printed = capsys.readouterr().out
    lines = {re.split(r"\s{2,}", line)[0]: line for line in printed.splitlines()}
    assert re.findall(r"[\d.]+", lines["device compute"]) == ["2.000", "41.8", "1.167"]
    assert re.findall(r"[\d.]+", lines["sum"]) == ["4.790", "100", "4.790"]
    assert re.findall(r"[\d.]+", lines["zero compute: at least"]) == ["1.800"]
    assert (
        printed.splitlines()[-1] == "last at each step's barrier, over all rounds (2 on the path): d000 (2)"
    )
    assert "waiting for air: others had the air" in printed


def test_explain_as_json_has_everything(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tables = several_rounds(rounds=2, steps=3)
    folder = run_of(tmp_path / "run", tables, time_to_accuracy_s={"0.5": tables["evals"][1]["at_s"]})
    assert main(["explain", str(folder), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert list(found["until_s"]) == ["50 %", "end"]
    for name, parts_s in found["critical_path_s"].items():
        assert sum(parts_s.values()) == pytest.approx(found["until_s"][name], rel=1e-9)
    assert len(found["steps"]) == 6
    assert found["bounds_s"]["zero compute"]["50 %"] < found["until_s"]["50 %"]
    assert sum(found["straggler"].values()) == found["barriers"]


def test_explain_refuses_a_round_that_is_not_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = run_of(tmp_path / "run", worked_by_hand())
    assert main(["explain", str(folder), "--steps", "7"]) == 2
    assert "--steps 7: no step of that round" in capsys.readouterr().err


def test_explain_says_why_there_are_no_bounds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tables = worked_by_hand()
    tables["computes"][0]["outcome"] = "interrupted"
    assert main(["explain", str(run_of(tmp_path / "run", tables))]) == 0
    assert "no lower bounds: timing steered this run" in capsys.readouterr().out


def test_explain_leaves_out_the_bounds_that_a_crowd_would_break(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """OFDMA: with power for a part of the band only, airtimes are others when others send."""
    run(prepare(scenario("network.medium=ofdma"), tmp_path / "run", threads=1))
    assert main(["explain", str(tmp_path / "run")]) == 0
    printed = capsys.readouterr().out
    assert "infinite bandwidth: at least" in printed
    assert "zero compute: at least" not in printed
    reason = "in this network (medium: ofdma) the time on the air hangs on more than the transfer"
    assert f"no other lower bounds: {reason}" in printed
    assert re.search(r"^bottleneck: .+, \d+ % of the time", printed, re.MULTILINE)
    assert main(["explain", str(tmp_path / "run"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (list(found["bounds_s"]), found["no_bounds"]) == (["infinite bandwidth"], reason)


def test_explain_replays_a_run_without_its_limits(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(prepare(scenario("evaluation.targets=[0.01]"), tmp_path / "run", threads=1))
    assert main(["explain", str(tmp_path / "run"), "--replay", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    for name in ("infinite bandwidth", "zero compute"):
        for instant, replayed_s in found["replays_s"][name].items():
            assert found["bounds_s"][name][instant] <= replayed_s * (1 + 1e-9)
            assert replayed_s < found["until_s"][instant] or found["until_s"][instant] == 0.0
    assert main(["explain", str(tmp_path / "run"), "--replay"]) == 0
    assert "zero compute: replayed" in capsys.readouterr().out
