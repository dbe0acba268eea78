"""Every fault of a scenario, word for word: place, path, what was found, what is allowed."""

import dataclasses
import pickle
from dataclasses import fields
from pathlib import Path

import pytest

from slfac_sim.foundation.plugins import find, kinds
from slfac_sim.scenario.files import ScenarioError, load, read

BASE = """\
name: s
data: {kind: synthetic}
partition: iid
model: small_cnn
cut: block1
learning:
  batch: 16
  optimiser: {kind: adam}
protocol:
  kind: parallel
devices:
  count: 4
  speed: {kind: fixed}
codec:
  uplink:
    kind: slfac
    theta: 0.9
  downlink: raw
network:
  kind: cell
  latency: 5 ms
"""
CODECS = ", ".join(kinds("slfac_sim.codecs"))
NETWORKS = ", ".join(kinds("slfac_sim.network.kinds"))
MODELS = ", ".join(kinds("slfac_sim.learning.models"))
PROFILES = (
    "raspberry_pi_4, raspberry_pi_5, jetson_nano, jetson_tx2, jetson_orin_nx, phone, microcontroller, "
    "laptop, gpu_server"
)
ROOT_KEYS = (
    "name, seed, data, partition, model, cut, learning, protocol, "
    "devices, server, servers, codec, network, evaluation"
)
NOR = " (and no slfak.py in the working folder)"
CODEC_PAIR = "  uplink:\n    kind: slfac\n    theta: 0.9\n  downlink: raw"


def faults(text: str, overrides: list[str]) -> str:
    with pytest.raises(ScenarioError) as caught:
        read(text, "s.yaml", overrides)
    return str(caught.value)


