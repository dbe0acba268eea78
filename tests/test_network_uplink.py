"""Laws of a sender limited by power, of coverage and of who hears whom, over random settings."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import simpy
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.plugins import adapter, find, kinds
from slfac_sim.network import Hosts
from slfac_sim.network.contract import Survey
from slfac_sim.network.radio.rates import nr_mcs
from slfac_sim.network.radio.rates.nr_mcs import NrMcs, resource_blocks
from slfac_sim.network.radio.signal import Signal

CELL_RATES = sorted(set(kinds("slfac_sim.network.radio.rates")) - {"wifi"})
CELL_MEDIA = sorted(set(kinds("slfac_sim.network.media")) - {"csma", "dcf"})
LISTED = st.sampled_from(sorted(nr_mcs._RESOURCE_BLOCKS[1]))
BESIDE = st.builds(lambda mhz, more: mhz + more, LISTED, st.sampled_from([-0.3, -0.1, 0.1, 1.0]))
MHZ = LISTED | BESIDE | st.floats(0.4, 120.0)
METRES = st.floats(15.0, 2500.0) | st.floats(200.0, 900.0)
DBM = st.floats(-10.0, 33.0) | st.floats(15.0, 25.0)
MORE = st.sampled_from([1.01, 1.1, 2.0, 5.0, 20.0])
FEW = settings(max_examples=20)


def read(kind: str, **node: Any) -> Any:
    return adapter(find("slfac_sim.network.kinds", kind)).validate_python(node)


def alone_bps(network: Any, seed: int) -> float:
    """Return the bits per second that one device's upload of 20 kB has, alone; 0 where none gets through."""
    env = simpy.Environment()
    transfer = network.open(env, Hosts(("d0",), ("server",)), seed).transfer("d0", "server", 20_000)
    env.run(until=1e5)
    return 160_000.0 / transfer.last_bit_s if transfer.last_bit_s is not None else 0.0


def cell(mhz: float, metres: float, dbm: float, **node: Any) -> Any:
    return read(
        "cell",
        bandwidth=mhz * 1e6,
        positions=[[metres, 0.0]],
        device_power=f"{dbm} dBm",
        outage="allow",
        header_bytes=0,
        **node,
    )


@pytest.mark.matrix
@pytest.mark.parametrize("medium", CELL_MEDIA)
@pytest.mark.parametrize("rate", CELL_RATES)
@FEW
@given(mhz=MHZ, metres=METRES, dbm=DBM, more=MORE, seed=st.integers(0, 50), still=st.booleans())
def test_more_band_more_power_and_less_distance_are_never_less_rate(
    rate: str, medium: str, mhz: float, metres: float, dbm: float, more: float, seed: int, still: bool
) -> None:
    node = {"rate": rate, "medium": medium, "fading": "none" if still else "ergodic"}
    base = alone_bps(cell(mhz, metres, dbm, **node), seed)
    assert alone_bps(cell(mhz * more, metres, dbm, **node), seed) >= base * (1 - 1e-6)
    assert alone_bps(cell(mhz, metres, dbm + more, **node), seed) >= base * (1 - 1e-6)
    assert alone_bps(cell(mhz, metres * more, dbm, **node), seed) <= base * (1 + 1e-6)


@pytest.mark.parametrize("medium", ["csma", "dcf"])
@settings(max_examples=15)
@given(metres=st.floats(1.0, 80.0), dbm=DBM, more=st.floats(1.0, 10.0), seed=st.integers(0, 50))
def test_so_it_is_in_wifi(medium: str, metres: float, dbm: float, more: float, seed: int) -> None:
    def at(metres: float, dbm: float) -> float:
        places = [[metres, 0.0]]
        power = f"{dbm} dBm"
        return alone_bps(
            read("wifi", medium=medium, positions=places, device_power=power, outage="allow"), seed
        )

    base = at(metres, dbm)
    assert at(metres, dbm + more) >= base * (1 - 1e-6)
    assert at(metres * more, dbm) <= base * (1 + 1e-6)


