"""Path loss and shadowing: an independent implementation's figures, values by hand, and statistics."""

import csv
from pathlib import Path

import numpy as np
import pytest

from slfac_sim.foundation.errors import BadInput
from slfac_sim.network import Hosts
from slfac_sim.network.kinds.cell import Cell
from slfac_sim.network.radio.pathloss import PathLoss
from slfac_sim.network.radio.pathloss.free_space import FreeSpace
from slfac_sim.network.radio.pathloss.inf import Inf
from slfac_sim.network.radio.pathloss.inh import Inh
from slfac_sim.network.radio.pathloss.log_distance import LogDistance
from slfac_sim.network.radio.pathloss.rma import Rma
from slfac_sim.network.radio.pathloss.uma import Uma
from slfac_sim.network.radio.pathloss.umi import Umi
from slfac_sim.network.radio.shadowing import MOST_CORRELATED, between_sites, shadow_db

HALLS = [Inf(hall=hall) for hall in ("sl", "dl", "sh", "dh")]
MODELS = [Umi(), Uma(), Uma(device_height=22.5), Inh(), Inh(office="open"), Rma(), *HALLS]
CARRIERS_HZ = (0.7e9, 3.5e9, 28e9)


def loss(model, distance_m, los, carrier_hz=3.5e9):
    distance_m = np.atleast_1d(np.asarray(distance_m, dtype=float))
    return model.loss_db(distance_m, np.full(distance_m.shape, los), carrier_hz)


def sigma_db(model, los, distance_m=100.0, carrier_hz=3.5e9):
    return model.shadowing_sigma_db(np.full(los.shape, distance_m), los, carrier_hz)


def reference(name="pathloss_tr38901.csv"):
    text = (Path(__file__).parent / name).read_text(encoding="utf-8")
    return list(csv.DictReader(line for line in text.splitlines() if not line.startswith("#")))


def model_of(row):
    heights = {"station_height": float(row["station_m"]), "device_height": float(row["device_m"])}
    kind, _, office = row["model"].partition("_")
    if kind == "inh":
        return Inh(office=office, **heights)
    return {"umi": Umi, "uma": Uma}[kind](**heights)


def test_loss_and_probability_against_an_independent_implementation():
    rows = reference()
    assert len(rows) == 216
    for row in rows:
        model, distance_m = model_of(row), np.array([float(row["distance_m"])])
        found_db = loss(model, distance_m, row["line_of_sight"] == "1", float(row["carrier_hz"]))[0]
        assert found_db == pytest.approx(float(row["loss_db"]), abs=0.01), row
        assert model.los_probability(distance_m)[0] == pytest.approx(
            float(row["los_probability"]), abs=1e-7
        ), row


def test_rural_and_factory_against_an_independent_implementation():
    """Of rural ones beyond the breakpoint the speed of light of the two differs by 0.07 %, so 0.015 dB."""
    rows = reference("pathloss_tr38901_rma_inf.csv")
    assert len(rows) == 294
    for row in rows:
        settings = dict(word.split("=") for word in row["settings"].split())
        settings = {name: text if name == "hall" else float(text) for name, text in settings.items()}
        model = {"rma": Rma, "inf": Inf}[row["model"]](**settings)
        distance_m, los = np.array([float(row["distance_m"])]), np.array([row["line_of_sight"] == "1"])
        carrier_hz = 1e9 * float(row["carrier_ghz"])
        found_db = model.loss_db(distance_m, los, carrier_hz)[0]
        assert found_db == pytest.approx(
            float(row["loss_db"]), abs={"rma": 0.015, "inf": 1e-6}[row["model"]]
        ), row
        probability = float(row["los_probability"])
        assert model.los_probability(distance_m)[0] == pytest.approx(probability, abs=1e-7), row
        assert model.shadowing_sigma_db(distance_m, los, carrier_hz)[0] == float(row["sigma_db"]), row