IN_FILE = [
    # kinds and keys
    ("kind: slfac", "kind: slfak",
     f"16:11: codec.uplink.kind: no 'slfak' among {CODECS}; did you mean 'slfac'?{NOR}"),
    ("theta: 0.9", "teta: 0.9", "17:5: codec.uplink.teta: unknown key 'teta'; did you mean 'theta'?"),
    ("  latency: 5", "  latenzy: 5", "21:3: network.latenzy: unknown key 'latenzy'; did you mean 'latency'?"),
    ("cut: block1", "cut: block1\nzzz: 1", f"6:1: zzz: unknown key 'zzz'; known are {ROOT_KEYS}"),
    ("  batch: 16", "  batsch: 16", "7:3: learning.batsch: unknown key 'batsch'; did you mean 'batch'?"),
    ("model: small_cnn", "model: {}", f"4:8: model: needs a kind among {MODELS} (got a mapping)"),
    ("model: small_cnn", "model:", f"4:7: model: needs a kind among {MODELS} (got null)"),
    ("kind: cell", "kind: 4", f"20:9: network.kind: needs a kind among {NETWORKS}"),
    ("kind: cell", "kin: cell", f"20:3: network: needs a kind among {NETWORKS} (got a mapping)"),
    ("cut: block1\n", "", "1:1: cut: missing key 'cut'"),
    ("  downlink: raw\n", "", "14:1: codec.downlink: missing key 'downlink'"),
    ("{kind: fixed}", "profiles", "13:10: devices.speed.names: missing key 'names'"),
    # shorthands, reported once and where they stand
    (CODEC_PAIR, "  kind: slfac\n  teta: 1", "16:3: codec.teta: unknown key 'teta'; did you mean 'theta'?"),
    (f"codec:\n{CODEC_PAIR}", "codec: slfak",
     f"14:8: codec.kind: no 'slfak' among {CODECS}; did you mean 'slfac'?{NOR}"),
    (CODEC_PAIR, "  kind: slfac\n  theta: 2", "16:10: codec.theta: must be at most 1 (got 2)"),
    ("name: s", "name: s\nseed: -3", "2:7: seed: must be at least 0 (got -3)"),
    ("name: s", "name: s\nseed: {air: x}", "2:13: seed.air: must be an integer (got 'x')"),
    # values
    ("theta: 0.9", "theta: 0", "17:12: codec.uplink.theta: must be more than 0 (got 0)"),
    ("theta: 0.9", "theta: '0.9'", "17:12: codec.uplink.theta: must be a number (got '0.9')"),
    ("theta: 0.9", "theta: true", "17:12: codec.uplink.theta: must be a number (got true)"),
    ("theta: 0.9", "theta: 1e999", "17:12: codec.uplink.theta: must be a number (got '1e999')"),
    ("count: 4", "count: 4.0", "12:10: devices.count: must be an integer (got 4.0)"),
    ("count: 4", "count: true", "12:10: devices.count: must be an integer (got true)"),
    ("count: 4", "count: 017", "12:10: devices.count: must be an integer (got '017')"),
    ("count: 4", "count: 12:30", "12:10: devices.count: must be an integer (got '12:30')"),
    ("count: 4", "count: [4]", "12:10: devices.count: must be an integer (got a list of 1)"),
    ("{kind: adam}", "{kind: sgd, nesterov: off}",
     "8:36: learning.optimiser.nesterov: must be true or false (got 'off')"),
    ("cut: block1", "cut: 1.5",
     "5:6: cut: must be a text (got 1.5); write it in quotes, or must be a mapping (got 1.5)"),
    ("name: s", "name: a b", "1:7: name: must match the pattern ^[A-Za-z0-9][A-Za-z0-9_.-]*$ (got 'a b')"),
    ("kind: parallel", "kind: parallel\n  model_broadcast: multi",
     "11:20: protocol.model_broadcast: no 'multi' among multicast, unicast; did you mean 'multicast'?"),
    ("{kind: adam}", "{kind: adam, betas: [0.9]}", "8:34: learning.optimiser.betas.1: missing item '1'"),
    ("{kind: adam}", "{kind: adam, betas: 3}", "8:34: learning.optimiser.betas: must be a list (got 3)"),
    ("{kind: fixed}", "{kind: profiles, names: {pi: 4}}",
     f"13:35: devices.speed.names.pi: no 'pi' among {PROFILES}"),
    ("devices:\n  count: 4\n  speed: {kind: fixed}", "devices: [4]",
     "11:10: devices: must be a mapping (got a list of 1)"),
    ("cut: block1", "cut: block1\nevaluation: {targets: [0.5, 2]}",
     "6:29: evaluation.targets.1: must be at most 1 (got 2)"),
    ("{kind: adam}", "{kind: sgd, nesterov: true}",
     "8:3: learning.optimiser: nesterov needs a momentum above 0 (got 0)"),
    # quantities
    ("5 ms", "5 m", "21:12: network.latency: unknown duration unit 'm'; did you mean 'ms'?"),
    ("5 ms", "-5 ms", "21:12: network.latency: must be at least 0 (got '-5 ms')"),
    ("5 ms", "soon", "21:12: network.latency: expected a duration such as '10 s' (got 'soon')"),
    ("5 ms", "yes", "21:12: network.latency: expected a duration such as '10 s' (got 'yes')"),
    ("5 ms", "true", "21:12: network.latency: must be a duration such as '10 s' (got true)"),
    ("latency: 5 ms", "bandwidth: 20 mHz",
     "21:14: network.bandwidth: unknown frequency unit 'mHz'; did you mean 'MHz'?"),
    # YAML
    ("cut: block1", "cut: block1\ncut: block2", "6:1: cut: repeated key 'cut', first at s.yaml:5:1"),
    ("cut: block1", "cut: !!python/name:os.system x",
     "5:6: cut: tag 'tag:yaml.org,2002:python/name:os.system' is not allowed"),
    ("cut: block1", "cut: !!int abc", "5:6: cut: 'abc' cannot be read as int"),
    ("cut: block1", "cut: block1\n? [a]\n: 3", "6:3: a key must be a text"),
    ("  batch: 16", "\tbatch: 16", "7:1: a tab where YAML wants spaces"),
    ("{kind: adam}", "{kind: adam",
     "9:9: not YAML: expected ',' or '}', but got ':' while parsing a flow mapping begun at s.yaml:8:14"),
    ("cut: block1", "cut: *there", "5:6: not YAML: found undefined alias 'there'"),
    ("cut: block1", 'cut: "a\\U00110000"', "5:8: the escape \\U00110000 is no character"),
    ("cut: block1", "cut: a\x07", "5:7: character '\\x07' is not allowed"),
    ("cut: block1", "cut: block1\n---\nx: 1", "6:1: a second document ('---'); a scenario is one"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "line"), IN_FILE)
