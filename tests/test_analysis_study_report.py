"""The closing of a study, word for word; its files; what is told of failures; and what is never loaded."""

import csv
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from study_folders import fake_study

from slfac_sim.analysis.cli import main
from slfac_sim.analysis.crossings import Crossing
from slfac_sim.analysis.statistics import over_runs, paired_ratio
from slfac_sim.analysis.studies.phrases import ratio_cell
from slfac_sim.analysis.studies.reading import load_study
from slfac_sim.analysis.studies.report import finish_study, write_tables
from slfac_sim.analysis.studies.study import BYTES, ROUNDS, SECONDS
from slfac_sim.analysis.studies.tables import budget_table, handovers_table
from slfac_sim.analysis.studies.words import closing_lines, ratio_words, time_words
from slfac_sim.analysis.text_tables import markdown

ROOT = Path(__file__).resolve().parent.parent
AXES = {"network.bandwidth": ["1 MHz", "100 MHz"], "codec": ["raw", "slfac"]}
ROUND_S = {
    ("raw", "1 MHz"): 100.0,
    ("slfac", "1 MHz"): 20.0,
    ("raw", "100 MHz"): 4.0,
    ("slfac", "100 MHz"): 8.0,
}


def _known(point: dict[str, Any]) -> None:
    """Four rounds, of which the third is there; every seed alike but for 5 % more or less of SL-FAC."""
    codec, place = point["axes"]["codec"], point["axes"]["network.bandwidth"]
    round_s = ROUND_S[codec, place] * (1.0 + 0.05 * (point["seed"]["learning"] - 1) * (codec == "slfac"))
    accuracy = [0.1, 0.5, 0.7, 0.86, 0.86, 0.86]
    n = len(accuracy)
    point["curve"] = {name: [0.0] * n for name in ("loss", "accuracy_no_codec")} | {
        "accuracy": accuracy,
        "round": list(range(n)),
        "at_s": [i * round_s for i in range(n)],
        "payload_bytes": [i * 1_000_000 * (8 if codec == "raw" else 1) for i in range(n)],
    }
    air = 0.8 if place == "1 MHz" else 0.1
    point["parts_s"] = {"device compute": (1 - air) * 100.0, "airtime": air * 100.0}


def _finish(folder: Path, **more: Any) -> list[str]:
    """Write the tables of a fake study, without its figures, and return the closing lines."""
    study = load_study(fake_study(folder, **{"axes": AXES, "change": _known} | more))
    closing = closing_lines(study)
    write_tables(study, folder, closing)
    return closing


CLOSING = [
    "Time to 85 % test accuracy (first evaluation at or above it), 3 seeds, geometric means with 95 % t"
    " intervals.",
    "How many times as fast as raw fp32 is SL-FAC (our reading)? (paired by seed)",
    "  1 MHz: 5.00 times as fast [4.42, 5.67]",
    "  100 MHz: 0.50 times as fast [0.44, 0.57]",
    "By the mean over 3 evaluations: 5.00 times as fast [4.42, 5.67] at 1 MHz; 0.50 times as fast"
    " [0.44, 0.57] at 100 MHz.",
    "Crossover of SL-FAC (our reading) and raw fp32: between 1 MHz and 100 MHz, about 25 MHz; SL-FAC (our"
    " reading) is faster below it, raw fp32 above it.",
    "At 1 MHz the largest part of the time is airtime (80 % for raw fp32, 80 % for SL-FAC (our reading)).",
    "At 100 MHz the largest part of the time is device compute (90 % for raw fp32, 90 % for SL-FAC (our"
    " reading)).",
    "By the rule (every run crosses 85 % smoothed, final means within half a point) SL-FAC (our reading) and"
    " raw fp32 are equally accurate: mean of the last 3 evaluations raw fp32 86.0 %, SL-FAC (our reading)"
    " 86.0 %.",
    "3 seeds: intervals are wide; a headline claim needs 5.",
    "Points along bandwidth are timings of the same trainings: they are correlated. A seed that is lucky at"
    " one bandwidth is lucky at all, so neighbours that agree are not further evidence.",
]


def test_the_answers_word_for_word(tmp_path: Path) -> None:
    assert _finish(tmp_path / "s") == CLOSING


def test_no_crossover_is_said_with_the_range(tmp_path: Path) -> None:
    def twice_as_fast(point: dict[str, Any]) -> None:
        _known(point)
        if point["axes"]["codec"] == "slfac":
            point["curve"]["at_s"] = [s / 10 for s in point["curve"]["at_s"]]

    lines = _finish(tmp_path / "s", change=twice_as_fast)
    assert (
        "No crossover of SL-FAC (our reading) and raw fp32 from 1 MHz to 100 MHz: SL-FAC (our reading) is"
        " faster than raw fp32 everywhere." in lines
    )


