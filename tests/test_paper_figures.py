"""Figures for papers and slides: sizes, fonts, bytes, and that nobody needs colours to read them."""

import importlib
import re
from itertools import combinations
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from drawn_texts import faults
from matplotlib.image import imread
from numpy.typing import NDArray
from run_folders import fake_run
from study_folders import fake_study

from slfac_sim.analysis import draw
from slfac_sim.analysis.booktabs import write_booktabs
from slfac_sim.analysis.pages import PAGES, SCREEN, Page
from slfac_sim.analysis.studies.reading import load_study
from slfac_sim.analysis.studies.report import FIGURES as OF_STUDIES
from slfac_sim.analysis.studies.report import figure_of as figure_of_study
from slfac_sim.analysis.style import fill, house_style, look, stacked_canvas
from slfac_sim.analysis.style_file import styled
from slfac_sim.cli import main
from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.plugins import kinds
from slfac_sim.ledger.folder import load

EVERY_PAGE = [page for pages in PAGES.values() for page in pages]
# Machado, Oliveira, Fernandes (2009): deuteranopia, of linear RGB; and luminance of sRGB (IEC 61966-2-1)
DEUTERANOPIA = np.array(
    [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]]
)
GREY = np.tile([0.2126, 0.7152, 0.0722], (3, 1))
Picture = NDArray[np.float64]


def seen(picture: Picture, matrix: Picture) -> Picture:
    """Return `picture` [..., 3], sRGB from 0 to 1, as it is seen through `matrix`, sRGB again."""
    linear = np.where(picture <= 0.04045, picture / 12.92, ((picture + 0.055) / 1.055) ** 2.4)
    through = np.clip(linear @ matrix.T, 0.0, 1.0)
    return np.where(through <= 0.0031308, 12.92 * through, 1.055 * through ** (1 / 2.4) - 0.055)


def swatches(handles: list[dict[str, object]], tmp_path: Path) -> list[Picture]:
    """Return a picture of each line or bar, as long as in a legend, with one marker."""
    with house_style():
        figure, all_axes = stacked_canvas(len(handles), 8.0)
        for axes, how in zip(all_axes, handles, strict=True):
            axes.set_axis_off()
            if "hatch" in how:
                axes.bar([0.0], [1.0], **how)  # type: ignore[arg-type]
            else:
                axes.plot([0.0, 0.5, 1.0], [0.0, 0.0, 0.0], markevery=[1], **how)  # type: ignore[arg-type]
                axes.set_xlim(-6.0, 7.0)  # 18 pt in 88 mm
        figure.savefig(tmp_path / "all.png", dpi=150)
        boxes = [axes.get_position() for axes in all_axes]
    whole = imread(tmp_path / "all.png")[:, :, :3].astype(np.float64)
    high = min(round(box.height * whole.shape[0]) for box in boxes)
    tops = [round((1.0 - box.y1) * whole.shape[0]) for box in boxes]
    return [whole[top : top + high] for top in tops]


@pytest.mark.parametrize("matrix", [DEUTERANOPIA, GREY], ids=["deuteranopia", "grey"])
@pytest.mark.parametrize("drawn", ["lines", "fills"])
def test_what_is_drawn_is_told_apart_without_its_colours(drawn: str, matrix: Picture, tmp_path: Path) -> None:
    lines: list[dict[str, object]] = [{**look(i).line} for i in range(10)]
    fills: list[dict[str, object]] = [
        {"color": fill(i).colour, "hatch": fill(i).hatch, "edgecolor": "#222222"} for i in range(9)
    ]
    pictures = [seen(picture, matrix) for picture in swatches(lines if drawn == "lines" else fills, tmp_path)]
    for (one, first), (other, second) in combinations(enumerate(pictures), 2):
        inked = (first.min(axis=2) < 0.97) | (second.min(axis=2) < 0.97)
        apart = np.abs(first - second).max(axis=2)[inked]
        assert np.mean(apart > 0.1) > 0.1, f"{one} and {other} look alike"


@pytest.mark.parametrize("page", EVERY_PAGE, ids=lambda page: f"{page.width_mm:.0f} mm")
def test_texts_of_figures_fit_on_every_page(page: Page, tmp_path: Path) -> None:
    run = load(fake_run(tmp_path / "run"))
    study = load_study(fake_study(tmp_path / "study"))
    with house_style(page):
        for name in kinds(draw.FIGURES):
            figure = importlib.import_module(f"{draw.FIGURES}.{name}")
            if (data := figure.data(run)) is not None:
                drawn = figure.draw([data])
                assert not faults(drawn), name
                assert drawn.get_size_inches()[0] * 25.4 == pytest.approx(page.width_mm)
        for name in kinds(OF_STUDIES):
            shown = figure_of_study(study, name, page)
            assert shown is None or not faults(shown), name


