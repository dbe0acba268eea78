"""How devices learn through a codec: what it declares is what they apply, whoever wrote it."""

import dataclasses
from collections import defaultdict

import numpy as np
import pytest
from codec_cases import EVERY_SWITCH, codec_of, ids_of
from codec_oracles import CONTENTS, tensor_of
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from slfac_sim.codecs.splitfc import keep_chances, spreads

FINEST = {"values": "float32", "bits_per_value": 32.0}  # so that rounding hides nothing
SHAPES = [(8, 6, 5, 4), (8, 5, 12), (8, 60)]


def finest(codec):
    known = {field.name for field in dataclasses.fields(codec)}
    return dataclasses.replace(codec, **{name: value for name, value in FINEST.items() if name in known})


EVERY = {name: finest(codec_of(kind, **switch)) for name, (kind, switch) in EVERY_SWITCH.items()}
EVERY |= {
    f"error_feedback, {kind}": codec_of("error_feedback", codec=finest(codec_of(kind)))
    for kind in ("topk", "splitfc", "c3_sl", "uniform")
}
EVERY["fedlite, correction"] = codec_of("fedlite", correction=0.5)


def declared(backward):
    names = [name for name, codec in EVERY.items() if codec.backward == backward]
    return pytest.mark.parametrize("name", names)


def partner_of(codec):
    return codec if codec.partner is None else codec_of(codec.partner)


def through(codec, tensor, gradient, answers=None):
    """Return what arrived of `tensor`, and from what the device learns if the server answers `gradient`."""
    answers = partner_of(codec) if answers is None else answers
    up, down = codec.sender("up/d017"), answers.sender("d017/down")
    asked = up.encode(tensor, ids_of(tensor)).body
    arrived, back = codec.receiver().decode(asked), answers.receiver()
    down.follow(asked)
    back.follow(asked)
    returned = back.decode(down.encode(gradient).body)
    up.confirm(asked)
    return arrived, up.correct(asked, returned)


def inner(left, right):
    return float((left.astype(np.float64) * right.astype(np.float64)).sum())


def size(tensor):
    return np.sqrt(inner(tensor, tensor))


def check_adjoint(codec, tensor, gradient, answers=None):
    """A linear map A and its adjoint: <A x, g> = <x, A^T g>; both were applied to one message.

    A wrong factor is off by about 1; SplitFC's quantiser, at its finest, by a thousandth.
    """
    arrived, learnt = through(codec, tensor, gradient, answers)
    scale = size(arrived) * size(gradient) + size(tensor) * size(learnt)
    assert abs(inner(arrived, gradient) - inner(tensor, learnt)) <= 1e-2 * scale / np.sqrt(tensor.size)


@declared("linear")
@examples(max_examples=15)
@given(
    st.sampled_from(SHAPES), st.sampled_from(CONTENTS), st.sampled_from(["normal", "one spike"]), st.data()
)
def test_the_backward_of_a_linear_codec_is_the_product_with_its_jacobian(name, shape, content, g, data):
    seed = data.draw(st.integers(0, 99))
    check_adjoint(EVERY[name], tensor_of(content, shape, seed=seed), tensor_of(g, shape, 1e-3, seed + 1))


@declared("linear")
def test_the_backward_of_a_linear_codec_is_linear(name):
    tensor, first, second = (tensor_of("normal", SHAPES[0], seed=seed) for seed in (1, 2, 3))
    learnt = [through(EVERY[name], tensor, gradient)[1] for gradient in (first, second, first - 2 * second)]
    assert np.allclose(learnt[2], learnt[0] - 2 * learnt[1], atol=1e-4 * np.abs(learnt).max())


@pytest.mark.parametrize("name", [name for name, codec in EVERY.items() if codec.partner is not None])
def test_what_keeps_values_learns_from_these_alone_whatever_the_answer_travels_in(name):
    tensor, gradient = (tensor_of("normal", SHAPES[0], seed=seed) for seed in (1, 2))
    check_adjoint(EVERY[name], tensor, gradient, codec_of("raw"))


@declared("straight_through")
def test_straight_through_is_the_gradient_as_it_arrived(name):
    tensor, gradient = (tensor_of("normal", SHAPES[0], seed=seed) for seed in (1, 2))
    assert np.array_equal(through(EVERY[name], tensor, gradient, codec_of("raw"))[1], gradient)


@declared("added_term")
def test_an_added_term_does_not_depend_on_the_gradient(name):
    tensor, *gradients = (tensor_of("normal", SHAPES[0], seed=seed) for seed in (1, 2, 3))
    terms = [through(EVERY[name], tensor, g, codec_of("raw"))[1] - g for g in gradients]
    assert np.abs(terms[0]).max() > 0
    assert np.allclose(*terms, atol=1e-5)


def test_each_declaration_is_made_by_somebody():
    found = defaultdict(set)
    for codec in EVERY.values():
        found[codec.backward].add(codec.label.split(",")[0].split()[0])
    assert {"top-k", "RandTopk", "SplitFC", "C3-SL"} <= found["linear"]
    assert found["added_term"] == {"FedLite"}
    assert {"SL-FAC", "uniform", "QSGD", "TernGrad", "AQ-SGD"} <= found["straight_through"]


@pytest.mark.parametrize("quantiser", ["float16", "two_stage"])
def test_splitfc_learns_from_the_gradient_in_the_mean(quantiser):
    """From all of it but the columns that are never kept: without the factor it was about a fifth."""
    codec, messages = codec_of("splitfc", quantiser=quantiser), 400
    tensor, gradient = tensor_of("smooth", (16, 4, 6, 6)), tensor_of("normal", (16, 4, 6, 6), seed=2)
    up, learnt = codec.sender("up/d017"), np.zeros(gradient.shape)
    down, back = (getattr(partner_of(codec), end) for end in ("sender", "receiver"))
    down, back = down("d017/down"), back()
    for _ in range(messages):
        asked = up.encode(tensor).body
        down.follow(asked)
        back.follow(asked)
        learnt += up.correct(asked, back.decode(down.encode(gradient).body)) / messages
    chances = keep_chances(spreads(tensor, float(np.abs(tensor).max())), codec.reduction)
    kept = np.broadcast_to(chances > 0, (16, chances.size)).reshape(gradient.shape)
    wanted = np.where(kept, gradient, 0)
    assert inner(learnt, gradient) / inner(wanted, gradient) == pytest.approx(1.0, abs=0.1)
    assert not learnt[~kept].any()


@pytest.mark.parametrize("name", ["splitfc", "topk", "randtopk", "fedlite, correction"])
def test_answers_may_come_in_another_order_than_they_were_asked_for(name):
    codec, gradient = EVERY[name], tensor_of("normal", SHAPES[0])
    tensors = [tensor_of("normal", SHAPES[0], seed=seed) for seed in range(3)]
    first, other = codec.sender("up"), codec.sender("up")
    in_turn = [first.correct(first.encode(tensor).body, gradient) for tensor in tensors]
    asked = [other.encode(tensor).body for tensor in tensors]
    for place in (2, 0, 1):
        assert np.array_equal(other.correct(asked[place], gradient), in_turn[place])
