"""Study files and plans: values of axes, faults with their places, shared trainings, paired seeds, shards."""

import json
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from studies import TINY, tiny_plan

from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.plugins import kinds
from slfac_sim.scenario.axes import split_values
from slfac_sim.scenario.files import shipped
from slfac_sim.scenario.located import ScenarioError
from slfac_sim.scenario.schema import Seed
from slfac_sim.scenario.yaml_text import to_tree
from slfac_sim.studies.files import Changes, read_study, schema, written
from slfac_sim.studies.plan import Plan, plan, shard
from slfac_sim.studies.values import in_words, number_at

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("1,2,5 MHz", ["1 MHz", "2 MHz", "5 MHz"]),
        ("500 kHz,1 MHz", ["500 kHz", "1 MHz"]),
        ("1, 2 kHz, 5 MHz", ["1", "2 kHz", "5 MHz"]),
        ("0.9,0.95", ["0.9", "0.95"]),
        ("1e6,2e6", ["1e6", "2e6"]),
        ("5MHz", ["5MHz"]),
        ("raw,slfac", ["raw", "slfac"]),
        ("raw,{kind: slfac, theta: 0.9}", ["raw", "{kind: slfac, theta: 0.9}"]),
        ("[[0, 1], [2, 3]],null", ["[[0, 1], [2, 3]]", "null"]),
        ("'a,b',c", ["'a,b'", "c"]),
    ],
)
def test_values_are_split_at_top_level_commas(text: str, values: list[str]) -> None:
    assert split_values(text) == values


@pytest.mark.parametrize("text", ["1,,2", ",", "1,2,"])
def test_an_empty_value_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="an empty value"):
        split_values(text)


@given(st.lists(st.floats(min_value=1e-3, max_value=1e9), min_size=1))
def test_a_last_unit_is_that_of_all_numbers(numbers: list[float]) -> None:
    texts = [repr(number) for number in numbers]
    assert split_values(",".join(texts) + " MHz") == [f"{text} MHz" for text in texts]


_plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**6), 10**6) | st.sampled_from(["raw", "5 MHz", "slfac"]),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["kind", "theta", "b"]), inner),
)


@given(_plain)
def test_values_in_words_read_back(value: object) -> None:
    assert to_tree(in_words(value), "test")[0].plain() == value


def test_numbers_are_found_at_their_path() -> None:
    scenario = next(iter(tiny_plan().trainings.values()))
    assert number_at(scenario, "network.bandwidth") == 5e6
    assert number_at(scenario, "codec.uplink.theta") == 0.9
    assert number_at(scenario, "evaluation.targets.1") == 0.9
    for path in ("codec", "network.shadowing", "network.nothing", "evaluation.targets.9"):
        assert number_at(scenario, path) is None


def test_points_share_a_training_where_only_the_air_differs() -> None:
    whole = tiny_plan(
        "network.bandwidth=1,2,5 MHz",
        "codec=raw,slfac",
        "devices.speed=fixed,{kind: fixed, speed: 1e9}",
        seeds="2",
    )
    assert len(whole.points) == 3 * 2 * 2 * 2
    assert len(whole.trainings) == 2 * 2  # codec and seed
    first = whole.points[0]
    assert first.axes == {"network.bandwidth": "1 MHz", "codec": "raw", "devices.speed": "fixed"}
    assert first.values == {"network.bandwidth": 1e6, "codec": "raw", "devices.speed": "fixed"}
    assert len({point.key for point in whole.points}) == len(whole.points)


def test_seeds_are_paired_over_all_points() -> None:
    whole = tiny_plan("codec=raw,slfac", seeds="3,5", air_seeds="2")
    for text in ("raw", "slfac"):
        points = [point for point in whole.points if point.axes["codec"] == text]
        seeds = [(point.scenario.seed, point.air_draw) for point in points]
        own = [(Seed(learning=n, air=n), False) for n in (3, 5)]
        assert seeds == own + [(Seed(learning=n, air=air), True) for n in (3, 5) for air in (1000, 1001)]
    assert len(whole.trainings) == 4  # further draws of the air need none


