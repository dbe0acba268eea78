"""Studies read back: axes and roles, columns, selection, and every way in which a folder can be damaged."""

import json
from pathlib import Path
from typing import Any

import pytest
from study_folders import fake_study

from slfac_sim.analysis.studies.axes import assign_roles, make_axis
from slfac_sim.analysis.studies.reading import load_study
from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.targets import targets_of


def test_points_come_as_columns_in_the_order_of_axes_and_seeds(tmp_path: Path) -> None:
    study = load_study(fake_study(tmp_path / "s"))
    assert (study.name, study.size, study.targets) == ("bandwidth", 18, targets_of([0.8, 0.85]))
    assert study.columns["network.bandwidth"][::6] == ["1 MHz", "10 MHz", "100 MHz"]
    assert study.columns["codec"][:6] == ["raw"] * 3 + ["slfac"] * 3
    assert study.columns["seed_learning"][:6] == [0, 1, 2] * 2
    assert all(len(column) == 18 for column in study.columns.values())


def test_selection_keeps_air_draws_and_failed_points_apart(tmp_path: Path) -> None:
    def one_fails(point: dict[str, Any]) -> None:
        if point["key"].endswith("1"):
            point.update(status="failed", reason="lost")

    study = load_study(fake_study(tmp_path / "s", {"codec": ["raw"]}, 2, air_seeds=3, change=one_fails))
    assert [study.columns["seed_learning"][i] for i in study.select({})] == [0]
    draws = study.select({"codec": "raw"}, air_draws=True)
    assert [study.columns["seed_air"][i] for i in draws] == [1000, 1001, 1002] * 2
    assert study.select({"codec": "slfac"}) == []
    assert [study.columns["reason"][i] for i in study.failed()] == ["lost"]


def test_a_numeric_axis_is_ordered_by_size_and_has_the_unit_of_its_texts() -> None:
    axis = make_axis("network.bandwidth", {"20 MHz": 20e6, "500 kHz": 5e5, "5 MHz": 5e6}, [])
    assert axis.texts == ("500 kHz", "5 MHz", "20 MHz")
    assert (axis.numbers, axis.unit) == ((0.5, 5.0, 20.0), "MHz")
    assert (axis.label, axis.logarithmic) == ("bandwidth (MHz)", True)
    assert (axis.shown("500 kHz"), axis.tick("500 kHz"), axis.amount(7.123)) == ("500 kHz", "0.5", "7.12 MHz")


def test_units_that_are_no_factor_stay_as_they_are_written() -> None:
    axis = make_axis("network.power", {"20 dBm": 0.1, "30 dBm": 1.0}, [])
    assert (axis.numbers, axis.unit, axis.logarithmic) == ((20.0, 30.0), "dBm", False)
    bare = make_axis("network.power", {"100 mW": 0.1, "30 dBm": 1.0, "2": 2.0}, [])
    assert (bare.numbers, bare.unit) == ((0.1, 1.0, 2.0), "")
    mixed = make_axis("network.power", {"100 mW": 0.1, "30 dBm": 1.0, "33 dBm": 2.0}, [])
    assert (mixed.numbers, mixed.unit) == ((0.1, 1.0, 2.0), "")


def test_plain_numbers_are_named_with_their_setting() -> None:
    link = make_axis("network.links.fibre_b.back_capacity", {"5 Mbit/s": 5e6, "20 Mbit/s": 2e7}, [])
    assert link.label == "back capacity of the link fibre_b (Mbit/s)"
    speed = make_axis("network.change.vehicles.speed", {"1 m/s": 1.0, "30 m/s": 30.0}, [])
    assert speed.label == "speed of vehicles (m/s)"
    assert make_axis("network.access.a.devices", {"5": 5}, []).name == "devices of the access network a"
    axis = make_axis("devices.count", {"5": 5, "100": 100}, [])
    assert (axis.label, axis.shown("100")) == ("devices count", "devices count 100")


def test_names_keep_the_order_of_the_study() -> None:
    axis = make_axis("codec", dict.fromkeys(("slfac", "topk", "raw"), "x"), ["raw", "slfac"])
    assert axis.texts == ("raw", "slfac", "topk")


def test_roles_of_axes() -> None:
    codec = make_axis("codec", {"raw": "raw", "slfac": "slfac"}, [])
    two = make_axis("network.latency", {"1 ms": 1e-3, "2 ms": 2e-3}, [])
    three = make_axis("network.bandwidth", {"1 MHz": 1e6, "2 MHz": 2e6, "3 MHz": 3e6}, [])
    placed = make_axis("partition", {"iid": "iid", "dirichlet": "dirichlet"}, [])
    roles = assign_roles([two, placed, three, codec])
    assert (roles.x, roles.line, roles.panels) == (three, codec, (two, placed))
    assert assign_roles([codec]).x is None
    assert (assign_roles([codec, placed]).x, assign_roles([codec, placed]).line) == (placed, codec)
    assert (assign_roles([two, three]).x, assign_roles([two, three]).line) == (three, two)
    assert (assign_roles([]).x, assign_roles([]).line) == (None, None)


def test_a_codec_with_settings_is_found_in_the_order_of_the_study(tmp_path: Path) -> None:
    def settings(point: dict[str, Any]) -> None:
        if point["axes"]["codec"] == "raw":
            point["axes"]["codec"] = point["values"]["codec"] = "{kind: slfac, theta: 0.9}"

    folder = fake_study(tmp_path / "s", {"codec": ["slfac", "raw"]}, change=settings)
    text = (folder / "study.yaml").read_text().replace("- raw", "- {kind: slfac, theta: 0.9}\n  - zip")
    (folder / "study.yaml").write_text(text)
    assert load_study(folder).axes[0].texts == ("slfac", "{kind: slfac, theta: 0.9}")


