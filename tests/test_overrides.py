"""Overrides: their order does not matter, none is lost, and another kind says what it drops."""

import itertools
from pathlib import Path

import pytest
import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from slfac_sim.codecs.raw import Raw
from slfac_sim.foundation.plugins import find, kinds
from slfac_sim.scenario.files import ScenarioError, dump, load, plain, read
from slfac_sim.scenario.schema import Scenario

WITH_ONE_SERVER = [
    kind for kind in kinds("slfac_sim.protocols") if find("slfac_sim.protocols", kind).servers == "one"
]
TINY = Path(__file__).with_name("tiny.yaml")
POOL = [
    *(f"protocol.kind={kind}" for kind in kinds("slfac_sim.protocols")),
    *("protocol.rounds=3", "protocol.rounds=4", "protocol.steps=2", "protocol.depth=2", "protocol.cluster=2"),
    *("protocol=sequential", "protocol={kind: parallel, rounds: 5}", "protocol.participation.enough=2"),
    *("protocol.participation.select.kind=random", "protocol.participation.select.count=2"),
    *("codec=raw", "codec.kind=slfac", "codec.kind=topk", "codec.uplink.kind=uniform", "codec.uplink=raw"),
    *("codec.theta=0.7", "codec.uplink.theta=0.8", "codec.uplink.bits=5", "codec.downlink.rate=0.2"),
    *("codec={uplink: raw, downlink: slfac}", "codec.downlink.kind=on_support", "codec.downlink.codec=raw"),
    *("network.kind=wifi", "network.kind=cell", "network.radius=60", "network={kind: ideal}"),
    *(
        "network.medium.kind=tdma",
        "network.medium.slot=2 ms",
        "network.bandwidth=1e6",
        "seed=3",
        "seed.air=4",
    ),
    *("devices.speed.kind=fixed", "devices.speed.sigma=0.5", "devices.speed={kind: fixed, speed: 1e9}"),
    *("devices.count=3", "devices.count=4", "cut={d000: conv1}", "cut.d001=conv2", "name=other"),
    *("evaluation.targets=[0.5, 0.6]", "evaluation.targets.0=0.4", "evaluation.targets.1=0.7"),
    *("evaluation.targets+=0.99", "devices.slowdowns+={kind: jitter, sigma: 0.2}", "cut+=conv1"),
    *("devices=6", "devices.speed=1 GFLOP/s", "server=2 GFLOP/s"),
]
SETS = st.lists(st.sampled_from(POOL), min_size=2, max_size=5, unique=True)


def outcome(overrides: list[str]) -> tuple[Scenario | None, set[str]]:
    """Return the scenario, and what was said: of faults the places, whose order is that of the arguments."""
    notes: list[str] = []
    try:
        return load(TINY, overrides, report=notes.append), set(notes)
    except ScenarioError:
        return None, set()  # its words name the later of two arguments
    finally:
        assert not any("\n" in note for note in notes)


@settings(max_examples=50)
@given(st.data())
def test_any_permutation_of_overrides_is_the_same_scenario(data: st.DataObject) -> None:
    overrides = data.draw(SETS)
    assert outcome(data.draw(st.permutations(overrides))) == outcome(overrides)


def value_at(tree: object, path: str) -> object:
    for step in path.split("."):
        tree = tree[int(step)] if isinstance(tree, list) else tree[step]  # type: ignore[index]
    return tree


@settings(max_examples=50)
@given(SETS)
def test_an_override_of_a_single_value_is_in_the_result_or_refused(overrides: list[str]) -> None:
    scenario, _ = outcome(overrides)
    assume(scenario is not None)
    tree = plain(scenario)  # type: ignore[arg-type]
    for path, text in (override.split("=", 1) for override in overrides):
        node = path.removesuffix(".kind")
        further = [other for other in overrides if other.startswith(f"{node}.") and other != f"{path}={text}"]
        if not further and not text.startswith(("{", "[")) and path in SINGLE:
            assert value_at(tree, path) in (text, quantity(text)), path


SINGLE = {path for path, _, _ in (text.partition("=") for text in POOL)} - {
    *("codec", "codec.uplink", "codec.downlink.codec", "codec.kind", "codec.theta", "protocol", "seed"),
    *("evaluation.targets+", "devices.slowdowns+", "cut+", "devices", "devices.speed", "server"),
}


def quantity(text: str) -> float | None:
    number, _, unit = text.partition(" ")
    return float(number) * {"": 1.0, "ms": 1e-3}[unit] if number[:1].isdigit() else None