def test_a_pdf_has_the_width_and_the_fonts_of_the_paper_and_equal_bytes(tmp_path: Path) -> None:
    runs = [load(fake_run(tmp_path / name)) for name in "ab"]
    files = [
        draw.draw(runs, tmp_path / out, page=PAGES["ieee"][0], names=["time_to_accuracy"])
        for out in ("once", "again")
    ]
    assert [path.suffix for path in files[0]] == [".pdf", ".csv", ".tex"]
    assert [path.read_bytes() for path in files[0]] == [path.read_bytes() for path in files[1]]
    pdf = files[0][0].read_bytes()
    box = re.search(rb"/MediaBox \[ 0 0 ([\d.]+) ", pdf)
    assert box is not None
    assert float(box[1]) == pytest.approx(3.5 * 72)
    assert b"/Type3" not in pdf
    assert b"STIXGeneral" in pdf
    assert b"/FontFile2" in pdf
    assert b"Date" not in pdf


@pytest.mark.parametrize("page", ["acm", "slides"])
@pytest.mark.parametrize("form", ["svg", "png"])
def test_no_date_is_in_svg_or_png_and_no_font_is_missing(page: str, form: str, tmp_path: Path) -> None:
    run = str(fake_run(tmp_path / "run"))
    words = ["figure", run, "--for", page, "--format", form, "--name", "time_to_accuracy"]
    assert main([*words, "-o", str(tmp_path / "once")]) == 0
    assert main([*words, "-o", str(tmp_path / "again")]) == 0
    once, again = (tmp_path / out / f"time_to_accuracy.{form}" for out in ("once", "again"))
    assert once.read_bytes() == again.read_bytes()
    if form == "svg":
        text = once.read_text(encoding="utf-8")
        assert "<dc:date" not in text
        assert "<text" not in text  # letters are drawn


def test_the_verb_says_what_it_wrote_and_how_to_use_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study = str(fake_study(tmp_path / "study"))
    words = ["figure", study, "--for", "acm", "--columns", "2", "--name", "ratio,time_to_accuracy"]
    assert main([*words, "-o", str(tmp_path / "out")]) == 0
    lines = capsys.readouterr().out.splitlines()
    names = [Path(line).name for line in lines if line.startswith(str(tmp_path))]
    stems = ("ratio", "time_to_accuracy")
    assert names == [*(f"{stem}.{end}" for stem in stems for end in ("pdf", "csv", "tex")), "results.tex"]
    assert "177.9 mm wide, texts of 8 pt: include them unscaled" in lines
    assert lines[-1].endswith(f"cite {study} --bibtex")
    results = (tmp_path / "out" / "results.tex").read_text(encoding="utf-8")
    assert [results.count(rule) for rule in (r"\toprule", r"\midrule", r"\bottomrule")] == [1, 1, 1]
    assert not (Path(study) / "report.md").exists()


def test_of_several_figures_those_are_drawn_for_which_there_is_something(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, out = str(fake_run(tmp_path / "a")), tmp_path / "out"
    assert main(["figure", run, "--name", "staleness,time_to_accuracy", "-o", str(out)]) == 0
    assert capsys.readouterr().err.startswith(f"note: {run}: has nothing for the figure 'staleness'")
    assert {path.stem for path in out.iterdir()} == {"time_to_accuracy"}


def test_what_cannot_be_drawn_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one, other = (str(fake_run(tmp_path / name)) for name in "ab")
    for words, reason in (
        (
            ["--name", "time_to_acuracy"],
            "no figure 'time_to_acuracy' among .*; did you mean 'time_to_accuracy'",
        ),
        (["--name", "staleness"], "has nothing for the figure 'staleness'"),
        ([other, "--name", "cell_map"], "the figure 'cell_map' shows one run, and 2 are given"),
        (["--for", "neurips", "--columns", "2"], "--columns 2: needs --for ieee or acm, found neurips"),
        (["--columns", "2"], "--columns 2: needs --for ieee or acm, found none"),
    ):
        assert main(["figure", one, *words, "-o", str(tmp_path / "out")]) == 2
        err = capsys.readouterr().err
        assert re.search(reason, err), err
        assert err.count("\n") == 1
        assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("of_runs", "of_study"),
    [
        ("bytes_to_accuracy", "accuracy_over_bytes"),
        ("energy_to_accuracy", "accuracy_over_energy"),
        ("time_by_part", "time_parts"),
    ],
)
def test_a_figure_that_a_study_calls_otherwise_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], of_runs: str, of_study: str
) -> None:
    folders = fake_run(tmp_path / "run"), fake_study(tmp_path / "study", {"codec": ["raw"]}, seeds=1)
    for folder, asked, known, of in zip(
        folders, (of_study, of_runs), (of_runs, of_study), ("runs", "a study"), strict=True
    ):
        assert main(["figure", str(folder), "--name", asked, "-o", str(tmp_path / "out")]) == 2
        assert f"; of {of} it is '{known}'" in capsys.readouterr().err
        assert main(["figure", str(folder), "--name", known, "-o", str(tmp_path / known)]) in (0, 2)
        assert "no figure" not in capsys.readouterr().err


