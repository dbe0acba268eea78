"""Codecs with memory, and what joins the two directions: in step from bytes alone, whatever is lost."""

import copy

import numpy as np
import pytest
from codec_cases import codec_of, mutants
from codec_oracles import tensor_of
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from scipy.cluster.vq import vq

from slfac_sim.codecs import BadBody, BadTensor, Payload
from slfac_sim.codecs.aq_sgd import quantise_changes
from slfac_sim.codecs.c3_sl import key_spectrum
from slfac_sim.codecs.fedlite import kmeans, nearest
from slfac_sim.codecs.kit.floats import from_halves, rounded, to_halves
from slfac_sim.codecs.sl_acc import bits_of, entropies_of, grouped


def relative_error(arrived, tensor):
    return float(((arrived - tensor) ** 2).sum() / (tensor**2).sum())


# --- rows of float16 -------------------------------------------------------------------------------------


@examples(max_examples=50)
@given(st.integers(-44, 38), st.integers(0, 99))
def test_rows_of_halves_keep_eleven_bits_at_any_scale(exponent, seed):
    rows = tensor_of("normal", (3, 40), 10.0**exponent / 5, seed)
    error = np.abs(rounded(rows).astype(np.float64) - rows)
    largest = np.abs(rows).max(axis=1, keepdims=True).astype(np.float64)
    assert (error <= np.maximum(np.abs(rows) * 2.0**-11, np.maximum(largest * 2.0**-39, 1e-45))).all()


def test_the_largest_float32_survives_its_halves():
    rows = np.array([[np.finfo(np.float32).max, -np.finfo(np.float32).max]], np.float32)
    assert np.array_equal(from_halves(*to_halves(rows)), rows)


# --- AQ-SGD ----------------------------------------------------------------------------------------------


def activations(ids, visit):
    """Return activations that change a little from visit to visit."""
    first = np.stack([tensor_of("normal", (3, 4, 4), seed=int(sample)) for sample in ids])
    return first + 0.05 * visit * np.stack([tensor_of("normal", (3, 4, 4), seed=7 + int(s)) for s in ids])


def test_a_first_visit_is_half_precision_and_the_next_ones_are_changes():
    codec = codec_of("aq_sgd", bits=4)
    sender, receiver, ids = codec.sender("up"), codec.receiver(), np.arange(10, 18)
    for visit in range(4):
        tensor = activations(ids, visit)
        payload = sender.encode(tensor, ids)
        arrived = receiver.decode(payload.body)
        sender.confirm(payload.body)
        assert payload.notes["changes_fraction"] == float(visit > 0)
        assert relative_error(arrived, tensor) < (1e-6 if visit == 0 else 1e-3)
        per_value = payload.parts["symbols"] * 8 / tensor.size
        assert per_value == (pytest.approx(16 + 8 / 48) if visit == 0 else 4)
    assert payload.parts["indices"] == 4 * 8
    assert payload.parts["state"] == 1 + 4 * 8


@pytest.mark.parametrize("bits", range(2, 9))
@pytest.mark.parametrize("rounding", ["nearest", "stochastic"])
def test_a_change_has_two_to_the_bits_levels_half_a_step_apart(bits, rounding):
    """Levels (k + 1/2) max|change| / 2^(bits - 1), as in the paper's code; drawn ones reach max itself."""
    codec = codec_of("aq_sgd", bits=bits, rounding=rounding)
    ids, first = np.arange(2), np.zeros((2, 3000), np.float32)
    change = np.random.default_rng(0).uniform(-1, 1, first.shape).astype(np.float32)
    sender, receiver = codec.sender("up"), codec.receiver()
    for tensor in (first, change):
        body = sender.encode(tensor, ids).body
        arrived = receiver.decode(body)
        sender.confirm(body)
    assert [len(np.unique(row)) for row in arrived] == [2**bits] * 2
    step = 2 * np.abs(change).max() / (2**bits - (rounding == "stochastic"))
    assert np.abs(arrived - change).max() < step * (0.5 if rounding == "nearest" else 1.0) + 2**-11


