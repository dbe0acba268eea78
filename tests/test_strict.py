"""Strict runs: every kind of network and every protocol keeps the laws; a lie in any place breaks one."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from worlds import scenario, table

from slfac_sim.cli import main
from slfac_sim.foundation.plugins import find, kinds
from slfac_sim.ledger.tables import TABLES
from slfac_sim.network import Delivery
from slfac_sim.network.under_way import FluidTransfer
from slfac_sim.runs.replay import Record, prepare_replay, replay
from slfac_sim.runs.run import prepare, run
from slfac_sim.simulation.invariants.watching import WatchedLedger

SHORT = ("protocol.rounds=1", "protocol.steps=1")
LAWS = {"Little", "airtime <= elapsed", "bytes", "causality", "energy = power x time", "rate <= capacity"}
FAIR = [f"network.medium={kind}" for kind in kinds("slfac_sim.network.media") if kind not in ("csma", "dcf")]
TRANSPORTS = ["fluid", "{kind: tcp, loss: 0.5, tries: 2}", "{kind: udp, loss: 0.4}"]
_WIRE = "capacity: 20 Mbit/s, latency: 1 ms"
EDGES = (
    "server=null",
    "servers={edge1: 1 GFLOP/s, edge2: 1 GFLOP/s, cloud: 1 GFLOP/s}",
    f"""network={{kind: topology,
        access: {{a: {{network: {{kind: cell, bandwidth: 5 MHz}}, devices: 3, server: edge1}},
                  b: {{network: {{kind: wifi}}, devices: 2, server: edge2}}}},
        links: {{la: {{between: [a, edge1], {_WIRE}}}, lb: {{between: [b, edge2], {_WIRE}, loss: 0.1}},
                 ca: {{between: [edge1, cloud], {_WIRE}}}, cb: {{between: [edge2, cloud], {_WIRE}}}}}}}""",
)
TREE = f"""topology,
    access: {{a: {{network: {{kind: multi_cell, stations: 2}}, devices: 3}},
              b: {{network: wifi, devices: 2}}}},
    links: {{la: {{between: [a, sw], {_WIRE}}}, lb: {{between: [b, sw], {_WIRE}, loss: 0.1}},
             core: {{between: [sw, server], capacity: 5 Mbit/s, latency: 5 ms, duplex: half}}}}"""
KINDS = [
    *FAIR,
    "network.duplex=fdd",
    "network.duplex=half",
    "network.power_control={}",
    "network.fading={kind: block, coherence: 50 ms}",
    "network={kind: ideal, up_rate: 8 Mbit/s, down_rate: 8 Mbit/s, sharing: none}",
    "network={kind: wifi}",
    "network={kind: wifi, medium: {kind: dcf, standard: 802.11a}}",
    "network={kind: multi_cell, interference: activity}",
    "server.discipline=sharing",
    "protocol.model_broadcast=unicast",
]


def strict(folder: Path, *overrides: str) -> dict[str, Any]:
    prepared = prepare(scenario(*SHORT, *overrides), folder, threads=1)
    return run(prepared, checkpoint_every=0, strict=True)


@pytest.mark.matrix
@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("network", ["cell", "multi_cell", "wifi", "ideal", TREE])
def test_every_transport_keeps_the_laws_on_every_air(network: str, transport: str, tmp_path: Path) -> None:
    late = "jitter: {mean: 2 ms}, grant: 5 ms" + (", up_latency: 1 ms" if network != TREE else "")
    summary = strict(tmp_path / "r", f"network={{kind: {network}, {late}, transport: {transport}}}")
    assert summary["status"] == "finished", summary["reason"]
    assert summary["invariants"]["violated"] == 0


@pytest.mark.matrix
@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("kind", kinds("slfac_sim.protocols"))
def test_every_protocol_goes_on_when_transfers_are_lost(kind: str, transport: str, tmp_path: Path) -> None:
    """And keeps the laws; every lost transfer is a row, and whom it was lost to misses the round."""
    edges = find("slfac_sim.protocols", kind).servers == "edges"
    place = EDGES if edges else ()
    summary = strict(tmp_path / "r", f"protocol={kind}", *place, f"network.transport={transport}")
    assert summary["status"] == "finished", summary["reason"]
    assert summary["invariants"]["violated"] == 0
    sent = table(tmp_path / "r" / "ledger.sqlite", "transfers")
    missed = table(tmp_path / "r" / "ledger.sqlite", "misses")
    outcomes = {row["outcome"] for row in sent}
    assert outcomes <= {"delivered", "lost"}
    assert ("lost" in outcomes) is bool(transport != "fluid" and sent)
    assert bool(missed) is ("lost" in outcomes)
    assert ("link bits" in summary["invariants"]["checked"]) is edges


@pytest.mark.matrix
@pytest.mark.parametrize("override", KINDS)
def test_every_kind_of_air_keeps_the_laws(override: str, tmp_path: Path) -> None:
    summary = strict(tmp_path / "r", override)
    assert summary["status"] == "finished", summary["reason"]
    assert summary["invariants"]["violated"] == 0
    assert summary["invariants"]["checked"].keys() == LAWS
    sent = table(tmp_path / "r" / "ledger.sqlite", "transfers")
    assert {(row["tries"], row["outcome"]) for row in sent} == {(1, "delivered")}  # as docs/results.md says


def test_it_changes_nothing(tmp_path: Path) -> None:
    """And a replay is checked in the same way, against the same rows."""
    watched = strict(tmp_path / "watched")
    plain = run(prepare(scenario(*SHORT), tmp_path / "plain", threads=1))
    assert watched["digest"] == plain["digest"]
    assert "invariants" not in plain
    again = replay(prepare_replay(tmp_path / "plain", (), out=tmp_path / "again"), strict=True)
    assert again["digest"] == plain["digest"]
    assert again["invariants"] == watched["invariants"]
    assert Record.load(tmp_path / "watched").script == Record.load(tmp_path / "plain").script


# Devices so slow that the clock shows some 10^6 s when the third row of each kind is written.
LONG = ("devices.speed={kind: fixed, speed: 1 FLOP/s}", "devices.count=3")


@pytest.mark.matrix
@pytest.mark.parametrize(
    ("table", "column", "lie", "law"),
    [
        ("transfers", "start_s", lambda value: value - 1e-5, "causality"),
        ("transfers", "airtime_s", lambda value: value + 1e-3, "rate <= capacity"),
        ("transfers", "energy_j", lambda value: 1.00001 * value, "energy = power x time"),
        ("computes", "start_s", lambda value: value - 1e-5, "causality"),
        ("computes", "end_s", lambda value: value - 1e-9, "causality"),
        ("energy", "busy_s", lambda value: value + 1e-3, "energy = power x time"),
        ("energy", "compute_j", lambda value: value + 1e-3, "energy = power x time"),
        ("energy", "transmit_j", lambda value: value + 1e-9, "energy = power x time"),
    ],
)
def test_a_lie_late_in_a_long_run_is_found(
    table: str,
    column: str,
    lie: Callable[[Any], Any],
    law: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What may be off is what the clock's last digit is, and does not grow with the clock beyond that."""
    lying(monkeypatch, table, column, lie)
    summary = strict(tmp_path / "r", *LONG)
    assert summary["reason"].startswith(f"strict: the law of {law} is broken at ")