@pytest.mark.parametrize("model", HALLS)
def test_the_defaults_of_a_hall_are_those_of_the_independent_implementation(model):
    for row in reference("pathloss_tr38901_rma_inf.csv"):
        if row["settings"].startswith(f"hall={model.hall} ") and "clutter" not in row["settings"]:
            found = model.los_probability(np.array([float(row["distance_m"])]))[0]
            assert found == pytest.approx(float(row["los_probability"]), abs=1e-7), row


@pytest.mark.parametrize(
    ("model", "distance_m", "los", "expected_db"),
    [  # with a pocket calculator, at 3.5 GHz: 20 lg 3.5 = 10.8814, 24.9 lg 3.5 = 13.5473
        (Uma(), 100.0, True, 83.1382),  # d3D 102.7241 (lg 2.011672): 28 + 44.2568 + 10.8814
        (Uma(), 100.0, False, 103.0376),  # 13.54 + 39.08 x 2.011672 + 10.8814
        (Inh(), 10.0, True, 60.7288),  # d3D 10.1980 (lg 1.008516): 32.4 + 17.4473 + 10.8814
        (Inh(), 10.0, False, 69.4735),  # 38.3 x 1.008516 + 17.30 + 13.5473
        # d3D 105.4621 (lg 2.023096), h^1.72 15.93046: 83.78506 + 0.477914 x 2.023096 - 0.700940 + 0.147429
        (Rma(), 100.0, True, 84.1984),
        (Rma(), 100.0, False, 92.6738),  # 157.04496 - 37.51235 - 38.63859 x 0.976904 + 10.88136 + 0.00092
        (Inf(), 20.0, True, 70.6182),  # d3D 21.0297 (lg 1.322834): 31.84 + 28.4409 + 10.3373
        (Inf(), 20.0, False, 73.4814),  # 33.63 + 28.9701 + 10.8814
        (
            Inf(hall="dl"),
            20.0,
            False,
            77.0576,
        ),  # as sparse, 33 + 33.1763 + 10.8814: more than 18.6 + 46.4468 +
        (Inf(hall="dl"), 50.0, False, 90.1341),  # 18.6 + 35.7 x 1.698970 + 10.8814
        (FreeSpace(), 1000.0, True, 103.3292),  # 32.4478 + 20 lg 3500 = 32.4478 + 70.8814
        (LogDistance(), 100.0, True, 106.6777),  # 46.6777 + 60
        (LogDistance(exponent=2.0, reference_distance=10.0), 5.0, True, 46.6777),  # nearer: as there
    ],
)
def test_by_hand(model, distance_m, los, expected_db):
    assert loss(model, distance_m, los)[0] == pytest.approx(expected_db, abs=0.001)


def test_free_space_in_its_everyday_form():
    distance_m = np.geomspace(1.0, 1e5, 60)
    for carrier_hz in CARRIERS_HZ:
        everyday = 32.4478 + 20 * np.log10(carrier_hz / 1e6) + 20 * np.log10(distance_m / 1e3)
        assert loss(FreeSpace(), distance_m, True, carrier_hz) == pytest.approx(everyday, abs=1e-4)
    at_1_m_db = loss(FreeSpace(), 1.0, True, 5.15e9)[0]
    assert at_1_m_db == pytest.approx(LogDistance().reference_loss, abs=0.01)  # which takes c = 3e8 m/s


@pytest.mark.parametrize(
    "model", [Umi(), Umi(station_height=15.0, device_height=8.0), Uma(), Uma(device_height=9.0)]
)
def test_slopes_meet_at_the_breakpoint(model):
    for carrier_hz in CARRIERS_HZ:
        at_m = 4.0 * (model.station_height - 1.0) * (model.device_height - 1.0) * carrier_hz / 3.0e8
        near_db, far_db = loss(model, [at_m, at_m * (1 + 1e-12)], True, carrier_hz)
        assert abs(near_db - far_db) < 1e-6


