"""`base:` in a scenario: laid over another as overrides are, chains, faults with their places."""

import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from slfac_sim.cli import main
from slfac_sim.foundation.plugins import find, kinds
from slfac_sim.scenario.files import ScenarioError, dump, load, read, schema, shipped
from slfac_sim.scenario.schema import Scenario
from slfac_sim.studies.cells import base_of
from slfac_sim.studies.files import is_study, read_study

WITH_ONE_SERVER = [
    kind for kind in kinds("slfac_sim.protocols") if find("slfac_sim.protocols", kind).servers == "one"
]
TINY = Path(__file__).with_name("tiny.yaml").read_text(encoding="utf-8")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("tiny.yaml").write_text(TINY, encoding="utf-8")
    return tmp_path


def over(text: str, base: str = "tiny.yaml", notes: list[str] | None = None) -> Scenario:
    """Return the scenario of a file `over.yaml` with that base and `text`."""
    Path("over.yaml").write_text(f"base: {base}\n{text}", encoding="utf-8")
    return load("over.yaml", report=(notes if notes is not None else []).append)


def faults(text: str) -> str:
    with pytest.raises(ScenarioError) as caught:
        over(text)
    return str(caught.value)


def test_a_base_alone_is_the_scenario_under_another_name() -> None:
    assert dump(over("")) == dump(load("tiny.yaml")).replace("name: tiny", "name: over")
    assert over("name: mine").name == "mine"


@pytest.mark.parametrize("name", sorted(shipped()))
def test_every_shipped_scenario_can_be_a_base(name: str) -> None:
    whole = over("", name.removesuffix(".yaml"))
    assert dump(whole) == dump(load(name, ["name=over"]))
    assert "base" not in yaml.safe_load(dump(whole))


PAIRS = {
    "devices: {count: 3}": ["devices.count=3"],
    "devices: 3": ["devices.count=3"],
    "network: {radius: 60 m}": ["network.radius=60 m"],
    "network: {kind: cell, radius: 60 m}": ["network.kind=cell", "network.radius=60 m"],
    "network: {kind: wifi, radius: 20 m}": ["network.kind=wifi", "network.radius=20 m"],
    "network: wifi": ["network=wifi"],
    "protocol: {kind: asynchronous}": ["protocol.kind=asynchronous"],
    "protocol: {participation: {select: {kind: random, count: 2}}}": [
        "protocol.participation.select={kind: random, count: 2}"
    ],
    "codec: raw": ["codec=raw"],
    "codec: {theta: 0.7}": ["codec.theta=0.7"],
    "codec: {kind: slfac, theta: 0.7}": ["codec.theta=0.7"],
    "codec: {kind: topk, rate: 0.2}": ["codec={kind: topk, rate: 0.2}"],
    "codec: {uplink: {theta: 0.7}}": ["codec.uplink.theta=0.7"],
    "codec: {uplink: raw, model: fp16}": ["codec.uplink=raw", "codec.model=fp16"],
    "seed: 4": ["seed=4"],
    "seed: {air: 4}": ["seed.air=4"],
    "evaluation: {targets: [0.5]}": ["evaluation.targets=[0.5]"],
    "cut: {d000: conv1}": ["cut={d000: conv1}"],
    "server: 2 GFLOP/s": ["server.speed=2 GFLOP/s"],
    "devices: {speed: 1 GFLOP/s}": ["devices.speed=1 GFLOP/s"],
    "devices: {speed: {sigma: 0.5}}": ["devices.speed.sigma=0.5"],
    "devices: {slowdowns: [{kind: jitter, sigma: 0.3}]}": ["devices.slowdowns=[{kind: jitter, sigma: 0.3}]"],
    "learning: {optimiser: {learning_rate: 0.1}}": ["learning.optimiser.learning_rate=0.1"],
    "learning: {optimiser: adam}": ["learning.optimiser=adam"],
}


@pytest.mark.parametrize("text", PAIRS)
def test_a_scenario_is_laid_over_its_base_as_overrides_are(text: str) -> None:
    """What goes is of the base alone, and nobody wrote it here: nothing is said of it."""
    notes: list[str] = []
    wanted = load("tiny.yaml", ["name=over", *PAIRS[text]])
    assert over(text, notes=notes) == wanted
    assert notes == []