def test_two_bits_of_a_change_are_worth_something():
    """Of normal values: zeros in place of the change have an error of 1."""
    ids, change = np.arange(4), tensor_of("normal", (4, 200))
    for bits, most in ((2, 0.4), (4, 0.02)):
        codec = codec_of("aq_sgd", bits=bits)
        sender, receiver = codec.sender("up"), codec.receiver()
        for tensor in (np.zeros_like(change), change):
            body = sender.encode(tensor, ids).body
            arrived = receiver.decode(body)
            sender.confirm(body)
        assert relative_error(arrived, change) < most


def test_errors_do_not_pile_up():
    """Each change starts from what has arrived, so the error of one step is all there is."""
    codec = codec_of("aq_sgd", bits=2)
    sender, receiver, ids = codec.sender("up"), codec.receiver(), np.arange(4)
    tensor = activations(ids, 1)
    for _ in range(40):
        payload = sender.encode(tensor, ids)
        arrived = receiver.decode(payload.body)
        sender.confirm(payload.body)
    assert relative_error(arrived, tensor) < 1e-6


FATES = ("arrives", "lost", "answer lost", "arrives late")


@pytest.mark.parametrize("kind", ["aq_sgd", "error_feedback"])
@examples(max_examples=60)
@given(data=st.data())
def test_both_ends_stay_in_step_whatever_is_lost(kind, data):
    """Bodies are lost, or arrive and their answer is lost, or is late; ends are saved and restored."""
    codec = codec_of(kind) if kind == "aq_sgd" else codec_of(kind, codec=codec_of("aq_sgd", bits=3))
    sender, receiver, late = codec.sender("up"), codec.receiver(), []
    for visit in range(data.draw(st.integers(1, 12))):
        ids = np.array(data.draw(st.lists(st.integers(0, 5), min_size=1, max_size=4, unique=True)))
        tensor = activations(ids, visit)
        body = sender.encode(tensor, ids).body
        fate = data.draw(st.sampled_from(FATES))
        if fate != "lost":
            arrived = receiver.decode(body)
            assert relative_error(arrived, tensor) < (0.02 if kind == "aq_sgd" else 0.4)
            if kind == "aq_sgd":
                assert np.array_equal(arrived, remembered(sender, tensor.shape))
        if fate == "arrives":
            sender.confirm(body)
        if fate == "arrives late":
            late.append(body)
        elif late and data.draw(st.booleans()):
            sender.confirm(late.pop(0))
        if data.draw(st.booleans()):
            sender, receiver = restored(codec, sender, receiver)


def remembered(sender, shape):
    """Return what the sender takes the other end to hold after its last message."""
    last = sender.get_state()["memory"]["waiting"][-1]
    halves = np.stack([np.frombuffer(row, "<f2") for row in last["halves"]])
    return from_halves(halves, np.array(last["exponents"], np.int8)).reshape(shape)


def restored(codec, sender, receiver):
    fresh = codec.sender("up"), codec.receiver()
    fresh[0].set_state(copy.deepcopy(sender.get_state()))
    fresh[1].set_state(copy.deepcopy(receiver.get_state()))
    return fresh


def test_a_lost_message_leaves_no_trace_in_the_bytes():
    codec, ids = codec_of("aq_sgd"), np.arange(4)
    one, other = codec.sender("up"), codec.sender("up")
    for sender in (one, other):
        sender.confirm(sender.encode(activations(ids, 0), ids).body)
    other.encode(activations(ids, 1), ids)  # lost
    assert one.encode(activations(ids, 2), ids).body == other.encode(activations(ids, 2), ids).body


def test_a_receiver_without_the_row_refuses_and_stays_as_it_was():
    codec, ids = codec_of("aq_sgd"), np.arange(4)
    sender, receiver = codec.sender("up"), codec.receiver()
    sender.confirm(sender.encode(activations(ids, 0), ids).body)  # to somebody else
    body = sender.encode(activations(ids, 1), ids).body
    before = copy.deepcopy(receiver.get_state())
    with pytest.raises(BadBody, match="the change of sample 0 starts from a row that is not held here"):
        receiver.decode(body)
    assert str(receiver.get_state()) == str(before)