def test_rural_slopes_meet_at_the_breakpoint_and_the_shadow_is_deeper_beyond():
    """The table's second slope starts from the breakpoint as d3D, the first one ends there as d2D."""
    los = np.array([True, False])
    for model in (Rma(), Rma(station_height=10.0, device_height=10.0)):
        for carrier_hz in CARRIERS_HZ:
            at_m = 2.0 * np.pi * model.station_height * model.device_height * carrier_hz / 3.0e8
            near_db, far_db = loss(model, [at_m, at_m * (1 + 1e-12)], True, carrier_hz)
            assert abs(near_db - far_db) < 0.01
            assert tuple(sigma_db(model, los, 0.999 * at_m, carrier_hz)) == (4.0, 8.0)
            assert tuple(sigma_db(model, los, 1.001 * at_m, carrier_hz)) == (6.0, 8.0)


def test_shadowing_of_a_cell_knows_the_distance():
    """Beyond the breakpoint, 770 m at 700 MHz, shadows in line of sight are half as deep again."""
    half = 2000
    hosts = Hosts([f"d{i}" for i in range(2 * half)], ("server",))
    settings = {
        "pathloss": Rma(), "carrier": 0.7e9, "positions": ((500.0, 0.0),) * half + ((1000.0, 0.0),) * half,
    }  # fmt: skip
    shaded, lit = (Cell(**settings, shadowing=how).air(hosts, 0).ground for how in ("independent", "none"))
    shadow_db = shaded.down_snr_db - lit.down_snr_db
    for place, expected_db in ((slice(half), 4.0), (slice(half, None), 6.0)):
        found_db = shadow_db[place][lit.los[place]].std()
        assert found_db == pytest.approx(expected_db, rel=0.1)


@pytest.mark.parametrize("model", [*MODELS, FreeSpace(), LogDistance()])
def test_loss_grows_with_distance_and_is_never_less_when_blocked(model):
    distance_m = np.concatenate(([0.0], np.geomspace(0.1, 5000.0, 500)))
    for carrier_hz in CARRIERS_HZ:
        seen_db, blocked_db = (loss(model, distance_m, los, carrier_hz) for los in (True, False))
        assert np.all(np.isfinite(seen_db))
        assert np.all(blocked_db >= seen_db)
        assert np.all(np.diff(seen_db) >= 0.0)
        assert np.all(np.diff(blocked_db) >= 0.0)
    probability = model.los_probability(distance_m)
    assert np.all((probability >= 0.0) & (probability <= 1.0))


def test_what_is_nearer_than_the_shortest_distance_counts_as_that():
    low = Inh(station_height=1.6, device_height=1.0)
    assert low.shortest_m == pytest.approx(0.8)
    assert Inh().shortest_m == 0.0
    for model in (*MODELS, low, FreeSpace(), LogDistance(reference_distance=3.0)):
        assert loss(model, model.shortest_m / 2, True) == loss(model, model.shortest_m, True)


def test_probability_of_a_line_of_sight_by_hand():
    high = Uma(device_height=22.5).los_probability(np.array([10.0, 100.0]))
    street = 0.18 + np.exp(-100 / 63) * 0.82
    assert high == pytest.approx([1.0, street * (1 + 0.95**1.5 * 1.25 * np.exp(-100 / 150))])
    assert Uma().los_probability(np.array([100.0])) == pytest.approx(street)
    mixed = Inh().los_probability(np.array([1.2, 6.4, 6.5, 39.1]))
    assert mixed == pytest.approx([1.0, np.exp(-5.2 / 4.7), 0.32, 0.32 / np.e])
    assert Rma().los_probability(np.array([9.0, 10.0, 1010.0])) == pytest.approx([1.0, 1.0, 1 / np.e])
    # 0.2 of the floor, 10 m wide: 10 / -ln 0.8 = 44.81 m; above it times (8 - 1.5) / (2 - 1.5)
    assert Inf(hall="sl").los_probability(np.array([44.8142])) == pytest.approx(1 / np.e, abs=1e-6)
    assert Inf(hall="sh").los_probability(np.array([13 * 44.8142])) == pytest.approx(1 / np.e, abs=1e-6)
    open_ = Inh(office="open").los_probability(np.array([5.0, 49.0, 49.1]))
    assert open_ == pytest.approx([1.0, np.exp(-44 / 70.8), 0.54 * np.exp(-0.1 / 211.7)])


