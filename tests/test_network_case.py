"""The command `python -m slfac_sim.network`: what it computes, in which form, and how it refuses."""

import dataclasses
import json
import math
import random
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import simpy

from slfac_sim.foundation.descriptions import descriptions
from slfac_sim.network.case import Case, Wire, read, simulate
from slfac_sim.network.case.case import Air, Transfer
from slfac_sim.network.case.command import main
from slfac_sim.network.case.running import demand
from slfac_sim.network.engine import Call, Engine, Flow, Share, plan

ROOT = Path(__file__).resolve().parent.parent


def run(folder: Path, case: Any, expected_status: int = 0) -> dict[str, Any]:
    """Return what the command writes about `case`, a tree or a text."""
    file, out = folder / "case.json", folder / "out.json"
    file.write_text(case if isinstance(case, str) else json.dumps(case))
    assert main([str(file), "-o", str(out)]) == expected_status
    return json.loads(out.read_text())  # type: ignore[no-any-return]


def ends(folder: Path, links: Any, transfers: Any, expected_status: int = 0, **more: Any) -> list[Any]:
    """Return when the transfers end."""
    out = run(folder, {"links": links, "transfers": transfers, **more}, expected_status)
    assert [row["id"] for row in out["transfers"]] == [row["id"] for row in transfers]
    return [row["end_s"] for row in out["transfers"]]


def rows(*sizes: float, path: tuple[str, ...] = ("a",), **more: Any) -> list[dict[str, Any]]:
    """Return transfers of `sizes` bytes that start together."""
    return [
        {"id": i, "path": list(path), "start_s": 0, "bytes": size, **more} for i, size in enumerate(sizes)
    ]


