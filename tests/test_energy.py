"""The energy of hosts: by hand, as the integral of a power built from the ledger alone, and batteries."""

from collections.abc import Iterable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from worlds import live_run, scenario, table

from slfac_sim.hosts.names import SERVER
from slfac_sim.hosts.power import DevicePower, ServerPower
from slfac_sim.ledger.store import FileLedger, MemoryLedger
from slfac_sim.network import Delivery
from slfac_sim.runs.opening import build
from slfac_sim.runs.replay import Record, retime
from slfac_sim.runs.run import prepare, run
from slfac_sim.simulation.energy import CODEC_WORK, Energy
from slfac_sim.simulation.simulate import simulate
from slfac_sim.simulation.simulated import Stalled

POWER = DevicePower(compute=10.0, idle=1.0, transmit=3.0, receive=2.0)
DRAWN = ("compute_j", "transmit_j", "receive_j", "idle_j")

Interval = tuple[float, float, float]  # from, to, watts


def delivery(src: str, airtime_s: float, energy_j: float) -> Delivery:
    return Delivery(src, "x", 1, 0, 0, 0.0, 0.0, 0.0, 0.0, airtime_s, 0.0, 0.0, energy_j, 1)


def test_the_books_of_two_hosts_by_hand() -> None:
    energy = Energy({"a": POWER, "b": POWER})
    energy.computed("a", "forward", 2.0)
    energy.computed("a", "encode", 0.5)
    energy.sent(delivery("a", 4.0, 0.25), ["b"])
    energy.down("b", 6.0)
    energy.down("b", 7.0)  # a second time: it is down already
    energy.up("b", 8.0)
    one, other = energy.rows(10.0)
    assert one == {
        "host": "a", "compute_j": 25.0, "codec_j": 5.0, "transmit_j": 12.25, "receive_j": 0.0, "idle_j": 10.0,
        "total_j": 47.25, "busy_s": 2.5, "up_s": 10.0,
    }  # fmt: skip
    assert (other["receive_j"], other["idle_j"], other["total_j"], other["up_s"]) == (8.0, 8.0, 16.0, 8.0)


def test_a_battery_is_empty_when_all_that_was_drawn_is_as_much() -> None:
    energy = Energy({"a": POWER, "b": POWER}, {"a": 30.0, "b": None})
    energy.computed("a", "forward", 2.0)
    assert energy.spent_j("a", 9.0) == 29.0
    assert not energy.empty("a", 9.0)
    assert energy.empty("a", 10.0)
    assert not energy.empty("b", 1e9)


# The same once more, from what the ledger says happened: intervals of constant power, and their integral.


