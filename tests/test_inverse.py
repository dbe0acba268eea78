"""Inverse questions: the grammar, the search, the words, and whole answers against live runs."""

import csv
import json
import math
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from told import sentences
from worlds import TINY, live_run, scenario

from slfac_sim.cli import main
from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.targets import Target
from slfac_sim.ledger.store import MemoryLedger
from slfac_sim.scenario.schema import Seed
from slfac_sim.studies.search.ask import Answer, answer_lines, ask
from slfac_sim.studies.search.bisection import Edge, Sample, SearchResult, search, spaced, turns
from slfac_sim.studies.search.crossover import Pair, crossover, crossover_lines, side_overrides
from slfac_sim.studies.search.question import read_question, time_to
from slfac_sim.studies.search.replays import Request
from slfac_sim.studies.search.setting import Setting, setting_at, shown, shown_apart

RANGE = (1.0, 100.0)


@pytest.mark.parametrize(
    ("text", "name", "target", "sense", "bound"),
    [
        ("time_to_accuracy(0.95) <= 600 s", "time_to_accuracy", "0.95", "<=", 600.0),
        ("  time_to_accuracy( 97% )<=10 min ", "time_to_accuracy", "0.97", "<=", 600.0),
        ("time_to_macro_f1(70 %) <= 1 h", "time_to_macro_f1", "macro_f1=0.7", "<=", 3600.0),
        ("time_to_loss(1.5) >= 1 s", "time_to_loss", "loss=1.5", ">=", 1.0),
        ("simulated_s >= 1500 ms", "simulated_s", None, ">=", 1.5),
        ("bytes_total <= 1.5 GB", "bytes_total", None, "<=", 1.5e9),
        ("energy_j <= 2 kJ", "energy_j", None, "<=", 2000.0),
    ],
)
def test_a_question_is_read(text: str, name: str, target: str | None, sense: str, bound: float) -> None:
    question = read_question(text)
    assert (question.measure.name, question.sense, question.bound) == (name, sense, bound)
    assert (question.measure.target and question.measure.target.text) == target
    assert question.holds(bound)
    assert question.holds(bound * 0.9) is (sense == "<=")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("time_to_accuracy(0.95) < 600 s", "expected MEASURE <= QUANTITY or MEASURE >= QUANTITY"),
        ("time_to_acuracy(0.95) <= 600 s", "did you mean 'time_to_accuracy'"),
        ("time_to_accuracy <= 600 s", "needs a target accuracy such as 0.95"),
        ("time_to_accuracy(1.5) <= 600 s", "must lie above 0 and at most at 1"),
        ("time_to_loss(low) <= 600 s", "time_to_loss needs a target test loss such as 0.95 (got 'low')"),
        (
            "time_to_device_mean(1.5) <= 600 s",
            "target mean of devices 1.5: must lie above 0",
        ),
        ("simulated_s(3) <= 600 s", "simulated_s takes no argument"),
        ("simulated_s <= 600 MB", "'600 MB' is a size, expected a duration"),
        ("__import__('os') <= 1 s", "no measure '__import__' among"),
        ("simulated_s.real <= 1 s", "expected MEASURE <= QUANTITY"),
        ("simulated_s <= 1 s; import os", "expected a duration"),
    ],
)
def test_a_question_that_is_none_is_refused(text: str, message: str) -> None:
    with pytest.raises(BadInput) as fault:
        read_question(text)
    assert message in str(fault.value)
    assert "\n" not in str(fault.value)


def test_measures_are_those_of_the_rows() -> None:
    rows = MemoryLedger()
    place = {"task": "", "seq": 0}
    for at_s, accuracy in ((0.0, 0.1), (2.0, 0.9), (3.0, 0.85), (4.0, 0.95)):
        figures = {"accuracy": accuracy, "loss": 1.0, "accuracy_no_codec": accuracy, "payload_bytes": 0}
        rows.add("evals", {**place, "at_s": at_s, "round": int(at_s), **figures})
    assert time_to(Target("accuracy", 0.85)).of(rows) == 2.0
    assert time_to(Target("accuracy", 0.95)).of(rows) == 4.0
    assert time_to(Target("accuracy", 0.96)).of(rows) == math.inf


@given(st.floats(1.001, 99.9), st.booleans())
def test_an_edge_is_found_to_the_stated_tolerance(threshold: float, upwards: bool) -> None:
    found = search(lambda x: x, lambda x: (x >= threshold) is upwards, RANGE)
    (edge,) = found.edges
    assert edge.low.value <= threshold <= edge.high.value
    assert edge.high.value / edge.low.value <= 1.01
    assert edge.holds_above is upwards
    assert edge.inside == (edge.high if upwards else edge.low)
    values = [sample.value for sample in found.samples]
    assert values == sorted(set(values))


