"""Our networks against the stored numbers of an independent packet simulator, ns-3 (docs/validation.md)."""

import importlib
import sys
from itertools import chain, pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
VALIDATION = ROOT / "validation"


def module(name: str) -> ModuleType:
    sys.path.insert(0, str(VALIDATION))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(VALIDATION))


cases, compare, ours, reference = map(module, ("cases", "compare", "ours", "reference"))
stored, wired_cases, wired_tables = map(module, ("stored", "wired_cases", "wired_tables"))
handover_tables = module("handover_tables")
CASES = {case.name: (family, case) for family, members in cases.FAMILIES.items() for case in members}
DOCUMENT = (ROOT / "docs" / "validation.md").read_text(encoding="utf-8")


def makespan_error(name: str) -> float:
    """The fluid's makespan against the mean of ns-3's."""
    family, case = CASES[name]
    them: float = compare.makespan(stored.reference(family, case)).error(max(ours.fluid(case).end_s))
    return them


@pytest.mark.parametrize("family", cases.FAMILIES)
def test_the_stored_numbers_are_those_of_the_programs_and_parameters(family: str) -> None:
    document = stored.stored(family)
    assert document["simulator"].startswith("ns-3, PyPI ns3 3.44")
    assert document["source_sha256"] == reference.fingerprint(cases.FAMILIES[family][0].program)
    for case in cases.FAMILIES[family]:
        runs = stored.reference(family, case)
        assert [run.get("run", 1) for run in runs] == list(range(1, case.replications + 1))


def test_numbers_of_other_parameters_are_not_taken() -> None:
    case = cases.WifiCase("a-1", "802.11a", (54.0,), 20, packet_bytes=1000)
    with pytest.raises(LookupError, match="a-1: its reference numbers are not those of its parameters"):
        stored.reference("wifi_a", case)


def test_the_means_of_many_runs_are_sharp_enough_to_judge_by() -> None:
    """Half the width of a 95 % interval of ns-3's mean makespan stays below 2 %."""
    for family, case in CASES.values():
        if isinstance(case, cases.WifiCase):
            them = compare.makespan(stored.reference(family, case))
            student = 2.1 if them.size >= 20 else 2.8  # of 20 runs and more, of 5
            assert student * them.deviation / them.size**0.5 < 0.02 * them.mean


@pytest.mark.parametrize("stations", [1, 5, 10, 20, 50])
def test_uploads_of_802_11a_end_within_3_percent(stations: int) -> None:
    assert abs(makespan_error(f"a-{stations}")) < 0.03


def test_four_stations_of_unequal_rates_are_within_3_percent_and_equally_fast() -> None:
    """The performance anomaly, in both: a station of 6 Mbit/s has the throughput of those of 54."""
    rows = {name: (them, us) for name, them, us in compare.mixed_rows(*CASES["a-54-54-54-6"])}
    for name in ("makespan, s", "throughput at 54 Mbit/s, Mbit/s", "throughput at 6 Mbit/s, Mbit/s"):
        them, us = rows[name]
        assert abs(them.error(us)) < 0.03
    fast, slow = (rows[f"throughput at {rate} Mbit/s, Mbit/s"][0].mean for rate in (54, 6))
    assert slow == pytest.approx(fast, rel=0.05)


@pytest.mark.parametrize("stations", [1, 5, 10])
def test_uploads_of_802_11n_end_within_7_percent_for_up_to_10_stations(stations: int) -> None:
    assert abs(makespan_error(f"n-{stations}")) < 0.07


def test_beyond_10_stations_the_last_of_short_uploads_is_late_in_the_fluid_as_stated() -> None:
    """Ever more so: the last ones have the channel almost to themselves, and the fluid's end together."""
    errors = [makespan_error(f"n-{stations}") for stations in (5, 10, 20, 50)]
    assert all(0.0 < earlier < later for earlier, later in pairwise(errors))
    assert 0.10 < errors[-1] < 0.16


