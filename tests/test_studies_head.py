"""The head of a Ray cluster is asked now and then; one that does not answer for long ends the study."""

import socket
from types import SimpleNamespace

import pytest

from slfac_sim.foundation.errors import HostFailed
from slfac_sim.studies.engines import _head
from slfac_sim.studies.engines._head import Head


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Host time that goes on by itself by as much as a test says."""
    now = SimpleNamespace(s=0.0)
    monkeypatch.setattr(_head, "time", SimpleNamespace(monotonic=lambda: now.s))
    return now


def _listening() -> socket.socket:
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(5)
    return server


def test_a_head_that_answers_is_left_alone(clock: SimpleNamespace) -> None:
    with _listening() as server:
        head = Head(f"127.0.0.1:{server.getsockname()[1]}")
        for clock.s in range(0, 100, 10):
            head.check()
    assert not head.gone


def test_one_that_is_gone_is_told_after_some_patience(clock: SimpleNamespace) -> None:
    with _listening() as server:
        port = server.getsockname()[1]
        head = Head(f"127.0.0.1:{port}")
    for clock.s in (1.0, 6.0, 12.0, 18.0):
        head.check()  # a short silence may be a busy machine
    clock.s = 40.0
    with pytest.raises(HostFailed, match=f"head of the Ray cluster, 127.0.0.1:{port}, does not answer"):
        head.check()
    assert head.gone