def joined(intervals: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the union of `intervals`, disjoint."""
    found: list[list[float]] = []
    for begin, end in sorted(intervals):
        if found and begin <= found[-1][1]:
            found[-1][1] = max(found[-1][1], end)
        else:
            found.append([begin, end])
    return [(begin, end) for begin, end in found]


def on_air(row: Mapping[str, Any], watts: float) -> Interval:
    """A transfer at the part of full power that has its airtime as integral."""
    begin, end = row["start_s"], row["last_bit_s"]
    share = row["airtime_s"] / (end - begin) if end > begin else 0.0
    return begin, end, watts * share


def down_times(outages: list[dict[str, Any]], host: str, end_s: float) -> list[tuple[float, float]]:
    rows = (row for row in outages if row["host"] == host)
    return [(row["down_s"], end_s if row["up_s"] is None else row["up_s"]) for row in rows]


def is_down(downs: Iterable[tuple[float, float]], since_s: float, until_s: float) -> bool:
    return any(begin <= until_s and end > since_s for begin, end in downs)


def power_of(path: Path, host: str, power: Any, end_s: float, hosts: list[str]) -> dict[str, list[Interval]]:
    """Return the power of `host` by what it is for, as intervals."""
    outages = table(path, "outages")
    downs = {one: down_times(outages, one, end_s) for one in hosts}
    work = joined((row["start_s"], row["end_s"]) for row in table(path, "computes") if row["host"] == host)
    transfers = [row for row in table(path, "transfers") if row["end_s"] > row["asked_s"]]
    sent = [row for row in transfers if row["src"] == host]
    radiated = [
        (row["start_s"], row["last_bit_s"], row["energy_j"] / (row["last_bit_s"] - row["start_s"]))
        for row in sent
        if row["last_bit_s"] > row["start_s"]
    ]
    heard = [
        row
        for row in transfers
        if row["dst"] == host
        or (row["dst"] == "*" and host != SERVER and not is_down(downs[host], row["asked_s"], row["end_s"]))
    ]
    ups = [0.0, *(moment for stretch in downs[host] for moment in stretch), end_s]
    return {
        "compute_j": [(begin, end, power.compute) for begin, end in work],
        "transmit_j": [*(on_air(row, power.transmit) for row in sent), *radiated],
        "receive_j": [on_air(row, power.receive) for row in heard],
        "idle_j": [(begin, end, power.idle) for begin, end in zip(ups[::2], ups[1::2], strict=True)],
    }


def integral(intervals: list[Interval]) -> float:
    """Integrate the piecewise constant function that is the sum of `intervals`, from step to step."""
    steps = sorted({moment for begin, end, _ in intervals for moment in (begin, end)})
    times = np.array(steps)
    level = np.zeros(len(steps))
    for begin, end, watts in intervals:
        level[np.searchsorted(times, begin)] += watts
        level[np.searchsorted(times, end)] -= watts
    return float(np.sum(np.cumsum(level)[:-1] * np.diff(times)))


RUNS = {
    "a shared server": ["server.discipline=sharing", "devices.slowdowns=[jitter, stragglers]"],
    "coming and going": ["devices.availability={kind: on_off, mean_on: 0.3 s, mean_off: 0.05 s}"],
    "crashes": [
        "devices.availability={kind: crash, mean_between: 0.5 s, restart: 0.1 s}",
        "network.medium=tdma",
        "codec=raw",
    ],
    "batteries": ["devices.battery=1 J"],
    "a server that restarts": ["server.availability={kind: crash, mean_between: 0.2 s, restart: 0.05 s}"],
}


@pytest.mark.parametrize("changes", RUNS.values(), ids=RUNS.keys())
def test_energy_is_the_integral_of_power(tmp_path: Path, changes: list[str]) -> None:
    path = tmp_path / "ledger.sqlite"
    chosen = scenario(*changes, "devices.power.idle=0.5 W", "server.power.receive=9 W")
    with FileLedger(path) as ledger:
        try:
            end_s = simulate(chosen, chosen.protocol.run(build(chosen)), ledger)
        except Stalled:
            end_s = max(row["up_s"] for row in ledger.rows("energy"))
    rows = table(path, "energy")
    hosts = [row["host"] for row in rows]
    assert len(hosts) == 6
    for row in rows:
        power = chosen.server.power if row["host"] == SERVER else chosen.devices.power
        by_part = power_of(path, row["host"], power, end_s, hosts)
        for part, intervals in by_part.items():
            assert row[part] == pytest.approx(integral(intervals), rel=1e-9, abs=1e-12), part
        whole = [interval for intervals in by_part.values() for interval in intervals]
        assert row["total_j"] == pytest.approx(integral(whole), rel=1e-9)
        assert 0.0 < row["busy_s"] <= row["up_s"] <= end_s


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("energy") / "run"
    run(prepare(scenario(), folder, threads=1))
    return folder


def test_codecs_are_charged_to_devices_and_to_the_server(finished: Path) -> None:
    computes = table(finished / "ledger.sqlite", "computes")
    for row in table(finished / "ledger.sqlite", "energy"):
        power = (ServerPower() if row["host"] == SERVER else DevicePower()).compute
        own = [one for one in computes if one["host"] == row["host"]]
        codec_s = sum(one["end_s"] - one["start_s"] for one in own if one["what"] in CODEC_WORK)
        assert row["codec_j"] == pytest.approx(power * codec_s)
        assert 0.0 < row["codec_j"] < row["compute_j"] < row["total_j"]
    whats = {one["what"] for one in computes}
    assert whats > CODEC_WORK
    assert whats - CODEC_WORK == {"forward", "backward", "train", "average"}


def test_the_summary_has_the_sums(finished: Path) -> None:
    record = Record.load(finished)
    rows = table(finished / "ledger.sqlite", "energy")
    told = record.summary["energy"]
    for part, own in (("devices", rows[:-1]), ("server", rows[-1:])):
        for name, value in told[part].items():
            assert value == pytest.approx(sum(row[name] for row in own)), name
        assert told[part]["total_j"] == pytest.approx(sum(told[part][name] for name in DRAWN))


def test_what_is_radiated_is_in_it(finished: Path) -> None:
    rows = MemoryLedger()
    silent = scenario("devices.power.transmit=0 W", "server.power.transmit=0 W")
    retime(Record.load(finished), silent, rows)
    radiated = sum(row["transmit_j"] for row in rows.rows("energy"))
    assert radiated == pytest.approx(Record.load(finished).summary["energy_j"])


def test_a_replay_has_the_energy_of_a_live_run_and_power_changes_nothing_else(
    finished: Path, tmp_path: Path
) -> None:
    changes = ("devices.power.compute=20 W", "server.power.idle=0 W", "network.bandwidth=2 MHz")
    chosen, _, digest = live_run(tmp_path / "live.sqlite", *changes)
    rows = MemoryLedger()
    retime(Record.load(finished), chosen, rows)
    assert rows.digest() == digest
    assert rows.rows("energy") == table(tmp_path / "live.sqlite", "energy")
    assert rows.rows("spent") == table(tmp_path / "live.sqlite", "spent")
    other = MemoryLedger()
    retime(Record.load(finished), scenario(changes[2]), other)
    assert other.digest() == digest
    assert other.rows("energy") != rows.rows("energy")


def test_what_was_drawn_is_written_at_every_evaluation(finished: Path) -> None:
    path = finished / "ledger.sqlite"
    spent, energy = table(path, "spent"), table(path, "energy")
    evals = [(row["round"], row["at_s"]) for row in table(path, "evals")]
    assert [(row["round"], row["at_s"]) for row in spent] == evals
    assert (spent[0]["devices_j"], spent[0]["server_j"]) == (0.0, 0.0)
    for name, whole_j in zip(("devices_j", "server_j"), _wholes(energy), strict=True):
        drawn = [row[name] for row in spent] + [whole_j]
        assert all(before < after for before, after in pairwise(drawn))
    # at the first average all was over, so that it is idle power x time and the rest of what had been done
    at_s, devices = spent[1]["at_s"], [row for row in energy if row["host"] != SERVER]
    computes = [row for row in table(path, "computes") if row["host"] != SERVER and row["end_s"] <= at_s]
    sent = [row for row in table(path, "transfers") if row["end_s"] <= at_s]
    power = scenario().devices.power
    told_j = len(devices) * power.idle * at_s
    told_j += power.compute * sum(row["end_s"] - row["start_s"] for row in computes)
    for row in sent:
        up = row["dst"] == SERVER
        told_j += power.transmit * row["airtime_s"] + row["energy_j"] if up else 0.0
        told_j += 0.0 if up else power.receive * row["airtime_s"] * row["receivers"]
    assert spent[1]["devices_j"] == pytest.approx(told_j)


def _wholes(energy: list[dict[str, Any]]) -> tuple[float, float]:
    devices_j = sum(row["total_j"] for row in energy if row["host"] != SERVER)
    return devices_j, sum(row["total_j"] for row in energy if row["host"] == SERVER)


def test_a_battery_lasts_to_the_end_of_the_effect_that_uses_it_up(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    chosen, _, _ = live_run(path, "devices.battery=1 J")
    outages = {row["host"]: row for row in table(path, "outages")}
    energies = {row["host"]: row["total_j"] for row in table(path, "energy") if row["host"] != SERVER}
    assert {row["reason"] for row in outages.values()} == {"battery empty"}
    assert 0 < len(outages) < 5
    drawn_w = sum(getattr(chosen.devices.power, name) for name in ("compute", "idle", "transmit", "receive"))
    longest_s = max(row["end_s"] - row["asked_s"] for row in table(path, "computes"))
    for host, total_j in energies.items():
        if host not in outages:
            assert total_j < 1.0
            continue
        assert 1.0 <= total_j <= 1.0 + drawn_w * longest_s
        down_s = outages[host]["down_s"]
        ends = [row["end_s"] for row in table(path, "computes") if row["host"] == host]
        assert all(row["asked_s"] <= down_s for row in table(path, "computes") if row["host"] == host)
        assert down_s in ends or any(
            down_s == row["end_s"] for row in table(path, "transfers") if host in (row["src"], row["dst"])
        )


def test_energy_is_written_however_a_run_ends(tmp_path: Path) -> None:
    chosen = scenario()

    def stop(name: str, row: Mapping[str, Any]) -> None:
        if name == "rounds":
            raise KeyboardInterrupt

    with FileLedger(tmp_path / "ledger.sqlite") as ledger, pytest.raises(KeyboardInterrupt):
        simulate(chosen, chosen.protocol.run(build(chosen)), ledger, stop)
    rows = table(tmp_path / "ledger.sqlite", "energy")
    (done,) = table(tmp_path / "ledger.sqlite", "rounds")
    assert {row["up_s"] for row in rows} == {done["at_s"]}
    assert len(rows) == 6