def test_one_fault_in_a_file_is_one_line(old: str, new: str, line: str) -> None:
    assert BASE.count(old) == 1
    assert faults(BASE.replace(old, new), []) == f"s.yaml:{line}"


IN_OVERRIDES = [
    ("codec.uplink.theta=99", "codec.uplink.theta: must be at most 1 (got 99)"),
    ("codec.uplink.teta=0.9", "codec.uplink.teta: unknown key 'teta'; did you mean 'theta'?"),
    ("codek.uplink=raw", "codek: unknown key 'codek'; did you mean 'codec'?"),
    ("codec.uplinc=raw", "codec.uplinc: unknown key 'uplinc'; did you mean 'uplink'?"),
    ("epochs=3", "epochs: unknown key 'epochs'; did you mean 'protocol.rounds'?"),
    ("learning.lr=0.1", "learning.lr: unknown key 'lr'; did you mean 'learning.optimiser.learning_rate'?"),
    ("codec=slfak", f"codec.kind: no 'slfak' among {CODECS}; did you mean 'slfac'?{NOR}"),
    ("codec.uplink.kind=slfak", f"codec.uplink.kind: no 'slfak' among {CODECS}; did you mean 'slfac'?{NOR}"),
    ("codec.downlink.theta=0.9", "codec.downlink.theta: unknown key 'theta'; known are kind"),
    ("network.latency=5 m", "network.latency: unknown duration unit 'm'; did you mean 'ms'?"),
    ("data.foldr=/x", "data.foldr: unknown key 'foldr'; known are {synthetic}"),
    ("devices.count.x=3", "devices.count: must be an integer (got a mapping)"),
    ("devices.speed={kind: profiles, names: {phone: 3}}",
     "devices: the counts of speed.names must sum to the number of devices, 4 (got 3); give names that do,"
     ' or another speed, such as devices.speed="5 GFLOP/s"'),
    ("devices.speed.kind=profiles", "devices.speed.names: missing key 'names'"),
    ("evaluation.targets.0=1",
     "evaluation.targets.0: no '0' among accuracy, balanced_accuracy, macro_f1, worst_class, device_mean,"
     " device_worst_tenth, device_spread, loss, or must be a list (got 1)"),
    ("learning.optimiser={kind: sgd, nesterov: true}",
     "learning.optimiser: nesterov needs a momentum above 0 (got 0)"),
    ("learning={batch: 3, batch: 4, optimiser: sgd}", "learning.batch: repeated key 'batch'"),
    ("data={kind: synthetic", "not YAML: expected ',' or '}', but got '<stream end>'"),
    ("cut=&a [*a]", "nested deeper than 40 levels"),
    ("codec=SLFAC",
     f"codec.kind: no 'SLFAC' among {CODECS}; did you mean 'slfac'?{NOR.replace('slfak', 'SLFAC')}"),
    ("codec.uplink.theta=95 %", "codec.uplink.theta: must be a number (got '95 %'); write 0.95"),
    ("foo", "expected key.path=value"),
    ("protocol.participation.enough=99", "participation.enough must be at most devices.count, 4 (got 99)"),
    ("protocol.participation={enough: 3, select: {kind: random, count: 2}}",
     "participation.enough must be at most 2, as many as participation.select ever asks (got 3)"),
    ("protocol.participation={enough: 4, select: {kind: fastest, count: 3}}",
     "participation.enough must be at most 3, as many as participation.select ever asks (got 4)"),
    ("protocol={kind: clustered, cluster: 2, participation: {enough: 3}}",
     "protocol: participation.enough must be at most cluster, 2 (got 3)"),
    ("evaluation.targets=[0.5, 0.5]", "evaluation: targets must differ from each other (got 0.5 twice)"),
    ("learning.batch=2.5", "learning.batch: must be an integer (got 2.5)"),
    ('cut="\\UFFFFFFFF"', "the escape \\UFFFFFFFF is no character"),
    ("=3", "expected key.path=value, with a name on each side of a dot (got '')"),
    ("a..b=1", "expected key.path=value, with a name on each side of a dot (got 'a..b')"),
    ("kind=raw", f"kind: unknown key 'kind'; known are {ROOT_KEYS}"),
]  # fmt: skip


