"""Plug-ins beside the scenario file: found, kept apart, carried to workers, and kept with the run."""

import copy
import json
import pickle
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from slfac_sim.cli import main
from slfac_sim.foundation.beside import PREFIX
from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.plugins import kind_of
from slfac_sim.network.case.reading import read as read_case
from slfac_sim.runs.run import prepare, run
from slfac_sim.scenario.files import ScenarioError, changed, dump, load
from slfac_sim.scenario.fingerprint import learning_key
from slfac_sim.scenario.from_python import scenario_of, texts_of
from slfac_sim.scenario.own_plugins import keep_plugins
from slfac_sim.studies.files import read_study
from slfac_sim.studies.plan import plan

TINY = Path(__file__).with_name("tiny.yaml").read_text(encoding="utf-8")
LABELS = np.zeros(8, np.int64)
SHARDS = """from slfac_sim.foundation.plugins import settings
from slfac_sim.learning.partitions.iid import Iid
{imports}
@settings
class {name}(Iid):
    shards: int = {shards}
    def split(self, labels, devices, seed):
        {body}
        return super().split(labels, devices, seed)
"""


def plug_in(
    folder: Path, name: str = "my_shards", shards: int = 1, imports: str = "", body: str = "pass"
) -> Path:
    """Write a plug-in of the family of partitions."""
    file = folder.joinpath(*name.split(".")).with_suffix(".py")
    file.parent.mkdir(parents=True, exist_ok=True)
    text = SHARDS.format(name="Shards", shards=shards, imports=imports, body=body)
    file.write_text(text, encoding="utf-8")
    return file


def scenario_file(folder: Path, kind: str = "my_shards", name: str = "s.yaml") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(TINY.replace("partition: iid", f"partition: {kind}"), encoding="utf-8")
    return folder / name


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The working folder is another one than the scenario's."""
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")


@pytest.mark.parametrize("kind", ["my_shards", "my_pkg.shards", "my_pkg.deep.shards"])
def test_a_kind_is_a_file_beside_the_scenario(kind: str, tmp_path: Path) -> None:
    plug_in(tmp_path / "exp", kind, 7)
    before = list(sys.path)
    scenario = load(scenario_file(tmp_path / "exp", f"{{kind: {kind}}}"))
    assert (scenario.partition.shards, kind_of(scenario.partition)) == (7, kind)
    assert f"kind: {kind}\n" in dump(scenario)
    assert sys.path == before
    assert kind.partition(".")[0] not in sys.modules


def test_a_package_is_its_init_file_and_a_folder_of_plug_ins_is_looked_in_too(tmp_path: Path) -> None:
    (tmp_path / "whole").mkdir()
    plug_in(tmp_path / "whole").rename(tmp_path / "whole" / "__init__.py")
    assert load(scenario_file(tmp_path, "whole")).partition.shards == 1
    plug_in(tmp_path / "plugins", "in_folder", 4)
    assert load(scenario_file(tmp_path, "in_folder")).partition.shards == 4


def test_files_of_one_name_in_two_folders_are_two_plug_ins(tmp_path: Path) -> None:
    for number in (1, 2):
        plug_in(tmp_path / f"exp{number}", shards=number, imports="import same_helper")
        (tmp_path / f"exp{number}" / "same_helper.py").write_text(f"X = {number}\n")
        scenario_file(tmp_path / f"exp{number}")
    one, two = (load(tmp_path / f"exp{number}" / "s.yaml") for number in (1, 2))
    assert (one.partition.shards, two.partition.shards) == (1, 2)
    assert [sys.modules[type(s.partition).__module__].same_helper.X for s in (one, two)] == [1, 2]
    assert load(tmp_path / "exp1" / "s.yaml") == one
    assert learning_key(one, 1) != learning_key(two, 1)


IMPORTS = {
    "import near_helper": "near_helper.X",
    "import near_helper as nh": "nh.X",
    "from near_helper import X": "X",
    "from . import near_helper": "near_helper.X",
    "from .near_helper import X as Y": "Y",
    "import near_pkg.tools": "near_pkg.tools.X",
    "import near_pkg.tools as nt": "nt.X",
    "from near_pkg.tools import X": "X",
    "import json, near_helper, os.path": "(json, os.path.sep) and near_helper.X",
    "if True:\n    import near_helper, near_pkg.tools": "near_helper.X + near_pkg.tools.X - 5",
    "from near_pkg import *": "STAR",
}


