"""The one forecast of a round's time, against runs: for every protocol, and every medium of every network."""

from pathlib import Path

import pytest
from worlds import live_run, scenario, table, world

from slfac_sim.foretelling.cuts import cuts_of

STILL = ("codec=raw", "network.fading=none")


def second_round_s(path: Path) -> float:
    """Return how long the second round of the run in the ledger `path` took."""
    first, second = (row["at_s"] for row in table(path, "rounds")[:2])
    return float(second - first)


@pytest.mark.parametrize("cluster", [1, 2, 5])
def test_clusters_are_foretold_as_they_run(tmp_path: Path, cluster: int) -> None:
    """Turns were known by the name of `sequential` alone; clusters of one were foretold twice too fast."""
    overrides = (*STILL, f"protocol={{kind: clustered, rounds: 2, steps: 2, cluster: {cluster}}}")
    one = scenario(*overrides)
    (cut,) = (cut for cut in cuts_of(one, one.data.load()) if cut.block == one.cut)
    live_run(tmp_path / "ledger.sqlite", *overrides)
    assert cut.round_s == pytest.approx(second_round_s(tmp_path / "ledger.sqlite"), rel=0.1)


@pytest.mark.parametrize("share", [0.05, 0.5, 0.95])
def test_what_is_expected_of_a_device_is_its_round_alone(tmp_path: Path, share: float) -> None:
    """A direction has no more than its share of the time, which `select: fastest` did not know."""
    overrides = (
        *STILL, "devices.count=1", f"network.uplink_share={share}",
        "protocol={kind: splitfed_v3, rounds: 2, steps: 1}",
    )  # fmt: skip
    live_run(tmp_path / "ledger.sqlite", *overrides)
    seconds = second_round_s(tmp_path / "ledger.sqlite")
    assert world(*overrides).expected_s("d000") == pytest.approx(seconds, rel=0.1)