def best_by_trying(snr_1: float, most_snr: float, blocks: int, model: NrMcs, uplink: bool) -> float:
    """Return max over N of N r SE(min(S_0, S_1 / N)), one N and one MCS after the other."""
    table = {
        "64qam": (nr_mcs.THRESHOLDS_DB, nr_mcs.EFFICIENCIES),
        "256qam": (nr_mcs.THRESHOLDS_256_DB, nr_mcs.EFFICIENCIES_256),
    }[model.table]
    symbols = 12 * 14000 * 2**model.numerology * (0.92 if uplink else 0.86)
    best = 0.0
    for n in range(1, blocks + 1):
        snr_db = 10 * np.log10(min(most_snr, snr_1 / n))
        se = max((e for t, e in zip(*table, strict=True) if t <= snr_db), default=0.0)
        best = max(best, n * symbols * se)
    return best


@settings(max_examples=60)
@given(
    snr_1_db=st.floats(-10.0, 60.0),
    above_db=st.floats(-40.0, 20.0) | st.just(float("inf")),
    mhz=st.floats(0.8, 60.0),
    n=st.integers(1, 9),
    table=st.sampled_from(["64qam", "256qam"]),
    numerology=st.sampled_from([0, 1, 2]),
)
@example(snr_1_db=0.5, above_db=float("inf"), mhz=1.0, n=1, table="64qam", numerology=2)
def test_a_limited_sender_has_the_blocks_that_serve_it_best(
    snr_1_db: float, above_db: float, mhz: float, n: int, table: Any, numerology: Any
) -> None:
    """With and without power control; where 1/n of the band is no whole number of blocks, between the two."""
    model = NrMcs(table=table, numerology=numerology)
    assume(resource_blocks(mhz * 1e6, numerology) >= 1)
    snr_1, most = 10 ** (snr_1_db / 10), 10 ** ((snr_1_db + above_db) / 10)
    blocks = resource_blocks(mhz * 1e6, numerology) / n
    fewer, more = (best_by_trying(snr_1, most, int(blocks) + k, model, True) for k in (0, 1))
    part = blocks - int(blocks)
    expected = (1 - part) * fewer + part * more
    # Just below and just above: a ratio that lies on the threshold of a scheme is rounded to either side.
    below, above = (
        model.best_rate_bps(
            Signal(np.array([most * near]), np.array([snr_1 * near * model.block_hz])),
            mhz * 1e6,
            1.0 / n,
            True,
        )[0]
        for near in (1 - 1e-9, 1 + 1e-9)
    )
    assert below * (1 - 1e-9) <= expected <= above * (1 + 1e-9)


@pytest.mark.parametrize("rate", CELL_RATES)
@FEW
@given(snr_db=st.floats(-25.0, 40.0), above_db=st.floats(-5.0, 30.0), part=st.floats(0.01, 1.0))
def test_the_mean_over_fades_is_that_of_the_best_in_each(
    rate: str, snr_db: float, above_db: float, part: float
) -> None:
    model: Any = adapter(find("slfac_sim.network.radio.rates", rate)).validate_python({})
    gains = -np.log1p(-(np.arange(40_000) + 0.5) / 40_000)  # quantiles of Rayleigh's power
    width_hz = 10e6
    snr = 10 ** (snr_db / 10)
    signal = Signal(np.full(40_000, snr * 10 ** (above_db / 10)), np.full(40_000, snr * width_hz))
    drawn = model.best_rate_bps(signal.times(gains), width_hz, part, True).mean()
    mean = model.best_mean_rate_bps(signal.of([0]), width_hz, part, True, lambda x: np.exp(-x))[0]
    assert mean == pytest.approx(drawn, rel=3e-3, abs=100.0)


@given(BESIDE | st.floats(0.2, 150.0), LISTED | st.floats(0.2, 150.0), st.sampled_from([0, 1, 2]))
def test_a_wider_band_never_has_fewer_resource_blocks(mhz: float, other: float, numerology: int) -> None:
    low, high = sorted((mhz, other))
    assert resource_blocks(low * 1e6, numerology) <= resource_blocks(high * 1e6, numerology)


def test_resource_blocks_beside_the_entries_of_the_table() -> None:
    assert [resource_blocks(mhz * 1e6, 1) for mhz in (4.9, 5.0, 5.1, 100.0, 101.0)] == [11, 11, 12, 273, 273]


# --- coverage ---


def population(survey: Survey) -> tuple[Any, ...]:
    stood = [(link.x_m, link.y_m, link.distance_m, link.los, link.station) for link in survey.links]
    return (survey.redraws, *stood)


