"""The quantising codecs against independent readings of their formulas."""

import tracemalloc

import ml_dtypes
import numpy as np
import pytest
from codec_cases import codec_of, decoded, encoded
from codec_oracles import tensor_of

from slfac_sim.codecs import BadBody
from slfac_sim.codecs.kit import bodies
from slfac_sim.codecs.kit.groups import arrange, rows_of
from slfac_sim.codecs.kit.groups import tensor_of as tensor_from
from slfac_sim.codecs.kit.wire import seal, unseal


def there_and_back(tensor, kind, training=False, **settings):
    codec = codec_of(kind, **settings)
    return decoded(codec, encoded(codec, tensor, training=training).body)


def relative_error(arrived, tensor):
    return float(((arrived - tensor) ** 2).sum() / (tensor**2).sum())


@pytest.mark.parametrize(("kind", "bits"), [("qsgd", {"bits": 16, "norm": "max"}), ("terngrad", {})])
def test_drawn_zeros_stay_zeros(kind, bits):
    """Sums in float32 must not round a draw just below 1 up to 1: smashed data is mostly zeros."""
    tensor = np.zeros((4, 2, 128, 128), np.float32)
    tensor[:, :, 0, 0] = 1.0
    assert not there_and_back(tensor, kind, training=True, **bits)[tensor == 0].any()


SHAPES = {
    (2, 3, 4, 5): {"tensor": (1, 120), "channel": (3, 40), "plane": (6, 20)},
    (2, 3, 5): {"tensor": (1, 30), "channel": (5, 6), "plane": (10, 3)},
    (4, 6): {"tensor": (1, 24), "channel": (6, 4), "plane": (4, 6)},
    (7,): {"tensor": (1, 7), "channel": (1, 7), "plane": (1, 7)},
    (2, 3, 2, 2, 2): {"tensor": (1, 48), "channel": (3, 16), "plane": (6, 8)},
}


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("scope", ["tensor", "channel", "plane"])
def test_groups_are_what_the_scope_says(shape, scope):
    """Channels are the second axis of maps and the last of tokens and features."""
    tensor = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    rows = rows_of(tensor, scope)
    assert rows.shape == arrange(shape, scope) == SHAPES[shape][scope]
    assert np.array_equal(tensor_from(rows.copy(), shape, scope), tensor)
    if scope == "channel" and len(shape) > 1:
        axis = 1 if len(shape) > 3 else len(shape) - 1
        assert {tuple(sorted(row)) for row in rows.tolist()} == {
            tuple(sorted(np.take(tensor, index, axis).reshape(-1).tolist())) for index in range(shape[axis])
        }


@pytest.mark.parametrize("bits", [1, 2, 5, 8, 9, 16])
@pytest.mark.parametrize("header", ["float16", "float32"])
def test_uniform_is_off_by_at_most_half_a_step(bits, header):
    tensor = tensor_of("normal", (3, 4, 5, 6), 1e-6)
    arrived = there_and_back(tensor, "uniform", bits=bits, header_dtype=header)
    planes = tensor.reshape(12, -1)
    slack = 2.0**-10 if header == "float16" else 1e-6
    spans = (planes.max(axis=1) - planes.min(axis=1)) * (1 + slack) + slack * np.abs(planes).max(axis=1)
    limits = spans / (2**bits - 1) / 2 + 1e-6 * np.abs(tensor).max()
    assert (np.abs(arrived - tensor).reshape(12, -1) <= limits[:, None]).all()


def test_uniform_by_hand():
    """0..7 in two bits: levels 0, 7/3, 14/3 and 7."""
    arrived = there_and_back(np.arange(8, dtype=np.float32)[None], "uniform", bits=2)
    assert arrived[0] == pytest.approx(np.array([0, 0, 1, 1, 2, 2, 3, 3]) * 7 / 3, rel=1e-6)


