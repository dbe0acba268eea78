"""The documents: what they show works, what they list is there, and they name nothing that is not."""

import importlib
import json
import re
import shlex
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import simpy
from fakes import participants
from run_folders import SELDOM
from test_resume import killed, resumed, undisturbed
from worlds import TINY, live_run, scenario, table, world

import slfac_sim as sf
from slfac_sim.analysis.draw import FIGURES, draw_run
from slfac_sim.cli import COMMANDS, main
from slfac_sim.cli.pages import anchor_of
from slfac_sim.cli.parsing import arguments_of, parser_of
from slfac_sim.forecast.round_time import round_time
from slfac_sim.foundation.plugins import kinds
from slfac_sim.hosts.names import SERVER, device_names
from slfac_sim.ledger.store import FileLedger
from slfac_sim.ledger.tables import TABLES
from slfac_sim.network import Hosts
from slfac_sim.network.kinds.ideal import Ideal
from slfac_sim.protocols.parallel import Parallel
from slfac_sim.runs.resume import prepare_resume
from slfac_sim.runs.run import prepare, run
from slfac_sim.simulation.replay import protocol_of
from slfac_sim.simulation.simulate import simulate, survey_of
from slfac_sim.simulation.simulated import SimulatedPlayer

ROOT = Path(__file__).resolve().parent.parent
DOCS = sorted([*(ROOT / "docs").glob("*.md"), *(ROOT / "docs" / "howto").glob("*.md")])
RESULTS, DESIGN = ((ROOT / "docs" / name).read_text(encoding="utf-8") for name in ("results.md", "design.md"))
HOWTO = "\n".join(path.read_text(encoding="utf-8") for path in DOCS if path.parent.name == "howto")
_BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PLUGINS = {
    path if "/" in path else f"their_pkg/{path}": code
    for kind, path, code in _BLOCK.findall(HOWTO)
    if kind == "python" and (path.startswith(("their_pkg/", "analysis/")) or "@settings" in code)
}
SETTINGS = [text for kind, _, text in _BLOCK.findall(HOWTO) if kind == "yaml" and "their_pkg." in text]


def overrides(text: str) -> list[str]:
    return [f"{key}={value}" for key, value in (line.split(": ", 1) for line in text.splitlines())]


