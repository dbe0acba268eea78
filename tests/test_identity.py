"""What makes two scenarios one training: every setting is on one side of the line, and none on both."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from data_files import NAMES, write_tiny
from worlds import scenario

from slfac_sim.foundation.plugin_sources import sources_of
from slfac_sim.scenario import fingerprint
from slfac_sim.scenario.fingerprint import INVISIBLE, learning_key, point_key, visible_differences

INVISIBLE_CHANGES = (
    "name=other",
    "seed.air=7",
    "network.bandwidth=1 MHz",
    "network={kind: ideal}",
    "devices.speed.median=3 GFLOP/s",
    "devices.speed={kind: fixed}",
    "devices.codec_speed=3 GFLOP/s",
    "devices.slowdowns=[jitter]",
    "devices.power.idle=1 W",
    "devices.memory=1 GB",
    "server.speed=2 GFLOP/s",
    "server.codec_speed=2 GFLOP/s",
    "server.discipline=sharing",
    "server.slowdowns=[{kind: thermal}]",
    "server.power={compute: 400 W}",
    "evaluation.targets=[0.5]",
)
VISIBLE_CHANGES = {
    "codec.uplink.theta=0.95": "codec.uplink.theta: 0.9 there, 0.95 wanted",
    "codec.downlink=raw": "codec.downlink.kind: slfac there, raw wanted",
    "model.width=5": "model.width: 4 there, 5 wanted",
    "cut=conv2": "cut: conv1 there, conv2 wanted",
    "data.size=14": "data.size: 12 there, 14 wanted",
    "partition={kind: dirichlet, alpha: 0.3}": "partition.kind: iid there, dirichlet wanted",
    "learning.batch=4": "learning.batch: 8 there, 4 wanted",
    "learning.optimiser={kind: adam}": "learning.optimiser.kind: sgd there, adam wanted",
    "protocol.steps=null": "protocol.steps: 3 there, null wanted",
    "seed.learning=1": "seed.learning: 0 there, 1 wanted",
    "devices.count=4": "devices.count: 5 there, 4 wanted",
    "devices.memory_bandwidth=4 GB/s": "devices.memory_bandwidth: null there, 4000000000.0 wanted",
    "devices.battery=1 kJ": "devices.battery: null there, 1000.0 wanted",
    "devices.availability=crash": "devices.availability.kind: always there, crash wanted",
    "server.availability=on_off": "server.availability.kind: always there, on_off wanted",
    "evaluation.every_rounds=2": "evaluation.every_rounds: 1 there, 2 wanted",
}


@pytest.mark.parametrize("change", INVISIBLE_CHANGES)
def test_what_learning_cannot_see_is_the_same_training(change: str) -> None:
    assert visible_differences(scenario(), scenario(change)) == []
    assert learning_key(scenario(), 1) == learning_key(scenario(change), 1)
    assert (point_key(scenario()) == point_key(scenario(change))) == change.startswith("name")


@pytest.mark.parametrize("change", VISIBLE_CHANGES)
def test_what_learning_sees_is_another_training(change: str) -> None:
    assert visible_differences(scenario(), scenario(change)) == [VISIBLE_CHANGES[change]]
    assert learning_key(scenario(), 1) != learning_key(scenario(change), 1)
    assert point_key(scenario()) != point_key(scenario(change))


def test_every_part_of_a_scenario_was_tried_above() -> None:
    """A new node of the scenario must be put on one side of the line, and be tried there."""
    tried = {change.partition("=")[0].partition(".")[0] for change in (*INVISIBLE_CHANGES, *VISIBLE_CHANGES)}
    assert tried == set(vars(scenario())) - {"servers"}  # which has a protocol of its own: test_servers
    assert {path.partition(".")[0] for path in INVISIBLE} <= tried


STEERED = "devices.battery=1 kJ"


@pytest.mark.parametrize(
    "change", [one for one in INVISIBLE_CHANGES if not one.startswith(("name", "evaluation"))]
)
def test_where_timing_steers_learning_every_setting_is_in_the_key(change: str) -> None:
    assert learning_key(scenario(STEERED), 1) != learning_key(scenario(STEERED, change), 1)


def test_what_is_read_afterwards_is_in_no_key() -> None:
    changes: tuple[list[str], ...] = ([], ["name=other"], ["evaluation.targets=[0.5]"])
    assert len({learning_key(scenario(STEERED, *more), 1) for more in changes}) == 1


def test_the_code_of_the_clock_is_in_the_key_where_timing_steers(monkeypatch: pytest.MonkeyPatch) -> None:
    before = [learning_key(scenario(*more), 1) for more in ([], [STEERED])]
    edited = {fingerprint.TIMING_SOURCES: "an edited player"}
    unchanged = fingerprint.hash_of_sources
    monkeypatch.setattr(fingerprint, "hash_of_sources", lambda names: edited.get(names) or unchanged(names))
    after = [learning_key(scenario(*more), 1) for more in ([], [STEERED])]
    assert before[0] == after[0]
    assert before[1] != after[1]


def test_speeds_are_on_record_where_the_work_depends_on_them() -> None:
    roofline, faster = "devices.memory_bandwidth=4 GB/s", "devices.speed.median=3 GFLOP/s"
    assert learning_key(scenario(roofline), 1) != learning_key(scenario(roofline, faster), 1)
    told = visible_differences(scenario(roofline), scenario(roofline, faster))
    assert told == ["devices.speed.median: 100000000.0 there, 3000000000.0 wanted"]


@pytest.mark.parametrize(
    ("setting", "text"),
    [
        ("devices.speed={{kind: measured, table: {}}}", "block,forward_s,backward_s\nconv1,1,{}\n"),
        ("devices.availability={{kind: trace, file: {}}}", "device,down_s,up_s\nd000,1,{}\n"),
    ],
)
def test_a_table_that_settings_name_is_in_the_keys(tmp_path: Path, setting: str, text: str) -> None:
    file = tmp_path / "table.csv"
    file.write_text(text.format(2))
    chosen = scenario(setting.format(file))
    before = learning_key(chosen, 1), point_key(chosen)
    assert (learning_key(chosen, 1), point_key(chosen)) == before
    file.write_text(text.format(3))
    assert learning_key(chosen, 1) != before[0]
    assert point_key(chosen) != before[1]


def test_several_differences_are_all_told() -> None:
    changed = scenario("codec=raw", "learning.batch=4", "network.bandwidth=1 MHz")
    assert visible_differences(scenario(), changed) == [
        "learning.batch: 8 there, 4 wanted",
        "codec.uplink.kind: slfac there, raw wanted",
        "codec.downlink.kind: slfac there, raw wanted",
    ]


def test_threads_versions_and_our_own_code_are_in_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = {learning_key(scenario(), 1), learning_key(scenario(), 2)}
    with monkeypatch.context() as patch:
        patch.setattr(fingerprint, "version", lambda name: "99")
        keys.add(learning_key(scenario(), 1))
    with monkeypatch.context() as patch:
        patch.setattr(fingerprint, "hash_of_sources", lambda names: "an edited codec")
        keys.add(learning_key(scenario(), 1))
    assert len(keys) == 4
    assert all(len(key) == 16 for key in keys)


def test_the_code_of_somebody_elses_plug_in_is_in_the_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "their_shop" / "shards.py"
    file.parent.mkdir()
    code = (
        "from slfac_sim.foundation.plugins import settings\n"
        "from slfac_sim.learning.partitions.iid import Iid\n"
        "@settings\nclass Theirs(Iid):\n    shards: int = 1\n"
    )
    file.write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    chosen = scenario("partition={kind: their_shop.shards}")
    before = learning_key(chosen, 1)
    assert learning_key(chosen, 1) == before
    file.write_text(code + "\n# edited\n")
    assert learning_key(chosen, 1) != before


PLUGIN = """from slfac_sim.foundation.plugins import settings
@settings
class Theirs:
    shards: int = 1
    def split(self, labels, devices, seed): ...
