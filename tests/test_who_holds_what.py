"""The figure of who holds what, which `check` draws before a run."""

import csv
from pathlib import Path

import pytest
from matplotlib.figure import Figure
from worlds import TINY

import slfac_sim as sf
from slfac_sim.analysis.shares_figure import draw, write

HELD = {"d000": [3, 0, 2], "d001": [0, 7, 0]}


def texts(figure: Figure) -> list[str]:
    axes = figure.axes[0]
    return [text.get_text() for text in axes.texts]


def test_each_cell_has_its_number_and_each_device_its_sum() -> None:
    figure = draw("mine", HELD)
    assert texts(figure) == ["3", "2", "7"]
    assert [bar.get_width() for bar in figure.axes[1].patches] == [5, 7]
    assert [tick.get_text() for tick in figure.axes[0].get_yticklabels()] == ["d000", "d001"]
    assert figure.get_suptitle() == "mine\n2 devices: 5 to 7 samples, 1 to 2 classes each"


def test_many_devices_are_named_at_even_steps_and_cells_have_no_number() -> None:
    figure = draw("mine", {f"d{place:03d}": [place, 5] for place in range(100)})
    assert texts(figure) == []
    named = [tick.get_text() for tick in figure.axes[0].get_yticklabels()]
    assert named == [f"d{place:03d}" for place in range(0, 100, 5)]


def test_the_table_has_every_device_and_class(tmp_path: Path) -> None:
    files = write("mine", HELD, tmp_path)
    assert [path.name for path in files] == [f"who_holds_what.{end}" for end in ("png", "svg", "csv")]
    rows = list(csv.DictReader(files[2].read_text(encoding="utf-8").splitlines()))
    assert [(row["device"], int(row["class"]), int(row["samples"])) for row in rows] == [
        (device, label, count) for device, counts in HELD.items() for label, count in enumerate(counts)
    ]


def test_a_plan_has_what_the_partition_deals_out() -> None:
    plan = sf.check(TINY, "partition={kind: dirichlet, alpha: 0.3}")
    assert plan.figures[-1] == "who_holds_what"
    assert plan.figure("who_holds_what").axes
    assert sum(map(sum, plan.held.values())) == plan.facts["samples"]
    assert [sum(held) for held in plan.held.values()] == plan.facts["samples_per_device"]
    with pytest.raises(sf.BadInput, match="did you mean 'who_holds_what'"):
        plan.figure("who_hold_what")
