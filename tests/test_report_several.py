"""Reports of several runs side by side, and of answers: what is compared, what differs, what is refused."""

import dataclasses
import json
import math
import shlex
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from run_folders import fake_run
from worlds import TINY

import slfac_sim as sf
from slfac_sim.analysis.answer_result import Answer
from slfac_sim.analysis.report.blocks import Block, Chart, Code
from slfac_sim.analysis.report.make import report_of, write_report
from slfac_sim.analysis.report.page import sections
from slfac_sim.analysis.report.text_rows import table_of
from slfac_sim.analysis.run_table import names_of
from slfac_sim.cli import main
from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.targets import ACCURACY, Target
from slfac_sim.ledger.folder import Run, load
from slfac_sim.studies.search.ask import ask
from slfac_sim.studies.search.replays import Request

RUNS = "slfac_sim.analysis.report.runs"


def two_runs(folder: Path) -> list[Path]:
    """Write a run, and one that took twice as long; they differ in the bandwidth."""
    folders = []
    for name, round_s, hertz in (("fast", 10.0, 2e7), ("slow", 20.0, 1e7)):
        made = fake_run(folder / name, round_s=round_s)
        text = f"name: {name}\nnetwork:\n  bandwidth: {hertz}\n  radius: 100.0\n"
        (made / "scenario.yaml").write_text(text, encoding="utf-8")
        folders.append(made)
    return folders


def test_the_answer_compares_the_times_to_the_hardest_target_that_all_reached(tmp_path: Path) -> None:
    runs = [load(folder) for folder in two_runs(tmp_path)]
    answer = next(sections(RUNS, runs))
    lead = answer.blocks[0].text
    assert "2.00 times as fast" in lead
    assert lead.endswith("to 97 %.")
    assert lead.index("bandwidth 20,") < lead.index("bandwidth 10,")


