"""The report of a study: its sections over all kinds of studies, what charts say, how large a page is."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from study_folders import fake_study

from slfac_sim.analysis.report.blocks import Chart, Section, Table, Text
from slfac_sim.analysis.report.make import report_of, write_report
from slfac_sim.analysis.report.page import sections
from slfac_sim.analysis.report.study import ORDER
from slfac_sim.analysis.studies.reading import load_study
from slfac_sim.foundation.errors import BadInput

ROOM = "slfac_sim.analysis.report.study"
HERTZ = ["500 kHz", "1 MHz", "2 MHz", "10 MHz", "100 MHz"]
CODECS = ["raw", "slfac", "topk"]


def made(folder: Path, **how: Any) -> dict[str, Section]:
    """Return the sections of a made study, by name."""
    study = load_study(fake_study(folder / "study", **how))
    return {section.name: section for section in sections(ROOM, study)}


def charts(section: Section) -> list[Chart]:
    return [block for block in section.blocks if isinstance(block, Chart)]


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_every_section_is_made_of_any_study(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Points may have failed, be censored, or be older than the joules of devices."""
    some = lambda values: data.draw(st.lists(st.sampled_from(values), unique=True, min_size=1, max_size=3))  # noqa: E731
    axes = {"network.bandwidth": some(HERTZ), "codec": some(CODECS), "network.latency": some(["0 s", "5 ms"])}
    kept = data.draw(st.lists(st.sampled_from(sorted(axes)), unique=True))
    fate = st.sampled_from(["finished", "failed", "stopped early", "old", "odd"])
    how = {
        "axes": {path: axes[path] for path in kept} or {"codec": ["raw"]},
        "seeds": data.draw(st.integers(1, 3)),
        "air_seeds": data.draw(st.sampled_from([0, 2])),
        "targets": data.draw(st.sampled_from([(), (0.05,), (0.8,), (0.5, 0.999)])),
        "rounds": data.draw(st.integers(1, 5)),
    }
    parts = made(tmp_path_factory.mktemp("any"), change=lambda point: spoil(point, data.draw(fate)), **how)
    assert {name: part.damage for name, part in parts.items() if part.damage} == {}
    assert isinstance(parts["answer"].blocks[0], Text)
    for part in parts.values():
        for chart in charts(part):
            assert chart.summary.endswith("."), chart.title
        for table in (block for block in part.blocks if isinstance(block, Table)):
            assert all(len(row) == len(table.head) for row in table.rows), table.title


def spoil(point: dict[str, Any], fate: str) -> None:
    if fate == "failed":
        for name in set(point) - {"key", "training", "axes", "values", "seed", "air_draw"}:
            del point[name]
        point |= {"status": "failed", "reason": "worker lost"}
    elif fate == "stopped early":
        point["curve"] = {name: values[:1] for name, values in point["curve"].items()}
    elif fate == "old":
        del point["curve"]["devices_j"], point["energy"], point["bounds_s"]
    elif fate == "odd":
        point |= {"parts_s": {}, "straggler": {}}


def test_all_sections_of_a_usual_study_are_there(tmp_path: Path) -> None:
    parts = made(tmp_path, change=lambda point: spoil(point, "failed" if point["key"].endswith("5") else ""))
    usual = set(ORDER) - {"air"}
    assert usual <= parts.keys()


def test_the_headline_says_who_is_faster_at_both_ends(tmp_path: Path) -> None:
    lead = made(tmp_path)["answer"].blocks[0]
    assert isinstance(lead, Text)
    assert lead.lead
    assert re.fullmatch(
        r"To 85 %: SL-FAC \(our reading\) is \d\.\d\d times as fast as raw fp32 at 1 MHz, but ends 0\.6"
        r" points lower; raw fp32 is \d\.\d\d times as fast as SL-FAC \(our reading\) at 100 MHz, and ends"
        r" 0\.6 points higher\.",
        lead.text,
    )


def test_the_headline_says_that_the_faster_one_does_not_hold_the_target(tmp_path: Path) -> None:
    """It is there once, and ends far below: the same sentence says so."""
    lead = made(
        tmp_path, change=lambda point: once_there(point) if point["axes"]["codec"] == "slfac" else None
    )["answer"].blocks[0]
    assert isinstance(lead, Text)
    for half in lead.text.removesuffix(".").split("; "):
        if "SL-FAC (our reading) is" in half:
            assert re.search(r", but ends \d+\.\d points lower", half)
        assert half.endswith("by the mean over 3 evaluations not every run gets there")
    assert "SL-FAC (our reading) is" in lead.text