def test_scopes_of_uniform_cost_and_save_as_they_should():
    tensor = tensor_of("normal", (8, 6, 7, 7)) * np.arange(1, 7, dtype=np.float32)[:, None, None]
    sizes, errors = [], []
    for scope in ("tensor", "channel", "plane"):
        codec = codec_of("uniform", bits=4, scope=scope)
        payload = encoded(codec, tensor)
        sizes.append(payload.parts["ranges"])
        errors.append(relative_error(decoded(codec, payload.body), tensor))
    assert sizes == [4, 4 * 6, 4 * 48]
    assert errors[0] > errors[1] > errors[2]


def test_a_constant_plane_costs_its_header_only():
    tensor = np.zeros((2, 3, 7, 7), np.float32)
    tensor[1, 2] = tensor_of("normal", (7, 7))
    assert encoded(codec_of("uniform", bits=8), tensor).parts["symbols"] == 49


def test_stochastic_rounding_rounds_to_the_nearest_in_inference():
    tensor = tensor_of("normal", (2, 3, 4, 5))
    bodies = [
        encoded(codec_of("uniform", rounding=how), tensor, training=False).body
        for how in ("nearest", "stochastic")
    ]
    assert bodies[0] == bodies[1]


SHORT = {
    "fp16": ({}, np.float16, 1.0),
    "bf16": ({}, ml_dtypes.bfloat16, 1.0),
    "fp8": ({"scaling": "none"}, ml_dtypes.float8_e4m3fn, 1.0),
    "fp8 e5m2": ({"scaling": "none", "format": "e5m2"}, ml_dtypes.float8_e5m2, 1.0),
}


@pytest.mark.parametrize("name", SHORT)
def test_short_floats_are_those_of_the_types_of_their_names(name):
    settings, dtype, _ = SHORT[name]
    tensor = tensor_of("normal", (5, 40), 20.0)
    assert np.array_equal(
        there_and_back(tensor, name.split()[0], **settings), tensor.astype(dtype).astype(np.float32)
    )


def test_short_floats_saturate():
    tensor = np.array([[1e5, -1e6, 1.0]], np.float32)
    assert there_and_back(tensor, "fp16").tolist() == [[65504.0, -65504.0, 1.0]]
    assert there_and_back(tensor, "fp8", scaling="none").tolist() == [[448.0, -448.0, 1.0]]


@pytest.mark.parametrize("format_", ["e4m3", "e5m2"])
def test_scaled_fp8_does_not_depend_on_the_power_of_two(format_):
    tensor = tensor_of("normal", (5, 40))
    plain = there_and_back(tensor, "fp8", format=format_)
    small = there_and_back(tensor * np.float32(2.0**-60), "fp8", format=format_)
    assert np.array_equal(plain, small * np.float32(2.0**60))
    assert relative_error(plain, tensor) < {"e4m3": 1e-3, "e5m2": 4e-3}[format_]


def test_tensors_of_half_precision_are_exact_in_the_codec_of_their_type():
    tensor = tensor_of("normal", (4, 9))
    for kind, dtype in (("fp16", np.float16), ("bf16", ml_dtypes.bfloat16), ("raw", ml_dtypes.bfloat16)):
        arrived = there_and_back(tensor.astype(dtype), kind)
        assert arrived.dtype == dtype
        assert np.array_equal(arrived, tensor.astype(dtype))


def power(tensor, exponent, bits):
    """PowerQuant as its paper writes it, float64."""
    largest, levels = np.abs(tensor).max(), 2 ** (bits - 1) - 1 if tensor.min() < 0 else 2**bits - 1
    grid = np.rint(levels * np.sign(tensor) * np.abs(tensor) ** exponent / largest**exponent)
    return np.sign(grid) * (np.abs(grid) / levels) ** (1 / exponent) * largest