def test_a_crossover_within_the_intervals_says_so(tmp_path: Path) -> None:
    def close(point: dict[str, Any]) -> None:
        _known(point)
        if point["axes"] == {"network.bandwidth": "100 MHz", "codec": "slfac"}:
            point["curve"]["at_s"] = [s / 1.96 for s in point["curve"]["at_s"]]

    lines = _finish(tmp_path / "s", change=close)
    assert "  100 MHz: 0.98 times as fast [0.87, 1.11], no clear difference" in lines
    assert any(line.endswith("raw fp32 above it (intervals include 1 at 100 MHz).") for line in lines)


def test_a_censored_seed_is_in_the_answer(tmp_path: Path) -> None:
    def never(point: dict[str, Any]) -> None:
        _known(point)
        raw = point["axes"] == {"network.bandwidth": "1 MHz", "codec": "raw"}
        if raw and point["seed"]["learning"] > 0:
            point["curve"]["accuracy"] = [0.1, 0.5, 0.6, 0.7, 0.7, 0.8]

    lines = _finish(tmp_path / "s", change=never)
    assert (
        "  1 MHz: more than 7.93 times as fast (median; 2 of 3 pairs with a run that did not reach"
        " the target)" in lines
    )
    assert any("are equally accurate at 1 of 2 places" in line for line in lines)
    report = (tmp_path / "s/report.md").read_text()
    assert "> 500 s (2 of 3 not there)" in report
    assert "> 7.93 (2 of 3 censored)" in report
    summary = json.loads((tmp_path / "s/summary.json").read_text())
    first = summary["combinations"][0]["targets"]["0.85"]["first_s"]
    assert (first["censored"], first["mean"], first["median"]) == (2, None, [500.0, None])


def test_failed_points_are_counted_listed_and_explained(tmp_path: Path) -> None:
    def fails(point: dict[str, Any]) -> None:
        _known(point)
        if point["axes"]["network.bandwidth"] == "100 MHz" and point["seed"]["learning"] == 2:
            for name in ("curve", "parts_s", "bytes", "label", "digest"):
                del point[name]
            point.update(status="failed", reason="worker\nlost")

    lines = _finish(tmp_path / "s", change=fails)
    assert lines[-1] == "2 of 12 points failed and are in no figure; the first: worker lost"
    assert "| 100 MHz   | slfac | 2/2  |" in (tmp_path / "s/report.md").read_text()
    summary = json.loads((tmp_path / "s/summary.json").read_text())
    assert summary["points"] == {"all": 12, "finished": 10, "failed": 2, "air_draws": 0}
    assert [failure["reason"] for failure in summary["failures"]] == ["worker\nlost"] * 2


def test_a_study_of_which_everything_failed_still_closes(tmp_path: Path) -> None:
    def fails(point: dict[str, Any]) -> None:
        point.update(status="failed", reason="no data")

    assert finish_study(fake_study(tmp_path / "s", change=fails)) == [
        "No point of the study has finished.",
        "18 of 18 points failed and are in no figure; the first: no data",
    ]
    assert list((tmp_path / "s").glob("figures/*")) == []


def test_one_seed_has_no_interval_and_no_claim(tmp_path: Path) -> None:
    lines = _finish(tmp_path / "s", seeds=1)
    assert "  1 MHz: 5.26 times as fast (1 seed, no interval)" in lines
    assert "One seed is one draw: there are no intervals, and no claim can rest on it." in lines


def test_without_a_rival_times_are_told(tmp_path: Path) -> None:
    lines = _finish(tmp_path / "s", axes={**AXES, "codec": ["slfac"]})
    assert lines[1] == "  1 MHz: 59.9 [52.9, 67.9] s"
    assert not any("faster" in line for line in lines)


def test_without_targets_the_parts_are_told(tmp_path: Path) -> None:
    lines = _finish(tmp_path / "s", targets=())
    assert lines[:2] == ["The study has no target.", CLOSING[6]]


def test_further_axes_are_answered_one_by_one(tmp_path: Path) -> None:
    axes = {**AXES, "network.latency": ["1 ms", "100 ms"]}
    folder = fake_study(tmp_path / "s", {**axes, "network.bandwidth": ["1 MHz", "10 MHz", "100 MHz"]})
    lines = closing_lines(load_study(folder))
    assert [line for line in lines if line.startswith("At latency")] == [
        "At latency 1 ms:",
        "At latency 100 ms:",
    ]
    assert sum(line.startswith("Crossover of") for line in lines) == 2


