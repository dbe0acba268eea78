"""Top-k, RandTopk, SplitFC, and gradients on the support that these have kept."""

import itertools
from types import SimpleNamespace

import numpy as np
import pytest
from codec_cases import codec_of
from codec_oracles import tensor_of
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from slfac_sim.codecs import BadBody
from slfac_sim.codecs._splitfc import radix as _radix
from slfac_sim.codecs._splitfc.levels import LEVELS, Plan, distortion, nearest_below, plan
from slfac_sim.codecs.kit.bodies import support_of
from slfac_sim.codecs.kit.sparse import kept_count, largest, read_places, write_places
from slfac_sim.codecs.kit.wire import Sections
from slfac_sim.codecs.randtopk import drawn
from slfac_sim.codecs.splitfc import keep_chances, spreads, widest

SHAPES = [(5, 3, 6, 7), (5, 9, 16), (5, 40), (17,), (1, 1), (70, 2, 3, 3)]


def there(codec, tensor, training=False, messages=1):
    sender, receiver = codec.sender("up/d017"), codec.receiver()
    payloads = [sender.encode(tensor, training=training) for _ in range(messages)]
    return payloads[-1], receiver.decode(payloads[-1].body)


# --- top-k -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("rate", [0.05, 0.3, 0.9])
def test_topk_keeps_the_largest_of_each_sample_and_nothing_else(shape, rate):
    tensor = tensor_of("normal", shape)
    _, decoded = there(codec_of("topk", rate=rate, values="float32"), tensor)
    rows, kept = (each.reshape(shape[0] if len(shape) > 1 else 1, -1) for each in (tensor, decoded))
    count = max(1, round(rate * rows.shape[1]))
    for row, arrived in zip(rows, kept, strict=True):
        wanted = np.zeros_like(row)
        best = np.argsort(-np.abs(row), kind="stable")[:count]
        wanted[best] = row[best]
        assert np.array_equal(arrived, wanted)


def test_of_equal_magnitudes_the_first_are_kept():
    tensor = np.array([[1, -2, 2, 2, 0, 2], [3, 3, 3, 3, 3, 3]], np.float32)
    _, decoded = there(codec_of("topk", rate=0.5), tensor)
    assert decoded.tolist() == [[0, -2, 2, 2, 0, 0], [3, 3, 3, 0, 0, 0]]