@pytest.mark.parametrize("content", ["normal", "sparse"])
@pytest.mark.parametrize("bits", [3, 4, 8])
def test_powerquant_is_the_formula_with_about_the_best_exponent(content, bits):
    tensor = tensor_of(content, (4, 3, 6, 7))
    codec = codec_of("powerquant", bits=bits, header_dtype="float32")
    payload = encoded(codec, tensor)
    exponent = payload.notes["exponent"]
    arrived = decoded(codec, payload.body)
    wide = tensor.astype(np.float64)
    assert np.abs(arrived - power(wide, exponent, bits)).max() < 1e-5 * np.abs(tensor).max()
    best = min(relative_error(power(wide, code / 200, bits), wide) for code in range(40, 201))
    assert relative_error(arrived, tensor) <= 1.25 * best


def test_powerquant_beats_the_uniform_grid_on_long_tails_and_is_it_at_exponent_one():
    tails = np.sign(tensor_of("normal", (8, 200))) * np.exp(2 * tensor_of("normal", (8, 200), seed=1))
    coarse = {"bits": 4, "scope": "tensor"}
    assert relative_error(there_and_back(tails, "powerquant", **coarse), tails) < 0.3 * relative_error(
        there_and_back(tails, "uniform", **coarse), tails
    )
    flat = np.linspace(0, 1, 1024, dtype=np.float32)[None]
    assert encoded(codec_of("powerquant", bits=4), flat).notes["exponent"] == pytest.approx(1.0, abs=0.011)


def easy(row, sigmas, bits, step):
    """EasyQuant as its paper writes it: outliers as they are, the rest on a symmetric grid."""
    side = 2 ** (bits - 1) - 1
    apart = np.abs(row - row.mean()) >= sigmas * row.std()
    return np.where(apart, row, np.clip(np.rint(row / step), -side, side) * step)


@pytest.mark.parametrize("bits", [2, 3, 8])
def test_easyquant_is_the_formula_with_about_the_best_step(bits):
    row = tensor_of("normal", (1, 600))
    row[0, :3] = [9.0, -7.0, 8.0]
    codec = codec_of("easyquant", bits=bits, scope="tensor")
    payload = encoded(codec, row)
    arrived = decoded(codec, payload.body)
    assert (
        round(payload.notes["outliers"] * row.size) == (np.abs(row - row.mean()) >= 3 * row.std()).sum() >= 3
    )
    assert np.abs(arrived - row)[0, :3].max() < 9 * 2**-11
    side = 2 ** (bits - 1) - 1
    steps = np.linspace(0.1, 1.1, 401) * np.abs(row[0, 3:]).max() / side
    best = min(relative_error(easy(row, 3.0, bits, step), row) for step in steps)
    assert relative_error(arrived, row) <= 1.2 * best + 1e-7


def test_easyquant_charges_its_outliers():
    """One spike in zeros: an index of 7 bits and two bytes, and no symbol."""
    parts = encoded(codec_of("easyquant", scope="tensor"), tensor_of("one spike", (1, 2, 7, 7))).parts
    assert (parts["ranges"], parts["indices"], parts["symbols"]) == (2, 1, 2)


@pytest.mark.parametrize("norm", ["l2", "max"])
def test_qsgd_sends_neighbouring_fractions_of_the_norm(norm):
    tensor = tensor_of("normal", (3, 2, 4, 4))
    arrived = there_and_back(tensor, "qsgd", training=True, norm=norm, header_dtype="float32").reshape(6, -1)
    planes = tensor.reshape(6, -1).astype(np.float64)
    norms = np.linalg.norm(planes, axis=1) if norm == "l2" else np.abs(planes).max(axis=1)
    levels = arrived * 7 / norms[:, None]
    assert np.abs(levels - np.rint(levels)).max() < 1e-4
    assert np.abs(levels - planes * 7 / norms[:, None]).max() < 1 + 1e-4


