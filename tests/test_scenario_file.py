"""Scenario files: YAML as it should be, overrides, shipped names, and the resolved text."""

import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slfac_sim.foundation.plugins import adapter, find, kind_of, kinds
from slfac_sim.scenario.files import ScenarioError, dump, load, read, shipped
from slfac_sim.scenario.schema import Scenario, Seed
from slfac_sim.scenario.yaml_text import to_text, to_tree

BASE = """\
name: s
data: {kind: synthetic}
partition: iid
model: small_cnn
cut: block1
learning: {batch: 16, optimiser: {kind: adam, learning_rate: 0.01}}
protocol: {kind: parallel}
devices: {count: 4, speed: {kind: log_normal, sigma: 0.5}}
codec: {kind: slfac, theta: 0.8}
network: {kind: cell, radius: 150 m}
evaluation: {targets: [0.5, 0.9]}
"""


def given_overrides(*overrides: str, text: str = BASE) -> Scenario:
    return read(text, "s.yaml", overrides)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("20e6", 20_000_000),
        ("2.0e10", 2e10),
        ("5e-2", 0.05),
        ("1e7", 10_000_000),
        ("-1E+3", -1000),
        ("1e18", 10**18),
        ("1e19", 1e19),
        ("1.0e3", 1000.0),
        ("123E456", "123E456"),
        ("-1e999", "-1e999"),
        (".5", 0.5),
        ("5.", 5.0),
        ("0", 0),
        ("-3", -3),
        ("true", True),
        ("null", None),
        ("~", None),
        ("", None),
        *((word, word) for word in ["no", "off", "on", "yes", "True", "NO", "12:30", "017", "1_000", "0x1f"]),
        *((word, word) for word in ["2024-01-01", ".inf", ".nan", "1e", ".", "e5", "10 MHz", "-", "0.1.2"]),
        ("'1e7'", "1e7"),
        ("!!str 12", "12"),
        ("!!float 1", 1.0),
    ],
)
def test_plain_scalars_are_those_of_yaml_1_2(text: str, value: object) -> None:
    found = to_tree(f"[{text}]" if text == "-" else text, "t")[0].plain()
    found = found[0] if text == "-" and isinstance(found, list) and found != ["-"] else found
    found = found[0] if isinstance(found, list) else found
    assert found == value
    assert type(found) is type(value)


def test_keys_are_texts_and_merge_keys_are_plain_keys() -> None:
    assert to_tree("1: a\ntrue: b\n<<: c\n", "t")[0].plain() == {"1": "a", "true": "b", "<<": "c"}


scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
)
texts = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\u2028\u2029\ufeff\ufffe\uffff")
)
words = st.sampled_from(
    ["no", "on", "1e5", "5e-2", "017", "12:30", "~", "null", "true", "", "=", "<<", "a: b", "# x"]
)
values = st.recursive(
    scalars | texts | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts | words, inner, max_size=3),
    max_leaves=8,
)


@given(values)
def test_text_reads_back_to_the_same_value_and_type(value: object) -> None:
    tree, faults = to_tree(to_text(value), "t")
    assert faults == []
    assert repr(tree.plain()) == repr(value)


@pytest.mark.parametrize("name", sorted(shipped()))
def test_a_shipped_scenario_is_found_by_name_from_anywhere_and_resolves_to_itself(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    scenario = load(name)
    assert load(name.removesuffix(".yaml")) == scenario
    (tmp_path / "resolved.yaml").write_text(dump(scenario))
    assert load("resolved.yaml") == scenario


def test_a_path_that_exists_wins_over_a_shipped_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "100_devices").mkdir()
    assert load("100_devices").name == "100_devices"
    (tmp_path / "100_devices.yaml").write_text(BASE)
    assert load("100_devices.yaml").name == "s"


def test_a_scenario_without_a_name_is_named_after_its_file(tmp_path: Path) -> None:
    file = tmp_path / "my own study.v2.yaml"
    file.write_text("\ufeff" + BASE.replace("name: s\n", ""), encoding="utf-8")
    assert load(file).name == "my-own-study.v2"