def _edit(folder: Path, **changes: Any) -> Path:
    file = folder / "points" / f"{0:016x}.json"
    point = json.loads(file.read_text())
    for place, value in changes.items():
        *path, last = place.split("__")
        node = point
        for key in path:
            node = node[key]
        if value is None:
            del node[last]
        else:
            node[last] = value
    file.write_text(json.dumps(point))
    return file


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"key": 7}, "key: found 7, expected a text"),
        ({"status": "gone"}, "status: found 'gone', expected one of finished, failed"),
        ({"bytes__total": None}, "bytes.total: missing, expected a number"),
        ({"simulated_s": True}, "simulated_s: found True, expected a number"),
        ({"air_draw": 1}, "air_draw: found 1, expected true or false"),
        ({"seed__air": "0"}, "seed.air: found '0', expected a number"),
        ({"curve__loss": [0.1, None]}, "curve.loss: found [0.1, None], expected a list of numbers"),
        (
            {"curve__loss": [0.1]},
            "curve: found lists of lengths {'round': 13, 'at_s': 13, 'accuracy': 13, 'accuracy_no_codec': 13,"
            " 'loss': 1, 'payload_bytes': 13, 'devices_j': 13}, expected equal ones",
        ),
        ({"axes": {"codec": "raw"}}, "axes: found codec, expected codec, network.bandwidth"),
    ],
)
def test_a_damaged_point_is_named(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    folder = fake_study(tmp_path / "s")
    file = _edit(folder, **changes)
    if "axes" in changes:  # the first point says what the others must have
        file.replace(file.with_name("zzz.json"))
        file = file.with_name("zzz.json")
    with pytest.raises(BadInput) as caught:
        load_study(folder)
    assert str(caught.value) == f"{file}: {message}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[1]", "found list, expected a mapping with the study"),
        ("{targets: [], axes: {}}", "name: found None, expected a text"),
        (
            "{name: a, axes: {}, targets: [80]}",
            "targets: found [80], expected a list of fractions such as [0.8]",
        ),
        (
            "{name: a, targets: [], axes: {codec: raw}}",
            "axes: found {'codec': 'raw'}, expected a mapping of settings to lists of values",
        ),
    ],
)
def test_a_damaged_study_file_is_named(tmp_path: Path, text: str, message: str) -> None:
    folder = fake_study(tmp_path / "s")
    (folder / "study.yaml").write_text(text)
    with pytest.raises(BadInput) as caught:
        load_study(folder)
    assert str(caught.value) == f"{folder / 'study.yaml'}: {message}"


def test_files_that_are_no_yaml_or_json(tmp_path: Path) -> None:
    folder = fake_study(tmp_path / "s")
    (folder / "points" / "x.json").write_text("{")
    with pytest.raises(BadInput, match=r"x\.json: not JSON \(.*\); expected a point of a study"):
        load_study(folder)
    (folder / "study.yaml").write_text("{")
    with pytest.raises(BadInput, match=r"study\.yaml: not YAML \("):
        load_study(folder)


def test_folders_that_hold_no_study(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"no study\.yaml in it; a study folder holds study\.yaml and points"):
        load_study(tmp_path)
    folder = fake_study(tmp_path / "s")
    for file in (folder / "points").iterdir():
        file.unlink()
    with pytest.raises(BadInput, match=r"points: no point in it; expected a file KEY\.json for each point"):
        load_study(folder)


def test_values_with_settings_are_named_by_what_tells_them_apart() -> None:
    texts = ["{kind: parallel, rounds: 9}", "{kind: parallel, rounds: 9, server_step: arrival}", "splitfed"]
    axis = make_axis("protocol", {text: text for text in texts}, texts)
    assert [axis.shown(text) for text in texts] == ["parallel", "parallel, server_step arrival", "splitfed"]
    nested = "{kind: a, b: {kind: c}}"
    assert make_axis("protocol", {nested: nested}, []).shown(nested) == nested
    alike = ["{kind: a}", "a"]
    assert [make_axis("x", {text: text for text in alike}, alike).shown(text) for text in alike] == alike


def test_points_of_earlier_versions_tell_of_no_energy(tmp_path: Path) -> None:
    def forget(point: dict[str, Any]) -> None:
        del point["curve"]["devices_j"], point["energy"]

    study = load_study(fake_study(tmp_path / "old", change=forget))
    assert set(study.columns["energy"]) == {None}
    told = load_study(fake_study(tmp_path / "new"))
    assert set(told.columns["energy"][0]) == {
        f"{who}.{what}_j" for who in ("devices", "server") for what in ("compute", "total")
    }

    def shorten(point: dict[str, Any]) -> None:
        point["curve"]["devices_j"] = [0.1]

    with pytest.raises(BadInput, match="'devices_j': 1"):
        load_study(fake_study(tmp_path / "short", change=shorten))


def test_lines_of_a_quantity_are_named_with_their_setting(tmp_path: Path) -> None:
    axes = {"network.bandwidth": ["1 MHz", "10 MHz", "100 MHz"], "network.latency": ["1 ms", "20 ms"]}
    study = load_study(fake_study(tmp_path / "s", axes))
    assert study.roles.line is not None
    assert [study.short_label(line) for line in study.lines] == ["latency 1 ms", "latency 20 ms"]
