"""Devices in buildings: walls by hand, the laws of what is drawn, and nobody else's air changed."""

from dataclasses import fields, replace

import numpy as np
import pytest

from slfac_sim.network import Hosts
from slfac_sim.network.kinds.cell import Cell
from slfac_sim.network.kinds.multi_cell import MultiCell
from slfac_sim.network.radio.fading.none import NoFading
from slfac_sim.network.radio.pathloss.rma import Rma
from slfac_sim.network.radio.pathloss.uma import Uma
from slfac_sim.network.radio.pathloss.umi import Umi
from slfac_sim.network.radio.penetration import Penetration, wall_db

NAMES = tuple(f"d{i}" for i in range(3000))
ALL_IN = Penetration(indoor=1.0)


def air(pathloss, names=NAMES, kind=Cell, **settings):
    """Return the air of a network that covers everybody."""
    settings = {"pathloss": pathloss, "station_power": 1e12, "device_power": 1e12, **settings}
    return kind(**settings).air(Hosts(names, ("server",)), 3)


@pytest.mark.parametrize(
    ("walls", "carrier_ghz", "expected_db"),
    [  # glass 2.7 and 23 + 1.05, concrete 19 dB: 0.3 x 0.537032 + 0.7 x 0.012589 = 0.169922
        ("low", 3.5, 12.69750),
        ("high", 3.5, 26.84978),  # 0.7 x 0.00393550 + 0.3 x 0.0125893 = 0.00653163
        ("low", 28.0, 17.82879),  # glass 7.6, concrete 117: 0.3 x 0.1737801
        ("high", 28.0, 37.94902),  # 23 + 8.4: 0.7 x 0.000724436
    ],
)
def test_walls_by_hand(walls, carrier_ghz, expected_db):
    assert wall_db(walls, carrier_ghz * 1e9) == pytest.approx(expected_db, abs=1e-4)


@pytest.mark.parametrize("model", [Umi(), Uma(), Rma()])
def test_by_default_nobody_is_in_a_building_and_a_share_of_0_is_that_to_the_bit(model):
    outdoors = air(replace(model, penetration=Penetration(indoor=0.0)), small_scale="rician")
    assert air(model, small_scale="rician").ground.gain_db.tolist() == outdoors.ground.gain_db.tolist()
    assert not outdoors.ground.indoor.any()
    for name in (field.name for field in fields(outdoors.ground)):
        mine, plain = (getattr(one.ground, name) for one in (outdoors, air(model, small_scale="rician")))
        assert np.array_equal(mine, plain), name


@pytest.mark.parametrize(
    ("model", "walls", "sigma_db", "deepest_m"),
    [(Umi(), "low", 4.4, 25.0), (Uma(), "high", 6.5, 25.0), (Rma(), "low", 4.4, 10.0)],
)
def test_what_a_building_costs_has_the_reports_mean_and_spread(model, walls, sigma_db, deepest_m):
    """The lesser of two uniforms has a mean of 1/3 and a variance of 1/18 of the most, and of its square."""
    indoors = replace(model, penetration=Penetration(walls=walls, indoor=1.0)).indoors
    rng = np.random.default_rng(1)
    count = 100_000
    inside = indoors.inside(np.vstack((rng.random((3, count)), rng.standard_normal(count))), 3.5e9)
    assert inside.depth_m.mean() == pytest.approx(deepest_m / 3, rel=0.01)
    assert 0.0 < inside.depth_m.min() < inside.depth_m.max() < deepest_m
    assert inside.loss_db.mean() == pytest.approx(wall_db(walls, 3.5e9) + deepest_m / 6, abs=0.1)
    assert inside.loss_db.std() == pytest.approx(np.sqrt(deepest_m**2 / 72 + sigma_db**2), rel=0.01)