@pytest.fixture
def their_pkg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The example plug-ins as files, their package on the path; forgotten afterwards."""
    for path, code in PLUGINS.items():
        file = tmp_path / "theirs" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(code, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path / "theirs")
    yield tmp_path / "theirs"
    for name in [name for name in sys.modules if name.split(".")[0] == "their_pkg"]:
        del sys.modules[name]


def test_every_example_is_a_file_and_every_plug_in_is_used() -> None:
    assert all(path.startswith(("their_pkg/", "analysis/figures/")) for path in PLUGINS)
    assert len(PLUGINS) == 13
    used = set(re.findall(r"their_pkg\.(\w+)", "".join(SETTINGS)))
    used |= set(re.findall(r"--callback their_pkg\.(\w+)\.\w+\n", HOWTO))
    assert used == {Path(path).stem for path in PLUGINS if path.startswith("their_pkg/")}


@pytest.mark.parametrize("text", SETTINGS, ids=lambda text: text.split(":")[0])
def test_a_plug_in_of_howto_runs(text: str, their_pkg: Path, tmp_path: Path) -> None:
    """The tiny scenario with that plug-in in it learns, transmits, and does it twice alike."""
    digests = []
    for name in ("one", "two"):
        path = tmp_path / f"{name}.sqlite"
        _, seconds, digest = live_run(path, *overrides(text))
        assert seconds > 0.0
        assert [row["round"] for row in table(path, "evals")] == [0, 1, 2]
        digests.append(digest)
    assert digests[0] == digests[1]


def test_the_codec_of_howto_sends_two_bytes_a_value(their_pkg: Path, tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    live_run(path, "codec={kind: their_pkg.half}")
    bodies = [row for row in table(path, "payloads") if row["kind"].startswith("smashed")]
    frame_bytes = {row["bytes"] - 2 * row["value_count"] for row in bodies}
    assert len(frame_bytes) == 1
    assert 0 < frame_bytes.pop() < 30


def test_the_network_of_howto_is_a_long_way(their_pkg: Path, tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    live_run(path, "network={kind: their_pkg.satellite, latency: 300 ms}")
    sent = table(path, "transfers")
    assert {round(row["end_s"] - row["last_bit_s"], 9) for row in sent} == {0.3}
    assert {round(row["rate_bps"]) for row in sent} == {5e6, 50e6}


def test_the_network_of_howto_goes_behind_wires(their_pkg: Path, tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    access = "{sky: {network: {kind: their_pkg.satellite, latency: 300 ms}, devices: 5}}"
    wire = "{wire: {between: [sky, server], capacity: 1 Mbit/s, latency: 5 ms}}"
    live_run(path, f"network={{kind: topology, access: {access}, links: {wire}}}")
    sent = table(path, "transfers")
    assert {round(row["end_s"] - row["last_bit_s"], 9) for row in sent} == {0.305}
    assert all(8e-6 * row["wire_bytes"] < row["last_bit_s"] - row["start_s"] + 1e-9 for row in sent)


def test_the_protocol_of_howto_takes_turns_and_can_be_replayed(their_pkg: Path, tmp_path: Path) -> None:
    live = tmp_path / "live.sqlite"
    chosen, seconds, _ = live_run(live, "protocol={kind: their_pkg.in_turn, rounds: 2, steps: 2}")
    worked = [row["host"] for row in table(live, "computes") if row["host"] != "server"]
    turns = [host for before, host in zip(["", *worked], worked, strict=False) if host != before]
    assert turns == 2 * device_names(5)
    assert len(table(live, "steps")) == 20
    with FileLedger(tmp_path / "again.sqlite") as ledger:
        assert simulate(chosen, protocol_of(live, device_names(5)), ledger) == seconds
        for name in ("computes", "transfers", "steps", "evals"):
            replayed = ledger.query(f"SELECT * FROM {name} ORDER BY rowid")
            assert replayed == [tuple(row.values()) for row in table(live, name)]


def test_a_round_of_the_protocol_of_howto_takes_what_was_foretold(their_pkg: Path, tmp_path: Path) -> None:
    """By the schedule that it declares; turns under another name were foretold twice too fast."""
    settings = ("codec=raw", "protocol={kind: their_pkg.in_turn, rounds: 2, steps: 2}")
    live_run(tmp_path / "live.sqlite", *settings)
    first, second = (row["at_s"] for row in table(tmp_path / "live.sqlite", "rounds"))
    one = world(*settings)
    foretold = round_time(one, survey_of(one.scenario), one.scenario.protocol.schedule)
    assert foretold.seconds == pytest.approx(second - first, rel=0.1)


def test_the_protocol_of_howto_is_resumed_and_may_lose_devices(their_pkg: Path, tmp_path: Path) -> None:
    """Checkpoints and participation come with the class that it inherits."""
    turns = ("protocol={kind: their_pkg.in_turn, rounds: 3, steps: 1}", "devices.count=3")
    summary = undisturbed(tmp_path / "whole", *turns)
    killed(tmp_path / "cut", 12, *turns)
    assert prepare_resume(tmp_path / "cut").rounds >= 1
    assert resumed(tmp_path / "cut")["digest"] == summary["digest"]
    live_run(tmp_path / "late.sqlite", *turns, "protocol.participation.deadline=1 us")
    assert [row["reason"] for row in table(tmp_path / "late.sqlite", "misses")] == ["deadline"] * 9


FAMILIES = {
    "half": "codecs",
    "few_labels": "learning.partitions",
    "two_blocks": "learning.models",
    "stripes": "learning.datasets",
    "in_turn": "protocols",
}
_IN_THEIR_FAMILIES = """
import importlib, pathlib, sys, pytest
for folder in pathlib.Path(sys.argv[1]).iterdir():
    importlib.import_module("slfac_sim." + folder.name).__path__.append(str(folder))
sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", "--matrix=all", "-k", *sys.argv[2:]]))
"""


@pytest.mark.slow  # a pytest of its own
def test_the_conformance_tests_find_a_new_file_by_themselves(tmp_path: Path) -> None:
    """The laws of codecs and of partitions, and the resolved text, over the examples as files of ours."""
    for name, family in FAMILIES.items():
        (tmp_path / "families" / family).mkdir(parents=True)
        code = PLUGINS[f"their_pkg/{name}.py"]
        (tmp_path / "families" / family / f"{name}.py").write_text(code, encoding="utf-8")
    files = ("tests/codecs/test_law.py", "tests/test_partitions.py", "tests/test_scenario_file.py")
    words = [str(tmp_path / "families"), " or ".join(FAMILIES), *files]
    command = [sys.executable, "-c", _IN_THEIR_FAMILIES, *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed
    assert int(passed[1]) >= 14


def test_the_figure_of_howto_is_drawn_of_every_run(
    their_pkg: Path, finished: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    figures = importlib.import_module(FIGURES)
    monkeypatch.setattr(figures, "__path__", [*figures.__path__, str(their_pkg / "analysis" / "figures")])
    found = [name for name in kinds(FIGURES) if name in ("codec_gap", "time_to_accuracy")]
    monkeypatch.setattr("slfac_sim.analysis.draw.kinds", lambda package: found)  # the others are drawn
    try:
        names = {path.name for path in draw_run(finished)}
    finally:
        sys.modules.pop(f"{FIGURES}.codec_gap", None)
        vars(figures).pop("codec_gap", None)
    assert {"codec_gap.png", "codec_gap.svg", "time_to_accuracy.svg"} <= names
    assert "accuracy lost in the codec" in (finished / "figures/codec_gap.svg").read_text(encoding="utf-8")


class Board:
    """A board of the client `scoreboard`, which docs/howto/own_callback.md makes up."""

    def __init__(self, **settings: Any) -> None:
        self.settings = settings
        self.told: list[tuple[int, dict[str, float]]] = []
        self.summary: dict[str, str] = {}
        self.open = True

    def log(self, figures: dict[str, float], step: int) -> None:
        self.told.append((step, figures))

    def finish(self) -> None:
        self.open = False


def test_the_callback_of_howto_tells_its_service(
    their_pkg: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    boards: list[Board] = []
    client = ModuleType("scoreboard")
    vars(client)["init"] = lambda **settings: boards.append(Board(**settings)) or boards[-1]
    monkeypatch.setitem(sys.modules, "scoreboard", client)
    (callback,) = re.findall(r"--callback (\S+)", HOWTO.replace("--callback MODULE.CLASS", ""))
    assert main([str(TINY), "--out", str(tmp_path / "run"), "--quiet", "--callback", callback]) == 0
    (board,) = boards
    assert (board.settings["name"], board.open) == ("tiny-run", False)
    rows = table(tmp_path / "run" / "ledger.sqlite", "evals")
    assert [(step, told["at_s"], told["accuracy"]) for step, told in board.told] == [
        (row["round"], row["at_s"], row["accuracy"]) for row in rows
    ]
    summary = json.loads((tmp_path / "run" / "summary.json").read_text(encoding="utf-8"))
    assert board.summary == {"status": "finished", "digest": summary["digest"]}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished run of the tiny scenario, ``runs/latest`` in a folder of its own."""
    folder = tmp_path_factory.mktemp("docs") / "runs" / "latest"
    run(prepare(scenario(), folder, threads=1))
    draw_run(folder)
    return folder


def _section(text: str, title: str) -> str:
    return text.split(f"\n{title}\n", 1)[1].split("\n## ", 1)[0]


def _cells(text: str) -> list[tuple[str, ...]]:
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [tuple(cell.strip() for cell in line.strip("|").split(" | ")) for line in lines[2:]]


