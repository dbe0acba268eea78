"""A network of somebody else's, with what the contract asks for and nothing more: it runs and replays."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from told import sentences
from worlds import scenario

from slfac_sim.cli import main
from slfac_sim.runs.run import prepare, run
from slfac_sim.scenario.steering import steered

TINY = str(Path(__file__).with_name("tiny.yaml"))
THEIRS = '''
"""A wire to each device: `pace` bytes a second each way."""

from slfac_sim.foundation.plugins import settings
from slfac_sim.network import NetworkSettings
from slfac_sim.network.kinds.ideal import Ideal


@settings
class Wire(NetworkSettings):
    """Nothing but a pace."""

    pace: float = 1e6
    leaky: bool = False

    @property
    def may_lose(self) -> bool:
        return self.leaky

    @property
    def shared(self):
        return self._wires().shared

    def survey(self, hosts, seed):
        return self._wires().survey(hosts, seed)

    def open(self, env, hosts, seed):
        return self._wires().open(env, hosts, seed)

    def _wires(self):
        return Ideal(up_rate=8.0 * self.pace, down_rate=8.0 * self.pace, sharing="none", latency=0.25)
'''
THEIR_MEDIUM = """
from slfac_sim.foundation.plugins import settings
from slfac_sim.network.media import dcf


@settings
class Backoff(dcf.Dcf):
    pass
"""
WIRE = "network={kind: their_networks.wire}"


@pytest.fixture(autouse=True)
def theirs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "plugins" / "their_networks").mkdir(parents=True)
    (tmp_path / "plugins" / "their_networks" / "wire.py").write_text(THEIRS)
    (tmp_path / "plugins" / "their_networks" / "backoff.py").write_text(THEIR_MEDIUM)
    monkeypatch.syspath_prepend(tmp_path / "plugins")
    yield
    for name in [name for name in sys.modules if name.split(".")[0] == "their_networks"]:
        del sys.modules[name]


def test_explain_replays_a_run_on_a_foreign_network(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its latency stays in the replay of infinite bandwidth: at least 4 legs of a quarter of a second."""
    run(prepare(scenario(WIRE), tmp_path / "run", threads=1))
    assert main(["explain", str(tmp_path / "run"), "--replay", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["replays_s"]["infinite bandwidth"]["end"] > 4 * 0.25
    assert told["replays_s"]["infinite bandwidth"]["end"] < told["until_s"]["end"]


def test_a_run_on_a_foreign_network_is_replayed_there_and_elsewhere(tmp_path: Path) -> None:
    here = run(prepare(scenario(WIRE), tmp_path / "run", threads=1))
    for name, override in (("there", "network.pace=1e6"), ("elsewhere", "network={kind: ideal}")):
        words = ["replay", str(tmp_path / "run"), override, "--out", str(tmp_path / name), "--quiet"]
        assert main([*words, "--draw", "none"]) == 0
    there = json.loads((tmp_path / "there" / "summary.json").read_text())
    assert there["digest"] == here["digest"]


def test_check_and_strict_take_a_foreign_network(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", TINY, WIRE]) == 0
    assert "a round" in capsys.readouterr().out
    words = ["run", TINY, WIRE, "--strict", "--quiet", "--draw", "none", "--out", str(tmp_path / "run")]
    assert main(words) == 0


@pytest.mark.parametrize("flags", [[], ["--strict"]], ids=["plain", "strict"])
def test_what_is_opened_must_inherit_from_network(
    flags: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A class that only looks like a network is refused, and told which to inherit from."""
    (tmp_path / "plugins" / "their_networks" / "wire.py").write_text(
        THEIRS.replace("return self._wires().open(env, hosts, seed)", "return Duck()")
        + "\n\nclass Duck:\n    transfer = stalled = link_use = None\n"
    )
    words = ["run", TINY, WIRE, *flags, "--quiet", "--draw", "none", "--out", str(tmp_path / "run")]
    assert main(words) == 2
    (line,) = sentences(capsys.readouterr().err)
    told = "open() returns Duck, expected a class that inherits from slfac_sim.network.Network"
    assert line.endswith(f"network.kind: their_networks.wire: {told}")


def test_a_network_that_may_lose_steers_learning_and_is_not_replayed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    leaky = "network={kind: their_networks.wire, leaky: true}"
    assert "the network their_networks.wire may lose transfers" in str(steered(scenario(leaky)))
    assert steered(scenario(WIRE)) is None
    run(prepare(scenario(leaky), tmp_path / "run", threads=1))
    assert main(["explain", str(tmp_path / "run"), "--replay"]) == 2
    (line,) = sentences(capsys.readouterr().err)
    assert "may lose transfers" in line
    assert main(["replay", str(tmp_path / "run"), "network={kind: ideal}"]) == 2


def test_the_laws_go_by_what_a_medium_says_and_not_by_its_name(tmp_path: Path) -> None:
    network = "network={kind: wifi, medium: {kind: their_networks.backoff}}"
    assert (
        main([TINY, network, "protocol.rounds=1", "--strict", "--quiet", "--out", str(tmp_path / "run")]) == 0
    )