@pytest.mark.parametrize("again", ["", "-again"])
@pytest.mark.parametrize("name", ["n-10-10MB", "n-20-10MB", "n-50-5MB"])
def test_long_uploads_have_the_throughput_of_the_fluid(name: str, again: str) -> None:
    """Within 2 %, with BlockAckReq and without; of short ones the start counts, with the smallest windows."""
    family, case = CASES[name + again]
    them, us = compare.throughput(family, case)
    assert abs(them.error(us)) < 0.02
    assert abs(makespan_error(name + again)) < 0.07


FEW_ACCESSES = ("n-1-0.1MB-both", "n-2-0.1MB-both")  # the first of them collide for certain in ns-3
BOTH_WAYS = [case.name for case in cases.FAMILIES["wifi_both"] if case.name not in FEW_ACCESSES]


@pytest.mark.parametrize("name", FEW_ACCESSES)
def test_a_few_accesses_that_begin_at_one_instant_are_optimistic_as_stated(name: str) -> None:
    assert -0.20 < makespan_error(name) < -0.05


@pytest.mark.parametrize("name", BOTH_WAYS)
def test_both_ways_at_once_the_fluid_is_within_7_percent(name: str) -> None:
    """1 to 10 stations up, and the access point down to each of them; of 802.11a within 3 %."""
    assert abs(makespan_error(name)) < (0.03 if name.startswith("a") else 0.07)


@pytest.mark.parametrize("name", BOTH_WAYS)
def test_both_ways_at_once_packet_by_packet_is_within_4_percent(name: str) -> None:
    """Of each direction's last end within 10 %: a device's gradient comes when it comes."""
    family, case = CASES[name]
    runs = ours.packets(case, min(case.replications, 4 if name.startswith("a") else 12))
    them = stored.reference(family, case)
    us = stored.Sample.of([max(run.end_s) for run in runs])
    assert abs(compare.makespan(them).error(us.mean)) < 0.04
    n = len(case.rates_mbps)
    for way in (slice(0, n), slice(n, None)):
        last = stored.Sample.of([max(run["end_s"][way]) for run in them])
        assert abs(last.error(stored.Sample.of([max(run.end_s[way]) for run in runs]).mean)) < 0.10


WIDE = [case.name for case in cases.FAMILIES["wifi_wide"]]


@pytest.mark.parametrize("name", WIDE)
def test_802_11ac_and_ax_are_within_7_percent_and_alone_within_1(name: str) -> None:
    """One station and five, upload and both ways, in 20, 80 and 160 MHz."""
    assert abs(makespan_error(name)) < (0.01 if name.endswith("-1") else 0.07)


@pytest.mark.parametrize("name", WIDE)
def test_802_11ac_and_ax_packet_by_packet_are_within_4_percent(name: str) -> None:
    family, case = CASES[name]
    us = stored.Sample.of([max(run.end_s) for run in ours.packets(case, 12)])
    assert abs(compare.makespan(stored.reference(family, case)).error(us.mean)) < 0.04


@pytest.mark.parametrize(
    ("name", "runs"),
    [
        ("a-1", 10),
        ("a-5", 6),
        ("a-10", 4),
        ("a-54-54-54-6", 10),
        ("n-1", 20),
        ("n-5", 40),
        ("n-5-again", 40),
        ("n-10-again", 40),
        ("n-20-again", 20),
        ("n-50-again", 10),
    ],
)
def test_packet_by_packet_is_within_2_percent(name: str, runs: int) -> None:
    family, case = CASES[name]
    us = stored.Sample.of([max(run.end_s) for run in ours.packets(case, runs)])
    assert abs(compare.makespan(stored.reference(family, case)).error(us.mean)) < 0.02


def wired_errors(name: str) -> list[float]:
    """How far our duration of each transfer of a wired case is from ns-3's, as a part of it."""
    return [us_s / them_s - 1.0 for them_s, us_s in wired_tables.wired_rows(*CASES[name])]


def names(family: str) -> list[str]:
    return [case.name for case in cases.FAMILIES[family]]


