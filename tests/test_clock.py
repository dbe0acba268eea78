"""The clock and the books of whole runs: oracles with known answers, and invariants of every run."""

from collections import defaultdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import simpy
from fakes import participants
from worlds import column, live_run, table

from slfac_sim.hosts.names import SERVER, device_names
from slfac_sim.ledger.store import FileLedger
from slfac_sim.network import Hosts
from slfac_sim.network.kinds.ideal import Ideal
from slfac_sim.protocols.parallel import Parallel
from slfac_sim.simulation.simulated import SimulatedPlayer

Rows = list[dict[str, Any]]
CELL = "network={kind: cell, bandwidth: 5 MHz, uplink_share: 0.4, device_power: 1 mW, retransmission: none}"
FADING = CELL[:-1] + ", fading: {kind: block, coherence: 20 ms}}"


def test_a_round_of_three_devices_worked_by_hand(tmp_path: Path) -> None:
    """The worked example of docs/design.md, to the last figure."""
    path = tmp_path / "ledger.sqlite"
    env = simpy.Environment()
    network = Ideal(up_rate=8e6, down_rate=8e6, latency=0.01).open(env, Hosts(device_names(3), (SERVER,)), 0)
    speeds = {"d000": 1e9, "d001": 2e9, "d002": 4e9, SERVER: 10e9}
    cast = participants(server_flops=1e9, model_bytes=100_000)
    with FileLedger(path) as ledger:
        player = SimulatedPlayer(env, network, speeds, ledger)
        player.play(Parallel(rounds=1, steps=1).run(cast))  # type: ignore[arg-type]
    transfers, computes = table(path, "transfers"), table(path, "computes")
    ends = {(row["src"], row["dst"]): row["end_s"] for row in reversed(transfers)}
    assert ends["d002", SERVER] == pytest.approx(1.01, abs=1e-12)
    assert ends["d001", SERVER] == pytest.approx(1.51, abs=1e-12)
    assert ends["d000", SERVER] == pytest.approx(1.76, abs=1e-12)
    trained = next(row for row in computes if row["what"] == "train")
    assert (trained["start_s"], trained["end_s"]) == pytest.approx((1.76, 2.06), abs=1e-12)
    downs = [row["end_s"] for row in transfers if row["src"] == SERVER and row["payload_bytes"] == 500_000]
    assert downs == pytest.approx([3.57, 3.57, 3.57], abs=1e-12)
    backwards = {row["host"]: row["end_s"] for row in computes if row["what"] == "backward"}
    assert backwards == pytest.approx({"d000": 4.57, "d001": 4.07, "d002": 3.82}, abs=1e-12)
    models = {row["src"]: row["end_s"] for row in transfers if row["payload_bytes"] == 100_000}
    assert models["d002"] == pytest.approx(3.93, abs=1e-12)
    assert models["d001"] == pytest.approx(4.18, abs=1e-12)
    assert models["d000"] == pytest.approx(4.68, abs=1e-12)
    assert models[SERVER] == pytest.approx(4.68 + 6e-10 + 0.11, abs=1e-12)
    assert env.now == models[SERVER]


@pytest.mark.parametrize("network", [CELL, FADING], ids=["ergodic", "block fading"])
@pytest.mark.parametrize("codec", ["raw", "slfac"])
def test_the_last_uplink_bit_of_each_step(tmp_path: Path, codec: str, network: str) -> None:
    """Releases r and airtimes a: the air works whenever it can, so the last bit leaves at
    max_j (r_j + sum of a_i over r_i >= r_j), whatever the rates, the speeds and the sharing."""
    path = tmp_path / "ledger.sqlite"
    live_run(path, f"codec={codec}", network, "protocol.steps=6")
    kinds = kinds_of(path)
    steps: dict[str, Rows] = defaultdict(list)
    queues = {row["task"] + str(row["seq"]): row["queue"] for row in table(path, "offers")}
    for row in table(path, "transfers"):
        if "smashed_up" in kinds[row["id"]]:
            steps[queues[row["task"] + str(row["seq"] + 2)]].append(row)  # send, decode, offer
    assert len(steps) == 12
    for rows in steps.values():
        assert len(rows) == 5
        busy = [
            first["asked_s"]
            + sum(row["airtime_s"] for row in rows if row["asked_s"] >= first["asked_s"]) / 0.4
            for first in rows
        ]
        assert max(column(rows, "last_bit_s")) == pytest.approx(max(busy), rel=1e-9)
    assert len({row["rate_bps"] for row in steps["cohort 1.1"]}) > 1