def test_every_value_is_measured_once() -> None:
    seen: list[float] = []

    def measure(x: float) -> float:
        seen.append(x)
        return x

    search(measure, lambda x: 10 < x < 30, RANGE)
    assert len(seen) == len(set(seen))


def test_all_and_none_have_no_edge() -> None:
    everywhere, nowhere = (search(lambda x: x, lambda x, all_=a: all_, RANGE) for a in (True, False))
    assert (everywhere.everywhere, everywhere.nowhere, everywhere.stretches()) == (True, False, [RANGE])
    assert (nowhere.everywhere, nowhere.nowhere, nowhere.stretches()) == (False, True, [])


def test_a_condition_that_comes_and_goes_has_all_its_edges() -> None:
    found = search(lambda x: x, lambda x: x < 3 or 10 <= x <= 40, RANGE)
    (a, b), (c, d) = found.stretches()
    assert (a, b, c, d) == (
        1.0,
        pytest.approx(3, rel=0.01),
        pytest.approx(10, rel=0.01),
        pytest.approx(40, rel=0.01),
    )


def test_a_range_must_be_one_on_a_logarithmic_scale() -> None:
    assert spaced((1.0, 100.0), 3) == [1.0, pytest.approx(10.0), 100.0]
    for ends in ((0.0, 1.0), (2.0, 1.0), (1.0, math.inf)):
        with pytest.raises(ValueError, match="0 < low < high"):
            spaced(ends, 3)


def test_turns_are_where_a_curve_is_not_monotone() -> None:
    assert turns(search(lambda x: 1 / x, lambda x: True, RANGE).samples) == []
    (turn,) = turns(search(lambda x: abs(math.log10(x) - 1), lambda x: True, RANGE, grid=5).samples)
    assert turn == pytest.approx(10.0)
    flat = search(lambda x: 1.0 + 1e-13 * math.sin(x), lambda x: True, RANGE)
    assert turns(flat.samples) == []


def test_a_setting_is_found_with_its_dimension() -> None:
    tiny = scenario()
    assert setting_at(tiny, "network.bandwidth") == Setting("network.bandwidth", 5e6, "frequency")
    assert setting_at(tiny, "network.uplink_share").dimension is None
    speed = setting_at(tiny, "devices.speed.median")
    assert (speed.shown(2.5e9), speed.between(None)) == ("2.5 GFLOP/s", (1e7, 1e9))
    assert speed.between("1 MFLOP/s, 2 GFLOP/s") == (1e6, 2e9)
    assert speed.in_scenario(tiny, 3e7).devices.speed.median == 3e7


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("network.bandwith", "; did you mean 'bandwidth'?"),
        ("network.bandwidth.x", "no 'x' among none: it is a single value"),
        ("codec.uplink.theta", "learning sees it"),
        ("learning.optimiser.learning_rate", "learning sees it"),
        ("network.packet_bytes", "only a quantity or a real number"),
        ("network.pathloss", "only a quantity or a real number"),
    ],
)
def test_a_setting_that_cannot_be_varied_is_refused(path: str, message: str) -> None:
    with pytest.raises(BadInput, match="--vary") as fault:
        setting_at(scenario(), path)
    assert message in str(fault.value)


@pytest.mark.parametrize("text", ["1 MHz", "5 MHz,1 MHz", "0,1 MHz", "1 MB,2 MB", "a,b"])
def test_a_range_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="--between"):
        setting_at(scenario(), "network.bandwidth").between(text)


@pytest.mark.parametrize(
    ("value", "dimension", "text"),
    [
        (8.424e6, "frequency", "8.42 MHz"),
        (999.0, "frequency", "999 Hz"),
        (599.4, "duration", "599 s"),
        (12_345.0, "duration", "12,345 s"),
        (0.0312, "duration", "31.2 ms"),
        (0.25, None, "0.25"),
        (1e9, "computing speed", "1 GFLOP/s"),
        (0.0, "size", "0 B"),
    ],
)
def test_a_quantity_is_shown_with_a_unit_that_suits(value: float, dimension: str | None, text: str) -> None:
    assert shown(value, dimension) == text


