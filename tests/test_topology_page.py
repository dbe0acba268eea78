"""docs/topology.md: its files are read, its commands understood, and what it lists is shipped."""

import re
import shlex
from pathlib import Path

import pytest

from slfac_sim.cli.commands import COMMANDS
from slfac_sim.cli.parsing import arguments_of, parser_of
from slfac_sim.foundation.plugins import kind_of
from slfac_sim.network import Hosts
from slfac_sim.scenario.files import load, shipped

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "topology.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+) ?(\S*)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
SHOWN = [line for kind, _, text in BLOCKS if kind == "sh" for line in text.splitlines()]
LISTED = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \| [^0-9]", PAGE, re.MULTILINE)


def test_the_files_of_the_page_are_read(tmp_path: Path) -> None:
    for name, text in ((name, text) for _, name, text in BLOCKS if name):
        (tmp_path / name).write_text(text, encoding="utf-8")
        assert load(tmp_path / name).network.links["backhaul"].capacity == 50e6


@pytest.mark.parametrize("command", SHOWN)
def test_a_command_of_the_page_is_one(command: str) -> None:
    words = shlex.split(command, comments=True)[3:]
    words = words if words[0] in COMMANDS else ["run", *words]
    arguments_of(parser_of(words[0]), words)
    overrides = [word for word in words if word.startswith("network.")]
    assert not overrides or load("factory", overrides) != load("factory")


def test_topologies_that_are_shipped_are_those_of_the_page() -> None:
    listed = {name for row in LISTED for name in re.findall(r"`(\w+)`", row)}
    known = [name.removesuffix(".yaml") for name in shipped()]
    assert listed == {name for name in known if kind_of(load(name).network) == "topology"}


@pytest.mark.parametrize("name", sorted({name for row in LISTED for name in re.findall(r"`(\w+)`", row)}))
def test_a_shipped_topology_has_a_place_for_everybody(name: str) -> None:
    scenario = load(name)
    devices = tuple(f"d{number:03d}" for number in range(scenario.devices.count))
    servers = tuple(scenario.servers) if scenario.servers else ("server",)
    survey = scenario.network.survey(Hosts(devices, servers), scenario.seed.air)
    assert [link.device for link in survey.links] == list(devices)
    assert all(link.up_rate_bps > 0.0 for link in survey.links)
