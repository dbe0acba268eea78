"""Traces of rate: three formats read to the number, and what cannot be read word for word."""

from pathlib import Path

import pytest
import simpy
from hypothesis import given
from hypothesis import strategies as st

from slfac_sim.foundation.errors import BadInput
from slfac_sim.network import Hosts
from slfac_sim.network.kinds.trace import Trace
from slfac_sim.network.transport.tcp import Tcp
from slfac_sim.network.transport.udp import Udp
from slfac_sim.network.varying.courses import Steps
from slfac_sim.network.varying.traces.reading import effect_of

NAMES = ("d0", "d1")
HOSTS = Hosts(NAMES, ("server",))
CSV = "time_s,up_bps,down_bps\n0,1e6,2e6\n1,2e6,4e6\n2,0,1e6\n"
RADIO = (
    "Timestamp,Longitude,Latitude,Speed,Operatorname,CellID,NetworkMode,RSRP,RSRQ,SNR,CQI,RSSI,DL_bitrate,"
    "UL_bitrate,State"
)


def written(tmp_path: Path, text: str, **settings: object) -> Trace:
    file = tmp_path / "drive.csv"
    file.write_text(text)
    return Trace(file=file, **settings)


def radio(*rows: tuple[str, str, str, str]) -> str:
    lines = [
        f"{at},-8.5,51.9,10,A,3,LTE,-90,-12,9.0,10,-,{down},{up},{state}" for at, down, up, state in rows
    ]
    return "\n".join([RADIO, *lines])


def rates(trace: Trace, uplink: bool, times_s: tuple[float, ...], device: str = "d0") -> list[float]:
    (course,) = effect_of(trace, device, uplink, "network.file").rates_bps
    return [course.at(t_s) for t_s in times_s]


def ends(trace: Trace, *sizes: int) -> list[float]:
    """Return when uploads of d0, each of `sizes` bytes, end that all begin at 0."""
    env = simpy.Environment()
    network = trace.open(env, HOSTS, 0)
    transfers = [network.transfer("d0", "server", size) for size in sizes]
    env.run(1e6)
    return [transfer.value.end_s for transfer in transfers]


def test_a_transfer_takes_what_the_trace_says_to_the_bit(tmp_path: Path) -> None:
    # up, by hand: 1 + 2 + 0 Mbit in 3 s, over and over; 4 Mbit are there after 3 + 1 s, 6.5 Mbit after 6.5 s
    trace = written(tmp_path, CSV)
    assert ends(trace, 500_000) == [4.0]
    assert ends(trace, 812_500) == [6.5]
    assert ends(trace, 250_000, 250_000) == [4.0, 4.0]


@pytest.mark.parametrize("first_bps", [0, 8, 100, 1_000, 20_000])
def test_packets_that_begin_at_a_low_rate_are_no_later_for_it(first_bps: int, tmp_path: Path) -> None:
    # a second at the low rate, then 5 Mbit/s: 50 kB in 53 kB of packets take 0.09 s
    text = f"time_s,rate_bps,latency_s\n0,{first_bps},0.005\n1,5e6,0.005\n"
    for transport in (Udp(), Tcp(), Tcp(loss=0.1)):
        (end_s,) = ends(written(tmp_path, text, end="hold", transport=transport), 50_000)
        assert 0.9 < end_s < 1.6


@pytest.mark.parametrize(
    ("end", "up_bps"), [("repeat", [1e6, 0.0]), ("hold", [0.0] * 2), ("zero", [0.0] * 2)]
)
def test_what_comes_after_the_last_row(tmp_path: Path, end: str, up_bps: list[float]) -> None:
    trace = written(tmp_path, CSV, end=end)
    assert rates(trace, True, (0.0, 1.0, 2.0, 3.0, 5.5)) == [1e6, 2e6, 0.0, *up_bps]
    after = {"repeat": 2e6, "hold": 1e6, "zero": 0.0}[end]
    assert rates(trace, False, (2.999, 3.0)) == [1e6, after]


def test_times_count_from_the_first_row_and_cells_may_have_units(tmp_path: Path) -> None:
    text = "device,time_s,rate_bps\nd1,1e9,5 Mbit/s\nd0,1000000000.5,1e6\nd1,1000000001,2 Mbit/s\n"
    trace = written(tmp_path, text, end="hold")
    assert rates(trace, True, (0.0, 0.9, 1.0), "d1") == [5e6, 5e6, 2e6]
    assert rates(trace, False, (0.0, 0.5, 9.0), "d0") == [1e6] * 3