NAMES = tuple(f"d{i}" for i in range(9))
NOT_ASKED: Mapping[str, st.SearchStrategy[Any]] = {
    "bandwidth": MHZ.map(lambda mhz: mhz * 1e6),
    "medium": st.sampled_from(CELL_MEDIA),
    "fading": st.sampled_from(["none", "ergodic", "block", "jakes", "static"]),
    "small_scale": st.sampled_from(["rayleigh", "rician"]),
    "duplex": st.sampled_from(["tdd", "fdd"]),
    "uplink_share": st.floats(0.1, 0.9),
    "retransmission": st.sampled_from(["none", {"bler": 0.3}]),
    "latency": st.floats(1e-6, 0.1),
    "header_bytes": st.integers(0, 100),
}


@settings(max_examples=40)
@given(
    seed=st.integers(0, 10_000),
    radius=st.floats(30.0, 2000.0),
    carrier=st.sampled_from([0.7e9, 3.5e9, 28e9]),
    dbm=st.floats(15.0, 30.0),
    stations=st.integers(1, 4),
    rate=st.sampled_from(CELL_RATES),
    ways=st.lists(st.fixed_dictionaries({}, optional=dict(NOT_ASKED)), min_size=2, max_size=2),
    heard=st.lists(st.sampled_from(["none", "full", "activity"]), min_size=2, max_size=2),
)
def test_nothing_but_seed_radius_carrier_and_powers_moves_anybody(
    seed: int,
    radius: float,
    carrier: float,
    dbm: float,
    stations: int,
    rate: str,
    ways: list[dict[str, Any]],
    heard: list[str],
) -> None:
    same = {"radius": radius, "carrier": carrier, "device_power": f"{dbm} dBm", "rate": rate}
    found = []
    for node, interference in zip(ways, heard, strict=True):
        assume(not (node.get("medium") == "proportional_fair" and node.get("fading") in ("block", "jakes")))
        several = {"stations": stations, "interference": interference, "outage": "allow"}
        try:
            found.append(
                population(read("multi_cell", **same, **several, **node).survey(Hosts(NAMES, ("s",)), seed))
            )
        except BadInput as error:  # nobody finds a place: then so it is the other way
            found.append((str(error),))
    assert found[0] == found[1]


def test_who_is_silenced_by_neighbours_is_refused_unless_outage_is_allowed() -> None:
    """Half way between two stations that always send, -6.3 dB of SINR is not met where one is 7 dB louder."""
    node = {
        "station_positions": [
            [0.0, 0.0],
            [200.0, 0.0],
            [0.0, 200.0],
            [200.0, 200.0],
            [100.0, 240.0],
            [100.0, -40.0],
        ],
        "positions": [["100 m", "0.1 km"], [5.0, 0.0]],
        "interference": "full",
        "shadowing": "none",
        "fading": "none",
        "pathloss": "free_space",
    }
    with pytest.raises(BadInput) as caught:
        read("multi_cell", **node).survey(Hosts(("d0", "d1"), ("server",)), 0)
    assert str(caught.value) == (
        "network.outage: neighbours that send, or a fade that stays, leave nothing to d0; "
        "move it, or write outage: allow"
    )
    survey = read("multi_cell", **node, outage="allow").survey(Hosts(("d0", "d1"), ("server",)), 0)
    assert survey.remarks[-1].endswith("leave nothing to d0 (outage: allow)")
    assert survey.links[0].down_rate_bps == 0.0 < survey.links[1].down_rate_bps


# --- who hears whom ---


def sinr(own: int, others: int, metres: tuple[float, float], **node: Any) -> float:
    """Return the SINR of d0 among `own` senders of its cell, with so many `others` at the other station."""
    network = read(
        "multi_cell",
        station_positions=[[0.0, 0.0], [300.0, 0.0]],
        positions=[[metres[0], 0.0]] * own + [[300.0 - metres[1], 0.0]] * others,
        medium="ofdma",
        pathloss="free_space",
        shadowing="none",
        fading="none",
        retransmission="none",
        rate={"kind": "shannon_gap", "se_max": 99.0},
        **node,
    )
    names = tuple(f"d{i}" for i in range(own + others))
    env = simpy.Environment()
    opened = network.open(env, Hosts(names, ("server",)), 0)
    transfers = [opened.transfer(name, "server", 10**10) for name in names]
    env.run(until=0.1)
    return float(2.0 ** (transfers[0].cancel().rate_bps / 20e6) - 1.0)