AT_80 = time_to(Target("accuracy", 0.8))
BANDWIDTH = Setting("network.bandwidth", 5e6, "frequency")
QUESTION = read_question("time_to_accuracy(0.8) <= 100 s")


def inverse_law(seconds_at_1_mhz: float) -> SearchResult:
    return search(lambda hz: seconds_at_1_mhz * 1e6 / hz, QUESTION.holds, (1e6, 1e8))


def words(*found: SearchResult) -> list[str]:
    return answer_lines(
        QUESTION, BANDWIDTH, [Answer(Seed(learning=i, air=i), one) for i, one in enumerate(found)]
    )


def test_the_answer_of_one_seed_has_its_bracket() -> None:
    (line,) = words(inverse_law(1000.0))
    assert line == (
        "the smallest network.bandwidth with time_to_accuracy(0.8) <= 100 s is 10 MHz "
        "(100 s; at 9.94 MHz 101 s)"
    )


@pytest.mark.parametrize(
    ("values", "dimension", "texts"),
    [
        ([1.6001, 1.5999], "duration", ["1.6001 s", "1.5999 s"]),
        ([9.17e6, 9.12e6], "data rate", ["9.17 Mbit/s", "9.12 Mbit/s"]),
        ([1234.3, 1234.4], "duration", ["1234.3 s", "1234.4 s"]),
        ([2.0, 2.0], "duration", ["2 s", "2 s"]),
    ],
)
def test_two_values_that_differ_are_shown_to_differ(
    values: list[float], dimension: str, texts: list[str]
) -> None:
    assert shown_apart(values, dimension) == texts


def test_a_bracket_of_nearly_equal_measures_tells_them_apart() -> None:
    edge = Edge(Sample(9.12e6, 100.0004), Sample(9.17e6, 99.9996), True)
    (line,) = words(SearchResult((edge.low, edge.high), (edge,), False))
    assert line.endswith("is 9.17 MHz (99.9996 s; at 9.12 MHz 100.000 s)")


def test_the_answer_of_several_seeds_is_that_which_does_for_all() -> None:
    *each, last = words(inverse_law(1000.0), inverse_law(1500.0), inverse_law(1200.0))
    assert [line.split(":")[0] for line in each] == ["seed 0", "seed 1", "seed 2"]
    assert last == (
        "the smallest network.bandwidth with time_to_accuracy(0.8) <= 100 s for each of 3 seeds is 15 MHz "
        "(by seed 10 MHz to 15 MHz, median 12 MHz)"
    )


def test_all_none_and_a_seed_without_an_answer_are_said_plainly() -> None:
    (line,) = words(inverse_law(50.0))
    assert line.startswith(
        "every network.bandwidth from 1 MHz to 100 MHz gives time_to_accuracy(0.8) <= 100 s"
    )
    (line,) = words(inverse_law(2e4))
    assert line.startswith("no network.bandwidth from 1 MHz to 100 MHz gives")
    assert line.endswith("; the nearest is 200 s, at 100 MHz")
    (line,) = words(search(lambda hz: math.inf, QUESTION.holds, (1e6, 1e8)))
    assert line.endswith(
        "the target is not reached in the rounds that were trained, and no network changes that"
    )
    assert words(inverse_law(1000.0), inverse_law(2e4))[-1].endswith(
        "for each of 2 seeds: none does for 1 of them"
    )
    assert words(inverse_law(1000.0), inverse_law(50.0))[-1].endswith(
        "is 10 MHz (by seed 1 MHz to 10 MHz; for 1 of them the whole range does it)"
    )


def test_a_largest_value_and_a_curve_that_turns_are_told() -> None:
    latency = Setting("network.latency", 0.005, "duration")
    rising = search(lambda s: 10_000 * s, QUESTION.holds, (1e-3, 1.0))
    (line,) = answer_lines(QUESTION, latency, [Answer(Seed(), rising)])
    assert line.startswith("the largest network.latency with time_to_accuracy(0.8) <= 100 s is 10 ms (")
    bent = search(lambda hz: 95.0 + 20 * math.cos(math.log10(hz) * 6), QUESTION.holds, (1e6, 1e8))
    caution, line = words(bent)
    assert caution.startswith("the curve is not monotone: it turns at ")
    assert " holds with network.bandwidth from " in line
    assert " and from " in line


