"""What a run says of its scenario beside the values, in `about.json`, and who reads it."""

import json
from pathlib import Path

import pytest
from worlds import scenario, world

from slfac_sim.analysis.told import About, about, scenario_tree
from slfac_sim.foundation.citing import reference
from slfac_sim.foundation.errors import BadInput
from slfac_sim.learning.facts import learnt_in
from slfac_sim.ledger.folder import ABOUT, SCENARIO, Run
from slfac_sim.runs.opening import ready
from slfac_sim.scenario import about as written
from slfac_sim.scenario.files import dump, load, read, shipped
from slfac_sim.scenario.references import references_of

TINY = Path(__file__).parent / "tiny.yaml"


@pytest.mark.parametrize("name", [*shipped(), str(TINY)])
def test_what_differs_from_defaults_makes_the_scenario(name: str) -> None:
    """Nothing but the settings that are told, as overrides of an empty file, gives the scenario again."""
    given = load(name)
    rows = written.about(given)["differ"]
    again = read("{}", "nothing.yaml", [f"{row['path']}={row['value']}" for row in rows])
    assert again == given
    for row in rows:
        assert row["value"] != row["default"]
        assert row["meaning"]


def test_a_quantity_has_its_unit_and_a_part_its_sentence() -> None:
    said = written.about(scenario("network.bandwidth=3 MHz", "devices.slowdowns=[jitter]"))
    values = {row["path"]: (row["value"], row["default"]) for row in said["differ"]}
    assert values["network.bandwidth"] == ("3 MHz", "20 MHz")
    assert values["model"] == ("small_cnn", None)
    parts = {part["path"]: (part["kind"], part["what"]) for part in said["parts"]}
    assert parts["codec.uplink"][0] == "slfac"
    assert parts["devices.slowdowns"][0] == "jitter"
    assert all(what and what.endswith((".", ".)")) for _, what in parts.values()), parts
    changed = scenario("network.change={cut: {kind: outages, devices: all}}")
    assert any(part["path"] == "network.change.cut" for part in written.about(changed)["parts"])


def test_what_is_learnt_is_told_with_who_holds_what() -> None:
    rows = {row["what"]: row["value"] for row in learnt_in(world())}
    data = world().data
    assert rows["samples"] == f"{len(data.train_labels):,} to learn from, {len(data.test_labels):,} to test"
    assert rows["a sample"] == f"{' x '.join(map(str, data.image_shape))}, {data.classes} classes"
    assert rows["the model"] == "small_cnn"
    device, server = (rows[side].partition(": ") for side in ("on a device", "on the server"))
    assert device[0] == "conv1"
    assert "conv1" not in server[0]
    told = sum(int(side[2].split()[0].replace(",", "")) for side in (device, server))
    there = world().scenario.model.blocks(data.image_shape[0], data.classes)
    assert told == sum(p.numel() for _, block in there for p in block.parameters())


def test_a_module_of_ones_own_is_told_by_its_name_and_sentence(tmp_path: Path) -> None:
    own = tmp_path / "nets_told.py"
    own.write_text(
        "from torch import nn\n\n\nclass Net(nn.Sequential):\n"
        '    """Two layers. More of it."""\n\n'
        "    def __init__(self):\n"
        "        super().__init__(nn.Flatten(), nn.Linear(144, 16), nn.Linear(16, 4))\n"
    )
    (tmp_path / "own.yaml").write_text(
        f"base: {TINY}\nmodel: {{kind: torch_module, module: nets_told.Net}}\ncut: '1'\n"
    )
    given = load(str(tmp_path / "own.yaml"))
    rows = {row["what"]: row["value"] for row in learnt_in(ready(given)[0])}
    assert rows["the model"] == "Net: Two layers."


def test_the_references_are_those_of_cite(tmp_path: Path) -> None:
    given = scenario()
    said = _written(tmp_path, json.dumps(written.about(given)))
    assert said is not None
    found = [(row["part"], reference(row["bibtex"])) for row in said.references]
    assert found == references_of(given)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"differ": [], "parts": [{}], "references": []}',
        '{"version": "1", "differ": [], "parts": [], "references": [], "learnt": [{}]}',
        '{"differ": 1, "parts": [], "references": []}',
    ],
)
def test_a_damaged_one_is_told(tmp_path: Path, text: str) -> None:
    with pytest.raises(BadInput, match=r"about\.json: "):
        _written(tmp_path, text)


def test_an_older_run_has_none(tmp_path: Path) -> None:
    assert about(Run(tmp_path, {})) is None


@pytest.mark.parametrize("text", ["[1]", "a: [", "a: &x b\n*", "\0"])
def test_a_damaged_scenario_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / SCENARIO).write_text(text)
    with pytest.raises(BadInput, match=r"scenario\.yaml: "):
        scenario_tree(Run(tmp_path, {}))
    (tmp_path / SCENARIO).write_text(dump(scenario()))
    assert scenario_tree(Run(tmp_path, {}))["cut"] == "conv1"


def _written(folder: Path, text: str) -> About | None:
    (folder / ABOUT).write_text(text)
    return about(Run(folder, {}))