def test_a_long_run_keeps_the_laws(tmp_path: Path) -> None:
    summary = strict(tmp_path / "r", *LONG, "server.discipline=sharing")
    assert summary["status"] == "finished", summary["reason"]
    assert summary["simulated_s"] > 1e6


def test_littles_law_is_exact_however_long_all_have_waited(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    laws = "slfac_sim.simulation.invariants.order.OrderLaws"
    monkeypatch.setattr(f"{laws}.row", lambda laws, table, row: None)
    monkeypatch.setattr(f"{laws}.left", lambda *arguments, **more: None)
    lying(monkeypatch, "computes", "asked_s", lambda value: value + 1e-6)
    assert "the law of Little is broken at host d00" in strict(tmp_path / "r", *LONG)["reason"]


def lying(monkeypatch: pytest.MonkeyPatch, table: str, column: str, lie: Callable[[Any], Any]) -> None:
    """Let the third row of `table` be written with another value of `column`."""
    names = [name for name in TABLES[table] if name != "id"]
    honest, place, written = WatchedLedger.append, names.index(column), 0

    def append(book: WatchedLedger, name: str, values: tuple[Any, ...]) -> int:
        nonlocal written
        if name == table:
            written += 1
            if written == 3:
                values = (*values[:place], lie(values[place]), *values[place + 1 :])
        return honest(book, name, values)

    monkeypatch.setattr(WatchedLedger, "append", append)


@pytest.mark.matrix
@pytest.mark.parametrize(
    ("table", "column", "lie", "law"),
    [
        ("transfers", "asked_s", lambda value: value - 0.001, "causality"),
        ("transfers", "end_s", lambda value: value + 0.001, "causality"),
        ("transfers", "start_s", lambda value: value - 100.0, "causality"),
        ("transfers", "seq", lambda value: value + 1, "causality"),
        ("transfers", "payload_bytes", lambda value: value - 1, "bytes"),
        ("transfers", "wire_bytes", lambda value: 2 * value, "rate <= capacity"),
        ("transfers", "airtime_s", lambda value: 3.0 * value, "airtime <= elapsed"),
        ("transfers", "rate_bps", lambda value: 1e12, "rate <= capacity"),
        ("transfers", "energy_j", lambda value: 1.01 * value, "energy = power x time"),
        ("payloads", "bytes", lambda value: value + 1, "bytes"),
        ("computes", "start_s", lambda value: value + 100.0, "causality"),
        ("computes", "end_s", lambda value: value - 1e-6, "causality"),
        ("offers", "asked_s", lambda value: 0.0, "causality"),
        ("steps", "at_s", lambda value: 0.0, "causality"),
        ("energy", "compute_j", lambda value: 1.01 * value, "energy = power x time"),
        ("energy", "busy_s", lambda value: 1.01 * value, "energy = power x time"),
        ("energy", "total_j", lambda value: 0.99 * value, "energy = power x time"),
    ],
)
def test_a_lie_in_the_ledger_is_found(
    table: str,
    column: str,
    lie: Callable[[Any], Any],
    law: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without `energy`, whose rows come last, the run ends there; and its summary says why."""
    lying(monkeypatch, table, column, lie)
    summary = strict(tmp_path / "r")
    assert summary["status"] == "failed"
    assert summary["reason"].startswith(f"strict: the law of {law} is broken at ")
    assert summary["invariants"]["violated"] == 1


@pytest.mark.parametrize(
    ("change", "law"),
    [
        (lambda found: {"rate_bps": 2.0 * found.rate_bps}, "rate <= capacity"),
        (lambda found: {"payload_bytes": found.payload_bytes + 1}, "bytes"),
        (lambda found: {"start_s": found.asked_s, "airtime_s": 2.0 * found.airtime_s}, "airtime <= elapsed"),
        (lambda found: {"energy_j": found.energy_j + 1e-3}, "energy = power x time"),
    ],
)
def test_a_network_that_lies_is_found(
    change: Callable[[Delivery], dict[str, Any]], law: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the network says of a transfer is held against what it was told, and what the air offers."""
    honest = FluidTransfer.delivery

    def delivery(transfer: FluidTransfer, delivered: bool) -> Delivery:
        found = honest(transfer, delivered)
        return found._replace(**change(found))

    monkeypatch.setattr(FluidTransfer, "delivery", delivery)
    summary = strict(tmp_path / "r", "network.duplex=half")
    assert summary["reason"].startswith(f"strict: the law of {law} is broken at ")


def test_a_transfer_that_the_ledger_forgets_breaks_littles_law(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the laws of order would find first is found by the queues as well."""
    laws = "slfac_sim.simulation.invariants.order.OrderLaws"
    monkeypatch.setattr(f"{laws}.row", lambda laws, table, row: None)
    monkeypatch.setattr(f"{laws}.left", lambda *arguments, **more: None)
    lying(monkeypatch, "transfers", "asked_s", lambda value: value - 1.0)
    assert "the law of Little is broken at the air" in strict(tmp_path / "r")["reason"]


def test_the_command_line_fails_with_the_law(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lying(monkeypatch, "computes", "asked_s", lambda value: value - 1.0)
    tiny = str(Path(__file__).with_name("tiny.yaml"))
    arguments = ["run", tiny, *SHORT, "--strict", "--quiet", "--threads", "1", "--out", str(tmp_path / "r")]
    assert main(arguments) == 1
    assert "failed: strict: the law of causality is broken at computes, effect" in capsys.readouterr().err