def test_targets_and_overrides_hold_for_every_point() -> None:
    whole = tiny_plan("codec=raw,slfac", targets="0.3,0.4", overrides=["devices.count=3"])
    assert {point.scenario.evaluation.targets for point in whole.points} == {(0.3, 0.4)}
    assert {point.scenario.devices.count for point in whole.points} == {3}


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_shards_are_whole_trainings_and_make_the_whole(count: int) -> None:
    whole = tiny_plan("network.bandwidth=1,2 MHz", "codec=raw,slfac", seeds="2")
    parts = [shard(whole, number, count) for number in range(1, count + 1)]
    assert sorted(point.key for part in parts for point in part.points) == sorted(p.key for p in whole.points)
    assert sum(len(part.trainings) for part in parts) == len(whole.trainings)
    for part in parts:
        assert {point.training for point in part.points} == set(part.trainings)


def test_the_written_study_gives_the_same_points(tmp_path: Path) -> None:
    whole = tiny_plan("network.bandwidth=1,2 MHz", "codec=raw,{kind: slfac, theta: 0.8}", air_seeds="1")
    for name, text in written(whole.study, whole.base, whole.bases).items():
        (tmp_path / name).write_text(text)
    again = plan(read_study(str(tmp_path / "study.yaml")))
    assert again.points == whole.points
    assert again.study.name == whole.study.name == "tiny"


def test_scenarios_are_values_of_the_axis_base(tmp_path: Path) -> None:
    (tmp_path / "wired.yaml").write_text(f"base: {TINY}\nnetwork: {{kind: ideal}}\n")
    text = f"axes:\n  base: [{TINY}, wired.yaml]\n  network.latency: [1 ms, 2 ms]\nseeds: 1\n"
    whole = _study(tmp_path, text)
    asked = [(point.axes["base"], type(point.scenario.network).__name__) for point in whole.points]
    assert asked == [("tiny", "Cell")] * 2 + [("wired", "Ideal")] * 2
    assert [point.scenario.network.latency for point in whole.points] == [0.001, 0.002] * 2
    for name, text in written(whole.study, whole.base, whole.bases).items():
        (tmp_path / "again").mkdir(exist_ok=True)
        (tmp_path / "again" / name).write_text(text)
    assert plan(read_study(str(tmp_path / "again" / "study.yaml"))).points == whole.points


def test_faults_of_an_axis_of_scenarios(tmp_path: Path) -> None:
    assert _faults(tmp_path, f"base: quick\nseeds: 1\naxes:\n  base: [{TINY}, small]\n") == [
        "s.yaml:1:7: base: has no effect: every value of the axis 'base' replaces it"
    ]
    assert _faults(tmp_path, f"seeds: 1\naxes:\n  base: [{TINY}, {TINY}]\n") == [
        "s.yaml:1:1: axes.base must name scenarios of different names (got tiny, tiny)"
    ]
    (fault,) = _faults(tmp_path, f"seeds: 1\naxes:\n  base: [{TINY}, smal]\n")
    assert fault.startswith("s.yaml:")
    assert fault.endswith("did you mean 'small'?")


def _study(tmp_path: Path, text: str) -> Plan:
    path = tmp_path / "s.yaml"
    path.write_text(text)
    return plan(read_study(str(path)))


def _faults(tmp_path: Path, text: str) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        _study(tmp_path, text)
    return [line.removeprefix(f"{tmp_path}/") for line in str(caught.value).splitlines()]