@pytest.mark.parametrize("line", IMPORTS)
@pytest.mark.parametrize("late", [False, True])
def test_what_it_imports_from_beside_it_is_found(line: str, late: bool, tmp_path: Path) -> None:
    if late and "*" in line:
        pytest.skip("only at the top of a module")
    indented = line.replace("\n", "\n        ")
    imports, value = ("", f"{indented}\n        self.__dict__['seen'] = {IMPORTS[line]}") if late else (
        line, f"self.__dict__['seen'] = {IMPORTS[line]}"
    )  # fmt: skip
    plug_in(tmp_path, imports=imports, body=value)
    (tmp_path / "near_helper.py").write_text("X = 5\n")
    (tmp_path / "near_pkg").mkdir()
    (tmp_path / "near_pkg" / "__init__.py").write_text("STAR = 5\n")
    (tmp_path / "near_pkg" / "tools.py").write_text("import near_helper\nX = near_helper.X\n")
    partition = load(scenario_file(tmp_path)).partition
    partition.split(LABELS, ["d0"], 0)
    assert vars(partition)["seen"] == 5
    assert "near_helper" not in sys.modules


def test_a_base_brings_its_plug_ins(tmp_path: Path) -> None:
    plug_in(tmp_path / "below", shards=3)
    scenario_file(tmp_path / "below")
    (tmp_path / "over.yaml").write_text("base: below/s.yaml\npartition: {shards: 4}\n")
    assert load(tmp_path / "over.yaml").partition.shards == 4
    plug_in(tmp_path, shards=9)  # and its own file comes first
    (tmp_path / "over.yaml").write_text("base: below/s.yaml\n")
    assert load(tmp_path / "over.yaml").partition.shards == 9


def test_what_is_typed_is_looked_for_in_the_working_folder_last(tmp_path: Path) -> None:
    plug_in(Path(), shards=5)
    assert load("quick", ["partition=my_shards"]).partition.shards == 5
    file = scenario_file(tmp_path / "exp", "iid")
    assert load(file, ["partition=my_shards"]).partition.shards == 5
    plug_in(tmp_path / "exp", shards=6)
    assert load(file, ["partition=my_shards"]).partition.shards == 6
    plug_in(Path(), "lone")
    file = scenario_file(tmp_path / "exp", "lone")
    with pytest.raises(ScenarioError, match="no 'lone' among"):
        load(file)  # whoever wrote it cannot name what lies here


def test_shipped_kinds_come_first(tmp_path: Path) -> None:
    plug_in(tmp_path, "iid", 8)
    assert kind_of(load(scenario_file(tmp_path, "iid")).partition) == "iid"
    assert type(load(tmp_path / "s.yaml").partition).__module__ == "slfac_sim.learning.partitions.iid"