def test_terngrad_sends_three_values_of_each_group_in_a_fifth_of_a_byte():
    tensor = tensor_of("normal", (4, 5, 6, 6))
    codec = codec_of("terngrad", scope="channel", clip=0)
    payload = encoded(codec, tensor)
    arrived = decoded(codec, payload.body)
    for channel in range(5):
        values, largest = np.unique(arrived[:, channel]), np.abs(tensor[:, channel]).max()
        assert len(values) == 3
        assert values == pytest.approx([-largest, 0, largest], rel=2**-10)
    assert payload.parts["symbols"] == 720 / 5


def test_terngrad_clips_at_its_sigmas():
    tensor = tensor_of("normal", (1, 1000))
    for settings, sigmas in (({}, 2.5), ({"clip": 1.5}, 1.5)):  # the default is the paper's
        arrived = there_and_back(tensor, "terngrad", **settings)
        assert np.abs(arrived).max() == pytest.approx(sigmas * tensor.std(), rel=2**-10)


def test_terngrad_as_published_loses_less_than_zeros_would_have():
    """Nearest levels, as in inference; unclipped, its largest value decides over all."""
    tensor = tensor_of("normal", (8, 2000))
    assert relative_error(there_and_back(tensor, "terngrad"), tensor) < 0.7
    assert relative_error(there_and_back(tensor, "terngrad", clip=0), tensor) > 0.8


@pytest.mark.parametrize("kind", ["uniform", "powerquant", "easyquant", "qsgd", "terngrad", "fp8"])
def test_the_entropy_stage_changes_bytes_and_no_value(kind):
    """The coder comes within 2 % and its headers of the bound in the notes."""
    tensor = tensor_of("smooth", (16, 8, 14, 14))
    arrived, sizes = [], []
    for entropy in ("none", "zstd", "ans"):
        codec = codec_of(kind, entropy=entropy)
        payload = encoded(codec, tensor)
        arrived.append(decoded(codec, payload.body))
        sizes.append(payload.parts["symbols"])
    assert np.array_equal(arrived[0], arrived[1])
    assert np.array_equal(arrived[0], arrived[2])
    assert sizes[2] < sizes[0]
    assert sizes[1] < sizes[0]
    spare = 2 * tensor.size * payload.notes.get("outliers", 0.0) + 250
    if kind != "terngrad":  # whose symbols are coded five at a time
        assert (
            payload.notes["entropy_bound_bytes"]
            < sizes[2]
            < 1.02 * payload.notes["entropy_bound_bytes"] + spare
        )


@pytest.mark.parametrize("kind", ["uniform", "powerquant", "easyquant", "qsgd", "terngrad"])
def test_a_header_alone_stands_for_at_most_two_to_the_twentieth_equal_values(kind):
    frame = unseal(encoded(codec_of(kind, scope="tensor"), np.zeros(4, np.float32)).body)
    content = [np.frombuffer(frame.content, np.uint8)]
    assert not bodies.decode(seal(kind, (2**20,), frame.settings, content)).any()
    tracemalloc.start()
    with pytest.raises(BadBody, match="content ends early"):
        bodies.decode(seal(kind, (2**25,), frame.settings, content))
    assert tracemalloc.get_traced_memory()[1] < 100_000
    tracemalloc.stop()


@pytest.mark.parametrize("kind", ["uniform", "powerquant", "easyquant", "qsgd", "terngrad"])
@pytest.mark.parametrize("figure", [np.nan, np.inf, 2.0**31])
def test_figures_that_no_encoder_writes_are_refused(kind, figure):
    codec = codec_of(kind, scope="tensor", header_dtype="float32")
    frame = unseal(encoded(codec, tensor_of("normal", (2, 2, 3, 3))).body)
    content = np.array(np.frombuffer(frame.content, np.uint8))
    content[:4] = np.frombuffer(np.float32(figure).tobytes(), np.uint8)
    with pytest.raises(BadBody, match="not finite or out of range"):
        bodies.decode(seal(kind, frame.shape, frame.settings, [content]))
