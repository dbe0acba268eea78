"""What a report says of a run itself: the answer, its curves, bytes, energy, network, checks, references."""

import json
import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from run_folders import fake_run

from slfac_sim.analysis.format import fixed_percent
from slfac_sim.analysis.report.blocks import Block, Chart, Code, Facts, Items, Table, Text
from slfac_sim.analysis.report.byte_ledger import by_part
from slfac_sim.analysis.report.cells import NONE, measured, said, seconds, share
from slfac_sim.analysis.report.many import FEW, Column, few_or_quantiles
from slfac_sim.analysis.report.run import (
    answer,
    bytes,
    curves,
    energy,
    invariants,
    network,
    reproduce,
    scenario,
    spectra,
    versions,
)
from slfac_sim.cli import main
from slfac_sim.ledger.folder import LEDGER, SUMMARY, Run, load
from slfac_sim.scenario.files import load as load_scenario
from slfac_sim.scenario.files import read
from slfac_sim.scenario.references import references_of

TINY = Path(__file__).parent / "tiny.yaml"
WIRED = (
    "network={kind: topology, access: {"
    "a: {network: {kind: cell, radius: 90 m}, devices: 3},"
    " b: {network: {kind: ideal, up_rate: 9 Mbit/s, down_rate: 9 Mbit/s}, devices: 2}},"
    " links: {x: {between: [a, server], capacity: 1 Mbit/s, latency: 2 ms},"
    " y: {between: [b, server], capacity: 30 Mbit/s, latency: 1 ms}}}"
)
MOVING = "network.change={walk: {kind: random_waypoint, devices: all, speed: [10 m/s, 20 m/s]}}"


def _run(folder: Path, *settings: str, strict: bool = False) -> Run:
    options = ["--quiet", "--no-weights", "--out", str(folder), *["--strict"] * strict]
    assert main(["run", str(TINY), *settings, *options]) == 0
    return load(folder)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return _run(tmp_path_factory.mktemp("what") / "run", "evaluation.targets=[0.2, 0.99]", strict=True)