"""
HELPED = {
    "beside it": ("from their_shop2 import helper", "their_shop2/helper.py"),
    "relative": ("from . import helper", "their_shop2/helper.py"),
    "a name of it": ("from .helper import X", "their_shop2/helper.py"),
    "its package": ("", "their_shop2/__init__.py"),
    "another package": ("import other_shop.tools", "other_shop/tools.py"),
    "what that imports": ("import other_shop.tools", "other_shop/deep.py"),
    "within a function": ("def f():\n    import other_shop.tools", "other_shop/deep.py"),
}


@pytest.mark.parametrize("case", HELPED)
def test_what_somebody_elses_plug_in_imports_is_in_the_key(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line, changed = HELPED[case]
    number = list(HELPED).index(case)
    mine = f"their_shop{number}"  # each case imports modules of its own
    files = {
        f"{mine}/__init__.py": "",
        f"{mine}/shards.py": f"{line}\n{PLUGIN}",
        f"{mine}/helper.py": "import json, numpy\nX = 1\n",
        f"other_shop{number}/__init__.py": "",
        f"other_shop{number}/tools.py": "from . import deep\n",
        f"other_shop{number}/deep.py": "Y = 1\n",
        f"other_shop{number}/unused.py": "",
    }
    for name, text in files.items():
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text.replace("their_shop2", mine).replace("other_shop.", f"other_shop{number}."))
    monkeypatch.syspath_prepend(tmp_path)
    chosen = scenario(f"partition={{kind: {mine}.shards}}")
    before = learning_key(chosen, 1)
    (tmp_path / f"other_shop{number}" / "unused.py").write_text("Z = 1\n")
    assert learning_key(chosen, 1) == before
    place = tmp_path / changed.replace("their_shop2", mine).replace("other_shop", f"other_shop{number}")
    place.write_text(place.read_text() + "# edited\n")
    assert learning_key(chosen, 1) != before


def test_sources_of_a_plug_in_are_theirs_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "lone_shop.py").write_text("import os, numpy.linalg, torch, slfac_sim.runs.run, nowhere.x\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert sources_of("lone_shop") == {"lone_shop": tmp_path / "lone_shop.py"}


THEIRS = """from slfac_sim.foundation.plugins import settings
from slfac_sim.hosts.speeds.fixed import Fixed
@settings
class Theirs:
    weights: str = ""
    parts: tuple[str, ...] = ()
    nested: tuple[dict[str, str], ...] = ()
    folder: str = ""
    def split(self, labels, devices, seed): ...