@pytest.mark.parametrize(("rate", "bits"), [(0.01, 10), (0.5, None)])
def test_places_are_charged_as_indices_or_as_a_bitmap_whichever_is_shorter(rate, bits):
    payload, _ = there(codec_of("topk", rate=rate), tensor_of("normal", (4, 1, 25, 40)))
    kept = 4 * round(rate * 1000)
    assert payload.parts["indices"] == -(-(4 * 1000 if bits is None else kept * bits) // 8)
    assert payload.parts["symbols"] == 1 + 2 * kept


@examples(max_examples=60)
@given(st.integers(1, 5), st.integers(1, 70_000), st.data())
def test_places_survive(rows, values, data):
    count = data.draw(st.integers(1, min(values, 40)))
    rng = np.random.default_rng(values)
    mask = largest(rng.random((rows, values)).astype(np.float32), count)
    octets = write_places(mask, count)
    sections = Sections(memoryview(octets.tobytes()))
    assert np.array_equal(read_places(sections, rows, values, count), mask)
    assert len(sections.rest) == 0
    assert octets.size <= (rows * min(values, count * max(values - 1, 1).bit_length()) + 7) // 8 + 1


def test_wide_places_survive():
    mask = largest(np.random.default_rng(0).random((2, 200_000)).astype(np.float32), 9)
    sections = Sections(memoryview(write_places(mask, 9).tobytes()))
    assert np.array_equal(read_places(sections, 2, 200_000, 9), mask)


def test_a_short_body_cannot_ask_for_many_values():
    assert kept_count(1e-9, 2**20) == 16


# --- RandTopk --------------------------------------------------------------------------------------------


def test_the_draw_without_replacement_has_the_right_chances():
    """Against the chances of every ordered pair, counted out: k = 2 of 4, alpha = 0.4."""
    weights = np.array([0.3, 0.3, 0.2, 0.2])
    exact = np.zeros(4)
    for first, second in itertools.permutations(range(4), 2):
        exact[[first, second]] += weights[first] * weights[second] / (1 - weights[first])
    draws = 40_000
    top = np.tile(np.array([True, True, False, False]), (draws, 1))
    seen = drawn(top, 2, 0.4, np.random.default_rng(1)).mean(axis=0)
    assert np.abs(seen - exact).max() < 5 * 0.5 / np.sqrt(draws)


def test_randtopk_keeps_k_values_as_they_are_and_is_topk_in_evaluation():
    tensor = tensor_of("normal", (6, 4, 8, 8))
    codec = codec_of("randtopk", values="float32", alpha=0.3)
    _, decoded = there(codec, tensor, training=True)
    kept = decoded != 0
    assert (kept.reshape(6, -1).sum(axis=1) == round(0.1 * 256)).all()
    assert np.array_equal(decoded[kept], tensor[kept])
    _, plain = there(codec_of("topk", values="float32"), tensor)
    assert not np.array_equal(decoded, plain)
    assert np.array_equal(there(codec, tensor)[1], plain)


def test_evaluation_leaves_the_draws_of_training_alone():
    tensor = tensor_of("normal", (6, 4, 8, 8))
    for kind in ("randtopk", "splitfc"):
        one, other = codec_of(kind).sender("up"), codec_of(kind).sender("up")
        other.encode(tensor, training=False)
        assert one.encode(tensor).body == other.encode(tensor).body
        other.set_state(one.get_state())
        assert one.encode(tensor).body == other.encode(tensor).body
        assert one.encode(tensor).body != other.encode(tensor[::-1]).body


# --- SplitFC ---------------------------------------------------------------------------------------------


@examples(max_examples=60)
@given(st.lists(st.floats(0, 5), min_size=2, max_size=40), st.floats(1.01, 30))
def test_chances_follow_the_formula_never_exceed_one_and_add_up(spread, reduction):
    spread = np.array(spread)
    chances = keep_chances(spread, reduction)
    kept = spread.size / reduction
    assert chances.max() <= 1
    assert chances.min() >= 0
    assert chances.sum() == pytest.approx(kept)
    if kept * spread.max() <= spread.sum() and spread.sum() > 0:
        assert np.allclose(chances, spread * kept / spread.sum())


def test_spreads_are_deviations_after_min_max_scaling_of_the_channel():
    maps = tensor_of("normal", (6, 3, 4, 5), 7.0)
    for tensor, axes in (
        (maps, (0, 2, 3)),
        (tensor_of("normal", (6, 4, 5)), (0, 1)),
        (maps[:, :, 0, 0], (0, 1)),
    ):
        low, high = tensor.min(axis=axes, keepdims=True), tensor.max(axis=axes, keepdims=True)
        wanted = ((tensor - low) / (high - low)).std(axis=0).reshape(-1)
        assert np.allclose(spreads(tensor, float(np.abs(tensor).max())), wanted, rtol=1e-4)


def test_fc_sl_keeps_the_columns_of_largest_spread_unscaled():
    tensor = tensor_of("normal", (30, 20))
    kept = widest(spreads(tensor, 1.0), 4)
    assert set(np.flatnonzero(kept)) == set(np.argsort(-tensor.std(axis=0))[:5])
    _, decoded = there(codec_of("splitfc", variant="fc_sl", reduction=4, quantiser="float16"), tensor, True)
    assert np.array_equal(decoded, np.where(kept, tensor.astype(np.float16), 0))


def roots(u):
    """Solve (Q - 1)^3 = u Q by the closed forms of the paper."""
    if u > 6.75:
        return 1 + 2 * np.sqrt(u / 3) * np.cos(np.arccos(1.5 * np.sqrt(3 / u)) / 3)
    v = (9 * u + u * np.sqrt(81 - 12 * u)) ** (1 / 3)
    return 1 + (2 / 3) ** (1 / 3) * u / v + v / 18 ** (1 / 3)


def test_levels_are_the_stationary_ones_rounded_down():
    for u in np.concatenate([np.geomspace(1e-4, 1e5, 400), [6.75, 6.7500001]]):
        root = roots(u)
        assert (root - 1) ** 3 == pytest.approx(u * root, rel=1e-9)
        level = LEVELS[nearest_below(np.array([u]))[0]]
        assert level == max([2, *(each for each in LEVELS if each <= root + 1e-9)])


def test_the_plan_is_near_the_best_one_that_trying_all_finds():
    """Three columns, levels of 2 to 16: every M, every combination within the budget."""
    r, r_0, samples, budget = np.array([1.0, 0.5, 0.1]), 0.3, 8, 70.0

    def bits(levels, wide, means):
        return wide * 15.3 + samples * np.log2(levels).sum() + (np.log2(means) if wide < 3 else 0)

    def cost(chosen):
        return bits(LEVELS[chosen.levels], chosen.levels.size, LEVELS[chosen.mean_levels])

    found = plan(r, r_0, samples, budget, cost)
    best = min(
        distortion(r, r_0, samples, Plan(np.array(places[:-1], int), places[-1]))
        for wide in range(4)
        for places in itertools.product(range(12), repeat=wide + 1)
        if bits(LEVELS[list(places[:-1])], wide, LEVELS[places[-1]]) <= budget
    )
    assert cost(found) <= budget
    assert best <= distortion(r, r_0, samples, found) <= 1.4 * best


@pytest.mark.parametrize("bits", [0.3, 0.5, 1.0, 2.0])
@pytest.mark.parametrize("shape", [(32, 8, 7, 7), (32, 10, 32), (32, 400)], ids=str)
def test_the_budget_is_met_and_used(shape, bits):
    codec = codec_of("splitfc", variant="fc_sl", reduction=4, bits_per_value=bits)
    payload, _ = there(codec, tensor_of("smooth" if len(shape) == 4 else "normal", shape))
    spent = 8 * payload.nbytes / payload.values
    assert 0.9 * bits < spent <= bits


def test_a_wide_column_is_off_by_half_a_step_between_its_end_points():
    rows = tensor_of("normal", (40, 12))
    payload, decoded = there(codec_of("splitfc", variant="fc_sl", reduction=1, bits_per_value=32), rows)
    assert payload.notes["two_stage_fraction"] == 1
    span = rows.max(axis=0) - rows.min(axis=0) + 2 * (rows.max() - rows.min()) / 199
    assert (np.abs(decoded - rows) <= span / (LEVELS[-1] - 1) / 2 * 1.001).all()


def test_narrow_columns_arrive_as_their_means():
    rows = (np.arange(6) + tensor_of("normal", (40, 6), 1e-3)).astype(np.float32)
    payload, decoded = there(codec_of("splitfc", variant="fc_sl", reduction=1, bits_per_value=1.8), rows)
    assert payload.notes["two_stage_fraction"] == 0
    assert np.abs(decoded - rows.mean(axis=0)).max() < 5 / (LEVELS[-1] - 1)
    assert (decoded == decoded[0]).all()


@examples(max_examples=40)
@given(st.sampled_from([2, 3, 5, 7, 200, 448, 640, 65536]), st.integers(0, 300))
def test_symbols_of_any_number_of_levels_survive(levels, count):
    symbols = np.random.default_rng(count).integers(0, levels, count).astype(np.uint16)
    octets = _radix.write(symbols, levels)
    assert octets.size == _radix.coded_bytes(count, levels)
    assert np.array_equal(_radix.read(Sections(memoryview(octets.tobytes())), count, levels), symbols)
    assert 8 * octets.size <= count * np.log2(levels) * 1.07 + 48


# --- gradients on the support ----------------------------------------------------------------------------

SPARSE = {
    "topk": {},
    "topk-all": {"kind": "topk", "rate": 1.0},
    "randtopk": {},
    "splitfc": {},
    "fc_sl": {"kind": "splitfc", "variant": "fc_sl", "quantiser": "float16"},
    "error_feedback": {},
}


def ends(settings):
    codec = codec_of("on_support", **settings)
    return codec.sender("d017/down"), codec.receiver()


@pytest.mark.parametrize("name", SPARSE)
@pytest.mark.parametrize("shape", [(8, 3, 6, 7), (8, 9, 16), (8, 40)], ids=str)
def test_the_answer_carries_the_gradient_on_the_support_and_no_places(name, shape):
    settings = dict(SPARSE[name])
    up = codec_of(settings.pop("kind", name), **settings)
    asked = up.sender("up").encode(tensor_of("normal", shape), np.arange(8)).body
    support = support_of(asked).reshape(shape)
    assert not up.receiver().decode(asked)[~support].any()
    gradient = tensor_of("normal", shape, 1e-4, seed=1)
    sender, receiver = ends({})
    sender.follow(asked)
    receiver.follow(asked)
    answer = sender.encode(gradient)
    assert np.array_equal(receiver.decode(answer.body), np.where(support, gradient, 0))
    assert answer.nbytes <= 4 * support.sum() + 64


def test_an_answer_to_another_message_is_refused_and_the_next_one_is_right():
    up, gradient = codec_of("topk").sender("up"), tensor_of("normal", (4, 50))
    lost, asked = (up.encode(tensor_of("normal", (4, 50), seed=seed)).body for seed in (1, 2))
    sender, receiver = ends({})
    sender.follow(lost)
    receiver.follow(asked)
    answer = sender.encode(gradient).body
    with pytest.raises(BadBody, match="answers a message that this end does not follow"):
        receiver.decode(answer)
    sender.follow(asked)
    assert (receiver.decode(sender.encode(gradient).body) != 0).sum() == 4 * 5


def test_without_a_support_the_answer_stands_alone():
    gradient = tensor_of("normal", (4, 50))
    sender, receiver = ends({})
    for asked in (codec_of("raw").sender("up").encode(gradient).body, None):
        if asked:
            sender.follow(asked)
        assert np.array_equal(receiver.decode(sender.encode(gradient).body), gradient)


def test_a_support_serves_one_answer_only():
    """An end that is told nothing falls back to what stands alone; it never guesses."""
    tensor = tensor_of("normal", (4, 50))
    sender, receiver = ends({})
    sender.follow(codec_of("topk").sender("up").encode(tensor).body)
    sender.encode(tensor)
    assert np.array_equal(receiver.decode(sender.encode(tensor).body), tensor)


def test_wrappers_are_not_nested():
    with pytest.raises(ValueError, match="codec must not be on_support itself"):
        codec_of("error_feedback", codec=codec_of("on_support"))
    inner = SimpleNamespace(
        body=ends({})[0].encode(tensor_of("normal", (4, 5))).body, parts={}, notes={}, nbytes=0
    )
    from slfac_sim.codecs.kit.nested import wrapped

    with pytest.raises(BadBody, match="on_support inside another codec"):
        ends({})[1].decode(wrapped("on_support", (4, 5), b"", inner).body)