def once_there(point: dict[str, Any]) -> None:
    accuracy = point["curve"]["accuracy"]
    accuracy[:] = [0.1, 0.9, *[0.1 for _ in accuracy[2:]]]


def test_more_than_two_rivals_are_told_in_a_table_fewer_in_sentences(tmp_path: Path) -> None:
    def renamed(point: dict[str, Any]) -> None:
        point["label"] = point["axes"]["codec"]

    few = made(tmp_path / "few", axes={"codec": CODECS})["answer"].blocks
    assert not any(isinstance(block, Table) for block in few)
    lines = ["raw", "slfac_1", "slfac_2", "topk"]
    blocks = made(tmp_path / "many", axes={"codec": lines}, change=renamed, targets=(0.8,))["answer"].blocks
    (table,) = (block for block in blocks if isinstance(block, Table))
    assert [row[0].text for row in table.rows] == lines
    assert table.head[1] == "times as fast"
    assert table.rows[0][1].text == "1, the baseline"
    assert table.rows[1][1:] == table.rows[2][1:]  # made of the same numbers
    assert table.rows[3][3].text.startswith("no, 8")
    told = " ".join(block.text for block in blocks if isinstance(block, Text))
    assert " is the fastest of 4: " in told
    assert "How many times" not in told
    assert "By the rule" not in told


def test_censored_runs_are_bounds_with_their_text_and_are_said(tmp_path: Path) -> None:
    """A line of which no seed gets there is not left out: it is known to need more."""
    parts = made(
        tmp_path, change=lambda point: never_there(point) if point["axes"]["codec"] == "slfac" else None
    )
    (chart,) = charts(parts["times"])
    assert "only a bound is known" in chart.summary
    bounds = [trace for trace in chart.traces if "text" in trace]
    assert [trace["name"] for trace in bounds] == ["SL-FAC (our reading), theta 0.9, 2..8 bits"]
    assert len(bounds[0]["text"]) == 3
    assert all(text.startswith("> ") for text in bounds[0]["text"])
    assert bounds[0]["showlegend"]


def never_there(point: dict[str, Any]) -> None:
    point["curve"]["accuracy"] = [0.1 for _ in point["curve"]["accuracy"]]


def test_intervals_of_a_chart_are_those_of_its_table(tmp_path: Path) -> None:
    (chart,) = charts(made(tmp_path)["times"])
    trace, rows = chart.traces[0], chart.table.rows if chart.table else []
    columns = chart.table.head if chart.table else ()
    middle, high = (columns.index(name) for name in ("middle", "high"))
    first = [cell.number for cell in rows[0]]
    assert trace["y"][0] == first[middle]
    assert trace["y"][0] + trace["error_y"]["array"][0] == pytest.approx(first[high])


def test_a_study_of_a_thousand_points_makes_a_page_of_less_than_20_mb(tmp_path: Path) -> None:
    bandwidths = [f"{1 + i / 10:g} MHz" for i in range(250)]
    axes = {"network.bandwidth": bandwidths, "codec": ["raw", "slfac"]}
    folder = fake_study(tmp_path / "study", axes=axes, seeds=2, rounds=8)
    assert len(report_of(folder).encode()) < 20e6


def test_points_that_cannot_be_read_are_told_and_the_rest_is_shown(tmp_path: Path) -> None:
    folder = fake_study(tmp_path / "study")
    files = sorted((folder / "points").iterdir())
    files[0].write_text("{", encoding="utf-8")
    page = report_of(folder)
    assert "What is missing or damaged" in page
    assert f"points/{files[0].name}: not JSON" in page
    assert str(tmp_path) not in page
    assert "17 points" in page
    for file in files[1:]:
        file.unlink()
    with pytest.raises(BadInput, match="not JSON"):
        report_of(folder)


def test_no_chart_has_a_number_that_json_lacks(tmp_path: Path) -> None:
    page = write_report(fake_study(tmp_path / "study")).read_text(encoding="utf-8")
    charts = re.findall(r'<script type="application/json">(.*?)</script>', page, re.DOTALL)
    assert charts
    for chart in charts:
        json.loads(chart, parse_constant=refuse)


def refuse(name: str) -> Sequence[str]:
    raise AssertionError(f"{name} in a chart")
