"""A deadline, a crash or an outage inside an effect of any kind, of every protocol: the laws hold.

The matrix is generated: the ledger of an undisturbed run tells when effects of each kind are under way, and
the run is done again with a fault in the midst of one.
"""

from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest
from faults import EFFECTS, FAULTS, PROTOCOLS, ROUNDS, has_limits, played, settings_of, within
from test_strict import KINDS
from worlds import column

from slfac_sim.ledger.store import MemoryLedger
from slfac_sim.simulation.simulated import Stalled


def assert_whole(kind: str, rows: MemoryLedger) -> None:
    """Every round is there, everybody is accounted for, and no batch was served for nobody."""
    assert column(rows.rows("rounds"), "round") == list(range(1, ROUNDS + 1))
    if has_limits(kind):
        missed = Counter(column(rows.rows("misses"), "round"))
        assert [row["devices"] + missed[row["round"]] for row in rows.rows("rounds")] == [3] * ROUNDS
    answered = set(rows.tuples("offers", ("queue", "end_s")))
    for task, end_s, outcome in rows.tuples("computes", ("task", "end_s", "outcome")):
        if task.startswith("queue "):
            assert ((task.removeprefix("queue "), end_s) in answered) == (outcome == "done")


LIMITED = [kind for kind in PROTOCOLS if has_limits(kind)]
CASES = [(kind, fault) for kind in PROTOCOLS for fault in FAULTS if fault != "deadline" or kind in LIMITED]


@pytest.mark.matrix
@pytest.mark.parametrize(("kind", "fault"), CASES)
def test_a_fault_inside_any_effect_keeps_the_laws(kind: str, fault: str, tmp_path: Path) -> None:
    """A server that is down for good ends the run, whose rows until then keep them too."""
    for effect in EFFECTS:
        at_s = within(kind, effect, limited=fault == "deadline")
        if at_s is None:
            continue
        disturbed = (*settings_of(kind), FAULTS[fault](tmp_path / "plan.csv", at_s))
        if fault == "server crashes":
            with suppress(Stalled):
                played(*disturbed)
        else:
            assert_whole(kind, played(*disturbed))


@pytest.mark.matrix
@pytest.mark.parametrize("discipline", ["fifo", "sharing"])
@pytest.mark.parametrize("kind", [kind for kind in LIMITED if kind != "sequential"])  # has turns, no race
def test_enough_keeps_the_laws(kind: str, discipline: str) -> None:
    for enough in (1, 2):
        race = (f"protocol.participation.enough={enough}", f"server.discipline={discipline}")
        assert_whole(kind, played(*settings_of(kind), *race))


@pytest.mark.matrix
@pytest.mark.parametrize("air", [setting for setting in KINDS if setting.startswith("network")])
def test_work_cut_off_on_any_air_keeps_the_laws(air: str) -> None:
    away = "devices.availability={kind: on_off, mean_on: 100 ms, mean_off: 5 ms}"
    for cut in (away, "protocol.participation.enough=2"):
        assert_whole("epsl", played(*settings_of("epsl"), "seed.air=10", air, cut))