def test_a_style_comes_before_ours(tmp_path: Path) -> None:
    file = tmp_path / "matplotlibrc"
    file.write_text(
        "# of a thesis\nfont.size: 9  # points\nfigure.figsize: 4, 3\nfont.family: serif\n"
        "axes.prop_cycle: cycler('color', ['112233', 'r'])\ngrid.color: \"#abcdef\"\n",
        encoding="utf-8",
    )
    page = styled(PAGES["ieee"][0], file)
    assert (page.text_pt, page.width_mm) == (9.0, pytest.approx(101.6))
    assert page.formats == ("pdf",)
    with house_style(page):
        assert [look(i).colour for i in range(2)] == ["#112233", "#ff0000"]
        assert matplotlib.rcParams["font.family"] == ["serif"]
        assert matplotlib.rcParams["grid.color"] == "#abcdef"
        assert matplotlib.rcParams["pdf.fonttype"] == 42
    assert look(0).colour != "#112233"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("font.size 9", r":1: found 'font.size 9', expected lines such as 'font.size: 9'"),
        ("\nfont.sise: 9", r":2: matplotlib has no setting 'font.sise'; did you mean 'font.size'"),
        ("font.size: big", r":1: 'font.size' cannot be 'big' \(.*\)"),
        ("pdf.fonttype: 3", r":1: 'pdf.fonttype' cannot be set: fonts are embedded as TrueType"),
        ("font.family: No Such Font", r": font.family: this machine has none of No Such Font"),
        (None, r": No such file or directory; expected a file of lines such as 'font.size: 9'"),
    ],
)
def test_a_bad_style_is_one_sentence(text: str | None, reason: str, tmp_path: Path) -> None:
    file = tmp_path / "rc"
    if text is not None:
        file.write_text(text, encoding="utf-8")
    with pytest.raises(BadInput, match=f"{re.escape(str(file))}{reason}") as caught:
        styled(SCREEN, file)
    assert "\n" not in str(caught.value)


def test_a_table_for_latex_escapes_what_it_has_to(tmp_path: Path) -> None:
    rows = [{"run": "a_b & 5 %", "simulated_s": 12.34567}, {"run": "#2", "simulated_s": float("nan")}]
    assert write_booktabs(rows, tmp_path / "t.tex").read_text(encoding="utf-8").splitlines() == [
        r"% \usepackage{booktabs}",
        r"\begin{tabular}{lr}",
        r"\toprule",
        r"run & simulated (s) \\",
        r"\midrule",
        r"a\_b \& 5 \% & 12.35 \\",
        r"\#2 &  \\",
        r"\bottomrule",
        r"\end{tabular}",
    ]


def test_a_table_for_latex_leaves_out_columns_that_tell_nothing(tmp_path: Path) -> None:
    rows = [
        {"panel": "", "line": "a", "set-up": 0.0, "untrained": 0, "seconds": 0.0, "more than": np.nan},
        {"panel": "", "line": "b", "set-up": 0.0, "untrained": 0, "seconds": 2.0, "more than": None},
    ]
    text = write_booktabs(rows, tmp_path / "t.tex").read_text(encoding="utf-8")
    assert [line for line in text.splitlines() if "&" in line] == [
        r"line & seconds \\",
        r"a & 0 \\",
        r"b & 2 \\",
    ]
    nothing = write_booktabs([{"misses": 0}], tmp_path / "n.tex").read_text(encoding="utf-8")
    assert r"misses \\" in nothing