def test_ratios_in_words() -> None:
    def at(*seconds: float, censored: bool = False) -> list[Crossing]:
        return [Crossing(s, (0, s), censored) for s in seconds]

    never = at(100.0, censored=True)
    assert ratio_words(None) == "not known, no seed has finished both"
    assert ratio_words(paired_ratio(at(50.0), never)) == (
        "less than 0.50 times as fast (median; 1 of 1 pair with a run that did not reach the target)"
    )
    assert ratio_words(paired_ratio(never, never)) == (
        "not known (1 of 1 pair with a run that did not reach the target)"
    )
    between = paired_ratio([*at(20.0, 30.0), *never], [*at(10.0, 10.0), *at(10.0)])
    assert ratio_words(between).startswith("3.00 times as fast (median; 1 of 3 pairs")
    assert ratio_cell(between) == "median 3.00 (1 of 3 censored)"
    assert ratio_cell(paired_ratio(at(50.0), never)) == "< 0.50 (1 of 1 censored)"
    assert ratio_cell(paired_ratio(never, never)) == "not known (1 of 1 censored)"
    assert ratio_cell(None) == "-"
    assert time_words(over_runs([*at(10.0, 20.0), *never])) == "median 20 s (1 of 3 not there)"
    assert time_words(None) == "no run"


def test_three_tables_of_equal_rounds_bytes_and_seconds(tmp_path: Path) -> None:
    study = load_study(fake_study(tmp_path / "s", AXES, change=_known))
    rounds, sent, seconds = (budget_table(study, over) for over in (ROUNDS, BYTES, SECONDS))
    assert [row["budget"] for row in rounds] == ["5 rounds"] * 2
    assert [row["codec"] for row in rounds] == ["raw fp32", "SL-FAC (our reading)"]
    assert [row["budget"] for row in sent] == ["5 MB"] * 2
    assert [row["at all of it"] for row in sent] == ["10.00 [10.00, 10.00] %", "86.00 [86.00, 86.00] %"]
    assert [row["to 85 %"] for row in sent] == ["24 [24, 24] MB", "3 [3, 3] MB"]
    assert [row["bandwidth"] for row in seconds] == ["1 MHz"] * 2 + ["100 MHz"] * 2
    assert [row["budget"] for row in seconds] == ["95 s"] * 2 + ["20 s"] * 2


def test_handovers_are_told_with_who_came_last(tmp_path: Path) -> None:
    def handed_over(point: dict[str, Any]) -> None:
        count = 10 + point["seed"]["learning"]
        point["handovers"] = {"count": count, "ping_pongs": 2, "devices": 3, "interruption_s": 0.05 * count}

    study = load_study(fake_study(tmp_path / "moving", change=handed_over))
    rows = handovers_table(study)
    assert len(rows) == 6
    told = [rows[0][name] for name in ("handovers", "ping-pongs", "interrupted (s)")]
    assert told == ["11", "2", "0.55"]
    assert rows[0]["waited for the same device"] == "58 %"
    assert handovers_table(load_study(fake_study(tmp_path / "still"))) == []


def test_all_files_are_written_and_equal_points_give_equal_files(tmp_path: Path) -> None:
    folder = fake_study(tmp_path / "s", AXES, change=_known)
    assert finish_study(folder) == CLOSING
    names = [
        "accuracy_over_bytes",
        "accuracy_over_time",
        "bytes_by_kind",
        "ratio",
        "time_parts",
        "time_to_accuracy",
    ]
    figures = [f"figures/{name}.{end}" for name in names for end in ("csv", "png", "svg")]
    made = [str(path.relative_to(folder)) for path in sorted(folder.rglob("*")) if path.is_file()]
    kept = [name for name in made if not name.startswith("points/")]
    assert kept == [*figures, "points.csv", "report.md", "study.yaml", "summary.json"]
    before = {name: (folder / name).read_bytes() for name in kept}
    finish_study(folder)
    assert {name: (folder / name).read_bytes() for name in kept} == before