@pytest.mark.parametrize(("override", "text"), IN_OVERRIDES)
def test_one_fault_in_an_override_is_one_line(override: str, text: str) -> None:
    from slfac_sim.learning.datasets.synthetic import Synthetic

    fields = ", ".join(["kind", *(field.name for field in dataclasses.fields(Synthetic))])
    assert faults(BASE, [override]) == f"override '{override}': {text.replace('{synthetic}', fields)}"


def test_a_unit_apart_from_its_number_is_told_to_be_quoted() -> None:
    said = faults(BASE, ["network.latency=10", "ms"]).splitlines()
    assert (
        said[-1] == "override 'ms': expected key.path=value; put quotes around it: \"network.latency=10 ms\""
    )
    assert "quotes" not in faults(BASE, ["ms"])
    assert "quotes" not in faults(BASE, ["network.latency=10", "codec"])


@pytest.mark.parametrize("asked", ["scenrio.yaml", "scenario.yml", "scenario"])
def test_a_near_miss_of_a_file_names_that_file(asked: str, tmp_path: Path) -> None:
    (tmp_path / "scenario.yaml").write_text(BASE, encoding="utf-8")
    with pytest.raises(ScenarioError, match=r"did you mean '.*scenario\.yaml'"):
        load(tmp_path / asked)


def test_a_list_in_an_override_is_entered_by_number_only() -> None:
    text = BASE + "evaluation: {targets: [0.5, 0.9]}\n"
    assert faults(text, ["evaluation.targets.2=1", "evaluation.targets.x=1"]).splitlines() == [
        "override 'evaluation.targets.2=1': evaluation.targets: no item 2 in a list of 2 (the first is 0)",
        "override 'evaluation.targets.x=1': evaluation.targets: a list of 2, where 'x' is no number",
    ]


def test_a_fault_between_settings_is_laid_to_the_override_that_made_it() -> None:
    text = BASE.replace("{kind: adam}", "{kind: sgd, nesterov: true, momentum: 0.9}")
    line = "learning.optimiser: nesterov needs a momentum above 0 (got 0)"
    override = "learning.optimiser.momentum=0.0"
    assert faults(text, [override]) == f"override '{override}': {line}"


def test_all_faults_come_at_once_in_the_order_of_their_places() -> None:
    text = BASE.replace("5 ms", "5 m").replace("slfac", "slfak").replace("batch: 16", "batch: 0\n  batch: 1")
    text = text.replace("cut: block1", "cut: !!binary aaaa")
    assert faults(text, ["foo", "partition.alfa=1", "codec.downlink=rew"]).splitlines() == [
        "s.yaml:5:6: cut: tag 'tag:yaml.org,2002:binary' is not allowed",
        "s.yaml:7:10: learning.batch: must be at least 1 (got 0)",
        "s.yaml:8:3: learning.batch: repeated key 'batch', first at s.yaml:7:3",
        f"s.yaml:17:11: codec.uplink.kind: no 'slfak' among {CODECS}; did you mean 'slfac'?{NOR}",
        "s.yaml:22:12: network.latency: unknown duration unit 'm'; did you mean 'ms'?",
        "override 'foo': expected key.path=value",
        "override 'partition.alfa=1': partition.alfa: unknown key 'alfa'; known are kind",
        f"override 'codec.downlink=rew': codec.downlink.kind: no 'rew' among {CODECS}; did you mean 'raw'?"
        f"{NOR.replace('slfak', 'rew')}",
    ]


def test_an_alias_is_faulted_once() -> None:
    text = BASE.replace(CODEC_PAIR, "  uplink: &c {kind: slfac, theta: 7}\n  downlink: *c")
    assert faults(text, []) == "s.yaml:15:35: codec.uplink.theta: must be at most 1 (got 7)"


def test_a_billion_laughs_is_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    for i in range(1, 9):
        lines.append(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]")
    assert "aliases expand to more than 100000 values" in faults("\n".join(lines), [])