def test_rounds_survive_a_kind_that_comes_after_them() -> None:
    for overrides in itertools.permutations(["protocol.rounds=3", "protocol.kind=parallel"]):
        assert load(TINY, overrides).protocol.rounds == 3
    for overrides in itertools.permutations(["protocol.rounds=7", "protocol.kind=asynchronous"]):
        scenario = load(TINY, overrides)
        assert (scenario.protocol.rounds, scenario.protocol.steps) == (7, 3)


@pytest.mark.matrix
@pytest.mark.parametrize("kind", WITH_ONE_SERVER)
def test_another_protocol_keeps_rounds_and_steps_of_the_file(kind: str) -> None:
    notes: list[str] = []
    protocol = load(TINY, [f"protocol.kind={kind}"], report=notes.append).protocol
    assert (protocol.rounds, protocol.steps, notes) == (2, 3, [])


FAMILIES = {
    "slfac_sim.protocols": "protocol",
    "slfac_sim.protocols.selections": "protocol.participation.select",
    "slfac_sim.learning.optimisers": "learning.optimiser",
    "slfac_sim.network.kinds": "network",
    "slfac_sim.network.media": "network.medium",
    "slfac_sim.hosts.speeds": "devices.speed",
    "slfac_sim.learning.datasets": "data",
    "slfac_sim.learning.models": "model",
    "slfac_sim.codecs": "codec.uplink",
}
FILLED = [
    *("protocol.participation.select={kind: random, count: 3}", "protocol.participation.deadline=9"),
    *("learning.optimiser.momentum=0.5", "network.bandwidth=2e6", "network.medium={kind: tdma, slot: 2 ms}"),
    *("devices.speed.sigma=0.5", "data.test_samples=70", "model.width=8", "codec={kind: topk, rate: 0.2}"),
]


def read_or_refused(overrides: list[str]) -> tuple[Scenario | None, list[str]]:
    """Return the scenario and the notes, without the names of the overrides that they are of."""
    notes: list[str] = []
    try:
        scenario = read(dump(load(TINY, FILLED)), "filled.yaml", overrides, report=notes.append)
    except ScenarioError:
        return None, []
    return scenario, [note.partition("': ")[2] for note in notes]


@pytest.mark.matrix
@pytest.mark.parametrize(
    ("path", "kind"), [(path, kind) for family, path in FAMILIES.items() for kind in kinds(family)]
)
def test_a_bare_kind_is_short_for_the_kind_of_its_node(path: str, kind: str) -> None:
    assert read_or_refused([f"{path}={kind}"]) == read_or_refused([f"{path}.kind={kind}"])


def test_a_bare_kind_keeps_what_its_family_shares_and_names_what_it_drops() -> None:
    notes: list[str] = []
    text = dump(load(TINY, ["protocol.participation.deadline=9"]))
    protocol = read(text, "tiny.yaml", ["protocol=asynchronous"], report=notes.append).protocol
    assert (protocol.rounds, protocol.steps) == (2, 3)
    assert notes == [
        "override 'protocol=asynchronous': protocol: the kind changes, so these settings of parallel go:"
        " model_broadcast, initial_model, server_step, max_items, wait, participation"
    ]


@pytest.mark.parametrize(
    ("before", "override", "dropped"),
    [
        ("{kind: slfac, theta: 0.8, b_max: 6}", "codec=raw", "theta, b_max"),
        ("{kind: slfac, theta: 0.8}", "codec=slfac", "theta"),
        ("{uplink: {kind: topk, rate: 0.2}, downlink: raw, model: fp16}", "codec=raw", "uplink.rate, model"),
        ("{uplink: slfac, downlink: slfac}", "codec=raw", ""),
        ("slfac", "codec=raw", ""),
    ],
)
def test_one_codec_in_place_of_all_names_what_goes(
    tmp_path: Path, before: str, override: str, dropped: str
) -> None:
    file = tmp_path / "tiny.yaml"
    file.write_text(TINY.read_text(encoding="utf-8").replace("codec: slfac", f"codec: {before}"))
    notes: list[str] = []
    codec = load(file, [override], report=notes.append).codec
    kind = find("slfac_sim.codecs", override.partition("=")[2])()
    assert (codec.uplink, codec.downlink, codec.model.uplink) == (kind, kind, Raw())
    text = f"override '{override}': codec: one codec takes the place of all, so these settings go: {dropped}"
    assert notes == ([text] if dropped else [])