def test_latency_is_that_of_the_last_bit(tmp_path: Path) -> None:
    text = "time_s,rate_bps,latency_s\n0,1e6,0.5\n1,1e6,0.25\n2,1e6,0.125\n"
    assert ends(written(tmp_path, text, latency=9.0), 62_500, 62_500, 125_000) == [1.75, 1.75, 2.125]
    assert ends(written(tmp_path, CSV, latency=9.0), 62_500) == [9.5]


def test_mahimahi_a_line_for_every_millisecond_is_12_032_mbit_per_s(tmp_path: Path) -> None:
    assert rates(written(tmp_path, "1\n"), True, (0.0, 0.3)) == [12.032e6] * 2
    every = "".join(f"{ms}\n" for ms in range(1, 1001))
    trace = written(tmp_path, every)
    assert rates(trace, False, (0.0, 0.1, 0.95, 7.3)) == pytest.approx([12.032e6] * 4, rel=1e-12)
    assert ends(trace, 1_504_000) == [pytest.approx(1.0, rel=1e-12)]


def test_mahimahi_bins_hold_all_opportunities_and_wrap_at_the_last(tmp_path: Path) -> None:
    # bins of 100 ms: (0, 100] has 3 with that at 0, (100, 200] none, the last 50 ms one
    trace = written(tmp_path, "0\n50\n100\n250\n")
    bit = 8 * 1504 / 0.1
    assert rates(trace, True, (0.0, 0.1, 0.2, 0.25)) == pytest.approx([3 * bit, 0.0, 2 * bit, 3 * bit])
    trace = written(tmp_path, "0\n50\n100\n250\n", opportunity=1500.0, bin=0.25)
    assert rates(trace, True, (0.0, 0.2)) == pytest.approx([4 * 8 * 1500 / 0.25] * 2)


def test_g_nettrack_drops_doubles_and_holds_what_is_missing(tmp_path: Path) -> None:
    text = radio(
        ("2019.12.14_10.16.30", "2", "1", "I"),
        ("2019.12.14_10.16.30", "99", "99", "D"),
        ("2019.12.14_10.16.31", "-", "30", "D"),
        ("2019.12.14_10.16.33", "5000", "-", "D"),
    )
    trace = written(tmp_path, text, end="hold")
    assert rates(trace, False, (0.0, 1.0, 2.0, 3.0)) == [2e3, 2e3, 2e3, 5e6]
    assert rates(trace, True, (0.0, 1.0, 2.0, 3.0)) == [1e3, 30e3, 30e3, 30e3]
    trace = written(tmp_path, text, end="hold", downloads_only=True)
    assert rates(trace, True, (0.0, 1.0)) == [99e3, 30e3]


def test_the_downlink_may_have_a_file_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "down.txt").write_text("1\n")
    trace = written(tmp_path, "2\n", down={"file": tmp_path / "down.txt"})
    assert rates(trace, True, (0.0,)) == [12.032e6 / 2]