def test_deep_nesting_is_refused() -> None:
    assert faults("a: " + "[" * 60 + "]" * 60, []) == "s.yaml:1:44: nested deeper than 40 levels"
    assert faults("[" * 20_000, []) == "s.yaml: nested deeper than 40 levels"


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"", "{f}:1:1: is empty; a scenario is a mapping of settings"),
        (b"# nothing\n", "{f}:1:1: is empty; a scenario is a mapping of settings"),
        (b"- 1\n", "{f}:1:1: holds no mapping; a scenario is a mapping of settings"),
        (b"name: s\ncut: \xff\n", "{f}:2:6: not UTF-8 text (byte 0xff)"),
        (b"\x00\x00", "{f}:1:1: character '\\x00' is not allowed"),
    ],
)
def test_a_file_that_is_no_scenario_is_one_line(tmp_path, content, line) -> None:
    file = tmp_path / "f.yaml"
    file.write_bytes(content)
    with pytest.raises(ScenarioError) as caught:
        load(file)
    assert str(caught.value) == line.replace("{f}", str(file))


def test_a_missing_file_and_a_folder_are_one_line(tmp_path) -> None:
    with pytest.raises(ScenarioError, match=r"^10_devices: no such file.*; did you mean '100_devices'\?$"):
        load("10_devices")
    with pytest.raises(ScenarioError, match=r"is a folder, not a scenario file$"):
        load(tmp_path)
    with pytest.raises(ScenarioError, match=r"cannot be read \(a null byte in the name\)$"):
        load("a\0b")


def test_the_error_travels_between_processes() -> None:
    with pytest.raises(ScenarioError) as caught:
        read(BASE, "s.yaml", ["foo", "cut=3"])
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_the_seed_argument_is_faulted_as_an_override() -> None:
    with pytest.raises(ScenarioError, match=r"^override 'seed=-1': seed: must be at least 0 \(got -1\)$"):
        read(BASE, "s.yaml", seed=-1)


def test_a_module_of_somebody_else_that_fails_to_import_is_one_line(tmp_path, monkeypatch) -> None:
    (tmp_path / "their").mkdir()
    (tmp_path / "their" / "broken.py").write_text("raise RuntimeError('a\\nb')\n")
    monkeypatch.syspath_prepend(tmp_path)
    line = "model.kind: no module 'their.broken' can be imported (RuntimeError: a b)"
    assert faults(BASE, ["model=their.broken"]) == f"override 'model=their.broken': {line}"


HELD = [
    (network, field, kind)
    for network, field, family in (
        ("cell", "medium", "media"),
        ("cell", "rate", "radio.rates"),
        ("cell", "fading", "radio.fading"),
        ("cell", "pathloss", "radio.pathloss"),
        ("multi_cell", "fading", "radio.fading"),
        ("wifi", "medium", "media"),
    )
    for kind in kinds(f"slfac_sim.network.{family}")
    if (kind in ("csma", "dcf")) == (network == "wifi") or family != "media"
]


@pytest.mark.matrix
@pytest.mark.parametrize(("network", "field", "kind"), HELD)
def test_a_setting_written_one_level_too_high_is_told_where_it_lives(
    network: str, field: str, kind: str
) -> None:
    families = {
        "medium": "media",
        "rate": "radio.rates",
        "fading": "radio.fading",
        "pathloss": "radio.pathloss",
    }
    outer, inner = (
        find("slfac_sim.network.kinds", network),
        find(f"slfac_sim.network.{families[field]}", kind),
    )
    own, held = ({each.name for each in fields(cls)} for cls in (outer, inner))
    for key in held - own:
        override = f"network={{kind: {network}, {field}: {kind}, {key}: 1}}"
        said = faults(BASE, [override]).splitlines()[0]
        assert said.endswith(f"network.{key}: unknown key '{key}'; it is a setting of network.{field}"), said


def test_a_setting_of_what_is_not_written_is_told_where_it_lives_too() -> None:
    override = "network={kind: wifi, standard: 802.11a}"
    assert faults(BASE, [override]).endswith("unknown key 'standard'; it is a setting of network.medium")


@pytest.mark.parametrize("standard", ["802.11be", "802.11b", "802.11g"])
def test_a_standard_that_is_not_modelled_is_no_misspelling(standard: str) -> None:
    override = f"network={{kind: wifi, medium: {{standard: {standard}}}}}"
    assert faults(BASE, [override]).endswith(
        f"{standard} is not modelled: 802.11a, 802.11n, 802.11ac and 802.11ax are"
    )
    assert faults(BASE, [override.replace(standard, "802.11N")]).endswith("did you mean '802.11n'?")