def test_tables_by_line_of_sight():
    """Sigma, decorrelation, mean and sigma of K: TR 38.901, Tables 7.4.1-1 and 7.5-6."""
    los = np.array([True, False])
    for model, sigma, distance, k_mean, k_sigma in (
        (Umi(), (4.0, 7.82), (10.0, 13.0), 9.0, 5.0),
        (Uma(), (4.0, 6.0), (37.0, 50.0), 9.0, 3.5),
        (Inh(), (3.0, 8.03), (10.0, 6.0), 7.0, 4.0),
        (Rma(), (4.0, 8.0), (37.0, 120.0), 7.0, 4.0),
        (Inf(hall="sl"), (4.3, 5.7), (10.0, 10.0), 7.0, 8.0),
        (Inf(hall="dl"), (4.3, 7.2), (10.0, 10.0), 7.0, 8.0),
        (Inf(hall="sh"), (4.3, 5.9), (10.0, 10.0), 7.0, 8.0),
        (Inf(hall="dh"), (4.3, 4.0), (10.0, 10.0), 7.0, 8.0),
    ):
        assert tuple(sigma_db(model, los)) == sigma
        assert tuple(model.decorrelation_m(los)) == distance
        mean_db, deviation_db = model.rician_k_db(los)
        assert tuple(mean_db) == (k_mean, -np.inf)
        assert tuple(deviation_db) == (k_sigma, 0.0)


def test_models_without_lines_of_sight_take_what_they_are_given():
    los = np.ones(2, bool)
    given = LogDistance(shadowing=5.0, decorrelation=8.0, rician_k=3.0)
    assert tuple(sigma_db(given, los)) == (5.0, 5.0)
    assert tuple(given.decorrelation_m(los)) == (8.0, 8.0)
    assert [tuple(part) for part in given.rician_k_db(los)] == [(3.0, 3.0), (0.0, 0.0)]
    assert tuple(sigma_db(FreeSpace(), los)) == (0.0, 0.0)
    assert tuple(FreeSpace().rician_k_db(los)[0]) == (-np.inf, -np.inf)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Uma(station_height=1.0), r"station_height must be above 1 m \(UMa\)"),
        (lambda: Uma(device_height=23.0), r"above 1 m and at most 22.5 m \(UMa; got 23 m\)"),
        (lambda: Rma(station_height=9.0), r"station_height must lie between 10 m and 150 m \(RMa; got 9 m\)"),
        (lambda: Rma(street_width=60.0), r"street_width must lie between 5 m and 50 m \(RMa; got 60 m\)"),
        (lambda: Inf(clutter_density=1.0), r"clutter_density must lie between 0 and 1 \(InF; got 1\)"),
        (lambda: Inf(clutter_size=0.0), r"clutter_size must be positive \(InF; got 0 m\)"),
        (
            lambda: Inf(clutter_height=9.0),
            r"between device_height, 1.5 m, and station_height, 8 m \(InF, hall dh; got 9 m\)",
        ),
        (lambda: LogDistance(exponent=0.0), r"exponent must be positive \(got 0\)"),
        (lambda: LogDistance(decorrelation=0.0), r"decorrelation must be positive \(got 0\)"),
        (lambda: LogDistance(shadowing=-1.0), r"shadowing must not be negative \(got -1 dB\)"),
    ],
)
def test_settings_out_of_range_are_refused(build, message):
    with pytest.raises(ValueError, match=message):
        build()


def shadows(places_m, los, draws, model, seed=1):
    """Return independent shadowings [draws, devices] of devices at `places_m`, one site."""
    los = np.broadcast_to(los, (draws, len(places_m)))
    normals = np.random.default_rng(seed).standard_normal(los.shape)
    return shadow_db(normals, places_m, los, sigma_db(model, los), model.decorrelation_m(los))