@pytest.mark.parametrize("kind", kinds("slfac_sim.codecs"))
def test_the_resolved_text_says_every_kind_and_default(kind: str) -> None:
    scenario = given_overrides(f"codec.downlink={kind}")
    resolved = to_tree(dump(scenario), "t")[0].plain()
    fields = [field.name for field in dataclasses.fields(scenario.codec.downlink)]
    assert list(resolved) == [field.name for field in dataclasses.fields(Scenario)]
    assert list(resolved["codec"]["downlink"]) == ["kind", *fields]
    assert resolved["network"]["bandwidth"] == scenario.network.bandwidth
    assert given_overrides(text=dump(scenario)) == scenario


FAMILIES = {
    "codec": "codecs",
    "partition": "learning.partitions",
    "model": "learning.models",
    "data": "learning.datasets",
    "protocol": "protocols",
    "learning.optimiser": "learning.optimisers",
    "learning.server_optimiser": "learning.optimisers",
    "learning.schedule": "learning.schedules",
    "devices.speed": "hosts.speeds",
    "devices.availability": "hosts.availability",
    "server.availability": "hosts.availability",
    "network": "network.kinds",
}
NEEDED = {
    "step": "{kind: step, every: 2}",
    "profiles": "{kind: profiles, names: {phone: 4}}",
    "torch_module": "{kind: torch_module, module: nets.Net, arguments: {width: 4}}",
    "measured": "{kind: measured, table: times.csv}",
    "trace": "{kind: trace, file: outages.csv}",
    "npz": "{kind: npz, file: mine.npz, axes: nhwc}",
    "image_folder": "{kind: image_folder, folder: mine}",
    "topology": "{kind: topology, access: {near: {network: ideal, devices: 4}}, links: {wire:"
    " {between: [near, server], capacity: 1 Gbit/s, latency: 1 ms}}}",
}
EDGES = (
    "servers={edge: 1 TFLOP/s, cloud: 1 TFLOP/s}",
    "network={kind: topology, access: {near: {network: ideal, devices: 4, server: edge}}, links: {wire:"
    " {between: [near, edge], capacity: 1 Gbit/s, latency: 1 ms}, core:"
    " {between: [edge, cloud], capacity: 1 Gbit/s, latency: 1 ms}}}",
)
BESIDE = {"hierarchical": EDGES}
PLUGINS = [(path, kind) for path, family in FAMILIES.items() for kind in kinds(f"slfac_sim.{family}")]


@pytest.mark.parametrize(("path", "kind"), PLUGINS)
def test_every_plug_in_resolves_to_itself(path: str, kind: str) -> None:
    scenario = given_overrides(f"{path}={NEEDED.get(kind, kind)}", *BESIDE.get(kind, ()))
    found: object = scenario
    for step in path.split("."):
        found = getattr(found, step)
    assert kind_of(found.uplink if path == "codec" else found) == kind  # type: ignore[attr-defined]
    assert given_overrides(text=dump(scenario)) == scenario


@pytest.mark.parametrize("kind", kinds("slfac_sim.hosts.slowdowns"))
@pytest.mark.parametrize("path", ["devices", "server"])
def test_a_list_of_plug_ins_resolves_to_itself(path: str, kind: str) -> None:
    scenario = given_overrides(f"{path}.slowdowns=[{kind}, {{kind: thermal, factor: 3}}]")
    assert [kind_of(one) for one in getattr(scenario, path).slowdowns] == [kind, "thermal"]
    assert given_overrides(text=dump(scenario)) == scenario
    with pytest.raises(ScenarioError, match=rf"{path}.slowdowns.1.facto: unknown key 'facto'; did you mean"):
        given_overrides(f"{path}.slowdowns=[{kind}, {{kind: thermal, facto: 3}}]")


def test_one_seed_sets_both_and_the_argument_comes_before_overrides() -> None:
    assert given_overrides().seed == Seed(learning=0, air=0)
    assert given_overrides(text=BASE + "seed: 3\n").seed == Seed(learning=3, air=3)
    assert given_overrides("seed.air=5", text=BASE + "seed: 3\n").seed == Seed(learning=3, air=5)
    assert given_overrides("seed.air=5").seed == Seed(learning=0, air=5)
    assert read(BASE, "s.yaml", ["seed.air=5"], seed=7).seed == Seed(learning=7, air=5)