@settings(max_examples=25)
@given(
    own=st.integers(1, 8),
    others=st.integers(1, 8),
    near=st.floats(20.0, 140.0),
    far=st.floats(20.0, 140.0),
    kind=st.sampled_from(["activity", "full"]),
)
def test_own_senders_raise_the_density_and_the_neighbours_that_of_the_disturbance(
    own: int, others: int, near: float, far: float, kind: str
) -> None:
    """n S / (1 + m I), with S and I from the powers: m senders put m times the density each into 1/m."""

    def received(metres: float) -> float:  # 23 dBm + 8 dB - free space loss, over -174 dBm/Hz + 73.01 + 5 dB
        slant_m = metres
        loss_db = 20 * np.log10(4 * np.pi * slant_m * 3.5e9 / 299_792_458.0)
        return float(10 ** ((23 + 8 - loss_db - (-174 + 10 * np.log10(20e6) + 5)) / 10))

    expected = own * received(near) / (1.0 + others * received(300.0 - far))
    assert sinr(own, others, (near, far), interference=kind) == pytest.approx(expected, rel=1e-6)


def test_who_takes_turns_is_no_louder_for_being_many() -> None:
    one, many = (
        read(
            "multi_cell",
            station_positions=[[0.0, 0.0], [300.0, 0.0]],
            positions=[[60.0, 0.0]] + [[200.0, 0.0]] * others,
            pathloss="free_space",
            shadowing="none",
            interference="full",
        ).survey(Hosts([f"d{i}" for i in range(1 + others)], ("server",)), 0)
        for others in (1, 8)
    )
    assert one.links[0].up_rate_bps == many.links[0].up_rate_bps


def test_more_senders_than_resource_blocks_take_turns() -> None:
    """Two resource blocks and eight devices: two radiate at a time, with no more power in a block."""
    network = read("cell", bandwidth="1 MHz", medium="ofdma", positions=[[40.0, 0.0]] * 8, shadowing="none")
    names = tuple(f"d{i}" for i in range(8))
    env = simpy.Environment()
    opened = network.open(env, Hosts(names, ("server",)), 0)
    transfers = [opened.transfer(name, "server", 20_000) for name in names]
    env.run()
    radiated_s = sum(transfer.value.energy_j for transfer in transfers) / 10**-0.7
    assert radiated_s == pytest.approx(2 * 0.5 * max(t.value.last_bit_s for t in transfers), rel=0.25)


# --- what `check` says ---


@pytest.mark.parametrize(
    ("node", "said"),
    [
        ({"carrier": "0.4 GHz"}, "a carrier of 0.4 GHz is outside 0.5 to 100 GHz"),
        ({"carrier": "101 GHz"}, "a carrier of 101 GHz is outside 0.5 to 100 GHz"),
        (
            {"carrier": "0.9 GHz", "bandwidth": "100 MHz"},
            "a band of 100 MHz is wider than a tenth of its carrier",
        ),
        ({"carrier": "0.9 GHz", "bandwidth": "90 MHz"}, ""),
    ],
)
def test_carriers_and_bands_that_the_models_do_not_know_are_named(node: dict[str, Any], said: str) -> None:
    remarks = (
        read("cell", **node, positions=[[20, 0]], outage="allow").survey(Hosts(("d0",), ("s",)), 0).remarks
    )
    assert any(remark.startswith(said) for remark in remarks) if said else not remarks


@settings(max_examples=20)
@given(x=st.integers(-500, 500), y=st.integers(-500, 500))
def test_places_take_units(x: int, y: int) -> None:
    assume(np.hypot(x, y) > 1.0)
    plain, units = [[x, y]], [[f"{x:.6f} m", f"{y / 1000:.9f} km"]]
    for kind in ("cell", "wifi", "multi_cell"):
        first, second = (read(kind, positions=places).positions[0] for places in (plain, units))
        assert second == pytest.approx(first, abs=1e-5)
    stations = read("multi_cell", station_positions=units).station_positions
    assert stations[0] == pytest.approx((x, y), abs=1e-5)