def test_shadowing_of_static_devices():
    draws = 20_000
    places_m = np.column_stack([np.arange(8) * 10.0, np.zeros(8)])
    drawn_db = shadows(places_m, np.ones(8, bool), draws, Umi())
    assert drawn_db.std(axis=0) == pytest.approx(np.full(8, 4.0), abs=3 * 4.0 / np.sqrt(2 * draws))
    found = np.corrcoef(drawn_db.T)
    assert found == pytest.approx(
        np.exp(-np.abs(np.subtract.outer(places_m[:, 0], places_m[:, 0])) / 10), abs=0.03
    )
    assert found[0, 1] == pytest.approx(np.exp(-1), abs=0.02)


def test_links_with_and_without_line_of_sight_share_no_shadow():
    los = np.array([True, False, True, False])
    drawn_db = shadows(np.zeros((4, 2)), los, 20_000, Uma())
    assert drawn_db.std(axis=0) == pytest.approx(np.where(los, 4.0, 6.0), rel=0.02)
    same = np.equal.outer(los, los)
    assert np.corrcoef(drawn_db.T) == pytest.approx(same.astype(float), abs=0.03)


def test_a_further_device_changes_nobody_elses_shadow():
    places_m = np.random.default_rng(2).uniform(-50, 50, (40, 2))
    los = np.arange(40) % 3 > 0
    sigma_db, distance_m = np.full((1, 40), 4.0), np.full((1, 40), 13.0)
    normals = np.random.default_rng(3).standard_normal((1, 40))
    all_db = shadow_db(normals, places_m, los[None], sigma_db, distance_m)
    few_db = shadow_db(normals[:, :30], places_m[:30], los[None, :30], sigma_db[:, :30], distance_m[:, :30])
    assert few_db == pytest.approx(all_db[:, :30], abs=1e-9)


def test_too_many_devices_are_shadowed_independently():
    devices = MOST_CORRELATED + 1
    normals = np.random.default_rng(4).standard_normal((1, devices))
    los = np.ones((1, devices), bool)
    drawn_db = shadow_db(normals, np.zeros((devices, 2)), los, 4.0 * los, 10.0 * los)
    assert np.all(drawn_db == 4.0 * normals)


def test_sites_have_half_of_the_shadow_in_common():
    devices = 40_000
    rng = np.random.default_rng(6)
    normals = between_sites(rng.standard_normal(devices), rng.standard_normal((3, devices)))
    expected = np.where(np.eye(3, dtype=bool), 1.0, 0.5)
    assert np.cov(normals) == pytest.approx(expected, abs=0.02)


def test_correlation_between_sites_outlives_that_in_space():
    draws, places_m = 4000, np.array([[0.0, 0.0], [5.0, 0.0], [9.0, 3.0]])
    rng, seen = np.random.default_rng(7), np.ones((2, 3), bool)
    drawn_db = np.array(
        [
            shadow_db(
                between_sites(rng.standard_normal(3), rng.standard_normal((2, 3))),
                places_m, seen, 4.0 * seen, 10.0 * seen,
            )
            for _ in range(draws)
        ]
    )  # fmt: skip
    for device in range(3):
        found = np.corrcoef(drawn_db[:, 0, device], drawn_db[:, 1, device])[0, 1]
        assert found == pytest.approx(0.5, abs=0.05)


class Bare(PathLoss):
    """What a path loss has to say, and no more."""

    shortest_m = 1.0

    def los_probability(self, distance_m):
        return np.ones_like(distance_m)

    def loss_db(self, distance_m, los, carrier_hz):
        return 40.0 + 20.0 * np.log10(np.maximum(distance_m, 1.0))

    def shadowing_sigma_db(self, distance_m, los, carrier_hz):
        return np.full(los.shape, 4.0)


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ({"shadowing": "correlated"}, "network.shadowing: .* has no decorrelation distance"),
        ({"small_scale": "rician"}, "network.small_scale: .* has no Rician factors"),
    ],
)
def test_a_path_loss_that_does_not_know_is_one_sentence(wish, said):
    hosts = Hosts(("a", "b"), ("server",))
    Cell(pathloss=Bare()).survey(hosts, 0)
    with pytest.raises(BadInput, match=said):
        Cell(pathloss=Bare(), **wish).survey(hosts, 0)