WRONG = {
    "": "'{}' is empty: expected time_s,up_bps,down_bps[,device][,latency_s][,loss] or time_s,rate_bps[,...]"
    " (csv), Timestamp,... (g_nettrack) or a whole number of ms (mahimahi)",
    "rates\n": "{}:1: no trace by its first line: expected time_s,up_bps,down_bps[,device][,latency_s][,loss]"
    " or time_s,rate_bps[,...] (csv), Timestamp,... (g_nettrack) or a whole number of ms (mahimahi)"
    " (got 'rates')",
    "time_s,up_bps\n0,1\n": "{}:1: expected time_s,up_bps,down_bps[,device][,latency_s][,loss], or rate_bps"
    " or factor in place of the two rates (got time_s,up_bps)",
    "time_s,up_bsp,down_bps\n": "{}:1: unknown column 'up_bsp'; did you mean 'up_bps'?",
    "time_s,rate_mbps\n": "{}:1: unknown column 'rate_mbps'; did you mean 'rate_bps'? Rates are in"
    " bit/s; a cell may have a unit: 6.06 Mbit/s",
    "time_s;rate_bps\n0;1e6\n": "{}:1: columns are separated by commas (got 'time_s;rate_bps')",
    "time_s,rate_bps,rate_bps\n": "{}:1: the column 'rate_bps' is there twice",
    "time_s,rate_bps\n": "{}: there is nothing below the head",
    "time_s,rate_bps\n0,1e6\n1,fast\n": "{}:3: rate_bps: expected a data rate such as '10 bit/s'"
    " (got 'fast')",
    "time_s,rate_bps\n0,1e6\n1,-1\n": "{}:3: rate_bps must be a number, at least 0 (got '-1')",
    "time_s,rate_bps,loss\n0,1e6,1\n": "{}:2: loss must be a number, at least 0, below 1 (got '1')",
    "time_s,rate_bps\n0,1e6\n2,1e6\n1,1e6\n": "{}:4: time_s 1 does not come after 2",
    "time_s,rate_bps\n0,1e6\n0,1e6\n": "{}:3: time_s 0 does not come after 0",
    "time_s,rate_bps\n0,1e6,3\n": "{}:2: 3 values in 2 columns",
    "time_s,rate_bps,device\n0,1e6,\n": "{}:2: no device is named",
    "time_s,rate_bps,device\n0,1e6,d1\n": "'{}' has no rows of d0 (it has d1)",
    "time_s,factor\n0,1\n": "'{}' has factors, not rates: make it a change of a network that has some",
    "time_s,up_bps,down_bps\n0,0,1\n": "'{}': d0 has no rate up at any time",
    "3\n\n5\n": "{}:2: expected a whole number of milliseconds (got '')",
    "3\n5\n4\n": "{}:3: 4 ms comes after 5 ms",
    "3\n4.5\n": "{}:2: expected a whole number of milliseconds (got '4.5')",
    "0\n0\n": "{}:2: the last line must be after 0 ms",
    "Timestamp,State\n": "{}:1: no column UL_bitrate, which G-NetTrack's files have",
    f"{RADIO}\n": "{}: there is no row below the head",
    radio(("2019-12-14", "1", "1", "D")): "{}:2: Timestamp must be a time such as 2019.12.14_09.30.05"
    " (got '2019-12-14')",
    radio(("2019.12.14_10.16.31", "1", "1", "D"), ("2019.12.14_10.16.30", "1", "1", "D")): "{}:3:"
    " 2019.12.14_10.16.30 is before the line above it",
    radio(
        ("2019.12.14_10.16.31", "many", "1", "D")
    ): "{}:2: DL_bitrate must be a number, at least 0 (got 'many')",
}


@pytest.mark.parametrize("text", WRONG)
def test_a_file_that_is_no_trace_is_one_sentence(text: str, tmp_path: Path) -> None:
    trace = written(tmp_path, text)
    with pytest.raises(BadInput) as caught:
        trace.survey(HOSTS, 0)
    assert str(caught.value) == f"network.file: {WRONG[text].format(trace.file)}"


def test_a_file_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"network.file: '.*none.csv' cannot be read \(No such file"):
        Trace(file=tmp_path / "none.csv").survey(HOSTS, 0)


@given(
    spans_s=st.lists(st.floats(1e-3, 1e3), min_size=1, max_size=8),
    values=st.data(),
    repeats=st.booleans(),
    after=st.sampled_from([None, 0.0]),
)
def test_every_change_of_a_course_is_at_its_own_time(
    spans_s: list[float], values: st.DataObject, repeats: bool, after: float | None
) -> None:
    """From change to change, as the engine pulls them: each is another value, and holds until the next."""
    drawn = [float(values.draw(st.integers(0, 2))) for _ in spans_s]
    times_s = [sum(spans_s[:i]) for i in range(len(spans_s))]
    end_s = sum(spans_s)
    course = Steps(times_s, drawn, end_s, repeats, after)
    seen, t_s = [], 0.0
    while t_s < 3.0 * end_s and len(seen) < 30:
        seen.append((t_s, course.at(t_s)))
        next_s = course.next_s(t_s)
        assert next_s > t_s
        if next_s == float("inf"):
            break
        assert course.at(next_s) != course.at(t_s) == course.at((t_s + next_s) / 2.0)
        t_s = next_s
    for at_s, value in seen:
        assert course.least <= value <= course.most
        turn = int(at_s // end_s) if repeats else 0
        within = max(i for i, begin_s in enumerate(times_s) if turn * end_s + begin_s <= at_s * (1 + 1e-12))
        is_over = not repeats and at_s >= end_s and after is not None
        assert value == (after if is_over else drawn[within])


@pytest.mark.parametrize(("rate", "asks"), [("6.06", True), ("6.06 Mbit/s", False)])
def test_a_file_in_megabits_without_a_unit_is_asked_about(rate: str, asks: bool, tmp_path: Path) -> None:
    trace = written(tmp_path, f"time_s,rate_bps\n0,{rate}\n1,0\n")
    remarks = trace.survey(HOSTS, 0).remarks
    assert list(remarks) == (
        ["no rate of the trace is above 6.06 bit/s; is the file in Mbit/s?"] if asks else []
    )