def pair(a_s: float, b_s: float, a_fixed_s: float = 0.0) -> Pair:
    """A takes a_s at 1 MHz and less with more, on top of what no bandwidth takes away; so does B."""
    times: dict[float, tuple[float, float]] = {}

    def ratio(hz: float) -> float:
        times[hz] = a_s * 1e6 / hz + a_fixed_s, b_s * 1e6 / hz
        return times[hz][0] / times[hz][1]

    return Pair(Seed(), search(ratio, lambda r: r < 1.0, (1e6, 1e8)), times)


def test_a_crossover_is_where_one_stops_beating_the_other() -> None:
    # 100/x + 5 = 200/x at x = 20
    (line,) = crossover_lines("slfac", "raw", AT_80, BANDWIDTH, [pair(100.0, 200.0, 5.0)])
    assert line.startswith("slfac beats raw up to network.bandwidth = 19.")
    assert "and not from 20" in line
    assert line.endswith(
        "(slfac 1.90 times as fast at 1 MHz, raw 3.00 times as fast at 100 MHz, time to 80 %)"
    )
    lines = crossover_lines("slfac", "raw", AT_80, BANDWIDTH, [pair(100.0, 200.0, 5.0)] * 2)
    assert lines[-1].startswith("slfac stops beating raw at network.bandwidth = 19.")


def test_no_crossover_is_said_plainly() -> None:
    (line,) = crossover_lines("slfac", "raw", AT_80, BANDWIDTH, [pair(300.0, 200.0)])
    assert line.startswith(
        "no crossover: raw beats slfac at every network.bandwidth from 1 MHz to 100 MHz (raw 1.50 times as"
    )
    never = Pair(Seed(), search(lambda x: 0.0, lambda r: r < 1.0, RANGE), {1.0: (5.0, math.inf)})
    (line,) = crossover_lines("slfac", "raw", AT_80, BANDWIDTH, [never])
    assert line == ("no crossover: raw never reaches the target in the rounds that were trained, slfac does")
    (line,) = crossover_lines("a", "a", AT_80, BANDWIDTH, [pair(200.0, 200.0)])
    assert line == "a and a take the same time at every network.bandwidth from 1 MHz to 100 MHz"


def test_a_side_is_a_codec_or_overrides() -> None:
    assert side_overrides("raw") == ["codec=raw"]
    assert side_overrides("codec.uplink.theta=0.8; codec.downlink=raw") == [
        "codec.uplink.theta=0.8",
        "codec.downlink=raw",
    ]
    with pytest.raises(BadInput):
        side_overrides("codec=raw;")


SMALL = "small"
IDEAL = "network={kind: ideal, up_rate: 8 Mbit/s, down_rate: 100 Gbit/s}"


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("trainings")


def test_an_answer_is_true_of_live_runs(cache: Path, tmp_path: Path) -> None:
    """Just inside the bracket a live run meets the bound; just outside it does not."""
    request = Request(
        str(TINY), "network.bandwidth", between="500 kHz,50 MHz", cache=cache, out=tmp_path / "answer"
    )
    folder = ask(request, "simulated_s <= 400 ms")
    answer = json.loads((folder / "answer.json").read_text())
    (edge,) = answer["seeds"][0]["edges"]
    assert edge["high"] / edge["low"] <= 1.01
    assert edge["holds_above"]
    for value, meets in ((edge["low"], False), (edge["high"], True)):
        _, seconds, _ = live_run(tmp_path / f"{value}.sqlite", f"network.bandwidth={value!r}")
        assert (seconds <= 0.4) is meets