def test_evaluation_and_nameless_samples_leave_the_memory_alone():
    ids = np.arange(4)
    for kind in ("aq_sgd", "error_feedback"):
        sender = codec_of(kind).sender("up")
        sender.confirm(sender.encode(activations(ids, 0), ids).body)
        before = str(sender.get_state())
        sender.confirm(sender.encode(activations(ids, 1), ids, training=False).body)
        sender.confirm(sender.encode(activations(ids, 1)).body)
        assert str(sender.get_state()) == before


def test_ids_that_name_nobody_or_twice_are_refused():
    for ids in (np.array([1, 1]), np.array([1, -1]), np.array([1]), np.array([0, 2**32])):
        with pytest.raises(BadTensor, match=r"^up: expected 2 different sample ids"):
            codec_of("aq_sgd").sender("up").encode(tensor_of("normal", (2, 5)), ids)


def test_damaged_changes_are_refused_and_leave_the_receiver_as_it_was():
    codec, ids = codec_of("aq_sgd", entropy="ans"), np.arange(4)
    sender, receiver = codec.sender("up"), codec.receiver()
    for visit in range(2):
        body = sender.encode(activations(ids, visit), ids).body
        if visit == 0:
            receiver.decode(body)
            sender.confirm(body)
    state, refused = copy.deepcopy(receiver.get_state()), 0
    for mutant in mutants(body, 400):
        receiver.set_state(state)
        try:
            assert np.isfinite(receiver.decode(mutant)).all()
        except BadBody:
            refused += 1
            assert str(receiver.get_state()) == str(state)
    assert refused > 200
    receiver.set_state(state)
    assert relative_error(receiver.decode(body), activations(ids, 1)) < 1e-3


def test_drawn_roundings_of_changes_are_unbiased():
    rows, bases = tensor_of("normal", (2, 30)), tensor_of("normal", (2, 30), 0.5, seed=1)
    rng, sums, draws = np.random.default_rng(0), 0.0, 3000
    for _ in range(draws):
        scales, symbols = quantise_changes(rows, bases, 3, rng)
        sums = sums + (symbols.reshape(2, -1) - 3.5) * scales[:, None] / 4
    assert np.abs(sums / draws - (rows - bases)).max() < 5 * 0.5 * scales.max() / 4 / np.sqrt(draws)


def test_an_entropy_stage_pays_on_changes():
    ids, sizes = np.arange(32), {}
    for stage in ("none", "zstd", "ans"):
        codec = codec_of("aq_sgd", entropy=stage)
        sender, receiver = codec.sender("up"), codec.receiver()
        for visit in range(2):
            payload = sender.encode(activations(ids, visit), ids)
            arrived = receiver.decode(payload.body)
            sender.confirm(payload.body)
        assert relative_error(arrived, activations(ids, 1)) < 1e-3
        sizes[stage] = payload.parts["symbols"]
    assert payload.notes["entropy_bound_bytes"] <= sizes["ans"] < sizes["none"]


# --- error feedback --------------------------------------------------------------------------------------


def test_what_top_k_has_dropped_comes_later():
    """Of a sample that never changes, the mean of what has arrived tends to the sample itself."""
    codec = codec_of("error_feedback", codec=codec_of("topk", rate=0.25, values="float32"))
    sender, receiver, ids = codec.sender("up"), codec.receiver(), np.arange(3)
    tensor, total = tensor_of("normal", (3, 40)), 0.0
    for _ in range(60):
        payload = sender.encode(tensor, ids)
        total = total + receiver.decode(payload.body)
        sender.confirm(payload.body)
    assert relative_error(total / 60, tensor) < 0.01


def test_the_memory_is_of_the_sample_not_of_its_place():
    codec, ids = codec_of("error_feedback"), np.array([4, 9])
    tensor = tensor_of("normal", (2, 60))
    bodies = []
    for order in ([0, 1], [1, 0]):
        sender = codec.sender("up")
        sender.confirm(sender.encode(tensor, ids).body)
        bodies.append(codec.receiver().decode(sender.encode(tensor[order], ids[order]).body)[order])
    assert np.array_equal(*bodies)