def kinds_of(path: Path) -> dict[int, set[str]]:
    kinds: dict[int, set[str]] = defaultdict(set)
    for row in table(path, "payloads"):
        kinds[row["transfer"]].add(row["kind"])
    return kinds


@pytest.fixture(scope="module", params=["slfac", "raw", "epochs, unicast"])
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("run") / "ledger.sqlite"
    unicast = ("protocol.steps=null", "protocol.model_broadcast=unicast", "protocol.initial_model=broadcast")
    dirichlet = ("partition={kind: dirichlet, alpha: 0.3}",)
    overrides = (*unicast, *dirichlet) if "epochs" in request.param else (f"codec={request.param}",)
    live_run(path, CELL, *overrides)
    return path


def test_every_byte_is_accounted(run: Path) -> None:
    transfers, payloads = table(run, "transfers"), table(run, "payloads")
    by_transfer: dict[int, int] = defaultdict(int)
    for row in payloads:
        by_transfer[row["transfer"]] += row["bytes"]
    assert {row["id"]: row["payload_bytes"] for row in transfers} == dict(by_transfer)
    assert all(row["wire_bytes"] > row["payload_bytes"] > 0 for row in transfers)
    assert table(run, "evals")[-1]["payload_bytes"] <= sum(column(transfers, "payload_bytes"))
    assert {row["kind"] for row in payloads} == {
        "smashed_up", "smashed_down", "labels", "model_up", "model_down",
    }  # fmt: skip


def test_labels_are_one_byte_a_sample_and_as_many_as_the_samples(run: Path) -> None:
    payloads = table(run, "payloads")
    labels = [row for row in payloads if row["kind"] == "labels"]
    assert sum(column(labels, "bytes")) == sum(column(table(run, "steps"), "samples"))


def test_time_goes_forward(run: Path) -> None:
    for row in table(run, "transfers"):
        assert row["asked_s"] <= row["start_s"] <= row["last_bit_s"] < row["end_s"]
        assert row["end_s"] - row["last_bit_s"] == pytest.approx(0.005, abs=1e-9)
    for row in table(run, "computes"):
        assert row["asked_s"] <= row["start_s"] <= row["end_s"]
    for earlier, later in pairwise(table(run, "evals")):
        assert earlier["at_s"] < later["at_s"]
        assert earlier["payload_bytes"] < later["payload_bytes"]


def test_no_direction_of_the_air_is_used_more_than_it_is_there(run: Path) -> None:
    """Between any two moments, airtime spent is at most share x time; here for each busy stretch."""
    for uplink, share in ((True, 0.4), (False, 0.6)):
        rows = [row for row in table(run, "transfers") if (row["dst"] == SERVER) is uplink]
        for first in rows:
            begun = [row for row in rows if row["start_s"] >= first["start_s"]]
            last_bit_s = max(column(begun, "last_bit_s"))
            spent_s = sum(column(begun, "airtime_s"))
            assert spent_s <= share * (last_bit_s - first["start_s"]) * (1 + 1e-9)
        assert all(
            row["airtime_s"] <= share * (row["last_bit_s"] - row["start_s"]) * (1 + 1e-9) for row in rows
        )


def test_no_host_computes_two_things_at_once(run: Path) -> None:
    by_host: dict[str, Rows] = defaultdict(list)
    for row in table(run, "computes"):
        by_host[row["host"]].append(row)
    assert len(by_host) == 6
    for rows in by_host.values():
        for earlier, later in pairwise(sorted(rows, key=lambda row: (row["start_s"], row["end_s"]))):
            assert earlier["end_s"] <= later["start_s"]


def test_energy_is_power_times_airtime(run: Path) -> None:
    for row in table(run, "transfers"):
        power_w = 25.118864315095795 / 4 if row["src"] == SERVER else 0.001
        assert row["energy_j"] == pytest.approx(power_w * row["airtime_s"])


def test_a_device_with_its_gradient_does_not_wait_for_the_others(run: Path) -> None:
    """The next forward begins when the backward ends: there is no barrier at the end of a step."""
    gaps: list[float] = []
    for device in device_names(5):
        rows = [row for row in table(run, "computes") if row["host"] == device]
        for earlier, later in pairwise(sorted(rows, key=lambda row: row["start_s"])):
            if (earlier["what"], later["what"]) == ("backward", "forward"):
                gaps.append(later["start_s"] - earlier["end_s"])
    assert gaps
    assert set(gaps) == {0.0}