def test_the_output_has_the_documented_form(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    case = tmp_path / "case.json"
    transfers = [{"id": 'up "1"', "path": ["a"], "start_s": 1, "bytes": 1000}, *rows(500)]
    case.write_text(json.dumps({"links": {"a": {"capacity_bps": 8000}}, "transfers": transfers}))
    assert main([str(case)]) == 0
    out = json.loads(capsys.readouterr().out)
    assert list(out) == ["transfers", "events", "host_s"]
    assert out["transfers"] == [
        {"id": 'up "1"', "start_s": 1.0, "end_s": 2.0},
        {"id": 0, "start_s": 0.0, "end_s": 0.5},
    ]
    assert out["events"] == 4
    assert out["host_s"] > 0.0


def test_processor_sharing_of_one_link(tmp_path: Path) -> None:
    """The case of the specification, section 2.5: 10 Mbit/s; 1.25e6, 0.25e6 and 0.625e6 bytes."""
    starts, sizes = (0.0, 0.2, 0.5), (1.25e6, 0.25e6, 0.625e6)
    transfers = [
        {"id": i, "path": ["a"], "start_s": at, "bytes": size}
        for i, (at, size) in enumerate(zip(starts, sizes, strict=True))
    ]
    assert ends(tmp_path, {"a": {"capacity_bps": 1e7}}, transfers) == pytest.approx(
        [1.7, 0.65, 1.55], rel=1e-12
    )


def test_weights_and_caps(tmp_path: Path) -> None:
    """Capacity 12, weights 1:2:3 are 2, 4, 6; with the third capped at 3 they are 3, 6, 3 (section 2.1)."""
    link = {"a": {"capacity_bps": 12}}
    transfers = rows(2 / 8, 4 / 8, 6 / 8)
    for transfer, weight in zip(transfers, (1, 2, 3), strict=True):
        transfer["weight"] = weight
    assert ends(tmp_path, link, transfers) == pytest.approx([1.0] * 3, rel=1e-12)
    for transfer, size in zip(transfers, (3, 6, 3), strict=True):
        transfer["bytes"] = size / 8
    transfers[2]["cap_bps"] = 3
    assert ends(tmp_path, link, transfers) == pytest.approx([1.0] * 3, rel=1e-12)


def test_parking_lot(tmp_path: Path) -> None:
    """Links of 10, 6 and 8, one transfer over all and one over each: 3, and 7, 3, 5 (section 2.1)."""
    links = {name: {"capacity_bps": bps} for name, bps in zip("abc", (10, 6, 8), strict=True)}
    transfers = [
        {"id": i, "path": list(path), "start_s": 2.0, "bytes": bits / 8}
        for i, (path, bits) in enumerate((("abc", 3), ("a", 7), ("b", 3), ("c", 5)))
    ]
    assert ends(tmp_path, links, transfers) == pytest.approx([3.0] * 4, rel=1e-12)


def test_consumption_of_an_airtime_resource(tmp_path: Path) -> None:
    """Capacity 1, consumption 1/rate: 54, 54, 54 and 6 bit/s come to 4.5 bit/s each (section 2.2)."""
    transfers = rows(*[4.5 / 8] * 4)
    for transfer, rate in zip(transfers, (54, 54, 54, 6), strict=True):
        transfer["consumption"] = {"a": 1 / rate}
    assert ends(tmp_path, {"a": {"capacity_bps": 1}}, transfers) == pytest.approx([1.0] * 4, rel=1e-12)


def test_a_profile_holds_from_its_times_on(tmp_path: Path) -> None:
    """8 bit/s until 1 s, nothing until 3 s, then 16 bit/s: 24 bits take until 4 s."""
    links = {"a": {"capacity_bps": 8, "profile": [[1, 0], [3, 16]]}}
    out = run(tmp_path, {"links": links, "transfers": rows(3)})
    assert out["transfers"][0]["end_s"] == pytest.approx(4.0, rel=1e-12)
    assert out["events"] == 4  # an arrival, two changes, a completion


def test_latencies_add_up_after_the_last_bit(tmp_path: Path) -> None:
    links = {"a": {"capacity_bps": 8, "latency_s": 0.25}, "b": {"capacity_bps": 80, "latency_s": 1}}
    assert ends(tmp_path, links, rows(1, path=("a", "b"))) == [2.25]


def test_nothing_to_send_takes_the_latency_alone(tmp_path: Path) -> None:
    links = {"a": {"capacity_bps": 0, "latency_s": 0.25}}
    out = run(tmp_path, {"links": links, "transfers": rows(0)})
    assert out["transfers"][0]["end_s"] == 0.25
    assert out["events"] == 0


def test_what_never_ends_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    links = {"a": {"capacity_bps": 16, "profile": [[1, 0]]}, "b": {"capacity_bps": 8}}
    transfers = [*rows(1, 5), {"id": "x", "path": ["b"], "start_s": 0, "bytes": 1}]
    assert ends(tmp_path, links, transfers, expected_status=1) == [pytest.approx(1.0), None, 1.0]
    assert capsys.readouterr().err == f"{tmp_path}/case.json: never through: 1\n"


def test_the_naive_engine_agrees_on_random_cases(tmp_path: Path) -> None:
    for seed in range(20):
        case = random_case(random.Random(seed))
        auto, naive = (run(tmp_path, {**case, "engine": engine}) for engine in ("auto", "naive"))
        for a, b in zip(auto["transfers"], naive["transfers"], strict=True):
            assert a == {**b, "end_s": pytest.approx(b["end_s"], rel=1e-9)}


def random_case(rng: random.Random) -> dict[str, Any]:
    """Return a case with weights, caps, profiles, coefficients, and an outage that ends."""
    names = [f"l{i}" for i in range(rng.randint(1, 6))]
    links = {
        name: {
            "capacity_bps": rng.uniform(1e3, 1e5),
            "latency_s": rng.choice([0, 0.01]),
            "profile": [[1.0, rng.choice([0.0, 5e4])], [2.0 + rng.random(), rng.uniform(1e3, 1e5)]],
        }
        for name in names
    }
    transfers = []
    for i in range(rng.randint(1, 60)):
        path = rng.sample(names, rng.randint(1, min(3, len(names))))
        transfers.append(
            {
                "id": i,
                "path": path,
                "start_s": rng.choice([0.0, 1.0, rng.uniform(0, 3)]),
                "bytes": rng.choice([0, 100, rng.uniform(1, 1e4)]),
                "weight": rng.choice([1, 2, 0.5]),
                "cap_bps": rng.choice([None, 500.0, rng.uniform(1e2, 1e4)]),
                "consumption": {name: rng.uniform(0.5, 2) for name in path if rng.random() < 0.3},
            }
        )
    return {"links": links, "transfers": transfers}


def test_the_simpy_clock_gives_the_same(tmp_path: Path) -> None:
    file = tmp_path / "case.json"
    for seed in range(10):
        file.write_text(json.dumps(random_case(random.Random(seed))))
        case = read(file)
        wires = {name: replace(link, latency_s=0.0) for name, link in case.links.items()}
        bare = Case(links=wires, transfers=tuple(t for t in case.transfers if t.bytes))
        assert simulate(bare).end_s == pytest.approx(ends_on_simpy(bare), rel=1e-12)


def ends_on_simpy(case: Case) -> list[float]:
    """Return when the transfers of `case`, over wires alone, end by the clock of `Engine`."""
    env, ends = simpy.Environment(), {}
    engine = Engine(env)
    wires = {name: link.capacity for name, link in case.links.items() if isinstance(link, Wire)}
    places, follows = plan(wires, [demand(t) for t in case.transfers])
    for share, profile, link in follows:
        engine.follow(share, profile, link)

    def through(flow: Flow) -> None:
        ends[flow] = env.now

    def begin(at_s: float, share: Share, flow: Flow) -> None:
        Call(env, at_s, lambda _: engine.start(share, flow, through))

    for transfer, (share, flow) in zip(case.transfers, places, strict=True):
        begin(transfer.start_s, share, flow)
    env.run()
    return [ends[flow] for _, flow in places]


def test_a_medium_of_equal_airtime(tmp_path: Path) -> None:
    """Rates alone of 54, 54, 54 and 6: 13.5, 13.5, 13.5 and 1.5 bit/s (section 2.2)."""
    transfers = rows(13.5 / 8, 13.5 / 8, 13.5 / 8, 1.5 / 8, src="d", dst="s")
    for transfer, rate in zip(transfers, (54, 54, 54, 6), strict=True):
        transfer["phy_rate_bps"] = rate
    assert ends(tmp_path, {"a": {"kind": "fair"}}, transfers) == pytest.approx([1.0] * 4, rel=1e-12)


@pytest.mark.parametrize(
    ("options", "expected_s"),
    [
        ({}, [2.0, 4.0]),  # one channel: 4 bit/s each, then 8
        ({"duplex": "fdd", "station": "s"}, [1.0, 3.0]),
        ({"duplex": "tdd", "station": "s", "uplink_share": 0.25}, [4.0, 4.0]),
        ({"duplex": "tdd", "station": "s"}, [2.0, 6.0]),
    ],
)
def test_the_two_directions_of_a_medium(
    tmp_path: Path, options: dict[str, Any], expected_s: list[float]
) -> None:
    up, down = rows(1, 3, phy_rate_bps=8)
    up, down = {**up, "src": "d", "dst": "s"}, {**down, "src": "s", "dst": "d"}
    links = {"a": {"kind": "fair", **options}}
    assert ends(tmp_path, links, [up, down]) == pytest.approx(expected_s, rel=1e-12)


def test_half_of_the_time_of_a_medium_is_half_the_speed(tmp_path: Path) -> None:
    links = {"a": {"kind": "fair", "profile": [[1, 0.5]], "latency_s": 0.125}}
    assert ends(tmp_path, links, rows(2, phy_rate_bps=8, src="d", dst="s")) == [3.125]


def test_snr_makes_a_power_limited_uplink_gain_from_a_smaller_band(tmp_path: Path) -> None:
    """At S = 1 among 2, log2(1 + 2 S) / log2(1 + S) = log2(3): each has log2(3)/2 of the rate alone."""
    transfers = rows(1, 1, phy_rate_bps=8, src="d", dst="s", snr_db=0)
    both_s = 2 / math.log2(3)
    links = {"a": {"kind": "ofdma"}}
    assert ends(tmp_path, links, transfers) == pytest.approx([both_s] * 2, rel=1e-12)
    del transfers[1]["snr_db"]  # its power is per hertz: half the rate, until the other is through
    assert ends(tmp_path, links, transfers) == pytest.approx([both_s, 1 + both_s / 2], rel=1e-12)


def test_snr_makes_proportional_fair_choose_among_fades(tmp_path: Path) -> None:
    """Where the rate is linear in the SNR, the best of two gains 1 + 1/2 (section 2.4)."""
    transfers = rows(1, 1, phy_rate_bps=8, src="d", dst="s", snr_db=-60)
    links = {"a": {"kind": "proportional_fair"}}
    assert ends(tmp_path, links, transfers) == pytest.approx([2 / 1.5] * 2, rel=1e-5)


LINK = {"a": {"capacity_bps": 8}}
GOOD = {"id": 0, "path": ["a"], "start_s": 0, "bytes": 1}


def test_a_device_is_written_to_and_stays(tmp_path: Path) -> None:
    good = tmp_path / "good.json"
    good.write_text(json.dumps({"links": LINK, "transfers": [GOOD]}))
    assert main([str(good), "-o", "/dev/null"]) == 0
    assert Path("/dev/null").is_char_device()


def test_it_starts_under_both_names_and_loads_nothing_heavy(tmp_path: Path) -> None:
    good = tmp_path / "good.json"
    good.write_text(json.dumps({"links": LINK, "transfers": [GOOD]}))
    for name in ("network", "slfac_sim.network"):
        done = subprocess.run(
            [sys.executable, "-X", "importtime", "-m", name, str(good)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        assert json.loads(done.stdout)["transfers"] == [{"id": 0, "start_s": 0.0, "end_s": 1.0}]
        for heavy in ("torch", "scipy", "numpy"):
            assert f" {heavy}\n" not in done.stderr


def test_the_example_runs(tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    assert main([str(ROOT / "examples/network_case.json"), "-o", str(out)]) == 0
    done = json.loads(out.read_text())["transfers"]
    assert {row["id"]: round(row["end_s"], 3) for row in done} == {
        "phone": 0.831,
        "laptop": 1.962,
        "laptop, twice the weight": 0.91,
        "laptop, throttled": 5.015,
        "near the access point": 1.913,
        "far from the access point": 1.913,
        "edge of the cell, up": 4.248,
        "middle of the cell, up": 0.928,
        "edge of the cell, down": 0.267,
    }


@pytest.mark.parametrize("part", [Case, Wire, Air, Transfer])
def test_every_key_of_a_case_is_described(part: type[Any]) -> None:
    assert set(descriptions(part)) == {field.name for field in dataclasses.fields(part)}