def test_the_answer_says_that_the_faster_run_ends_lower(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = [load(folder) for folder in two_runs(tmp_path)]
    curve = runs[0].curve()
    lower = dataclasses.replace(curve, accuracy=curve.accuracy - 0.1)
    curves = {runs[0].folder: lower, runs[1].folder: runs[1].curve()}
    monkeypatch.setattr(Run, "curve", lambda run: curves[run.folder])
    assert next(sections(RUNS, runs)).blocks[0].text.endswith(", to 97 %, but ends 10.0 points lower.")


def test_a_comparison_warns_of_data_that_are_made_up(tmp_path: Path) -> None:
    def told(*real: bool) -> list[str]:
        runs = [load(folder) for folder in folders]
        for run, is_real in zip(runs, real, strict=True):
            run.summary["data"] = {"real": is_real}
        return [
            text
            for block in next(sections(RUNS, runs)).blocks
            if "made up" in (text := getattr(block, "text", ""))
        ]

    folders = two_runs(tmp_path)
    assert told(True, True) == []
    assert [text.split(":")[0] for text in told(False, False)] == ["The data are made up"]
    assert [text.split(":")[0] for text in told(True, False)] == ["The data of some runs are made up"]


def test_names_of_runs_have_units_where_a_run_says_them(tmp_path: Path) -> None:
    """One of them has the default, of which it says nothing: its unit is that of the other."""
    folders = two_runs(tmp_path)
    differ = [{"path": "network.bandwidth", "value": "10 MHz"}]
    about = {"version": "1", "differ": differ, "parts": [], "references": []}
    (folders[1] / "about.json").write_text(json.dumps(about), encoding="utf-8")
    names = names_of([load(folder) for folder in folders])
    assert [name.rpartition(", ")[2] for name in names] == ["bandwidth 20 MHz", "bandwidth 10 MHz"]


def test_a_wire_is_named_by_its_link_with_the_unit(tmp_path: Path) -> None:
    folders = two_runs(tmp_path)
    for folder, bps in zip(folders, (1e9, 1e6), strict=True):
        text = f"network: {{links: {{backhaul: {{capacity: {bps!r}}}}}}}\n"
        (folder / "scenario.yaml").write_text(text, encoding="utf-8")
    runs = [load(folder) for folder in folders]
    assert [name.rpartition(", ")[2] for name in names_of(runs)] == ["backhaul 1 Gbit/s", "backhaul 1 Mbit/s"]
    lead = next(sections(RUNS, runs)).blocks[0].text
    assert lead.startswith("backhaul 1 Gbit/s is 2.00 times as fast as backhaul 1 Mbit/s")


def test_names_of_runs_without_units_are_plain_numbers(tmp_path: Path) -> None:
    names = names_of([load(folder) for folder in two_runs(tmp_path)])
    assert [name.rpartition(", ")[2] for name in names] == ["bandwidth 20,000,000", "bandwidth 10,000,000"]


def test_curves_of_all_runs_are_on_one_axis(tmp_path: Path) -> None:
    """Over energy there is no chart: these runs do not tell of it."""
    runs = [load(folder) for folder in two_runs(tmp_path)]
    (curves,) = [section for section in sections(RUNS, runs) if section.name == "curves"]
    assert [chart.title for chart in curves.blocks] == [
        "Test accuracy over simulated time",
        "Test accuracy over payload sent",
    ]
    assert [len(chart.traces) for chart in curves.blocks] == [2, 2]


def test_settings_that_differ_are_told_and_no_others(tmp_path: Path) -> None:
    runs = [load(folder) for folder in two_runs(tmp_path)]
    (settings,) = [section for section in sections(RUNS, runs) if section.name == "settings"]
    (table,) = settings.blocks
    assert [row[0].text for row in table.rows] == ["network.bandwidth"]


def test_runs_with_equal_settings_are_said_to_be(tmp_path: Path) -> None:
    runs = [load(two_runs(tmp_path)[0])] * 2
    (settings,) = [section for section in sections(RUNS, runs) if section.name == "settings"]
    assert settings.blocks[0].text == "The runs have the same settings."


def test_the_answer_has_seconds_rounds_and_what_one_seed_is_worth(tmp_path: Path) -> None:
    runs = [load(folder) for folder in two_runs(tmp_path)]
    lines = next(sections(RUNS, runs)).blocks[1].lines
    assert [line.partition("; ")[0].partition(": ")[2] for line in lines[:2]] == [
        "97 % after 70.0 s (round 7)",
        "97 % after 140.0 s (round 7)",
    ]
    assert lines[2].startswith("One seed each, the same in both")


def test_the_parts_of_the_time_add_up_to_what_is_saved(tmp_path: Path) -> None:
    """Real runs: to the target that both reached, the parts of the difference add up to that of the sums."""
    given = ["protocol.rounds=10", "evaluation.targets=[0.9]", "--quiet"]
    for name in ("raw", "slfac"):
        assert main([str(TINY), *given, f"codec={name}", "--out", str(tmp_path / name)]) == 0
    runs = [load(tmp_path / name) for name in ("raw", "slfac")]
    text, table = _time_of(runs)
    assert "to 90 %: of " in text.text
    assert table.head[-1] == "difference"
    numbers = {row[0].text: [cell.number for cell in row[1:]] for row in table.rows}
    whole_s = numbers.pop("sum")
    assert whole_s[:2] == pytest.approx([run.times_s[Target(ACCURACY, 0.9)] for run in runs])
    bits = [numbers.pop(f"bits per value, {way}") for way in ("up", "down")]
    assert all(raw > coded + 16 for raw, coded, _ in bits)
    assert np.sum([*numbers.values()], axis=0) == pytest.approx(whole_s)


def test_runs_of_other_lengths_are_compared_without_a_saving(tmp_path: Path) -> None:
    for rounds in ("1", "2"):
        given = [f"protocol.rounds={rounds}", "--quiet", "--out", str(tmp_path / rounds)]
        assert main([str(TINY), *given]) == 0
    (table,) = _time_of([load(tmp_path / rounds) for rounds in ("1", "2")])
    assert table.title == "The critical path to the end of each run"


def _time_of(runs: list[Run]) -> Sequence[Block]:
    (part,) = [section for section in sections(RUNS, runs) if section.name == "time"]
    return part.blocks


def test_runs_without_a_common_target_are_not_ranked(tmp_path: Path) -> None:
    low = fake_run(tmp_path / "low", accuracy=(0.1, 0.2))
    runs = [load(low), load(fake_run(tmp_path / "high"))]
    assert "no target" in next(sections(RUNS, runs)).blocks[0].text


def test_the_page_of_several_runs_lies_in_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folders = two_runs(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert main(["report", *map(str, folders)]) == 0
    assert capsys.readouterr().out == "report.html\n"
    assert "2 runs compared" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_a_report_of_nothing_is_refused() -> None:
    with pytest.raises(BadInput, match="report: no folder is given"):
        sf.report([])


def test_pages_are_written_from_python_where_it_says(tmp_path: Path) -> None:
    folders = two_runs(tmp_path)
    both = sf.report([sf.analysis.load(folders[0]), str(folders[1])], tmp_path / "both.html")
    assert "2 runs compared" in both.read_text(encoding="utf-8")
    assert sf.analysis.load(folders[0]).report() == folders[0].resolve() / "report.html"
    assert sf.analysis.load(fake_answer(tmp_path / "answer")).report(tmp_path / "a.html").is_file()


def test_a_study_is_not_compared_with_runs(tmp_path: Path) -> None:
    study = tmp_path / "study"
    study.mkdir()
    (study / "study.yaml").write_text("name: x\n", encoding="utf-8")
    with pytest.raises(BadInput, match="is a study, which has a report of its own; runs alone are compared"):
        report_of(fake_run(tmp_path / "run"), study)


def fake_answer(folder: Path) -> Path:
    """Write an answer over two seeds, as `ask` leaves it."""
    folder.mkdir()
    drawn = {"x": ["network.bandwidth (MHz)", 1e6], "y": ["time to 80 % (s)", 1.0]}
    facts = {
        "question": "time_to_accuracy(0.8) <= 3 s",
        "between": [1e6, 1e7],
        "seeds": [
            {"learning": seed, "air": seed, "holds": [[3e6, 1e7]], "edges": [_EDGE]} for seed in (0, 1)
        ],
        "answer": ["seed 0: it is 3 MHz", "seed 1: it is 3 MHz", "the smallest of all is 3 MHz"],
        "vary": "network.bandwidth",
        "measure": "time_to_accuracy(0.8)",
        "drawn": {**drawn, "marks": [3e6, 3e6], "bound": 3.0},
    }
    (folder / "answer.json").write_text(json.dumps(facts), encoding="utf-8")
    rows = [f",{seed},{seed},{hertz},{9e6 / hertz}" for seed in (0, 1) for hertz in (1e6, 3e6, 1e7)]
    head = "side,seed_learning,seed_air,network.bandwidth,time_to_accuracy(0.8)"
    (folder / "curve.csv").write_text("\n".join([head, *rows, ""]), encoding="utf-8")
    return folder


_EDGE = {"low": 2.9e6, "high": 3e6, "holds_above": True}


def test_an_answer_is_on_top_of_its_page(tmp_path: Path) -> None:
    page = write_report(fake_answer(tmp_path / "answer")).read_text(encoding="utf-8")
    assert "time_to_accuracy(0.8) &lt;= 3 s" in page
    assert page.index("The smallest of all is 3 MHz.") < page.index("seed 0: it is 3 MHz")


def test_curves_of_a_question_are_told_apart_by_seed_and_of_a_crossover_by_side(tmp_path: Path) -> None:
    folder = fake_answer(tmp_path / "answer")
    parts = {part.name: part for part in sections("slfac_sim.analysis.report.answer", Answer(folder))}
    seeds = parts["curve"].blocks[0].traces[:2]
    assert [trace["name"] for trace in seeds] == ["seed 0", "seed 1"]
    assert len({trace["line"]["color"] for trace in seeds}) == 2
    text = (folder / "curve.csv").read_text(encoding="utf-8")
    sides = [row.replace(",", f"{side},", 1) for side in ("a", "b") for row in text.splitlines()[1:]]
    (folder / "curve.csv").write_text("\n".join([text.splitlines()[0], *sides, ""]), encoding="utf-8")
    parts = {part.name: part for part in sections("slfac_sim.analysis.report.answer", Answer(folder))}
    shown = [trace for trace in parts["curve"].blocks[0].traces[:4] if trace["showlegend"]]
    assert [trace["name"] for trace in shown] == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("112 s", 112.0),
        ("> 1,200 s", 1200.0),
        ("112 [98, 130] s", 112.0),
        ("median 4.2 (1 of 3)", 4.2),
        ("(0, 9.95] s", 0.0),
        ("97.4 %", 97.4),
        ("-", None),
        ("top-k 5 %", None),
        ("3x8", None),
    ],
)
def test_cells_are_sorted_by_the_number_that_they_begin_with(text: str, number: float | None) -> None:
    (row,) = table_of("", [{"it": text}]).rows
    assert row[0].number == number