def test_all_faults_of_a_study_at_once(tmp_path: Path) -> None:
    text = f"base: {TINY}\naxis: {{}}\nseeds: many\nair_seeds: -1\naxes:\n  codec: []\n  seed.air: [1]\n"
    assert _faults(tmp_path, text) == [
        "s.yaml:2:1: axis: unknown key 'axis'; did you mean 'axes'?",
        "s.yaml:3:8: seeds: must be an integer (got 'many'), or must be a list (got 'many')",
        "s.yaml:4:12: air_seeds: must be at least 0 (got -1)",
        "s.yaml:6:10: axes.codec: must have at least 1 items (got a list of 0)",
        "s.yaml:7:3: seed.air: is set by seeds and air_seeds of a study, for all points alike",
    ]


def test_faults_of_points_have_the_place_of_the_value(tmp_path: Path) -> None:
    text = f"""base: {TINY}
axes:
  network.bandwidth: [1 MHz, 2 MHX, -3]
  netwrok.radius: [100, 200]
  codec: [raw, {{kind: slfac, teta: 1}}, slfak]
"""
    assert _faults(tmp_path, text) == [
        "s.yaml:3:30: network.bandwidth: unknown frequency unit 'MHX'; did you mean 'MHz'?",
        "s.yaml:3:37: network.bandwidth: must be more than 0 (got -3)",
        "s.yaml:4:3: netwrok: unknown key 'netwrok'; did you mean 'network'?",
        "s.yaml:5:16: codec.teta: unknown key 'teta'; did you mean 'theta'?",
        f"s.yaml:5:40: codec.kind: no 'slfak' among {', '.join(kinds('slfac_sim.codecs'))}; "
        f"did you mean 'slfac'? (and no slfak.py in {TINY.parent} or the working folder or {tmp_path})",
    ]


def test_a_base_that_is_not_there_is_a_fault_of_the_study(tmp_path: Path) -> None:
    (fault,) = _faults(tmp_path, "name: x\nbase: fashion_20_device\n")
    assert fault.startswith("s.yaml:2:7: base: fashion_20_device: no such file")
    assert fault.endswith("did you mean 'fashion_20_devices'?")


def test_faults_of_the_command_line_name_the_option() -> None:
    changes = Changes(axes=["codec", "network.bandwidth=1,,2", "seed=1,2"], seeds="0", targets="0.8,2")
    with pytest.raises(ScenarioError) as caught:
        read_study(str(TINY), changes)
    assert str(caught.value).splitlines() == [
        "--seeds 0: seeds: must be at least 1 (got 0), or must be a list (got 0)",
        "--targets 0.8,2: targets.1: must be at most 1 (got 2)",
        "--axis codec: expected key.path=VALUE,VALUE,...",
        "--axis network.bandwidth=1,,2: an empty value in '1,,2'; expected values with commas between them",
        "--axis seed=1,2: seed: is set by seeds and air_seeds of a study, for all points alike",
    ]


def test_equal_points_are_refused(tmp_path: Path) -> None:
    (fault,) = _faults(tmp_path, f"base: {TINY}\nseeds: 1\naxes:\n  network.bandwidth: [1 MHz, 1000 kHz]\n")
    assert fault.startswith("s.yaml:3:1: axes: one and the same: network.bandwidth = 1 MHz, seeds 0/0, and")


def test_air_that_cannot_be_had_is_told_before_anything_runs(tmp_path: Path) -> None:
    far = "[[1, 1], [2, 2], [3, 3], [4, 4], [90000, 90000]]"
    (fault,) = _faults(tmp_path, f"base: {TINY}\nseeds: 1\naxes:\n  network.positions: [{far}]\n")
    assert "no coverage for d004" in fault