def test_another_kind_has_its_own_settings_and_an_unchanged_one_keeps_them() -> None:
    slfac = find("slfac_sim.codecs", "slfac")
    raw = find("slfac_sim.codecs", "raw")()
    pair = "codec={uplink: {kind: slfac, theta: 0.8}, downlink: {kind: slfac, theta: 0.8}}"
    for override in ("codec.uplink.kind=raw", "codec.uplink=raw", "codec.uplink={kind: raw}"):
        for first in ([], [pair]):
            codec = given_overrides(*first, override).codec
            assert (codec.uplink, codec.downlink) == (raw, slfac(theta=0.8))
    assert given_overrides("codec.kind=slfac").codec.uplink == slfac(theta=0.8)
    assert given_overrides(pair, "codec.kind=slfac").codec.downlink == slfac(theta=0.8)
    assert given_overrides(pair, "codec.kind=raw").codec.downlink == raw
    assert given_overrides("codec=raw").codec.downlink == given_overrides("codec=raw").codec.uplink == raw


def test_one_codec_for_both_is_written_out_before_one_direction_changes() -> None:
    slfac = find("slfac_sim.codecs", "slfac")
    codec = given_overrides("codec.uplink.theta=0.95").codec
    assert (codec.uplink, codec.downlink) == (slfac(theta=0.95), slfac(theta=0.8))
    codec = given_overrides("codec=slfac", "codec.downlink.theta=0.95").codec
    assert (codec.uplink, codec.downlink) == (slfac(), slfac(theta=0.95))
    codec = given_overrides("codec.theta=0.95").codec
    assert (codec.uplink, codec.downlink) == (slfac(theta=0.95), slfac(theta=0.95))


def test_overrides_enter_bare_kinds_lists_and_absent_mappings() -> None:
    assert given_overrides("model.width=8").model == find("slfac_sim.learning.models", "small_cnn")(width=8)
    assert given_overrides("evaluation.targets.1=0.7").evaluation.targets == (0.5, 0.7)
    assert given_overrides("server.speed=2 TFLOP/s").server.speed == 2e12
    assert given_overrides("network.bandwidth=10 MHz").network.bandwidth == 10e6


@given(st.floats(0.01, 1.0), st.integers(1, 65_536), st.floats(1e6, 1e9), st.integers(0, 2**62))
def test_overridden_values_arrive_and_survive_the_resolved_text(
    theta: float, batch: int, bandwidth_hz: float, seed: int
) -> None:
    scenario = given_overrides(
        f"codec.uplink.theta={theta}",
        f"learning.batch={batch}",
        f"network.bandwidth={bandwidth_hz} Hz",
        f"seed.air={seed}",
    )
    assert scenario.codec.uplink.theta == theta
    assert scenario.learning.batch == batch
    assert scenario.network.bandwidth == bandwidth_hz
    assert scenario.seed == Seed(learning=0, air=seed)
    assert given_overrides(text=dump(scenario)) == scenario


def test_somebody_elses_plug_in_is_found_by_its_dotted_name(tmp_path, monkeypatch) -> None:
    (tmp_path / "their_package").mkdir()
    (tmp_path / "their_package" / "twin.py").write_text(
        "from slfac_sim.codecs.raw import Raw\n"
        "from slfac_sim.foundation.plugins import settings\n"
        "@settings\nclass Twin(Raw):\n    'A codec.'\n    depth: int = 3\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    scenario = given_overrides("codec.uplink={kind: their_package.twin, depth: 4}")
    assert scenario.codec.uplink.depth == 4
    assert "kind: their_package.twin\n    depth: 4\n" in dump(scenario)
    assert given_overrides(text=dump(scenario)) == scenario


def test_a_file_is_read_strictly_but_python_may_build_nodes_from_objects() -> None:
    raw = find("slfac_sim.codecs", "raw")()
    tree = to_tree(BASE, "s.yaml")[0].plain() | {"codec": raw, "seed": Seed(air=2)}
    scenario = adapter(Scenario).validate_python(tree)
    assert (scenario.codec.uplink, scenario.seed.air) == (raw, 2)


def test_loading_and_the_schema_import_no_torch() -> None:
    code = (
        "import sys; from slfac_sim.scenario.files import dump, load, schema;"
        "dump(load('100_devices')); schema(); sys.exit('torch' in sys.modules or 'matplotlib' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
