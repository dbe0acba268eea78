"""What a codec takes hangs on the codec speed of its host alone, in every protocol, forecast and replay."""

import pytest
from played import on_the_clock
from worlds import scenario, world

from slfac_sim.effects import CODEC_WORK
from slfac_sim.forecast.cuts import cuts_of
from slfac_sim.forecast.forecast import forecast
from slfac_sim.foundation.plugins import kinds
from slfac_sim.hosts.names import SERVER
from slfac_sim.simulation.simulate import codec_speeds, host_speeds, survey_of

SPEEDS = ("devices.codec_speed=2 MFLOP/s", "server.codec_speed=40 MFLOP/s")


def of(kind: str) -> str:
    return f"protocol={{kind: {kind}, rounds: 1, steps: 2}}"


@pytest.mark.matrix
@pytest.mark.parametrize("kind", kinds("slfac_sim.protocols"))
def test_every_protocol_does_codec_work_at_the_codec_speed(kind: str) -> None:
    one, rows = on_the_clock(of(kind), *SPEEDS)
    training, codec = host_speeds(one.scenario), codec_speeds(one.scenario)
    assert set(codec.values()) == {2e6, 4e7}
    for row in rows.rows("computes"):
        speed = (codec if row["what"] in CODEC_WORK else training)[row["host"]]
        assert row["end_s"] - row["start_s"] == pytest.approx(row["flops"] / speed, abs=1e-9)


@pytest.mark.parametrize(
    ("speed", "wanted"), [("0.1 GFLOP/s", 1e8), ("10 GFLOP/s", 1e10), ("5 TFLOP/s", 1e10)]
)
def test_without_a_codec_speed_it_is_the_speed_but_at_most_10_gflops(speed: str, wanted: float) -> None:
    one = scenario(f"devices.speed={{kind: fixed, speed: {speed}}}", f"server.speed={speed}")
    assert set(codec_speeds(one).values()) == {wanted}
    assert codec_speeds(scenario("server.codec_speed=3 GFLOP/s"))[SERVER] == 3e9
    assert codec_speeds(scenario("server.codec_speed=3 GFLOP/s"))["d001"] == host_speeds(scenario())["d001"]


@pytest.mark.parametrize("slow", SPEEDS)
def test_every_forecast_sees_the_codec_speed(slow: str) -> None:
    """Where codecs are nearly all of it, it takes a hundred times as long at a hundredth of the speed."""
    host = slow.partition("=")[0]
    part = "devices" if host.startswith("devices") else "server"
    plain, slower = (world(f"{host}={factor} FLOP/s") for factor in ("1e5", "1e3"))
    for told in (
        lambda one: (forecast(one, survey_of(one.scenario)).round.parts_s or {})[part],
        lambda one: one.expected_s("d001"),
        lambda one: cuts_of(one.scenario, one.data)[0].round_s,
    ):
        assert told(slower) == pytest.approx(100 * told(plain), rel=0.05)