def test_a_study_is_named_after_its_file_and_its_base_lies_beside_it(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text(TINY.read_text())
    whole = _study(tmp_path, "base: base.yaml\nseeds: 1\n")
    assert whole.study.name == "s"
    assert [point.axes for point in whole.points] == [{}]


@pytest.mark.parametrize("name", sorted(shipped("studies")))
def test_shipped_studies_are_right(name: str) -> None:
    whole = plan(read_study(name.removesuffix(".yaml")))
    assert whole.study.name == name.removesuffix(".yaml")
    jsonschema.Draft202012Validator(schema()).validate(
        to_tree(shipped("studies")[name].read_text(), name)[0].plain()
    )


def test_the_bandwidth_study_is_what_it_says() -> None:
    whole = plan(read_study(str(ROOT / "scenarios" / "studies" / "bandwidth.yaml")))
    assert len(whole.points) == 2 * 12 * 3
    assert len(whole.trainings) == 2 * 3


def test_the_written_schema_is_current() -> None:
    written = json.loads((ROOT / "docs" / "study.schema.json").read_text())
    assert written == schema(), "write it anew: python -m slfac_sim schema --study > docs/study.schema.json"


def test_every_protocol_of_an_axis_keeps_rounds_and_steps_and_names_what_is_dropped() -> None:
    for form in ("{}", "{}.kind"):
        protocol, optimiser = form.format("protocol"), form.format("learning.optimiser")
        check_kept(tiny_plan(f"{protocol}=sequential,asynchronous", f"{optimiser}=adam,sgd", seeds="1"))


def check_kept(whole: Plan) -> None:
    assert {(p.scenario.protocol.rounds, p.scenario.protocol.steps) for p in whole.points} == {(2, 3)}
    (note,) = whole.notes
    assert note.endswith("the kind changes, so these settings of sgd go: learning_rate, momentum")


def test_what_every_value_of_an_axis_drops_is_told_once(tmp_path: Path) -> None:
    """One codec takes the place of a pair and its settings, whichever it is."""
    pair = tmp_path / "pair.yaml"
    pair.write_text(
        f"base: {TINY}\nname: pair\ncodec: {{uplink: {{kind: slfac, theta: 0.9}}, downlink: raw}}\n"
    )
    for codecs, told in (("raw,bf16", "..."), ("raw", '"raw"')):
        (note,) = tiny_plan(f"codec={codecs}", asked=pair).notes
        assert note.startswith(f"override 'codec={told}': codec: one codec takes the place of all, so these")


def test_an_override_below_an_axis_of_kinds_holds_for_each_of_them() -> None:
    whole = tiny_plan("protocol=parallel,sequential", overrides=["protocol.rounds=3"])
    assert [point.scenario.protocol.rounds for point in whole.points] == [3, 3]


@pytest.mark.parametrize(
    ("axis", "override"),
    [
        ("parallel,{kind: sequential, rounds: 5}", "protocol.rounds=3"),
        ("parallel,sequential", "protocol.kind=epsl"),
        ("parallel,sequential", "protocol={kind: epsl}"),
    ],
)
def test_an_override_that_an_axis_replaces_is_refused(axis: str, override: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        tiny_plan(f"protocol={axis}", overrides=[override])
    path = override.partition("=")[0]
    said = "has no effect: every value of the axis 'protocol' replaces it"
    assert str(caught.value) == f"override '{override}': {path}: {said}"


def test_the_command_line_replaces_an_override_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_text(f"base: {TINY}\noverrides: [devices.count=3, codec.uplink.theta=0.5]\n")
    whole = plan(read_study(str(path), Changes(overrides=["devices.count=4", "codec=raw"])))
    assert {point.scenario.devices.count for point in whole.points} == {4}


def test_a_study_beyond_all_bounds_is_refused_before_it_is_laid_out(tmp_path: Path) -> None:
    axes = "".join(f"  network.{name}: [{', '.join(map(str, range(1, 1001)))}]\n" for name in "abcd")
    (fault,) = _faults(tmp_path, f"base: {TINY}\nseeds: 1\naxes:\n{axes}")
    assert fault.startswith("s.yaml:3:1: a study has at most 100,000 points (got 1,000,000,000,000")
    for seeds in ("seeds: 1000000000", "air_seeds: 1000000000"):
        (fault,) = _faults(tmp_path, f"base: {TINY}\n{seeds}\n")
        assert "must be at most 1" in fault
