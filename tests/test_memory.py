"""Free memory is given back at most every few seconds, and not at all where the C library cannot."""

from types import SimpleNamespace

import pytest

from slfac_sim.foundation import host


def test_it_is_given_back_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    now, given = [0.0], []
    monkeypatch.setattr(host.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(host.ctypes, "CDLL", lambda name: SimpleNamespace(malloc_trim=given.append))
    host.trim.cache_clear()
    spare = host.Spare()
    for now[0] in (1.0, 4.9, 5.0, 6.0, 9.9, 10.0):
        spare.give_back()
    host.trim.cache_clear()
    assert given == [0, 0]


@pytest.mark.parametrize("fault", [OSError, AttributeError, TypeError])
def test_other_c_libraries_do_without(monkeypatch: pytest.MonkeyPatch, fault: type[Exception]) -> None:
    def absent(name: None) -> None:
        raise fault

    monkeypatch.setattr(host.ctypes, "CDLL", absent)
    host.trim.cache_clear()
    assert host.trim()(0) is None
    host.trim.cache_clear()
    monkeypatch.undo()
    assert host.trim()(0) in (None, 0, 1)