def test_the_share_of_devices_indoors_is_the_one_asked_for_and_the_others_are_as_without():
    mixed = air(Umi(penetration=Penetration(indoor=0.3)))
    indoor = mixed.ground.indoor
    assert indoor.mean() == pytest.approx(0.3, abs=4 * np.sqrt(0.21 / len(NAMES)))
    plain = air(Umi())
    for name in ("xy_m", "distance_m"):
        assert np.array_equal(getattr(mixed.ground, name), getattr(plain.ground, name))
    for name in ("los", "up_snr_db", "down_snr_db"):
        assert np.array_equal(getattr(mixed.ground, name)[~indoor], getattr(plain.ground, name)[~indoor])
    assert f"{indoor.sum()} of 3000 devices are in buildings" in mixed.survey().remarks


def test_without_shadow_a_device_indoors_has_less_by_what_its_building_costs():
    """Where the way to the wall is short enough to be in sight for certain, both see the same."""
    near = {"shadowing": "none", "radius": 18.0}
    within, without = air(Umi(penetration=ALL_IN), **near).ground, air(Umi(), **near).ground
    cost_db = without.down_snr_db - within.down_snr_db
    assert cost_db.mean() == pytest.approx(wall_db("low", 3.5e9) + 25 / 6, abs=0.3)
    assert without.up_snr_db - within.up_snr_db == pytest.approx(cost_db)


def test_devices_indoors_have_rayleigh_fades_no_line_of_sight_and_a_shadow_of_their_own():
    for model, sigma_db in ((Umi(), 7.0), (Uma(), 7.0), (Rma(), 8.0)):
        inside_model = replace(model, penetration=ALL_IN)
        clear = air(inside_model, shadowing="none", small_scale="rician").ground
        assert not clear.los.any()
        assert not clear.k.any()
        for shadowing in ("independent", "correlated"):
            names = NAMES if shadowing == "independent" else NAMES[:1500]
            shaded = air(inside_model, names, shadowing=shadowing, radius=8000.0).ground
            lit = air(inside_model, names, shadowing="none", radius=8000.0).ground
            found_db = (shaded.down_snr_db - lit.down_snr_db).std()
            assert found_db == pytest.approx(sigma_db, rel=0.1), (model, shadowing)


def test_shadows_of_two_buildings_fade_apart_over_seven_metres():
    devices, places = ("a", "b"), ((100.0, 0.0), (107.0, 0.0))
    pairs = []
    for seed in range(1500):
        drawn = [
            Cell(
                pathloss=Umi(penetration=ALL_IN), positions=places, shadowing=shadowing, station_power=1e6
            ).air(Hosts(devices, ("server",)), seed).ground.down_snr_db
            for shadowing in ("correlated", "none")
        ]  # fmt: skip
        pairs.append(drawn[0] - drawn[1])
    assert np.corrcoef(np.array(pairs).T)[0, 1] == pytest.approx(np.exp(-1), abs=0.08)


def test_a_building_is_the_same_to_every_station_and_whoever_else_is_there():
    kwargs = {"kind": MultiCell, "stations": 3, "shadowing": "none"}
    model = Uma(penetration=ALL_IN, device_height=22.5)
    few, many = (air(model, names, **kwargs).ground for names in (NAMES[:20], NAMES[:40]))
    assert np.array_equal(few.gain_db, many.gain_db[:, :20])


def test_covered_places_are_drawn_again_with_their_buildings():
    """Weak stations reach some buildings alone: who is redrawn may come to be outdoors."""
    hosts = Hosts(NAMES[:300], ("server",))
    model = Umi(penetration=Penetration(walls="high", indoor=0.8))
    redrawn = Cell(pathloss=model, radius=600.0, fading=NoFading()).air(hosts, 1)
    assert redrawn.ground.redraws > 20
    assert redrawn.ground.covered.all()
    assert redrawn.ground.indoor.mean() < 0.8


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Penetration(indoor=1.5), r"indoor must lie in \[0, 1\] \(got 1.5\)"),
        (
            lambda: Rma(penetration=Penetration(walls="high")),
            "penetration.walls must be low: TR 38.901 has no others",
        ),
    ],
)
def test_settings_out_of_range_are_refused(build, message):
    with pytest.raises(ValueError, match=message):
        build()