@pytest.fixture(scope="module")
def wired(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return _run(tmp_path_factory.mktemp("what") / "wired", WIRED, "codec={kind: topk}")


def of(kind: type[Any], blocks: Sequence[Block]) -> Any:
    return [block for block in blocks if isinstance(block, kind)]


def called(title: str, blocks: Sequence[Block]) -> Any:
    (found,) = [block for block in blocks if getattr(block, "title", "").startswith(title)]
    return found


def column(table: Table, name: str) -> list[Any]:
    place = list(table.head).index(name)
    return [row[place] for row in table.rows]


LEADS = {
    "all reached": ((0.5, 0.9), {"0.8": 29.0}, "80 % test accuracy is reached after 29.0 simulated s."),
    "some": (
        (0.5, 0.9),
        {"0.8": 29.0, "0.95": None, "0.97": None},
        "80 % test accuracy is reached after 29.0 simulated s; 95 % and 97 % are not reached.",
    ),
    "one not": (
        (0.5, 0.9),
        {"0.8": 29.0, "0.95": None},
        "80 % test accuracy is reached after 29.0 simulated s; 95 % is not reached.",
    ),
    "none": (
        (0.5, 0.9),
        {"0.95": None},
        "95 % test accuracy is not reached in 29.0 simulated s and 1 round; the best is 90.00 %.",
    ),
    "untrained": ((0.9, 0.9), {"0.8": 0.0}, "80 % test accuracy is reached before any training."),
    "no targets": ((0.5, 0.9), {}, "90.00 % test accuracy after 29.0 simulated s and 1 round."),
    "no evaluation": ((), {"0.8": None}, "No accuracy was measured in 29.0 simulated s and 1 round."),
}


@pytest.mark.parametrize("case", LEADS)
def test_the_answer_in_a_sentence(tmp_path: Path, case: str) -> None:
    accuracy, times, expected = LEADS[case]
    ends = {"final": accuracy[-1], "best": max(accuracy)} if accuracy else {"final": None, "best": None}
    changes = {
        "time_to_accuracy_s": times,
        "accuracy": ends,
        "simulated_s": 29.0,
        "rounds": 1,
        "reason": "",
        "data": {"name": "mnist", "real": True},
        "devices": 2,
    }
    blocks = list(answer.blocks(load(fake_run(tmp_path / "r", accuracy=accuracy or (0.5,), changes=changes))))
    assert blocks[0] == Text(expected, lead=True)
    bottleneck = Text("Bottleneck: uplink air, 100 % of the time.")
    assert of(Text, blocks)[-1] == bottleneck


def test_the_targets_have_what_had_been_spent(run: Run) -> None:
    blocks = list(answer.blocks(run))
    met, missed = called("Targets", blocks).rows
    assert [cell.text for cell in missed] == ["99 %", "not reached", "-", "-", "-"]
    assert met[1].text in ("untrained", f"{run.time_to_accuracy_s[0.2]:.3g} s")
    assert any(block.text.startswith("The data are made up") for block in of(Text, blocks))


@pytest.mark.parametrize("status", ["failed", "interrupted"])
def test_a_run_that_did_not_finish_says_why(tmp_path: Path, status: str) -> None:
    changes = {"status": status, "reason": "by the user", "data": {"real": True}, "devices": 1, "rounds": 1}
    blocks = answer.blocks(load(fake_run(tmp_path / "r", changes=changes)))
    assert Text("The run did not finish: by the user.") in list(blocks)


def test_every_metric_and_every_axis_has_its_curve(run: Run) -> None:
    blocks = list(curves.blocks(run))
    assert [chart.title for chart in of(Chart, blocks)] == [
        "Test accuracy over simulated time",
        "Other metrics over simulated time",
        "Loss over simulated time",
        "Test accuracy over payload bytes",
        "Test accuracy over energy",
        "What classes were taken for",
    ]
    table = called("Evaluations", blocks)
    for name in ("accuracy", "macro_f1", "device_mean", "loss"):
        titles = {
            "accuracy": "accuracy",
            "macro_f1": "macro-F1",
            "device_mean": "mean of devices",
            "loss": "test loss",
        }
        assert [cell.number for cell in column(table, titles[name])] == list(run.measured[name])
    assert [cell.number for cell in column(table, "payload")] == run.curve().bytes_total.tolist()
    matrix = called("What classes were taken for", blocks)
    rows = matrix.table.rows
    assert sum(row[1].number for row in rows) == 100  # the test set
    right = sum(row[1].number * row[2].number for row in rows) / 100
    assert fixed_percent(right, 2) == fixed_percent(run.summary["accuracy"]["final"], 2)


def test_many_evaluations_are_thinned_in_the_table_alone(tmp_path: Path) -> None:
    accuracy = tuple(0.1 + 0.0005 * place for place in range(1001))
    blocks = list(curves.blocks(load(fake_run(tmp_path / "r", accuracy=accuracy))))
    assert len(called("Test accuracy over simulated time", blocks).traces[0]["x"]) == 1001
    table = called("Evaluations, every 3th of 1,001", blocks)
    assert len(table.rows) == 335
    assert column(table, "round")[-1].number == 1000


def test_bytes_add_up_to_those_of_the_summary(run: Run) -> None:
    blocks = list(bytes.blocks(run))
    kinds = called("Payload by kind", blocks).table
    sent = {kind: nbytes for kind, nbytes in run.summary["bytes"].items() if nbytes and kind != "total"}
    assert sorted(cell.number for cell in column(kinds, "bytes")) == sorted(sent.values())
    assert sum(cell.number for cell in column(kinds, "of all")) == pytest.approx(1.0)
    by_round = called("Payload by round", blocks)
    assert {sum(trace["y"]) > 0 for trace in by_round.traces} == {True}
    parts = called("Parts of bodies", blocks)
    assert sum(cell.number for cell in column(parts, "bytes")) == run.summary["bytes"]["total"]
    stacks = [block for block in of(Chart, blocks) if block.title.startswith("What the bytes were for")]
    assert {block.title.rpartition(": ")[2] for block in stacks} == {"activations, up", "gradients, down"}


def test_symbols_stand_beside_their_entropy(tmp_path: Path) -> None:
    coded = _run(tmp_path / "r", "codec={kind: slfac, entropy: ans}")
    (table,) = [block for block in bytes.blocks(coded) if getattr(block, "title", "").startswith("Symbols")]
    for taken, least, ratio in zip(*(column(table, name) for name in table.head[1:]), strict=True):
        assert ratio.number == pytest.approx(taken.number / least.number)
        assert 1.0 <= ratio.number < 2.0


def test_spectra_are_those_of_codecs_with_bands_alone(run: Run, wired: Run) -> None:
    bits, parts = of(Chart, list(spectra.blocks(run)))
    assert {trace["name"] for trace in bits.traces} == {
        f"bits {band}, {way}" for band in ("low", "high") for way in ("up", "down")
    }
    assert all(0.0 <= value <= 1.0 for trace in parts.traces for value in trace["y"])
    assert [chart.title for chart in of(Chart, list(spectra.blocks(wired)))] == ["Parts of the values"]


def test_energy_adds_up_to_that_of_the_summary(run: Run) -> None:
    blocks = list(energy.blocks(run))
    devices, server = called("Energy of all devices", blocks).table.rows
    for row, who in ((devices, "devices"), (server, "server")):
        assert row[-1].number == pytest.approx(run.summary["energy"][who]["total_j"])
        assert sum(cell.number for cell in row[1:-1]) == pytest.approx(row[-1].number)
    hosts = called("Hosts", blocks)
    assert len(hosts.rows) == 6
    least, middle, most = called("Energy of single devices", blocks).table.rows
    assert least[-1].number <= middle[-1].number <= most[-1].number
    assert most[-1].number == max(cell.number for cell in column(hosts, "all")[:5])


def test_the_network_with_its_wires_and_their_load(wired: Run) -> None:
    blocks = list(network.blocks(wired))
    airs = called("Access networks", blocks)
    assert [cell.text for cell in column(airs, "access")] == ["a", "b"]
    assert [cell.number for cell in column(airs, "devices")] == [3, 2]
    wires = called("Wires", blocks)
    assert "limited transfers most" in wires.summary
    bound = wires.summary.split("; ")[1].split(" limited")[0]
    links = called("Links", blocks)
    assert column(links, "link")[0].text == bound
    use = wired.table("link_use")
    carried = {link: bits / 8 for link, bits in zip(use["link"], use["carried_bits"], strict=True)}
    assert {row[0].text: row[3].number for row in links.rows} == pytest.approx(carried)
    devices = called("Devices", blocks)
    assert [cell.text for cell in column(devices, "access")] == ["a", "a", "a", "b", "b"]
    assert len([block for block in of(Chart, blocks) if block.title.startswith("Map")]) == 1


def test_the_network_of_a_cell_has_a_map_of_all_devices(run: Run) -> None:
    blocks = list(network.blocks(run))
    chart = called("Map", blocks)
    points = [trace for trace in chart.traces if "up," in "".join(trace.get("text", ()))]
    assert sum(len(trace["x"]) for trace in points) == 5
    assert len(chart.layout["shapes"]) == 1
    assert not [block for block in of(Chart, blocks) if block.title == "Wires"]


def test_the_ways_of_devices_that_move(tmp_path: Path) -> None:
    moved = _run(tmp_path / "r", MOVING)
    ways = called("Ways of devices", list(network.blocks(moved)))
    assert ways.summary.startswith("5 devices on the way for ")
    starts = next(trace for trace in ways.traces if trace["name"] == "start")
    seen = moved.table("trajectories")
    rows = list(zip(seen["device"], seen["x_m"], seen["y_m"], strict=True))
    first = {device: (x_m, y_m) for device, x_m, y_m in reversed(rows)}
    assert dict(zip(starts["text"], zip(starts["x"], starts["y"], strict=True), strict=True)) == first


def test_the_laws_the_bounds_and_the_digest(run: Run, wired: Run) -> None:
    blocks = list(invariants.blocks(run))
    laws = called("Laws", blocks)
    assert {row[0].text: row[1].number for row in laws.rows} == run.summary["invariants"]["checked"]
    assert all(cell.text for cell in column(laws, "what it says"))
    least = called("What it takes at least", blocks)
    took = column(least, "this run")[-1].number
    assert took == run.summary["simulated_s"]
    for name in least.head[2:]:
        assert 0.0 < column(least, name)[-1].number <= took
    assert f"digest {run.summary['digest'][:16]}" in of(Text, blocks)[1].text
    assert "were not watched" in next(iter(invariants.blocks(wired))).text  # type: ignore[union-attr]


def test_what_was_run_can_be_run_from_the_page(run: Run) -> None:
    blocks = list(scenario.blocks(run))
    (code,) = of(Code, blocks)
    assert code.folded
    whole = load_scenario(run.folder / "scenario.yaml")
    assert read(code.text, "page.yaml") == whole
    differ = called("Settings that differ", blocks)
    assert "name" not in [cell.text for cell in column(differ, "setting")]
    assert {"network.bandwidth": "5 MHz", "cut": "conv1"}.items() <= {
        row[0].text: row[1].text for row in differ.rows
    }.items()
    assert blocks[0] == Text(
        "5 devices learn synthetic with small_cnn, cut after conv1, by the protocol parallel for up to 2"
        " rounds, over the network cell."
    )


def test_versions_and_digests(run: Run) -> None:
    facts = dict(row for block in of(Facts, list(versions.blocks(run))) for row in block.rows)
    assert facts["run"] == run.summary["digest"]
    assert facts["data"] == run.summary["data"]["sha256"]
    assert facts["torch"] == run.summary["host"]["torch"]
    assert facts["slfac_sim"].startswith(json.loads((run.folder / "about.json").read_text())["version"])


def test_the_commands_and_the_references(run: Run) -> None:
    blocks = list(reproduce.blocks(run))
    commands, bibtex = of(Code, blocks)
    assert f"slfac-sim verify {run.folder.name} " in commands.text
    assert "slfac-sim scenario.yaml --threads " in commands.text
    assert "data where" not in commands.text  # made up
    cited = references_of(load_scenario(run.folder / "scenario.yaml"))
    (items,) = of(Items, blocks)
    assert list(items.lines) == [f"{part}: {entry.text()}" for part, entry in cited]
    assert bibtex.text == "\n\n".join(entry.bibtex for _, entry in cited)


def test_an_older_run_is_told_as_far_as_it_goes(run: Run, tmp_path: Path) -> None:
    folder = shutil.copytree(run.folder, tmp_path / "old")
    (folder / "about.json").unlink()
    with closing(sqlite3.connect(folder / LEDGER)) as ledger, ledger:
        for table in ("air", "links", "parts", "codec_notes", "energy", "spent", "classes"):
            ledger.execute(f"DROP TABLE {table}")
    old = load(folder)
    made = {name: list(module.blocks(old)) for name, module in _MODULES.items()}
    texts = {name: [block.text for block in of(Text, blocks)] for name, blocks in made.items()}
    assert "did not write down what the air offered" in texts["network"][0]
    assert "did not write down what the bytes were for" in texts["bytes"][0]
    assert "did not write down which settings differ" in texts["scenario"][1]
    assert texts["reproduce"][1].startswith("Whom to cite for what was used says: slfac-sim cite ")
    assert not list(energy.blocks(old))
    assert not list(spectra.blocks(old))


_MODULES = {"network": network, "bytes": bytes, "scenario": scenario, "reproduce": reproduce}


@given(st.lists(st.one_of(st.floats(-1e6, 1e6), st.just(float("nan"))), min_size=1, max_size=2 * FEW))
def test_few_hosts_are_named_and_many_are_told_by_quantiles(values: list[float]) -> None:
    names = [f"d{place:03d}" for place in range(len(values))]
    joules = Column("joules", values, lambda value: measured(value, "J"))
    columns = [Column("who", names, said), joules]
    tables = list(few_or_quantiles("Hosts", "host", names, columns))
    known = sorted(value for value in values if value == value)
    if len(values) <= FEW:
        (table,) = tables
        assert [row[0].text for row in table.rows] == names
        return
    quantiles, least, most = tables
    assert len(least.rows) == len(most.rows) == 10
    if known:
        assert [column(quantiles, "joules")[place].number for place in (0, -1)] == [known[0], known[-1]]
        assert column(least, "joules")[0].number == known[0]


@pytest.mark.parametrize("value", [None, float("nan"), float("inf")])
def test_what_is_not_known_is_a_dash(value: float | None) -> None:
    assert {measured(value, "J"), seconds(value), share(value)} == {NONE}


def test_nothing_of_a_summary_is_needed_by_name_alone(run: Run, tmp_path: Path) -> None:
    """Keys that a later version adds to a summary are no matter."""
    folder = shutil.copytree(run.folder, tmp_path / "new")
    told = json.loads((folder / SUMMARY).read_text())
    (folder / SUMMARY).write_text(json.dumps({**told, "later": {"x": [1]}}))
    assert list(answer.blocks(load(folder))) == list(answer.blocks(run))


def test_of_kinds_of_equal_bytes_activations_come_first() -> None:
    rows = [
        {"kind": kind, "part": part, "round": 1, "bytes": 100, "messages": 1}
        for kind in ("smashed_down", "smashed_up")
        for part in ("values", "headers")
    ]
    titles = [block.title for block in by_part(rows)]
    assert titles[:2] == [
        f"What the bytes were for: {name}" for name in ("activations, up", "gradients, down")
    ]