def test_no_wired_case_is_told_of_headers_or_round_trips() -> None:
    """What flows are asked to carry is payload; the links know their own latency and layer 2 alone."""
    for case in chain.from_iterable(wired_cases.WIRED.values()):
        links = case.topology()["links"].values()
        assert {link["header_bytes"] for link in links} == {2}
        latencies = [link.delay_s for link in (*case.links, *case.devices, *case.servers)]
        assert sorted(link["latency"] for link in links) == sorted(latencies)


@pytest.mark.parametrize(
    ("name", "tolerance"), [("together", 0.015), ("one-after-another", 0.015), ("parking-lot", 0.03)]
)
def test_every_transfer_over_fair_wires_takes_what_max_min_says(name: str, tolerance: float) -> None:
    assert max(map(abs, wired_errors(name))) < tolerance


@pytest.mark.parametrize("case", cases.FAMILIES["wired_forward"], ids=lambda case: case.name)
def test_store_and_forward_is_exact(case: Any) -> None:
    """One packet and many, the last one short or not, over 3 hops and 5, to the nanosecond."""
    ((them_s, us_s),) = wired_tables.wired_rows("wired_forward", case)
    assert us_s == pytest.approx(them_s, abs=1.1e-9, rel=0.0)


@pytest.mark.parametrize("name", names("wired_slow_start"))
def test_slow_start_is_within_1_percent(name: str) -> None:
    """With an acknowledgement of every segment, and buffers that hold it; 10 to 100 ms there and back."""
    assert abs(wired_errors(name)[0]) < 0.01


@pytest.mark.parametrize("name", names("wired_window"))
def test_a_window_that_bounds_the_rate_makes_us_late_by_less_than_a_round_trip(name: str) -> None:
    """Ours is paced; there the last window comes in a burst."""
    ((them_s, us_s),) = wired_tables.wired_rows(*CASES[name])
    assert 0.0 < us_s - them_s < 0.1


@pytest.mark.parametrize("name", [*names("wired_tree"), *names("wired_both")])
def test_trees_of_two_bottlenecks_and_both_ways_are_within_3_percent(name: str) -> None:
    assert max(map(abs, wired_errors(name))) < 0.03


@pytest.mark.parametrize("name", names("wired_saturated"))
def test_the_last_end_at_a_full_link_is_within_3_percent(name: str) -> None:
    """Of every transfer where the link serves its flows in turn."""
    rows = list(wired_tables.wired_rows(*CASES[name]))
    them_s, us_s = (max(ends) for ends in zip(*rows, strict=True))
    assert us_s == pytest.approx(them_s, rel=0.03)
    if "fifo" not in name:
        assert max(map(abs, wired_errors(name))) < 0.03


@pytest.mark.parametrize("name", names("handover"))
def test_handovers_are_as_many_within_5_percent_and_as_early_within_300_ms(name: str) -> None:
    met = handover_tables.met(CASES[name][1])
    assert met.ours == pytest.approx(met.theirs, rel=0.05)
    assert met.theirs > 50
    assert len(met.later_s) > 0.5 * met.theirs
    assert max(map(abs, met.later_s)) < 0.3


def test_the_document_shows_the_tables_that_compare_makes() -> None:
    for line in compare.throughput_table():
        assert line in DOCUMENT
    for name in compare.MAKESPANS:
        for case in cases.FAMILIES[name]:
            assert compare.wifi_row(name, case) in DOCUMENT
    for line in compare.mixed_table("wifi_mixed"):
        assert line in DOCUMENT
    for name, table in wired_tables.WIRED_TABLES.items():
        for line in table(name):
            assert line in DOCUMENT
    for line in handover_tables.handover_table():
        assert line in DOCUMENT


def test_a_document_without_a_place_for_a_table_is_refused() -> None:
    assert compare.replaced("a\n<!-- table: t -->\nold\n<!-- end: t -->\nb", "t", ["| x |"]) == (
        "a\n<!-- table: t -->\n\n| x |\n\n<!-- end: t -->\nb"
    )
    with pytest.raises(LookupError, match="no place for table u"):
        compare.replaced("a\n<!-- table: t -->\n<!-- end: t -->\n", "u", [])
