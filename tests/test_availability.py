"""When hosts are down: laws of every kind, means of the random ones, faults in a trace."""

from collections.abc import Iterator
from itertools import islice, pairwise
from math import inf, sqrt
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.plugins import adapter, find, kinds
from slfac_sim.hosts.availability import Outage, plans
from slfac_sim.hosts.availability.always import Always
from slfac_sim.hosts.availability.crash import Crash
from slfac_sim.hosts.availability.on_off import OnOff
from slfac_sim.hosts.availability.trace import Trace
from slfac_sim.hosts.names import device_names

RANDOM = [OnOff(), OnOff(start="on"), Crash(), Crash(restart=None), Crash(restart=0.0)]


def first(outages: Iterator[Outage], count: int) -> list[Outage]:
    return list(islice(outages, count))


def test_every_kind_is_known_here() -> None:
    assert kinds("slfac_sim.hosts.availability") == ("always", "crash", "on_off", "trace")


@pytest.mark.parametrize("kind", RANDOM, ids=repr)
def test_outages_are_in_order_and_do_not_overlap(kind: Any) -> None:
    found = first(kind.outages("d007", 3), 50)
    assert found
    assert all(0.0 <= one.down_s <= one.up_s and one.reason for one in found)
    assert all(earlier.up_s <= later.down_s for earlier, later in pairwise(found))


@pytest.mark.parametrize("kind", RANDOM, ids=repr)
def test_draws_depend_on_seed_and_host_alone(kind: Any) -> None:
    alone = first(kind.outages("d007", 3), 5)
    others = [first(kind.outages(host, 3), 5) for host in device_names(7)]
    assert first(kind.outages("d007", 3), 5) == alone
    assert alone not in others
    assert first(kind.outages("d007", 4), 5) != alone


def test_settings_scale_the_same_draws() -> None:
    """Common random numbers: twice as long a mean is the same history, twice as slow."""
    short, long = OnOff(mean_on=10.0, mean_off=3.0), OnOff(mean_on=20.0, mean_off=6.0)
    for one, twice in zip(first(short.outages("d1", 0), 9), first(long.outages("d1", 0), 9), strict=True):
        assert (2 * one.down_s, 2 * one.up_s) == pytest.approx((twice.down_s, twice.up_s))


def test_always_has_no_outage_and_plans_have_every_host() -> None:
    found = plans(Always(), ["a", "b"], 0)
    assert {host: list(outages) for host, outages in found.items()} == {"a": [], "b": []}


def z_of(values: Any, mean: float, deviation: float) -> float:
    return abs(float(np.mean(values)) - mean) / (deviation / sqrt(len(values)))


def test_times_up_and_down_are_exponential_with_the_given_means() -> None:
    found = first(OnOff(mean_on=40.0, mean_off=10.0, start="on").outages("d0", 1), 4000)
    down_s = [one.up_s - one.down_s for one in found]
    up_s = [later.down_s - earlier.up_s for earlier, later in pairwise(found)]
    for values, mean in ((down_s, 10.0), (up_s, 40.0)):
        assert z_of(values, mean, mean) < 3.5
        longer = np.array(values) > mean  # P(X > mean) = 1/e
        assert z_of(longer, 1 / np.e, sqrt(1 / np.e * (1 - 1 / np.e))) < 3.5


def down_at(kind: Any, at_s: float, hosts: int) -> list[bool]:
    return [
        any(one.down_s <= at_s < one.up_s for one in first_until(kind.outages(f"d{host}", 5), at_s))
        for host in range(hosts)
    ]


def first_until(outages: Iterator[Outage], at_s: float) -> list[Outage]:
    found = []
    for one in outages:
        found.append(one)
        if one.down_s > at_s:
            break
    return found


@pytest.mark.parametrize("at_s", [0.0, 7.0, 100.0])
def test_a_stationary_start_has_the_same_part_down_at_any_time(at_s: float) -> None:
    down = down_at(OnOff(mean_on=30.0, mean_off=10.0), at_s, 2000)
    assert z_of(down, 0.25, sqrt(0.25 * 0.75)) < 3.5


def test_all_on_at_the_start_tends_to_that_part() -> None:
    """P(down at t) = 1/4 (1 - exp(-(1/30 + 1/10) t)) for a two-state Markov chain that begins up."""
    kind = OnOff(mean_on=30.0, mean_off=10.0, start="on")
    assert not any(down_at(kind, 0.0, 500))
    part = 0.25 * (1 - np.exp(-(1 / 30 + 1 / 10) * 7.0))
    assert z_of(down_at(kind, 7.0, 2000), part, sqrt(part * (1 - part))) < 3.5


