"""What figures call a run."""

import pytest
from worlds import scenario

from slfac_sim.ledger.summary import label_of


@pytest.mark.parametrize(
    ("overrides", "label"),
    [
        (["codec=raw"], "raw fp32"),
        (["codec={uplink: fp16, downlink: raw}"], "up fp16, down raw fp32"),
        (["codec=raw", "protocol.kind=sequential"], "raw fp32"),
        (["codec=fp16", "protocol={kind: fedavg, rounds: 1}"], "raw fp32, fedavg"),
        (["protocol={kind: fedprox, rounds: 1}", "codec.model=fp16"], "fp16, fedprox"),
        (["codec=raw", "codec.model=fp16"], "raw fp32, models fp16"),
        (["protocol={kind: local_only, rounds: 1}"], "local_only"),
    ],
)
def test_a_label_tells_what_travels(overrides: list[str], label: str) -> None:
    assert label_of(scenario(*overrides)) == label