def test_an_answer_leaves_its_curve(cache: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "answer"
    argv = ["ask", str(TINY), "simulated_s <= 450 ms", "--vary", "network.bandwidth", "--seeds", "2"]
    assert main([*argv, "--cache", str(cache), "--out", str(out)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"figure: {out / 'figures' / 'curve.png'}"
    assert "for each of 2 seeds" in lines[-1]
    assert (out / "figures" / "curve.png").stat().st_size > 1000
    assert "network.bandwidth (MHz)" in (out / "figures" / "curve.svg").read_text()
    with (out / "curve.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["seed_learning"] for row in rows} == {"0", "1"}
    assert min(float(row["network.bandwidth"]) for row in rows) == 5e5
    assert all(float(row["simulated_s"]) > 0 for row in rows)
    assert main([*argv, "--cache", str(cache), "--out", str(out)]) == 2
    assert "exists and is not an empty folder" in capsys.readouterr().err


def test_a_crossover_of_raw_and_slfac(cache: Path, tmp_path: Path) -> None:
    """Over a thin link fewer bytes win; over a fat one the codec's own computing costs more than it saves."""
    overrides = [IDEAL, "protocol.rounds=2"]
    request = Request(
        SMALL,
        "network.up_rate",
        overrides,
        between="100 kbit/s,100 Gbit/s",
        cache=cache,
        out=tmp_path / "answer",
    )
    folder = crossover(request, "slfac", "raw", Target("accuracy", 0.6))
    answer = json.loads((folder / "answer.json").read_text())
    (line,) = answer["answer"]
    assert line.startswith("slfac beats raw up to network.up_rate = ")
    (edge,) = answer["seeds"][0]["edges"]
    with (folder / "curve.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    times = {
        (row["side"], float(row["network.up_rate"])): float(row["time_to_accuracy(0.6)"]) for row in rows
    }
    assert times["slfac", edge["low"]] < times["raw", edge["low"]]
    assert times["slfac", edge["high"]] >= times["raw", edge["high"]]


def test_more_seeds_than_anybody_trains_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    argv = ["ask", str(TINY), "simulated_s <= 2 s", "--vary", "network.bandwidth", "--seeds", "1000000000"]
    assert main(argv) == 2
    assert capsys.readouterr().err == "--seeds 1000000000: must be at least 1 and at most 1000\n"


def test_without_a_target_that_both_reach_one_is_asked_for(cache: Path, tmp_path: Path) -> None:
    request = Request(
        str(TINY), "network.bandwidth", ["evaluation.targets=[1.0]"], cache=cache, out=tmp_path / "a"
    )
    with pytest.raises(BadInput, match="--target: not every training reaches one of 1; name one up to"):
        crossover(request, "raw", "slfac")
    assert not (tmp_path / "a").exists()


def test_with_its_training_on_record_a_question_needs_no_torch(cache: Path, tmp_path: Path) -> None:
    ask(Request(str(TINY), "network.bandwidth", cache=cache, out=tmp_path / "first"), "simulated_s <= 2 s")
    code = f"""
import sys
from pathlib import Path
from slfac_sim.studies.search.ask import ask
from slfac_sim.studies.search.replays import Request
cache, out = Path({str(cache)!r}), Path({str(tmp_path / "second")!r})
ask(Request({str(TINY)!r}, "network.bandwidth", cache=cache, out=out), "simulated_s <= 2 s")
print("torch" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (
            ["ask", str(TINY), "simulated_s <= 1 s", "--vary", "codec.uplink.theta"],
            "--vary codec.uplink.theta: ",
        ),
        (
            ["ask", str(TINY), "simulated_s = 1 s", "--vary", "network.bandwidth"],
            "question 'simulated_s = 1 s': ",
        ),
        (["ask", str(TINY), "simulated_s <= 1 s", "--vary", "server.speed", "--seeds", "0"], "--seeds 0: "),
    ],
)
def test_bad_questions_are_told_in_a_line(
    argv: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(argv) == 2
    err = capsys.readouterr().err
    assert err.startswith(message)
    assert len(sentences(err)) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_crossover_names_once_what_each_side_drops(tmp_path: Path) -> None:
    said: list[str] = []
    request = Request("quick", "network.bandwidth", ["learning.optimiser=sgd"], out=tmp_path, say=said.append)
    (tmp_path / "taken").touch()
    with pytest.raises(BadInput, match="not an empty folder"):
        crossover(request, "raw", "codec.uplink=raw")
    assert [line.partition("': ")[0] for line in said] == [
        *("note: override 'learning.optimiser=sgd", "note: override 'codec=raw"),
        "note: override 'codec.uplink=raw",
    ]


def test_overrides_may_stand_after_the_options(
    cache: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = ["ask", str(TINY), "simulated_s <= 1 ms", "--vary", "network.bandwidth", "network.radius=100 m"]
    out = tmp_path / "answer"
    assert main([*argv, "--cache", str(cache), "--out", str(out), "name=other", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["answer"][-1].startswith("no network.bandwidth")
    with pytest.raises(SystemExit):
        main([*argv, "radius"])
    assert "radius: one word too many" in capsys.readouterr().err


def test_a_bound_that_no_value_meets_because_nothing_is_reached(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The curve is empty: the answer is words, and a picture of the bound alone."""
    out, cache = tmp_path / "answer", tmp_path / "cache"
    argv = ["ask", str(TINY), "time_to_accuracy(0.9999) <= 3 s", "--vary", "network.bandwidth"]
    assert main([*argv, "--out", str(out), "--cache", str(cache)]) == 0
    assert "no network.bandwidth" in capsys.readouterr().out
    assert (out / "figures" / "curve.png").is_file()
