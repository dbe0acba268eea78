"""Names that other programs have for settings lead to settings that exist."""

import pytest

from slfac_sim.scenario.explained import explain
from slfac_sim.scenario.faults import CALLED_ELSEWHERE
from slfac_sim.scenario.files import schema


@pytest.mark.parametrize("path", sorted(set(CALLED_ELSEWHERE.values())))
def test_what_is_meant_is_a_setting(path: str) -> None:
    assert explain(path, schema()).path == path