def test_results_md_describes_exactly_the_tables_and_columns_of_the_ledger() -> None:
    parts = re.split(r"^### ", _section(RESULTS, "## `ledger.sqlite`"), flags=re.MULTILINE)[1:]
    written = {part.split("`")[1]: _cells(part) for part in parts}
    assert list(written) == list(TABLES)
    for name, columns in TABLES.items():
        assert written[name] == [(f"`{column}`", kind, text) for column, (kind, text) in columns.items()]


def _keys(tree: dict[str, Any], prefix: str = "") -> list[str]:
    found = []
    for key, value in tree.items():
        nested = isinstance(value, dict) and key not in ("time_to_accuracy_s", "time_to_metrics_s")
        found += _keys(value, f"{prefix}{key}.") if nested else [prefix + key]
    return found


def test_results_md_names_exactly_the_keys_of_a_summary(finished: Path) -> None:
    summary = json.loads((finished / "summary.json").read_text(encoding="utf-8"))
    named = [key.strip("`") for key, _ in _cells(_section(RESULTS, "## `summary.json`"))]
    assert named == _keys(summary)
    assert summary["status"] == "finished"


def test_results_md_names_exactly_the_files_of_a_run_folder(finished: Path) -> None:
    names = set(re.findall(r"`((?:figures/|weights/)?\w+\.\w+)`", RESULTS.split("## ", 1)[0]))
    named = names | {name.replace(".png", end) for name in names for end in (".svg", ".csv")}
    there = {
        str(path.relative_to(finished)) for path in finished.rglob("*.*") if "codec_gap" not in path.name
    }
    seldom = {f"figures/{name}{end}" for name in SELDOM for end in (".png", ".svg", ".csv")}
    assert there == named - seldom - {"report.html"}  # which `--report` asks for


def test_results_md_names_exactly_the_figures_that_every_run_draws() -> None:
    (sentence,) = re.findall(r"After a run those are drawn that matter at once,(.*?)\.", RESULTS, re.DOTALL)
    main = {name for name in kinds(FIGURES) if importlib.import_module(f"{FIGURES}.{name}").MAIN}
    assert set(re.findall(r"`(\w+)`", sentence)) == main