def test_a_cell_is_sorted_by_its_place_where_that_is_known() -> None:
    places = {"bandwidth": {"500 kHz": 5e5, "1 MHz": 1e6}}
    table = table_of("", [{"bandwidth": text} for text in ("500 kHz", "1 MHz", "?")], places)
    assert [row[0].number for row in table.rows] == [5e5, 1e6, None]
    assert not any(math.isnan(row[0].number or 0.0) for row in table.rows)


def test_what_lies_in_the_folder_of_a_real_answer_makes_all_of_its_page(tmp_path: Path) -> None:
    """Asked again by the command on its page, in its folder, it gives the same curve."""
    cache = tmp_path / "trainings"
    request = Request(str(TINY), "network.bandwidth", between="1 MHz,4 MHz", cache=cache, out=tmp_path / "a")
    folder = ask(request, "simulated_s <= 2 s")
    parts = {part.name: part for part in sections("slfac_sim.analysis.report.answer", Answer(folder))}
    assert [part.damage for part in parts.values()] == [""] * 5
    (chart,) = parts["curve"].blocks
    assert isinstance(chart, Chart)
    curve = Answer(folder).curve
    assert chart.traces[0]["x"] == curve.sides[0].x.tolist()
    (command,) = [
        block.text for block in parts["reproduce"].blocks if isinstance(block, Code) and not block.title
    ]
    words = shlex.split(command.replace("scenario.yaml", str(folder / "scenario.yaml")))[1:]
    assert main([*words, "--cache", str(cache), "--out", str(tmp_path / "again")]) == 0
    assert (tmp_path / "again" / "curve.csv").read_text() == (folder / "curve.csv").read_text()


def test_the_command_of_a_crossover_names_both_sides_and_the_target(tmp_path: Path) -> None:
    folder = fake_answer(tmp_path / "answer")
    facts = json.loads((folder / "answer.json").read_text(encoding="utf-8"))
    del facts["question"]
    facts |= {
        "a": "raw",
        "b": "codec.uplink=raw; codec.downlink=fp16",
        "measure": "time_to_macro_f1(0.7)",
    }
    (folder / "answer.json").write_text(json.dumps(facts), encoding="utf-8")
    (folder / "scenario.yaml").write_text("name: x\n", encoding="utf-8")
    page = report_of(folder)
    assert (
        "crossover scenario.yaml &#34;raw&#34; &#34;codec.uplink=raw; codec.downlink=fp16&#34;"
        " --target macro_f1=0.7 --vary network.bandwidth --between 1e+06,1e+07 --seeds 2" in page
    )


def test_an_answer_of_an_earlier_version_says_how_to_cite(tmp_path: Path) -> None:
    page = report_of(fake_answer(tmp_path / "answer"))
    assert "slfac-sim cite answer" in page
