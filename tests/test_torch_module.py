"""A torch module of a user's own, by its dotted name: found, made, cut, kept, and what is refused."""

import copy
import pickle
import re
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from told import sentences
from worlds import TINY, column, table

from slfac_sim.cli import main
from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.plugins import without_plugins
from slfac_sim.learning.given import blocks_of
from slfac_sim.learning.models.torch_module import TorchModule
from slfac_sim.learning.weights import initial_blocks
from slfac_sim.runs.run import prepare, run
from slfac_sim.scenario.files import load
from slfac_sim.scenario.fingerprint import learning_key

ROOT = Path(__file__).resolve().parent.parent
_BLOCK = re.compile(r"^```\w+ (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NETS = '''
"""Networks of a user's own, for images of 12x12."""

import torch
from torch import nn


def chain(width=4, classes=4):
    """Two unnamed blocks."""
    front = nn.Sequential(nn.Conv2d(1, width, 3, stride=2), nn.InstanceNorm2d(width, affine=True), nn.PReLU())
    return nn.Sequential(front, nn.Sequential(nn.Flatten(), nn.Dropout(0.2), nn.Linear(25 * width, classes)))


made = chain()


class Rows(nn.Module):
    """Rows as a sequence: a GRU that hands on its outputs."""

    def __init__(self, width):
        super().__init__()
        self.gru = nn.GRU(12, width, batch_first=True)

    def forward(self, images):
        return self.gru(images.squeeze(1))[0]


class Looks(nn.Module):
    """Attention of the rows to each other, with a learnt number for each row."""

    def __init__(self, width):
        super().__init__()
        self.places = nn.Embedding(12, width)
        self.attention = nn.MultiheadAttention(width, 2, dropout=0.1, batch_first=True)

    def forward(self, rows):
        rows = rows + self.places(torch.arange(12, device=rows.device))
        return self.attention(rows, rows, rows, need_weights=False)[0]


class Net(nn.Module):
    blocks = ("rows", "looks", "head")

    def __init__(self, width=4):
        super().__init__()
        self.head = nn.Sequential(nn.Flatten(), nn.Dropout(0.1), nn.Linear(12 * width, 4))
        self.rows = Rows(width)
        self.looks = Looks(width)

    def forward(self, images):
        return self.head(self.looks(self.rows(images)))


class Child(Net):
    """Its blocks are its parent's."""


class Scaled(Net):
    def forward(self, images):
        return 3 * super().forward(images)


class Lost(Net):
    blocks = ("rows", "looks", "tail")


class Uncut(Net):
    blocks = None


def lazy():
    return nn.Sequential(nn.Conv2d(1, 2, 3), nn.Sequential(nn.Flatten(), nn.LazyLinear(4)))


def nothing():
    return [nn.Linear(2, 2)]


number = 3
'''
FAULTY = {
    "nets.Nett": "the module nets has no 'Nett'; did you mean 'Net'?",
    "netz.Net": "no module 'netz' can be imported (ModuleNotFoundError: ",
    "nets.number": "nets.number is of type int; expected a torch.nn.Module, or what makes one",
    "nets.nothing": "nets.nothing returns what is of type list; expected a torch.nn.Module",
    "nets.Uncut": "is not cut into blocks; give it an attribute blocks = ['head', 'rows', 'looks']",
    "nets.Lost": "nets.Lost.blocks names 'tail', and there are head, rows, looks",
    "nets.Scaled": "Scaled gives other logits than its blocks rows, looks, head one after the other",
    "nets.lazy": "block '1' has lazy layers",
    "broken.Net": "no module 'broken' can be imported (ZeroDivisionError: ",
}


def test_a_module_that_is_not_there_was_looked_for_beside_the_scenario(
    capsys: pytest.CaptureFixture[str],
) -> None:
    line = refusal("{kind: torch_module, module: netz.Net}", capsys)
    assert "(and no netz.py in the working folder" in line
    assert line.endswith("did you mean 'nets'?")


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "nets.py").write_text(NETS)
    (tmp_path / "broken.py").write_text("1 / 0\n")
    (tmp_path / "s.yaml").write_text(TINY.read_text())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refusal(model: str, capsys: pytest.CaptureFixture[str], cut: str = "rows") -> str:
    assert main(["check", "s.yaml", f"model={model}", f"cut={cut}"]) == 2
    out, err = capsys.readouterr()
    assert "Traceback" not in out + err
    return sentences(err)[-1]


@pytest.mark.parametrize("module", FAULTY)
def test_what_is_no_module_in_blocks_is_one_sentence(module: str, capsys: pytest.CaptureFixture[str]) -> None:
    line = refusal(f"{{kind: torch_module, module: {module}}}", capsys)
    assert line.startswith("model")
    assert FAULTY[module] in line


def test_what_it_is_called_with_is_told_where_it_does_not_fit(capsys: pytest.CaptureFixture[str]) -> None:
    line = refusal("{kind: torch_module, module: nets.Net, arguments: {widht: 4}}", capsys)
    assert line.startswith("model.module: nets.Net(widht=4) fails (TypeError: ")
    line = refusal("{kind: torch_module, module: nets.made, arguments: {width: 4}}", capsys)
    assert line.endswith("nets.made is a module already, which takes no arguments (got width)")
    line = refusal("{kind: torch_module, module: nets.chain, arguments: {classes: 3}}", capsys, "'0'")
    assert "expected [2, 4], a logit for each of the 4 classes" in line


@pytest.mark.parametrize("name", ["Net", "nets.", ".Net", "nets.a b", "my-nets.Net", ""])
def test_a_name_that_can_be_none_is_told_where_it_is(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    line = refusal(f"{{kind: torch_module, module: '{name}'}}", capsys)
    assert f"expected a module and a name in it, such as my_nets.Net (got '{name}')" in line


def test_no_module_is_imported_where_none_may_be(capsys: pytest.CaptureFixture[str]) -> None:
    scenario = load("s.yaml", ["model={kind: torch_module, module: nets.Net}", "cut=rows"])
    with without_plugins(), pytest.raises(BadInput, match="--no-plugins imports none"):
        scenario.model.blocks(1, 4)


@pytest.mark.parametrize(("module", "names"), [("Net", "rows looks head"), ("Child", "rows looks head"),
                                               ("chain", "0 1"), ("made", "0 1")])  # fmt: skip
def test_blocks_come_in_the_order_in_which_they_are_named(module: str, names: str) -> None:
    model = load("s.yaml", [f"model={{kind: torch_module, module: nets.{module}}}"]).model
    assert [name for name, _ in model.blocks(1, 4)] == names.split()


def test_weights_are_drawn_by_the_seed_whatever_the_layers() -> None:
    model = load("s.yaml", ["model={kind: torch_module, module: nets.Net}"]).model
    drawn = [initial_blocks(model, (1, 12, 12), 4, seed) for seed in (1, 1, 2)]
    for (name, one), (_, same), (_, other) in zip(*drawn, strict=True):
        pairs = zip(one.parameters(), same.parameters(), other.parameters(), strict=True)
        assert all(torch.equal(a, b) for a, b, _ in pairs), name
        assert any(not torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))


@pytest.mark.parametrize(("module", "cut"), [("Net", "rows"), ("Net", "looks"), ("chain", "'0'")])
def test_a_run_with_it_learns_and_is_verified_without_the_file_it_came_from(
    module: str, cut: str, place: Path
) -> None:
    given = [f"model={{kind: torch_module, module: nets.{module}}}", f"cut={cut}", "protocol.steps=8"]
    scenario = load("s.yaml", [*given, "learning.optimiser={kind: adam, learning_rate: 0.01}", "codec=slfac"])
    run(prepare(scenario, place / "run", threads=1))
    accuracies = column(table(place / "run" / "ledger.sqlite", "evals"), "accuracy")
    assert accuracies[-1] > max(0.5, accuracies[0])
    (place / "nets.py").unlink()
    assert (place / "run" / "plugins" / "nets.py").read_text() == NETS
    assert main(["verify", "run"]) == 0


def test_its_source_is_part_of_what_makes_two_runs_one_training() -> None:
    given = ["model={kind: torch_module, module: nets.Net}", "cut=rows"]
    keys = [learning_key(load("s.yaml", given), 1)]
    Path("nets.py").write_text(NETS.replace("Dropout(0.1)", "Dropout(0.3)"))
    keys.append(learning_key(load("s.yaml", given), 1))
    Path("nets.py").write_text(NETS)
    keys.append(learning_key(load("s.yaml", given), 1))
    assert keys[0] == keys[2] != keys[1]


def test_it_travels_between_processes_with_its_source(place: Path) -> None:
    model = load("s.yaml", ["model={kind: torch_module, module: nets.Net}"]).model
    for other in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        assert other == model
        assert other.module.module == model.module.module
        assert type(other.blocks(1, 4)[0][1]) is type(model.blocks(1, 4)[0][1])
    with pytest.raises(ValueError, match=r"such as my_nets\.Net"):
        TorchModule(module="Net")


def test_a_sweep_over_its_arguments_finds_it_in_workers(place: Path) -> None:
    model = "{kind: torch_module, module: nets.chain}"
    (place / "own.yaml").write_text(f"base: s.yaml\nmodel: {model}\ncut: '0'\n")
    axis = "model.arguments={width: 2},{width: 3}"
    words = ["--seeds", "1", "--out", "o", "--cache", "c", "--workers", "1", "--quiet"]
    assert main(["sweep", "own.yaml", "--axis", axis, *words]) == 0
    assert Path("o/plugins/nets.py").read_text() == NETS
    assert len([*Path("c").iterdir()]) == 2


def test_the_module_of_the_docs_page_learns(place: Path) -> None:
    blocks = _BLOCK.findall((ROOT / "docs" / "howto" / "own_model.md").read_text(encoding="utf-8"))
    for name, text in blocks:
        (place / name).parent.mkdir(exist_ok=True)
        (place / name).write_text(text)
    (place / "tiny.yaml").write_text(TINY.read_text())
    assert {name for name, _ in blocks} >= {"my_nets.py", "own_model.yaml"}
    given = ["learning.optimiser={kind: adam, learning_rate: 0.01}", "protocol.steps=10"]
    assert main(["run", "own_model.yaml", *given, "--out", "run", "--strict"]) == 0
    accuracies = column(table(place / "run" / "ledger.sqlite", "evals"), "accuracy")
    assert accuracies[-1] > max(0.5, accuracies[0])


def test_its_own_state_is_a_file_of_weights(place: Path) -> None:
    words = ["model={kind: torch_module, module: nets.Net}", "cut=rows"]
    mine = load("s.yaml", words).model.module.load()()
    save_file(mine.state_dict(), place / "mine.safetensors")
    scenario = load("s.yaml", [*words, "learning.weights.file=mine.safetensors"])
    for name, block in blocks_of(scenario, (1, 12, 12), 4):
        there = mine.get_submodule(name).state_dict()
        assert all(torch.equal(value, there[key]) for key, value in block.state_dict().items()), name


def test_a_block_without_a_name_is_called_by_its_number() -> None:
    chain = "model={kind: torch_module, module: nets.chain}"
    for cut in ("0", "'0'"):
        assert load("s.yaml", [chain, f"cut={cut}"]).cut == "0"
    assert load("s.yaml", [chain, "cut=0", "learning.freeze=[0]"]).learning.freeze == ("0",)
    assert load("s.yaml", [chain, "cut={d000: 0, d001: '1'}"]).cut == {"d000": "0", "d001": "1"}
    tail = load("s.yaml", [chain, "cut=0", "protocol={kind: u_shaped, tail: 2}"]).protocol.tail
    assert tail == "2"