def test_what_results_md_reads_can_be_read(
    finished: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(finished.parent.parent)
    blocks = [(kind, code) for kind, _, code in _BLOCK.findall(RESULTS)]
    queries = re.findall(r'sqlite3 (\S+) "([^"]+)"', next(code for kind, code in blocks if kind == "sh"))
    assert len(queries) == 2
    for path, query in queries:
        with closing(sqlite3.connect(path)) as ledger:
            assert len(ledger.execute(query).fetchall()) > 2
    for code in (code for kind, code in blocks if kind == "python" and "pandas" not in code):
        exec(code, {})
    accuracy, airtime_s = map(float, capsys.readouterr().out.split())
    assert 0.0 <= accuracy <= 1.0 < 1.0 + airtime_s


def test_what_python_md_shows_works_in_its_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    text = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
    cells = ModuleType("__main__")
    monkeypatch.setitem(sys.modules, "__main__", cells)  # a class of a cell is one of this module
    for kind, _, code in _BLOCK.findall(text):
        assert kind == "python"
        exec(compile(code, "python.md", "exec"), vars(cells))
    left = vars(cells)
    assert "diverged" in left["reason"] or "loss" in left["reason"]
    assert left["slow"].simulated_s > left["run"].simulated_s
    assert left["mine"].status == left["earlier"].status == "finished"
    assert "the smallest network.bandwidth with time_to_accuracy(0.7) <= 2 s is" in left["answer"].lines[-1]
    assert {name for name in sf.__all__ if callable(getattr(sf, name)) and name.islower()} <= set(
        re.findall(r"sf\.(\w+)", text)
    )


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_a_document_names_only_what_is_there(path: Path) -> None:
    """Files of the repository, modules and links; and no place on somebody's machine."""
    text = _BLOCK.sub("", path.read_text(encoding="utf-8"))
    for name in re.findall(
        r"`((?:slfac_sim|network|analysis|tests|tools|benchmarks|docs|scenarios)/[\w./]+)`", text
    ):
        assert (ROOT / name).exists(), name
    for name in re.findall(r"`((?:tests/)?test_\w+)`", text):
        assert any(name in other.read_text(encoding="utf-8") for other in (ROOT / "tests").glob("*.py")), name
    for name in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (path.parent / name).exists(), name
    for name in re.findall(r"`slfac_sim((?:\.\w+)+)`", text):
        parts = name.strip(".").split(".")
        found = [".".join(parts[:cut]) for cut in range(len(parts), 0, -1)]
        assert any(_importable(f"slfac_sim.{one}") for one in found), name
    assert not re.search(r"/(?:tmp|work|home|root|Users)/", text)


PAGES = [*DOCS, ROOT / "README.md"]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_link_within_the_docs_leads_to_a_heading(path: Path) -> None:
    text = _BLOCK.sub("", path.read_text(encoding="utf-8"))
    for name, anchor in re.findall(r"\]\(([^)#:]*)#([^)]+)\)", text):
        target = (path.parent / name) if name else path
        blocks = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
        headings = re.findall(r"^#+ (.+)$", blocks.sub("", target.read_text(encoding="utf-8")), re.MULTILINE)
        assert anchor in map(anchor_of, headings), f"{name}#{anchor}"


def test_every_command_of_the_docs_can_be_typed() -> None:
    """Those in blocks and in sentences; one that ends in a blank is still being typed."""
    start = r"(?:slfac-sim|python -m slfac_sim) "
    typed = 0
    for path in PAGES:
        text = path.read_text(encoding="utf-8")
        lines = re.findall(rf"^\s*{start}([^\n]*)$", text, re.MULTILINE)
        for line in [*lines, *re.findall(rf"`{start}([^`\n]*[^`\n ])`", text)]:
            verb, *words = shlex.split(re.split(r" [|>] | && |\\$", line)[0], comments=True)
            if verb in COMMANDS:
                typed += 1
                assert arguments_of(parser_of(verb), [verb, *words]).command == verb, line
            elif verb not in ("help", "version") and not verb.startswith("-"):
                assert arguments_of(parser_of("run"), ["run", verb, *words]).scenario == verb, line
    assert typed > 100


def _importable(name: str) -> bool:
    try:
        importlib.import_module(name)
    except ModuleNotFoundError:
        return False
    return True


def _worked_by_hand(path: Path) -> None:
    env = simpy.Environment()
    network = Ideal(up_rate=8e6, down_rate=8e6, latency=0.01).open(env, Hosts(device_names(3), (SERVER,)), 0)
    speeds = {"d000": 1e9, "d001": 2e9, "d002": 4e9, SERVER: 10e9}
    with FileLedger(path) as ledger:
        plan = Parallel(rounds=1, steps=1).run(participants())  # type: ignore[arg-type]
        SimulatedPlayer(env, network, speeds, ledger).play(plan)


def test_the_round_worked_by_hand_in_design_md(tmp_path: Path) -> None:
    """Every row of its table against the ledger, and nothing that takes time is missing from it."""
    path = tmp_path / "ledger.sqlite"
    _worked_by_hand(path)
    kind = {row["transfer"]: row["kind"] for row in reversed(table(path, "payloads"))}
    happened = {
        (f"{row['src']} -> {row['dst']}", kind[row["id"]]): (row["start_s"], row["end_s"])
        for row in table(path, "transfers")
    }
    for row in table(path, "computes"):
        if row["flops"] > 0:
            happened[row["host"], row["what"]] = (row["start_s"], row["end_s"])
    rows = _cells(DESIGN.split("The whole round:\n", 1)[1].split("\n\nThe accuracy", 1)[0])
    written = {(who, what): (float(begin), float(end)) for who, what, begin, end, _ in rows}
    assert written.keys() == happened.keys()
    for key, times in written.items():
        assert times == pytest.approx(happened[key], abs=1e-12), key
    assert "stamped at 4.6800000006 s, and the run ends at 4.7900000006 s" in DESIGN
    assert table(path, "evals")[-1]["at_s"] == pytest.approx(4.6800000006, abs=1e-12)
