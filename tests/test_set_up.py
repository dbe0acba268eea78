"""What a connection or a grant takes before the first bit is a part of the time of its own."""

from itertools import pairwise
from pathlib import Path

import pytest
from worlds import scenario, table

from slfac_sim.analysis.attribution import attribute
from slfac_sim.analysis.bottleneck import resources_s
from slfac_sim.analysis.critical_path import PARTS
from slfac_sim.analysis.device_days import device_days
from slfac_sim.analysis.rows import recorded
from slfac_sim.analysis.style import part_fill
from slfac_sim.cli import main
from slfac_sim.ledger.folder import Run, load
from slfac_sim.runs.run import prepare, run

GRANT = "network={kind: ideal, sharing: none, grant: 5 ms}"


def done(folder: Path, *overrides: str) -> Run:
    summary = run(prepare(scenario(*overrides), folder, threads=1), strict=True)
    assert summary["invariants"]["violated"] == 0
    return load(folder)


def test_every_uplink_waits_for_its_grant_and_nothing_else(tmp_path: Path) -> None:
    finished = done(tmp_path / "run", GRANT)
    sent = table(tmp_path / "run" / "ledger.sqlite", "transfers")
    waited = {
        row["transfer"]: row["set_up_s"] for row in table(tmp_path / "run" / "ledger.sqlite", "set_ups")
    }
    assert waited == {row["id"]: 0.005 for row in sent if row["dst"] == "server"}
    path = attribute(recorded(finished))
    uplinks = sum(segment.part == "set-up" for segment in path.path)
    assert path.parts_s["set-up"] == pytest.approx(0.005 * uplinks) != 0.0
    assert path.parts_s["waiting for air"] == pytest.approx(0.0, abs=1e-9)
    assert resources_s(path.path)["latency"] == pytest.approx(path.parts_s["set-up"])


def test_set_up_is_taken_from_waiting_and_from_no_other_part(tmp_path: Path) -> None:
    """The parts add up as they do where the rows are not known, on the path and in every device's day."""
    finished = done(tmp_path / "run", "network={kind: cell, transport: tcp}")
    tables = recorded(finished)
    with_rows, without = attribute(tables), attribute({**tables, "set_ups": []})
    assert with_rows.parts_s["set-up"] > 0.0 == without.parts_s["set-up"]
    both = with_rows.parts_s["set-up"] + with_rows.parts_s["waiting for air"]
    assert both == pytest.approx(without.parts_s["waiting for air"])
    for part in set(PARTS) - {"set-up", "waiting for air"}:
        assert with_rows.parts_s[part] == pytest.approx(without.parts_s[part])
    for day in device_days(tables).values():
        assert all(one.to_s == pytest.approx(other.from_s) for one, other in pairwise(day))


def test_explain_shows_set_up_where_there_is_any(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, overrides in (("none", ("network=ideal",)), ("grant", (GRANT,))):
        done(tmp_path / name, *overrides)
        capsys.readouterr()
        assert main(["explain", str(tmp_path / name)]) == 0
        assert ("set-up: a connection" in capsys.readouterr().out) == (name == "grant")


def test_each_part_has_a_look_of_its_own() -> None:
    assert len({part_fill(part) for part in PARTS}) == len(PARTS)