SITE = """\
base: tiny.yaml
network:
  kind: topology
  access: {a: {network: ideal, devices: 2}, b: {network: ideal, devices: 3}}
  links:
    one: {between: [a, server], capacity: 1 Mbit/s, latency: 1 ms}
    two: {between: [b, server], capacity: 1 Mbit/s, latency: 1 ms}
  change: {gap: {kind: outages, devices: all}}
"""
TAKEN_BACK: dict[str, tuple[list[str], list[str]]] = {
    "network: {links: null}": (["network.links=null"], []),
    "network: {links: {}}": (["network.links={}"], []),
    "network: {links: {one: null}}": (["network.links.one=null"], ["two"]),
    "network: {links: {one: null, two: {latency: 2 ms}}}": (
        ["network.links.two.latency=2 ms", "network.links.one=null"],
        ["two"],
    ),
    "network: {links: {one: null, two: null}}": (
        ["network.links.one=null", "network.links.two=null"],
        [],
    ),
}


@pytest.mark.parametrize("text", TAKEN_BACK)
def test_settings_by_name_are_taken_back_one_or_all(text: str) -> None:
    Path("site.yaml").write_text(SITE, encoding="utf-8")
    overrides, left = TAKEN_BACK[text]
    scenario = over(text, base="site.yaml")
    assert list(scenario.network.links) == left
    assert scenario == load("site.yaml", ["name=over", *overrides])
    assert valid(f"base: site.yaml\n{text}") == []


def test_what_is_not_there_cannot_be_taken_back() -> None:
    Path("site.yaml").write_text(SITE, encoding="utf-8")
    said = "network.links.ones: no 'ones' to take out; did you mean 'one'?"
    with pytest.raises(ScenarioError, match=r"^over\.yaml:2:") as caught:
        over("network: {links: {ones: null}}", base="site.yaml")
    assert said in str(caught.value)
    with pytest.raises(ScenarioError) as caught:
        load("site.yaml", ["network.links.ones=null"])
    assert said in str(caught.value)


def test_what_may_be_null_is_null_not_empty() -> None:
    Path("site.yaml").write_text(SITE, encoding="utf-8")
    assert over("network: {change: null}", base="site.yaml").network.change is None
    assert over("servers: null", base="site.yaml").servers is None


@settings(max_examples=40)
@given(st.lists(st.sampled_from(sorted(PAIRS)), min_size=2, max_size=4, unique=True), st.data())
def test_the_order_of_what_a_scenario_says_does_not_matter(texts: list[str], data: st.DataObject) -> None:
    by_key = {text.partition(":")[0]: text for text in texts}  # a key once
    one, other = list(by_key.values()), data.draw(st.permutations(list(by_key.values())))
    assert over("\n".join(one)) == over("\n".join(other))


NOT_OF_CODECS = sorted(text for text in PAIRS if not text.startswith("codec"))  # a dump has one for each way


def outcome(scenario: Callable[[], Scenario]) -> str:
    try:
        return dump(scenario()).partition("\n")[2]  # without its name
    except ScenarioError:
        return "refused"


@settings(max_examples=40)
@given(st.lists(st.sampled_from(NOT_OF_CODECS), min_size=1, max_size=4))
def test_a_chain_of_bases_is_laid_link_by_link(texts: list[str]) -> None:
    below, told = "tiny.yaml", outcome(lambda: load("tiny.yaml"))
    for number, text in enumerate(texts):
        if told == "refused":
            break
        flat = dump(load(below))
        Path(f"link{number}.yaml").write_text(f"base: {below}\n{text}", encoding="utf-8")
        below = f"link{number}.yaml"
        told = outcome(lambda file=below: load(file))  # type: ignore[misc]
        assert told == outcome(lambda tree=flat, said=PAIRS[text]: read(tree, "flat", said))  # type: ignore[misc]


@pytest.mark.matrix
@pytest.mark.parametrize("kind", WITH_ONE_SERVER)
def test_another_kind_keeps_what_its_family_shares(kind: str) -> None:
    notes: list[str] = []
    protocol = over(f"protocol: {{kind: {kind}}}", notes=notes).protocol
    assert (protocol.rounds, protocol.steps, notes) == (2, 3, [])