"""


@pytest.mark.parametrize(
    "setting",
    ["weights: {file}", "parts: [none, {file}]", "nested: [{{at: none}}, {{at: {file}}}]", "folder: {up}"],
)
def test_every_file_that_a_setting_names_is_in_the_keys(
    setting: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file_shop").mkdir()
    (tmp_path / "file_shop" / "plug.py").write_text(THEIRS)
    monkeypatch.syspath_prepend(tmp_path)
    file = tmp_path / "named" / "weights"
    file.parent.mkdir()
    file.write_bytes(b"1")
    chosen = scenario(f"partition={{kind: file_shop.plug, {setting.format(file=file, up=file.parent)}}}")
    before = learning_key(chosen, 1), point_key(chosen)
    assert (learning_key(chosen, 1), point_key(chosen)) == before
    file.write_bytes(b"2")
    assert learning_key(chosen, 1) != before[0]
    assert point_key(chosen) != before[1]


def test_a_folder_that_is_not_given_is_not_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "no_shop").mkdir()
    (tmp_path / "no_shop" / "plug.py").write_text(THEIRS)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    chosen = scenario("partition={kind: no_shop.plug}")
    before = point_key(chosen)
    (tmp_path / "something").write_bytes(b"new")
    assert point_key(chosen) == before


def test_texts_that_name_no_file_are_no_fault(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "text_shop").mkdir()
    (tmp_path / "text_shop" / "plug.py").write_text(THEIRS)
    monkeypatch.syspath_prepend(tmp_path)
    for text in ("x" * 5000, "/", ".", "~nobody_at_all/x", "\\0"):
        learning_key(scenario(f'partition={{kind: text_shop.plug, weights: "{text}"}}'), 1)


def test_data_replaced_under_one_path_are_another_training(tmp_path: Path) -> None:
    folder = write_tiny(tmp_path / "data")
    chosen = scenario(f"data={{kind: mnist, folder: {folder}, verify: false}}")
    keys = [learning_key(chosen, 1)]
    for name in NAMES:
        body = bytearray((folder / name).read_bytes())
        body[-1] ^= 1
        (folder / name).write_bytes(bytes(body))
        keys.append(learning_key(chosen, 1))
    assert len(set(keys)) == 5


def test_the_hash_of_loaded_data_tells_every_part_of_it() -> None:
    data = scenario().data.load()
    hashes = {data.sha256, scenario().data.load().sha256}
    assert len(hashes) == 1
    for field in ("train_images", "train_labels", "test_images", "test_labels"):
        other = getattr(data, field).copy()
        other.flat[-1] ^= 1
        hashes.add(replace(data, **{field: other}).sha256)
    hashes.add(replace(data, mean=(0.5,)).sha256)
    assert len(hashes) == 6


def test_keys_are_the_same_in_another_process_and_need_no_torch() -> None:
    code = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from slfac_sim.scenario.fingerprint import learning_key, point_key
from slfac_sim.scenario.files import load
chosen = load({str(Path(__file__).with_name("tiny.yaml"))!r})
print(learning_key(chosen, 1), point_key(chosen), "torch" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [learning_key(scenario(), 1), point_key(scenario()), "False"]