def test_crashes_come_at_a_constant_rate_of_time_up() -> None:
    found = first(Crash(mean_between=50.0, restart=5.0).outages("d0", 1), 3000)
    assert {round(one.up_s - one.down_s, 6) for one in found} == {5.0}
    up_s = [later.down_s - earlier.up_s for earlier, later in pairwise(found)]
    assert z_of(up_s, 50.0, 50.0) < 3.5
    (only,) = Crash(restart=None).outages("d0", 1)
    assert (only.up_s, only.reason) == (inf, "crash")


def test_settings_are_checked() -> None:
    wrongs = {"on_off": {"mean_on": 0}, "crash": {"mean_between": "0 s"}, "trace": {}}
    for kind, wrong in wrongs.items():
        with pytest.raises(ValueError, match=r"mean_on|mean_between|file"):
            adapter(find("slfac_sim.hosts.availability", kind)).validate_python(wrong)
    assert adapter(Crash).validate_python({"mean_between": "2 h", "restart": None}) == Crash(
        mean_between=7200.0, restart=None
    )


def trace(tmp_path: Path, text: str) -> Trace:
    (tmp_path / "away.csv").write_text(text, encoding="utf-8")
    return Trace(file=str(tmp_path / "away.csv"))


def test_a_trace_says_what_its_lines_say(tmp_path: Path) -> None:
    found = trace(tmp_path, HEAD + "d000,1.5,2\n\nd001,0,\nd000, 2 ,3e1\n")
    assert list(found.outages("d000", 0)) == [Outage(1.5, 2.0, "off"), Outage(2.0, 30.0, "off")]
    assert list(found.outages("d001", 0)) == [Outage(0.0, inf, "off")]
    assert list(found.outages("d002", 0)) == []
    found = trace(tmp_path, "device,down_s,up_s,reason\nserver,1,2,restart\nserver,3,4,\n")
    assert [one.reason for one in found.outages("server", 0)] == ["restart", "off"]
    assert list(plans(found, ["server"], 0)) == ["server"]


HEAD = "device,down_s,up_s\n"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", ":1: the first line must be device,down_s,up_s or device,down_s,up_s,reason (got '')"),
        ("device;down_s\n", ":1: the first line must be device,down_s,up_s or device,down_s,up_s,reason"),
        (HEAD + "d000,1\n", ":2: 2 values in 3 columns"),
        (HEAD + "d000,1,2\nd000,x,2\n", ":3: down_s must be a number of seconds, at least 0 (got 'x')"),
        (HEAD + "d000,-1,2\n", ":2: down_s must be a number of seconds, at least 0 (got '-1')"),
        (HEAD + "d000,1,nan\n", ":2: up_s must be a number of seconds, at least 0 (got 'nan')"),
        (HEAD + "d000,3,2\n", ":2: up_s 2 is before down_s 3"),
        (HEAD + "d000,1,9\nd001,1,2\nd000,8,12\n", ":4: d000 goes down at 8 s but is down until 9 s"),
        (HEAD + "d000,1,\nd000,8,12\n", ":3: d000 goes down at 8 s but is down until inf s"),
    ],
)  # fmt: skip
def test_a_fault_in_a_trace_is_named_with_file_and_line(tmp_path: Path, text: str, fault: str) -> None:
    with pytest.raises(BadInput) as caught:
        trace(tmp_path, text).outages("d000", 0)
    assert str(caught.value).startswith(f"{tmp_path / 'away.csv'}{fault}")


def test_a_trace_that_is_missing_or_names_a_stranger_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"availability\.file: .*gone\.csv' cannot be read \(No such file"):
        Trace(file=str(tmp_path / "gone.csv")).outages("d000", 0)
    (tmp_path / "raw.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadInput, match=r"raw\.csv' cannot be read \(not text in UTF-8\)"):
        Trace(file=str(tmp_path / "raw.csv")).outages("d000", 0)
    stranger = trace(tmp_path, HEAD + "d00,1,2\n")
    with pytest.raises(BadInput, match=r"away\.csv: no device 'd00' \(there are d000 to d002\)"):
        plans(stranger, device_names(3), 0)


def test_a_trace_that_changes_is_read_anew(tmp_path: Path) -> None:
    found = trace(tmp_path, HEAD + "d000,1,2\n")
    assert len(list(found.outages("d000", 0))) == 1
    trace(tmp_path, HEAD + "d000,1,2\nd000,3,4\n")
    assert len(list(found.outages("d000", 0))) == 2