def test_of_what_another_kind_drops_that_of_the_file_is_noted_and_not_that_of_its_base() -> None:
    notes: list[str] = []
    Path("tiny.yaml").write_text(TINY.replace("codec: slfac", "codec: {kind: slfac, theta: 0.8}"))
    over("network: {kind: wifi}\ncodec: {kind: topk}\n", notes=notes)
    assert notes == []
    Path("mine.yaml").write_text("base: tiny.yaml\nnetwork: {bandwidth: 2 MHz}\ncodec: {b_max: 6}\n")
    for kind, dropped in (("network=wifi", "bandwidth"), ("codec=topk", "b_max")):
        notes.clear()
        load("mine.yaml", [kind], report=notes.append)
        (note,) = notes
        assert note.endswith(f" go: {dropped}")


FAULTS = {
    "devices: {count: 0}": "over.yaml:2:18: devices.count: must be at least 1 (got 0)",
    "devices: 0": "over.yaml:2:10: devices.count: must be at least 1 (got 0)",
    "devcies: 3": "over.yaml:2:1: devcies: unknown key 'devcies'; did you mean 'devices'?",
    "devices.count: 3": (
        "over.yaml:2:1: devices.count: unknown key 'devices.count'; write devices: {count: ...}"
    ),
    "network: {radus: 1}": "over.yaml:2:11: network.radus: unknown key 'radus'; did you mean 'radius'?",
    "network: {kind: wify}": (
        "over.yaml:2:17: network.kind: no 'wify' among cell, ideal, multi_cell, topology, trace, wifi"
    ),
    "codec: {kind: slfac, b_min: 9}": "over.yaml:2:29: codec: b_min must not exceed b_max (got 9 and 8)",
    "learning: {optimiser: {nesterov: true, momentum: 0}}": (
        "over.yaml:2:50: learning.optimiser: nesterov needs a momentum above 0 (got 0)"
    ),
    "evaluation: {targets: [0.5, 0.5]}": (
        "over.yaml:2:1: evaluation: targets must differ from each other (got 0.5 twice)"
    ),
    "cut: [1": "over.yaml:2:8: not YAML",
    "seeds: 3\nnetwork: wifi": "over.yaml:2:1: seeds: unknown key 'seeds'; did you mean 'seed'?",
}


@pytest.mark.parametrize("text", FAULTS)
def test_a_fault_names_the_file_and_line_where_the_value_was_written(text: str) -> None:
    assert faults(text).startswith(FAULTS[text])
    assert "\n" not in faults(text).partition("\nnearest")[0]


def test_faults_of_base_and_file_are_told_together_the_bases_first() -> None:
    Path("tiny.yaml").write_text(TINY.replace("width: 4", "widht: 4"), encoding="utf-8")
    assert faults("devices: 0").splitlines()[:2] == [
        "tiny.yaml:4:26: model.widht: unknown key 'widht'; did you mean 'width'?",
        "over.yaml:2:10: devices.count: must be at least 1 (got 0)",
    ]


BASES = {
    "nope": "over.yaml:1:7: base: nope: no such file, and no shipped scenario of that name; shipped are ",
    "quik": "over.yaml:1:7: base: quik: no such file, and no shipped scenario of that name; did you mean",
    "over.yaml": "over.yaml:1:7: base: leads back to where it began: over.yaml -> over.yaml",
    "back.yaml": "back.yaml:1:7: base: leads back to where it began: over.yaml -> back.yaml -> ./over.yaml",
    "study.yaml": "over.yaml:1:7: base: study.yaml: is a study, not a scenario",
    "bandwidth": "over.yaml:1:7: base: bandwidth: is a shipped study, not a scenario",
    "[tiny.yaml]": "over.yaml:1:7: base: must be a text, a file or the name of a shipped scenario (got a li",
    "folder": "over.yaml:1:7: base: folder: is a folder, not a scenario file",
    "''": "over.yaml:1:7: base: : is a folder, not a scenario file",
}  # fmt: skip


@pytest.mark.parametrize("base", BASES)
def test_a_base_that_cannot_be_one_is_one_fault_at_its_place(base: str) -> None:
    Path("back.yaml").write_text("base: ./over.yaml\n", encoding="utf-8")
    Path("study.yaml").write_text("base: tiny.yaml\naxes: {codec: [raw]}\n", encoding="utf-8")
    Path("folder").mkdir()
    Path("over.yaml").write_text(f"base: {base}\ndevices: 0\n", encoding="utf-8")
    with pytest.raises(ScenarioError) as caught:
        load("over.yaml")
    assert str(caught.value).startswith(BASES[base].replace(" ./over", " over"))
    assert len(caught.value.faults) == 1