# --- SL-ACC ----------------------------------------------------------------------------------------------


def test_entropies_of_known_channels():
    flat = np.tile(np.arange(256, dtype=np.float32), (1, 2))
    coin = np.resize(np.array([0.0, 255.0], np.float32), (1, 512))
    rows = np.concatenate([flat, coin, np.zeros((1, 512), np.float32), coin / 255])
    assert np.allclose(entropies_of(rows, "histogram"), [8, 1, 0, 1])
    assert np.allclose(entropies_of(rows, "min_max"), [8, 1, 0, 1])
    assert np.allclose(entropies_of(rows[2:3], "softmax"), 9)
    even = np.array([[0.0, 0.3, 0.6, 0.9]], np.float32)
    assert np.allclose(entropies_of(even / 1e4, "softmax"), 2, atol=1e-6)


def test_groups_are_the_clusters_and_bits_are_linear_in_their_entropy():
    label, means = grouped(np.array([1.0, 7.1, 1.1, 3.9, 6.9, 4.1, 1.05]), 3)
    assert label.tolist() == [0, 2, 0, 1, 2, 1, 0]
    assert np.allclose(means, [1.05, 4.0, 7.0])
    assert bits_of(means, codec_of("sl_acc", b_min=2, b_max=8)).tolist() == [2, 5, 8]
    assert bits_of(means[:1], codec_of("sl_acc")).tolist() == [8]


def test_the_past_is_the_streams_own_and_evaluation_leaves_it_alone():
    codec = codec_of("sl_acc", groups=2)
    tensors = [tensor_of("normal", (8, 6, 5, 5), seed=seed) for seed in range(9)]
    for number, tensor in enumerate(tensors):
        tensor[:, number % 6] *= 30
    sender, other, saved = (codec.sender("up") for _ in range(3))
    alone = [codec.sender("up").encode(tensor).body for tensor in tensors]
    bodies = [sender.encode(tensor).body for tensor in tensors]
    assert bodies[0] == alone[0]
    assert bodies[1:] != alone[1:]
    for tensor, body in zip(tensors, bodies, strict=True):
        other.encode(tensor[::-1] * 2, training=False)
        saved.set_state(other.get_state())
        assert body == other.encode(tensor).body == saved.encode(tensor).body
        assert codec.receiver().decode(body).shape == tensor.shape
    assert len(sender.get_state()["past"]) == 5


# --- C3-SL -----------------------------------------------------------------------------------------------


def test_the_code_is_the_circular_convolution_with_keys_of_unit_length():
    codec = codec_of("c3_sl", together=2, values="float32", seed=3)
    tensor = tensor_of("normal", (2, 12))
    keys = [np.fft.irfft(key_spectrum(3, 12, place), 12) for place in range(2)]
    assert np.allclose([np.linalg.norm(key) for key in keys], 1)
    code = sum(
        np.array([sum(key[(n - m) % 12] * row[m] for m in range(12)) for n in range(12)])
        for key, row in zip(keys, tensor, strict=True)
    )
    wanted = [[sum(key[(m - n) % 12] * code[m] for m in range(12)) for n in range(12)] for key in keys]
    arrived = codec.receiver().decode(codec.sender("up").encode(tensor).body)
    assert np.allclose(arrived, wanted, atol=1e-5)


@pytest.mark.parametrize("shape", [(8, 3, 4, 5), (7, 9, 6), (5, 31)], ids=str)
def test_the_way_is_linear_and_gradients_pass_its_adjoint(shape):
    """There and back is one symmetric map P, so <P x, g> = <x, P g>: what chain rule asks of gradients."""
    codec = codec_of("c3_sl", values="float32")

    def way(tensor):
        return codec.receiver().decode(codec.sender("up").encode(tensor).body).astype(np.float64)

    x, g = tensor_of("normal", shape), tensor_of("normal", shape, seed=1)
    assert np.vdot(way(x), g) == pytest.approx(np.vdot(x, way(g)), rel=1e-4)
    assert np.allclose(way(x) + 2 * way(g), way(x + 2 * g), atol=1e-3)