def test_what_another_kind_drops_is_named(tmp_path: Path) -> None:
    notes: list[str] = []
    load(TINY, ["learning.optimiser.kind=adam", "network.kind=wifi"], report=notes.append)
    assert notes == [
        "override 'learning.optimiser.kind=adam': learning.optimiser: the kind changes, so these settings"
        " of sgd go: learning_rate, momentum",
        "override 'network.kind=wifi': network: the kind changes, so these settings of cell go: bandwidth",
    ]


def test_what_is_set_with_another_kind_is_not_dropped(tmp_path: Path) -> None:
    notes: list[str] = []
    overrides = ["learning.optimiser.learning_rate=0.02", "learning.optimiser.kind=adam"]
    assert load(TINY, overrides, report=notes.append).learning.optimiser.learning_rate == 0.02  # type: ignore[attr-defined]
    file = tmp_path / "over.yaml"
    file.write_text(
        f"base: {TINY}\nname: over\nlearning: {{optimiser: {{learning_rate: 0.02, kind: adam}}}}\n"
    )
    load(file, report=notes.append)
    assert [note.rpartition(": ")[2] for note in notes] == ["momentum"]


def test_an_unchanged_kind_changes_nothing() -> None:
    whole = load(TINY)
    for path, kind in [("protocol", "parallel"), ("learning.optimiser", "sgd"), ("network.medium", "fair")]:
        notes: list[str] = []
        assert load(TINY, [f"{path}.kind={kind}"], report=notes.append) == whole
        assert notes == []


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (["devices.count=3", "devices.count=4"], "override 'devices.count=4': devices.count: is given twice"),
        (["codec=raw", "codec.kind=slfac"], "override 'codec.kind=slfac': codec.kind: is given twice"),
        (
            ["network.kind=cell", "network={kind: ideal}"],
            "override 'network={kind: ideal}': network.kind: is given twice, also by override 'network.kind=",
        ),
    ],
)
def test_two_overrides_that_contradict_each_other_are_refused(overrides: list[str], said: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        load(TINY, overrides)
    assert str(caught.value).startswith(said)
    load(TINY, [overrides[0], overrides[0]])  # said twice alike is no contradiction


TARGETS = (0.8, 0.9, 0.95, 0.97)


@settings(max_examples=40)
@given(st.lists(st.sampled_from([0.5, 0.6, 0.7, 0.75]), max_size=3, unique=True), st.data())
def test_what_is_appended_comes_in_order_after_what_is_set_or_is_there(
    more: list[float], data: st.DataObject
) -> None:
    plain = data.draw(st.sampled_from([[], ["evaluation.targets=[0.1, 0.2]"], ["evaluation.targets.1=0.85"]]))
    appends = [f"evaluation.targets+={target}" for target in more]
    overrides = data.draw(st.permutations([*plain, "seed=3", "network=ideal"]))
    for append in appends:  # anywhere among the others, in their own order
        place = data.draw(
            st.integers(
                max(map(overrides.index, appends[: appends.index(append)]), default=-1) + 1, len(overrides)
            )
        )
        overrides.insert(place, append)
    begun = {0: TARGETS, 1: (0.1, 0.2) if "0.1" in str(plain) else (0.8, 0.85, 0.95, 0.97)}[len(plain)]
    texts = [text for text in overrides if "targets.1" not in text]
    if texts != overrides:  # there is no item 1 to set in a list that nobody has written
        texts.append("evaluation.targets=[0.8, 0.85, 0.95, 0.97]")
    assert load(TINY, texts).evaluation.targets == (*begun, *more)


def test_plug_ins_are_appended_and_a_list_that_is_null_begins_empty() -> None:
    both = ["devices.slowdowns+={kind: jitter, sigma: 0.2}", "devices.slowdowns+=jitter"]
    slowdowns = load(TINY, both).devices.slowdowns
    assert [slowdown.sigma for slowdown in slowdowns] == [
        0.2,
        find("slfac_sim.hosts.slowdowns", "jitter")().sigma,
    ]
    placed = [f"network.positions+=[{x}, 1]" for x in range(5)]
    assert load(TINY, placed).network.positions == tuple((float(x), 1.0) for x in range(5))


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("cut+=conv1", "cut: is no list, and only a list is appended to (got 'conv1')"),
        ("devices.count+=1", "devices.count: is no list, and only a list is appended to (got 5)"),
        ("learning.batch+=1", "learning.batch: is no list, and only a list is appended to (got 8)"),
        ("server.discipline+=fifo", "server.discipline: is no list, and only a list is appended to (got"),
        ("devices.battery+=1", "devices.battery: is no list, and only a list is appended to"),
        ("network+={kind: cell}", "network: is no list, and only a list is appended to (got a mapping)"),
        ("evaluation.targts+=0.5", "evaluation.targts: unknown key 'targts'; did you mean 'targets'?"),
        ("evaluation.targets+=many", "evaluation.targets.4: must be a number (got 'many')"),
        ("evaluation.targets+=0.9", "evaluation: targets must differ from each other (got 0.9 twice)"),
        ("devices.slowdowns+=jiter", "devices.slowdowns.0.kind: no 'jiter' among"),
        ("+=3", "expected key.path=value, with a name on each side of a dot (got '')"),
        ("evaluation.targets+", "expected key.path=value"),
    ],
)  # fmt: skip
def test_what_cannot_be_appended_is_one_fault(override: str, said: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        load(TINY, [override])
    assert str(caught.value).startswith(f"override '{override}': {said}")
    assert len(caught.value.faults) == 1


SHORT = {
    "devices=7": ("devices.count=7", "devices={count: 7}"),
    "server=3 GFLOP/s": ("server.speed=3 GFLOP/s", "server={speed: 3 GFLOP/s}"),
    "server=3e9": ("server.speed=3 GFLOP/s", "server={speed: 3 GFLOP/s}"),
    "devices.speed=2 GFLOP/s": 2 * ("devices.speed={kind: fixed, speed: 2 GFLOP/s}",),
    "devices.speed=2e9": 2 * ("devices.speed={kind: fixed, speed: 2 GFLOP/s}",),
}


@pytest.mark.parametrize("override", SHORT)
def test_one_value_is_short_for_the_setting_that_it_plainly_means(override: str, tmp_path: Path) -> None:
    over_others, in_place_of_all = SHORT[override]
    assert load(TINY, [override]) == load(TINY, [over_others])
    path, _, value = override.partition("=")
    *above, name = path.split(".")
    tree = yaml.safe_load(TINY.read_text(encoding="utf-8"))
    (tree[above[0]] if above else tree)[name] = yaml.safe_load(value)
    file = tmp_path / "tiny.yaml"
    file.write_text(yaml.safe_dump(tree), encoding="utf-8")
    assert load(file) == load(TINY, [in_place_of_all])


def test_a_setting_of_a_short_form_can_be_overridden(tmp_path: Path) -> None:
    file = tmp_path / "tiny.yaml"
    text = TINY.read_text(encoding="utf-8").replace("{speed: 1 GFLOP/s}", "1 GFLOP/s")
    file.write_text(text.replace("{kind: log_normal, median: 0.1 GFLOP/s, sigma: 0.8}", "2 GFLOP/s"))
    scenario = load(file, ["server.discipline=sharing", "devices.speed.speed=3 GFLOP/s"])
    assert (scenario.server.speed, scenario.server.discipline) == (1e9, "sharing")
    assert scenario.devices.speed.speed == 3e9
    notes: list[str] = []
    assert load(file, ["devices.speed=log_normal"], report=notes.append).devices.speed.sigma == 0.8
    assert notes[0].endswith("devices.speed: the kind changes, so these settings of fixed go: speed")


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("devices=0", "devices.count: must be at least 1 (got 0)"),
        ("devices=many", "devices.count: must be an integer (got 'many')"),
        ("devices=[1]", "devices: must be a mapping (got a list of 1)"),
        ("devices=true", "devices: must be a mapping (got true)"),
        ("server=5 MHz", "server.speed: '5 MHz' is a frequency, expected a computing speed"),
        ("server=0", "server.speed: must be more than 0 (got 0)"),
        ("devices.speed=-1", "devices.speed.speed: must be more than 0 (got -1)"),
        ("devices.speed=5 GHz", "devices.speed.speed: '5 GHz' is a frequency, expected a computing speed"),
        ("devices.speed=fast", "devices.speed.kind: no 'fast' among"),
    ],
)
def test_a_wrong_short_form_names_what_it_stands_for(override: str, said: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        load(TINY, [override])
    assert str(caught.value).startswith(f"override '{override}': {said}")


def test_a_wrong_short_form_in_a_file_is_blamed_where_it_stands(tmp_path: Path) -> None:
    file = tmp_path / "tiny.yaml"
    file.write_text(
        TINY.read_text(encoding="utf-8").replace("server: {speed: 1 GFLOP/s}", "server: -1 GFLOP/s")
    )
    with pytest.raises(ScenarioError) as caught:
        load(file)
    assert str(caught.value) == f"{file}:13:9: server: must be more than 0 (got '-1 GFLOP/s')"