def test_a_base_is_relative_to_its_own_file_and_comes_before_a_shipped_name(here: Path) -> None:
    Path("sub").mkdir()
    Path("sub/quick").write_text("base: ../tiny.yaml\ndevices: 2\n", encoding="utf-8")
    Path("sub/over.yaml").write_text("base: quick\nseed: 3\n", encoding="utf-8")
    scenario = load("sub/over.yaml")
    assert (scenario.devices.count, scenario.seed.air, scenario.data.train_samples) == (2, 3, 240)
    assert load(here / "sub" / "over.yaml") == scenario
    Path("over.yaml").write_text("base: quick\n", encoding="utf-8")
    assert load("over.yaml").network.radius == load("quick").network.radius


STUDIES = {
    "base: tiny.yaml\naxes: {codec: [raw]}": True,
    "base: tiny.yaml\nseeds: 2": True,
    "name: x\nbase: tiny.yaml\nair_seeds: 2": True,
    "base: tiny.yaml\noverrides: [devices=3]": True,
    "base: tiny.yaml\nseads: 2": True,  # so it is told what a study may have
    "base: tiny.yaml": False,
    "name: x\nbase: tiny.yaml": False,
    "base: tiny.yaml\ndevices: 3": False,
    "base: tiny.yaml\ndevices: 3\ntargets: [0.5]": False,
    TINY: False,
    "axes: {codec: [raw]}": True,
}


@pytest.mark.parametrize("text", STUDIES)
def test_a_study_is_what_has_keys_that_only_studies_have(text: str) -> None:
    Path("x.yaml").write_text(text, encoding="utf-8")
    assert is_study("x.yaml") == STUDIES[text]


def test_a_scenario_with_a_base_is_a_study_without_axes_and_may_be_the_base_of_one() -> None:
    Path("over.yaml").write_text("base: tiny.yaml\ndevices: 3\n", encoding="utf-8")
    file = read_study("over.yaml")
    assert (file.study.axes, base_of(file).devices.count) == ({}, 3)
    Path("study.yaml").write_text("base: over.yaml\nseeds: 1\n", encoding="utf-8")
    assert base_of(read_study("study.yaml")) == load("over.yaml")


def test_a_run_keeps_the_resolved_scenario(here: Path) -> None:
    Path("over.yaml").write_text("base: tiny.yaml\nprotocol: {rounds: 1, steps: 1}\n", encoding="utf-8")
    assert main(["run", "over.yaml", "--out", "o", "--quiet"]) == 0
    assert load("o/scenario.yaml") == load("over.yaml")
    assert "base" not in yaml.safe_load(Path("o/scenario.yaml").read_text(encoding="utf-8"))


def valid(text: str) -> list[Any]:
    checked = jsonschema.Draft202012Validator(json.loads(json.dumps(schema())))
    return [error.message for error in checked.iter_errors(yaml.safe_load(text))]


@pytest.mark.parametrize("text", PAIRS)
def test_editors_accept_what_is_laid_over_a_base(text: str) -> None:
    assert valid(f"base: tiny.yaml\n{text}") == []


@pytest.mark.parametrize("key", sorted({"data", "devices", "codec", "network", "learning"}))
def test_editors_still_ask_for_every_key_without_a_base(key: str) -> None:
    without = yaml.safe_load(TINY)
    del without[key]
    assert valid(yaml.safe_dump(without)) != []
    assert valid(yaml.safe_dump({**without, "base": "quick"})) == []


def test_editors_refuse_what_is_unknown_with_a_base_too() -> None:
    for text in ("network: {radus: 1}", "devcies: 3", "network: {kind: cel}", "devices: {count: many}"):
        assert valid(f"base: quick\n{text}") != [], text


def test_bases_of_both_orders_of_two_layers_differ_only_where_both_speak() -> None:
    for first, second in itertools.permutations(["devices: 3", "seed: 4"]):
        Path("a.yaml").write_text(f"base: tiny.yaml\n{first}", encoding="utf-8")
        scenario = over(second, "a.yaml")
        assert (scenario.devices.count, scenario.seed.air) == (3, 4)