def test_points_csv_has_a_row_for_each_point(tmp_path: Path) -> None:
    _finish(tmp_path / "s")
    with (tmp_path / "s/points.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 12
    assert {row["network.bandwidth"] for row in rows} == {"1 MHz", "100 MHz"}
    assert (rows[0]["to_0.85_s"], rows[0]["to_0.85_after_s"], rows[0]["to_0.85_censored"]) == (
        "300.0",
        "200.0",
        "False",
    )
    assert (rows[0]["to_0.85.smoothed_s"], rows[0]["to_0.85_bytes"]) == ("500.0", "24000000")
    assert rows[0]["parts_s.airtime"] == "80.0"


def test_the_summary_holds_the_answers_as_numbers(tmp_path: Path) -> None:
    _finish(tmp_path / "s")
    summary = json.loads((tmp_path / "s/summary.json").read_text())
    assert (summary["main_target"], summary["baseline"], summary["x"]) == (0.85, "raw", "network.bandwidth")
    assert summary["correlated_along_x"] is True
    assert summary["closing"] == CLOSING
    found = [one for one in summary["crossovers"] if one["target"] == 0.85]
    assert [(one["low"], one["high"], one["unit"], one["gains"]) for one in found] == [
        (1.0, 100.0, "MHz", "below")
    ]
    ratio = next(one for one in summary["ratios"] if one["target"] == 0.85)
    assert ratio["first"]["mean"]["mean"] == pytest.approx(5.0, rel=1e-2)
    assert ratio["equal_accuracy"] is True
    assert summary["combinations"][0]["largest_part"] == ["airtime", 0.8]


def test_the_report_says_how_it_is_to_be_read(tmp_path: Path) -> None:
    _finish(tmp_path / "s", air_seeds=2)
    report = (tmp_path / "s/report.md").read_text()
    for words in (
        "# Study: bandwidth",
        "they are correlated",
        "for 2 seeds: 12.7, for 3: 4.30 standard errors",
        "counts. With such a run there is a median",
        "(200, 300] s",
        "## Equal rounds",
        "## Equal bytes",
        "## Equal seconds",
        "## Learning and air",
        "| 3 x 2 ",
    ):
        assert words in report
    assert "## Points that failed" not in report


def test_markdown_is_aligned_and_escapes() -> None:
    assert markdown([{"a": "x|y", "bc": "1"}, {"a": "z", "bc": "22"}]) == [
        "| a    | bc |",
        "| ---- | -- |",
        "| x\\|y | 1  |",
        "| z    | 22 |",
    ]


def test_the_command_redraws_a_study(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = fake_study(tmp_path / "s", AXES, change=_known)
    assert main([str(folder)]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[: len(CLOSING)] == CLOSING
    assert printed[len(CLOSING) + 1] == str(folder / "report.md")
    assert printed[-1] == str(folder / "figures/time_to_accuracy.svg")


def test_a_study_is_redrawn_elsewhere_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = fake_study(tmp_path / "s", AXES, change=_known)
    assert main([str(folder), "--json", "-o", str(tmp_path / "out")]) == 0
    assert json.loads(capsys.readouterr().out)["closing"] == CLOSING
    assert (tmp_path / "out/figures/ratio.svg").is_file()
    assert not (folder / "figures").exists()


def test_a_study_beside_others_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = fake_study(tmp_path / "s", AXES)
    assert main([str(folder), str(folder)]) == 2
    assert capsys.readouterr().err == f"{folder}: is a study; a study is drawn alone, found 2 folders\n"


def test_neither_torch_nor_a_simulator_is_loaded_nor_pyplot(tmp_path: Path) -> None:
    folder = fake_study(tmp_path / "s", AXES)
    code = (
        "import sys\nfrom slfac_sim.analysis.cli import main\n"
        f"assert main([{str(folder)!r}]) == 0\n"
        "print(sorted({'torch', 'simpy', 'matplotlib.pyplot'} & set(sys.modules)))\n"
        "ours = {name.split('.')[1] for name in sys.modules if name.startswith('slfac_sim.')}\n"
        "print(sorted(ours))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)
    assert done.stdout.splitlines()[-2:] == ["[]", "['analysis', 'foundation']"]


MARKDOWN = MarkdownIt("commonmark").enable("table")
NAMES = st.text("ab1 *_$|<>[]()&;`\\!#~^.-", min_size=1, max_size=10)


@given(NAMES.map(lambda text: " ".join(text.split()) or "-"))
@example("<b> [x](y) &amp; *x* _x_ `x` q\\z a|b $x_1$")
def test_a_name_in_a_table_is_shown_letter_by_letter(name: str) -> None:
    """By a renderer that knows nothing of our escapes; a dollar, a formula to some others, has one."""
    text = "\n".join(markdown([{"a": name, "b": "x"}]))
    shown = [token.children for token in MARKDOWN.parse(text) if token.type == "inline"][2]
    assert {part.type for part in shown} <= {"text", "text_special"}
    assert "".join(part.content for part in shown) == name
    assert not re.search(r"(?<!\\)\$", text)


def test_a_name_in_a_report_is_no_markup(tmp_path: Path) -> None:
    name = "*x* [x](y) <b>"

    def renamed(point: dict[str, Any]) -> None:
        if point["axes"]["codec"] == "slfac":
            point["label"] = name

    _finish(tmp_path / "s", change=renamed)
    parts = [
        part
        for token in MARKDOWN.parse((tmp_path / "s/report.md").read_text(encoding="utf-8"))
        for part in token.children or ()
    ]
    assert name in "".join(part.content for part in parts)
    assert not {"em_open", "link_open", "html_inline"} & {part.type for part in parts}
    plain = "slfac_rd [1.2, 3.4] (a & b)"  # needs no escape, and has none
    assert markdown([{"a": plain}])[-1] == f"| {plain} |"