REFUSED = {
    "my_chards": "no 'my_chards' among by, dirichlet, feature, iid, quantity, shards; did you mean 'shards'?"
    " (and no my_chards.py in {folder})",
    "my_pkg.none": "No module named 'my_pkg') (and no my_pkg/none.py in {folder})",
    "raises": "{folder}/raises.py cannot be imported (ZeroDivisionError: division by zero)",
    "no_python": "{folder}/no_python.py cannot be imported (SyntaxError: ",
    "empty": "empty must define one public dataclass, its plug-in (found: none)",
    "misses": "{folder}/misses.py cannot be imported (ModuleNotFoundError: No module named 'no_such_thing')",
    "its_speed": "its_speed.Speed has no split",
    "../my_shards": "no module '../my_shards' can be imported",
    "json": "no 'json' among by, dirichlet, feature, iid, quantity, shards (and no json.py in {folder})",
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_no_plug_in_is_one_fault_that_says_where_it_was_looked_for(kind: str, tmp_path: Path) -> None:
    (tmp_path / "my_pkg").mkdir()
    (tmp_path / "my_pkg" / "__init__.py").touch()
    (tmp_path / "raises.py").write_text("1 / 0\n")
    (tmp_path / "no_python.py").write_text("class\n")
    (tmp_path / "empty.py").touch()
    (tmp_path / "misses.py").write_text("import no_such_thing\n")
    (tmp_path / "its_speed.py").write_text(
        "from slfac_sim.foundation.plugins import settings\n@settings\nclass Speed:\n    x: int = 1\n"
    )
    scenario_file(tmp_path, f"{{kind: {kind}}}")
    with pytest.raises(ScenarioError) as caught:
        load(tmp_path / "s.yaml")
    (fault,) = caught.value.faults
    assert REFUSED[kind].format(folder=tmp_path) in fault.text


def test_a_file_that_was_edited_is_imported_anew(tmp_path: Path) -> None:
    file = scenario_file(tmp_path)
    plug_in(tmp_path, shards=1, imports="import near_helper")
    helper = tmp_path / "near_helper.py"
    helper.write_text("X = 1\n")
    before = load(file)
    key = learning_key(before, 1)
    assert type(load(file).partition) is type(before.partition)
    helper.write_text("X = 10\n")
    after = load(file)
    assert sys.modules[type(after.partition).__module__].near_helper.X == 10
    assert sys.modules[type(before.partition).__module__].near_helper.X == 1
    assert learning_key(before, 1) == key != learning_key(after, 1)  # each of what it runs


def test_a_broken_file_that_is_mended_is_imported(tmp_path: Path) -> None:
    (tmp_path / "my_shards.py").write_text("1 / 0\n")
    file = scenario_file(tmp_path)
    with pytest.raises(ScenarioError):
        load(file)
    plug_in(tmp_path)
    assert load(file).partition.shards == 1


def test_scenarios_are_copied_and_changed_with_their_plug_ins(tmp_path: Path) -> None:
    plug_in(tmp_path, shards=2)
    scenario = load(scenario_file(tmp_path))
    assert copy.deepcopy(scenario) == copy.copy(scenario) == scenario
    assert pickle.loads(pickle.dumps(scenario)) == scenario
    assert changed(scenario, "x", ["partition.shards=3"]).partition.shards == 3
    assert scenario_of(scenario, ["devices=2"]).partition == scenario.partition


OTHER = """import pickle, sys
scenario = pickle.loads(sys.stdin.buffer.read())
from slfac_sim.scenario.fingerprint import learning_key
from slfac_sim.scenario.files import dump
import numpy as np
scenario.partition.split(np.zeros(8, np.int64), ["d0"], 0)
print(learning_key(scenario, 1), scenario.partition.shards)
again = pickle.loads(pickle.dumps(scenario))
assert again == scenario and dump(again) == dump(scenario)
"""


@pytest.mark.parametrize("gone", [False, True])
def test_a_plug_in_travels_to_other_processes_with_its_sources(gone: bool, tmp_path: Path) -> None:
    folder = tmp_path / "exp"
    plug_in(folder, "my_pkg.shards", 4, "import near_helper", "from my_pkg import late")
    (folder / "near_helper.py").write_text("X = 1\n")
    (folder / "my_pkg" / "late.py").write_text("X = 1\n")
    scenario = load(scenario_file(folder, "my_pkg.shards"))
    key, carried = learning_key(scenario, 1), pickle.dumps(scenario)
    if gone:
        shutil.rmtree(folder)
    done = subprocess.run([sys.executable, "-c", OTHER], input=carried, capture_output=True, check=False)
    assert done.stdout.decode().split() == [key, "4"], done.stderr.decode()


def short(folder: Path) -> Path:
    """Write a scenario of one step with a plug-in that needs a helper."""
    plug_in(folder, imports="import near_helper")
    (folder / "near_helper.py").write_text("X = 1\n")
    file = scenario_file(folder)
    file.write_text(file.read_text().replace("rounds: 2, steps: 3", "rounds: 1, steps: 1"))
    return file


def test_a_run_keeps_its_plug_ins_and_everything_goes_on_without_their_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = short(tmp_path / "exp")
    assert main(["run", str(file), "--out", "o", "--quiet"]) == 0
    assert sorted(path.name for path in Path("o/plugins").rglob("*")) == ["my_shards.py", "near_helper.py"]
    key = learning_key(load(file), 1)
    shutil.rmtree(tmp_path / "exp")
    assert learning_key(load("o/scenario.yaml"), 1) == key
    assert main(["verify", "o"]) == 0
    assert main(["replay", "o", "network.bandwidth=1 MHz", "--out", "r", "--quiet"]) == 0
    assert Path("r/plugins/my_shards.py").read_text() == Path("o/plugins/my_shards.py").read_text()
    assert main(["explain", "o", "--replay"]) == 0
    assert main(["cite", "o"]) == 0
    shutil.rmtree("o/plugins")
    capsys.readouterr()
    assert main(["verify", "o"]) == 2
    told = capsys.readouterr().err
    assert "o/scenario.yaml:" in told
    known = "by, dirichlet, feature, iid, quantity, shards; did you mean 'shards'?"
    assert f"no 'my_shards' among {known} (and no my_shards.py in {Path('o').resolve()})" in told


def test_resume_goes_on_with_the_plug_in_as_it_was(tmp_path: Path) -> None:
    plug_in(tmp_path / "exp")
    file = scenario_file(tmp_path / "exp")
    whole = run(prepare(load(file), Path("whole"), 1))

    def stop(table: str, row: Mapping[str, Any]) -> None:
        if table == "evals" and row["round"] == 1:
            raise KeyboardInterrupt

    assert run(prepare(load(file), Path("o"), 1), stop, checkpoint_every=1)["status"] == "interrupted"
    plug_in(tmp_path / "exp", body="raise RuntimeError")
    assert main(["resume", "o", "--quiet"]) == 0
    assert json.loads(Path("o/summary.json").read_text())["digest"] == whole["digest"]


AXES = {"": 1, "network.bandwidth=1,2 MHz": 1, "partition=iid,my_shards": 2}


@pytest.mark.parametrize("axis", AXES)
def test_a_sweep_finds_them_in_its_workers_and_keeps_them_in_its_folder(axis: str, tmp_path: Path) -> None:
    file = short(tmp_path / "exp")
    words = ["--seeds", "1", "--out", "o", "--cache", "c", "--workers", "1", "--quiet"]
    assert main(["sweep", str(file), *(["--axis", axis] if axis else []), *words]) == 0
    assert Path("o/plugins/my_shards.py").read_text() == (tmp_path / "exp" / "my_shards.py").read_text()
    trainings = [*Path("c").iterdir()]
    assert len(trainings) == AXES[axis]
    assert sum((folder / "plugins").is_dir() for folder in trainings) == 1
    shutil.rmtree(tmp_path / "exp")
    assert main(["sweep", "o/study.yaml", "--out", "o", "--cache", "c", "--quiet"]) == 0
    assert sorted(Path("c").iterdir()) == sorted(trainings)  # nothing was left to do


def test_two_files_of_one_name_that_a_run_would_have_to_keep_are_refused(tmp_path: Path) -> None:
    below = scenario_file(tmp_path / "below")
    plug_in(tmp_path / "below", imports="import near_helper")
    (tmp_path / "below" / "near_helper.py").write_text("X = 1\n")
    (tmp_path / "its_speed.py").write_text(
        "import near_helper\nfrom slfac_sim.foundation.plugins import settings\n"
        "from slfac_sim.hosts.speeds.fixed import Fixed\n@settings\nclass Speed(Fixed):\n    x: int = 1\n"
    )
    (tmp_path / "near_helper.py").write_text("X = 2\n")
    (tmp_path / "over.yaml").write_text(f"base: {below}\ndevices: {{speed: its_speed}}\n")
    scenario = load(tmp_path / "over.yaml")
    with pytest.raises(BadInput, match=r"near_helper\.py: plug-ins from two folders"):
        keep_plugins(tmp_path / "run", [scenario])


def test_a_module_that_python_has_imported_is_found_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plug_in(tmp_path / "lib", "object_shards", 3)
    monkeypatch.syspath_prepend(tmp_path / "lib")
    import object_shards  # type: ignore[import-not-found]

    scenario = scenario_of("quick", texts_of([{"partition": object_shards.Shards(shards=6)}]))
    assert (scenario.partition.shards, kind_of(scenario.partition)) == (6, "object_shards")
    assert type(scenario.partition).__module__.startswith(PREFIX)


def test_codec_verbs_and_cases_find_them_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("my_raw.py").write_text(
        "from slfac_sim.codecs.raw import Raw\nfrom slfac_sim.foundation.plugins import settings\n"
        "@settings\nclass Mine(Raw):\n    extra: int = 1\n"
    )
    np.save("x.npy", np.ones((2, 3), np.float32))
    assert main(["codec", "compare", "x.npy", "codec=my_raw", "--json"]) == 0
    assert '"codec": "my_raw"' in capsys.readouterr().out


def test_the_schema_tells_of_a_plug_in_in_the_working_folder(capsys: pytest.CaptureFixture[str]) -> None:
    file = plug_in(Path())
    file.write_text(file.read_text().replace("shards: int = 1\n", 'shards: int = 1\n    """How many."""\n'))
    assert main(["schema", "partition=my_shards.shards"]) == 0
    assert "How many." in capsys.readouterr().out
    assert main(["schema", "partition=my_shards"]) == 0
    assert main(["schema", "partition=my_shard"]) == 2


def test_a_case_of_the_network_finds_media_beside_it(tmp_path: Path) -> None:
    (tmp_path / "my_fair.py").write_text(
        "from slfac_sim.foundation.plugins import settings\nfrom slfac_sim.network.media.fair import Fair\n"
        "@settings\nclass Mine(Fair):\n    pass\n"
    )
    case = {
        "links": {"w": {"kind": "my_fair"}},
        "transfers": [
            {
                "id": "a",
                "path": ["w"],
                "start_s": 0,
                "bytes": 1e6,
                "src": "a",
                "dst": "b",
                "phy_rate_bps": 8e6,
            }
        ],
    }
    (tmp_path / "case.json").write_text(json.dumps(case), encoding="utf-8")
    (medium,) = (link.medium for link in read_case(tmp_path / "case.json").links.values())
    assert kind_of(medium) == "my_fair"


def test_an_axis_of_a_study_takes_one_beside_the_study(tmp_path: Path) -> None:
    plug_in(tmp_path / "exp", shards=3)
    text = f"base: {Path(__file__).with_name('tiny.yaml')}\naxes: {{partition: [iid, my_shards]}}\nseeds: 1\n"
    (tmp_path / "exp" / "study.yaml").write_text(text)
    whole = plan(read_study(str(tmp_path / "exp" / "study.yaml")))
    assert [kind_of(point.scenario.partition) for point in whole.points] == ["iid", "my_shards"]
