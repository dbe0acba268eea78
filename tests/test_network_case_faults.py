"""How `python -m slfac_sim.network` refuses a case: one line for each fault, and nothing written."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from slfac_sim.foundation.plugins import kinds
from slfac_sim.network.case.command import main

LINK = {"a": {"capacity_bps": 8}}
AIR = {"w": {"kind": "csma"}}
GOOD = {"id": 0, "path": ["a"], "start_s": 0, "bytes": 1}
SENT = {**GOOD, "path": ["w"], "src": "d", "dst": "s", "phy_rate_bps": 54e6}


def one(transfer: dict[str, Any], links: Any = LINK) -> dict[str, Any]:
    """Return a case with a good transfer and, behind it, `transfer`, which is not."""
    first = {**(SENT if links is AIR else GOOD), "id": "first"}
    return {"links": links, "transfers": [first, transfer]}


def link(**node: Any) -> dict[str, Any]:
    """Return a case with nothing but link a."""
    return {"links": {"a": node}, "transfers": []}


BAD = [
    ('{"links": {},\n "transfers": [}', "line 2, column 16: Expecting value"),
    ('{"links": {"a": {}, "a": {}}}', "key 'a' stands twice in one mapping"),
    ("[]", "must be a mapping (got a list of 0)"),
    ({"links": {}}, "missing key 'transfers'"),
    ({"links": {}, "transfers": {}}, "transfers: must be a list (got a mapping)"),
    ({"links": [], "transfers": []}, "links: must be a mapping (got a list of 0)"),
    ({"link": {}, "transfers": []}, "unknown key 'link'; did you mean 'links'?"),
    ({"links": {}, "transfers": [], "engine": "fast"}, "engine: no 'fast' among auto, naive"),
    (link(), "links.a: missing key 'capacity_bps'"),
    (link(capacity_bps=-1), "links.a.capacity_bps: must be at least 0 (got -1)"),
    (link(capacity_bps=math.nan), "links.a.capacity_bps: must be a finite number (got nan)"),
    (link(capacity_bps=math.inf), "links.a.capacity_bps: must be a finite number (got inf)"),
    (link(capacity_bps="8"), "links.a.capacity_bps: must be a number (got '8')"),
    (link(capacity_bps=True), "links.a.capacity_bps: must be a number (got true)"),
    (link(capacity_bps=8, latency_s=-1), "links.a.latency_s: must be at least 0 (got -1)"),
    (link(capacity_bps=8, latency=1), "links.a: unknown key 'latency'; did you mean 'latency_s'?"),
    (link(capacity_bps=8, profile=7), "links.a.profile: must be a list (got 7)"),
    (
        link(capacity_bps=8, profile=[[1, 2, 3]]),
        "links.a.profile[0]: must have at most 2 items (got a list of 3)",
    ),
    (
        link(capacity_bps=8, profile=[[1, 5], [1, 6]]),
        "links.a: times of changes must be finite and increase: 1.0 after 1.0",
    ),
    (
        link(capacity_bps=8, profile=[[2, 5], [1.5, 6]]),
        "links.a: times of changes must be finite and increase: 1.5 after 2.0",
    ),
    (link(capacity_bps=8, profile=[[1, -5]]), "links.a.profile[0][1]: must be at least 0 (got -5)"),
    (
        link(kind="cmsa"),
        "links.a.kind: no 'cmsa' among {media}; did you mean 'csma'? (and no cmsa.py in {folder})",
    ),
    (link(kind=3), "links.a.kind: needs a kind among {media}"),
    (link(kind="csma", rts_=True), "links.a: unknown key 'rts_'; did you mean 'rts'?"),
    (link(kind="ofdma", resource_blocks=0), "links.a.resource_blocks: must be at least 1 (got 0)"),
    (link(kind="ofdma", resource_blocks="ten"), "links.a.resource_blocks: must be an integer (got 'ten')"),
    (link(kind="fair", duplex="full"), "links.a.duplex: no 'full' among half, fdd, tdd"),
    (link(kind="fair", duplex="fdd"), "links.a: missing key 'station', which duplex fdd needs"),
    (link(kind="fair", uplink_share=0.5), "links.a: uplink_share is for duplex: tdd alone (got half)"),
    (link(kind="fair", profile=[[0, 2]]), "links.a.profile[0][1]: must be at most 1 (got 2)"),
    (one([]), "transfers[1]: must be a mapping (got a list of 0)"),  # type: ignore[arg-type]
    (one({**GOOD, "size": 3}), "transfers[1]: unknown key 'size'; known are {keys}"),
    (one({**GOOD, "byte": 3}), "transfers[1]: unknown key 'byte'; did you mean 'bytes'?"),
    (one({"path": ["a"]}), "transfers[1]: missing key 'id'"),
    (
        one({**GOOD, "id": 1.5}),
        "transfers[1].id: must be an integer (got 1.5), or must be a text (got 1.5); write it in quotes",
    ),
    (one({**GOOD, "id": "first"}), "transfers[1].id: 'first' is the id of transfers[0]"),
    (one({**GOOD, "start_s": -1}), "transfers[1].start_s: must be at least 0 (got -1)"),
    (one({**GOOD, "bytes": math.nan}), "transfers[1].bytes: must be a finite number (got nan)"),
    (one({**GOOD, "bytes": None}), "transfers[1].bytes: must be a number (got null)"),
    (one({**GOOD, "weight": 0}), "transfers[1].weight: must be at least 1e-18 (got 0)"),
    (one({**GOOD, "cap_bps": 0}), "transfers[1].cap_bps: must be at least 1e-18 (got 0)"),
    (one({"id": 1, "start_s": 0, "bytes": 1}), "transfers[1]: missing key 'path'"),
    (one({**GOOD, "path": []}), "transfers[1].path: must have at least 1 items (got a list of 0)"),
    (one({**GOOD, "path": "a"}), "transfers[1].path: must be a list (got 'a')"),
    (one({**GOOD, "path": [["a"]]}), "transfers[1].path[0]: must be a text (got a list of 1)"),
    (one({**GOOD, "path": ["a", "a"]}), "transfers[1].path: link 'a' stands twice in it"),
    (
        one({**GOOD, "path": ["wan"]}, {"a": {"capacity_bps": 8}, "wlan": {"capacity_bps": 8}}),
        "transfers[1].path: no link 'wan' among a, wlan; did you mean 'wlan'?",
    ),
    (one({**GOOD, "consumption": {"b": 1}}), "transfers[1].consumption: link 'b' is not in the path a"),
    (one({**GOOD, "consumption": {"a": 0}}), "transfers[1].consumption.a: must be at least 1e-18 (got 0)"),
    (one({**GOOD, "consumption": 2}), "transfers[1].consumption: must be a mapping (got 2)"),
    (one({**GOOD, "snr_db": 2}), "transfers[1].snr_db: there is no medium in its path"),
    (
        one({**GOOD, "path": ["a", "w"]}, {**LINK, **AIR}),
        "transfers[1].path: medium 'w' must be alone in it (got 2 links)",
    ),
    (
        one({**GOOD, "path": ["w"], "src": "d", "dst": "s"}, AIR),
        "transfers[1]: missing key 'phy_rate_bps': medium 'w' has no rates of its own",
    ),
    (one({**GOOD, "path": ["w"]}, AIR), "transfers[1]: missing key 'src', which medium 'w' needs"),
    (one({**SENT, "dst": ""}, AIR), "transfers[1].dst: must have at least 1 characters (got '')"),
    (one({**SENT, "dst": "d"}, AIR), "transfers[1].dst: must be another than src, 'd'"),
    (one({**SENT, "phy_rate_bps": 0}, AIR), "transfers[1].phy_rate_bps: must be at least 1e-18 (got 0)"),
    (one({**SENT, "snr_db": 20}, AIR), "transfers[1].snr_db: medium 'w', csma, makes no use of it"),
    (one({**SENT, "weight": 1}, AIR), "transfers[1].weight: medium 'w', csma, makes no use of it"),
    (
        {
            "links": {"w": {"kind": "tdma", "slots": 1}},
            "transfers": [{**SENT, "id": name, "src": name} for name in "ab"],
        },
        "links.w: tdma: 1 slots are too few for 2 users",
    ),
    (
        one({**SENT, "consumption": {"w": 1}}, AIR),
        "transfers[1].consumption: medium 'w' takes none; the rate says what a bit uses",
    ),
    (
        {"links": {"w": {"kind": "fair", "duplex": "fdd", "station": "x"}}, "transfers": [SENT]},
        "transfers[0]: neither src nor dst is 'x', the station of medium 'w'",
    ),
    (
        {
            "links": {"w": {"kind": "ofdma", "station": "s"}},
            "transfers": [{**SENT, "src": "s", "dst": "d", "snr_db": 0}],
        },
        "transfers[0].snr_db: 's' spreads its power over the band; leave it out of what it sends",
    ),
    (link(kind="dcf", duplex="tdd", station="s"), "links.a: dcf is half duplex by nature (got duplex tdd)"),
]


@pytest.mark.parametrize(("case", "message"), BAD)
def test_bad_input_gets_one_clear_line(
    tmp_path: Path, case: Any, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file, out = tmp_path / "case.json", tmp_path / "out.json"
    file.write_text(case if isinstance(case, str) else json.dumps(case))
    assert main([str(file), "-o", str(out)]) == 2
    message = message.replace("{media}", ", ".join(kinds("slfac_sim.network.media"))).replace(
        "{folder}", str(tmp_path)
    )
    message = message.replace(
        "{keys}", "id, path, start_s, bytes, consumption, weight, cap_bps, src, dst, phy_rate_bps, snr_db"
    )
    printed = capsys.readouterr()
    assert printed.err == f"{file}: {message}\n"
    assert printed.out == ""
    assert not out.exists()


def test_files_that_cannot_be_read_or_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    none, binary, good = tmp_path / "none.json", tmp_path / "binary.json", tmp_path / "good.json"
    binary.write_bytes(b'{"\xff')
    good.write_text(json.dumps({"links": LINK, "transfers": [GOOD]}))
    assert [main([str(file)]) for file in (none, binary)] == [2, 2]
    assert main([str(good), "-o", f"{tmp_path}/no/out.json"]) == 2
    assert main([str(good), "-o", str(tmp_path)]) == 2
    assert main([str(good), "-o", f"{tmp_path}/./good.json"]) == 2
    assert capsys.readouterr().err.splitlines() == [
        f"{none}: cannot be read (No such file or directory)",
        f"{binary}: is not UTF-8 (byte 2)",
        f"{tmp_path}/no/out.json: no folder {tmp_path}/no",
        f"{tmp_path}: cannot be written (Is a directory)",
        f"{tmp_path}/./good.json: is the case itself, and would be lost",
    ]
    assert sorted(file.name for file in tmp_path.iterdir()) == ["binary.json", "good.json"]
