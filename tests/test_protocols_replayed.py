"""Every protocol whose learning no clock steers: recorded on one network, it is the live run of any other."""

from pathlib import Path

import pytest
from worlds import live_run, scenario

from slfac_sim.foundation.plugins import kinds
from slfac_sim.hosts.names import device_names
from slfac_sim.ledger.store import FileLedger
from slfac_sim.scenario.steering import steered
from slfac_sim.simulation.replay import protocol_of
from slfac_sim.simulation.simulate import simulate

ELSEWHERE = (
    "network={kind: ideal, up_rate: 2 Mbit/s, down_rate: 50 Mbit/s}",
    "devices.speed={kind: log_normal, median: 1 MFLOP/s, sigma: 2.0}",
    "seed.air=7",
)


def settings(kind: str) -> str:
    return f"protocol={{kind: {kind}, rounds: 2, steps: 2}}"


FREE = [kind for kind in kinds("slfac_sim.protocols") if steered(scenario(settings(kind))) is None]


def test_which_these_are() -> None:
    assert {"parallel", "sequential", "clustered", "u_shaped"} <= set(FREE)


@pytest.mark.matrix
@pytest.mark.parametrize("kind", FREE)
def test_recorded_here_it_is_the_live_run_there(kind: str, tmp_path: Path) -> None:
    """Batch-norm's statistics, momenta and codecs included: the order of arrival reaches none of them."""
    live_run(tmp_path / "here.sqlite", settings(kind))
    chosen, seconds, digest = live_run(tmp_path / "there.sqlite", settings(kind), *ELSEWHERE)
    with FileLedger(tmp_path / "replayed.sqlite") as ledger:
        task = protocol_of(tmp_path / "here.sqlite", device_names(5))
        assert simulate(chosen, task, ledger) == seconds
        assert ledger.digest() == digest