def test_together_samples_cost_as_much_as_one():
    tensor = tensor_of("normal", (16, 3, 8, 8))
    sizes = [codec_of("c3_sl", together=r).sender("up").encode(tensor).parts["symbols"] for r in (1, 2, 16)]
    assert sizes == [16 * 385, 8 * 385, 385]


# --- FedLite ---------------------------------------------------------------------------------------------


def test_clusters_that_are_apart_are_found():
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((6, 5)).astype(np.float32) * 4
    points = centres[rng.integers(6, size=500)] + rng.standard_normal((500, 5)).astype(np.float32) * 0.01
    found = kmeans(points, 6, 20)
    assert np.allclose(sorted(found.tolist()), sorted(centres.tolist()), atol=0.02)


def test_nearest_is_the_nearest():
    points, book = tensor_of("normal", (700, 6)), tensor_of("normal", (9, 6), seed=1)
    assert np.array_equal(nearest(points, book), vq(points, book)[0])


def test_codebook_and_labels_are_charged_and_more_centroids_err_less():
    tensor = tensor_of("smooth", (16, 8, 14, 14))
    errors = []
    for centroids, bits in ((4, 2), (16, 4), (60, 6)):
        codec = codec_of("fedlite", centroids=centroids, groups=2)
        payload = codec.sender("up").encode(tensor)
        assert payload.parts["codebook"] == 2 + 2 * 2 * centroids * 8
        assert payload.parts["symbols"] == tensor.size // 8 * bits // 8
        errors.append(relative_error(codec.receiver().decode(payload.body), tensor))
    assert errors == sorted(errors, reverse=True)
    assert errors[0] < 0.7


def test_the_device_adds_what_was_lost_to_the_gradient():
    codec = codec_of("fedlite", correction=0.5)
    tensor, gradient = tensor_of("normal", (4, 3, 6, 6)), tensor_of("normal", (4, 3, 6, 6), seed=1)
    sender = codec.sender("up")
    body = sender.encode(tensor).body
    sender.encode(tensor * 2, training=False)
    again = codec.sender("up")
    again.set_state(sender.get_state())
    wanted = gradient + 0.5 / 4 * (tensor - codec.receiver().decode(body))
    for end in (sender, again):
        assert np.allclose(end.correct(body, gradient), wanted)
        assert np.array_equal(end.correct(body[:-1], gradient), gradient)
    plain = codec_of("fedlite").sender("up")
    assert np.array_equal(plain.correct(plain.encode(tensor).body, gradient), gradient)


def test_of_a_message_of_zeros_nothing_is_lost():
    """As after a ReLU that has died."""
    sender, gradient = codec_of("fedlite", correction=0.5).sender("up"), tensor_of("normal", (4, 3, 6, 6))
    body = sender.encode(np.zeros_like(gradient)).body
    assert not codec_of("fedlite").receiver().decode(body).any()
    assert np.array_equal(sender.correct(body, gradient), gradient)


def test_payloads_are_whole():
    ids = np.arange(4)
    for kind in ("aq_sgd", "error_feedback", "sl_acc", "c3_sl", "fedlite"):
        payload = codec_of(kind).sender("up").encode(activations(ids, 0), ids)
        assert isinstance(payload, Payload)
        assert sum(payload.parts.values()) == payload.nbytes


def test_aq_sgd_agrees_on_rows_whose_largest_value_is_rounded_up_to_a_power_of_two() -> None:
    codec = codec_of("aq_sgd")
    sender, receiver = codec.sender("d000/up"), codec.receiver()
    rows = np.float32([[0.99999, 0.3, -1e-5], [0.5, 0.25, 0.125]])
    for _ in range(3):
        body = sender.encode(rows, np.array([4, 7])).body
        assert receiver.decode(body) == pytest.approx(rows, abs=1e-3)
        sender.confirm(body)
        rows = rows + np.float32(0.01)
