"""The law of codecs: what every file of the family must keep, under every switch, whoever wrote it."""

import doctest
import hashlib
import importlib
import json
import pkgutil
import re

import ml_dtypes
import numpy as np
import pytest
from codec_cases import (
    BLAS,
    EVERY_SWITCH,
    GOLDEN,
    KINDS,
    codec_of,
    declares_unbiased,
    decoded,
    encoded,
    fresh,
    golden_path,
    ids_of,
    ships,
)
from codec_oracles import FORMS, tensor_of, tensors
from hypothesis import given
from hypothesis import settings as examples

from slfac_sim.codecs import BadBody, BadTensor, kit
from slfac_sim.codecs.kit.bodies import decode

EVERY = pytest.mark.parametrize("kind", KINDS)
SWITCHED = pytest.mark.parametrize(("kind", "switch"), EVERY_SWITCH.values(), ids=EVERY_SWITCH)
TYPES = (np.dtype(np.float32), np.dtype(np.float16), np.dtype(ml_dtypes.bfloat16))


def ends_of(kind):
    codec = codec_of(kind)
    return codec.sender("up/d017"), codec.receiver()


def keeps_the_law(codec, tensor):
    """Encode and decode `tensor` in training and in inference, and check all that one message can show."""
    before = tensor.copy()
    for training in (True, False):
        payload = encoded(codec, tensor, training=training)
        arrived = decoded(codec, payload.body)
        assert (arrived.shape, arrived.dtype, payload.values) == (tensor.shape, tensor.dtype, tensor.size)
        assert np.isfinite(arrived.astype(np.float32)).all()
        assert encoded(codec, tensor, training=training).body == payload.body
        assert np.array_equal(decode(payload.body), arrived)
        assert sum(payload.parts.values()) == len(payload.body)
        assert all(size >= 0 for size in payload.parts.values())
        assert all(np.isfinite(note) for note in payload.notes.values())
        if not codec.may_lose_to_zeros:
            assert squared_error(arrived, tensor) <= squared_error(0.0, tensor) * (1 + 1e-6)
    assert np.array_equal(tensor, before)


def squared_error(arrived, tensor):
    rest = np.asarray(arrived, np.float64) - tensor.astype(np.float64)
    return float((rest * rest).sum())


def test_the_family_has_its_first_two_members():
    assert {"raw", "slfac"} <= set(KINDS)


@EVERY
@examples(max_examples=40)
@given(tensor=tensors(tuple(FORMS), (-44, 27)))
def test_shape_type_and_finiteness_survive_and_bytes_repeat(kind, tensor):
    """Denormals and magnitudes up to 2^96; zeros, constants, spikes; maps, tokens and features."""
    keeps_the_law(codec_of(kind), tensor)


@pytest.mark.matrix
@SWITCHED
@examples(max_examples=8)
@given(tensor=tensors(tuple(FORMS)))
def test_every_switch_keeps_the_law(kind, switch, tensor):
    keeps_the_law(codec_of(kind, **switch), tensor)


@pytest.mark.matrix
@EVERY
@pytest.mark.parametrize("dtype", TYPES, ids=str)
@pytest.mark.parametrize(
    "shape", [(1, 1), (1, 1, 1), (1, 1, 1, 1), (3, 1, 1, 7), (2, 3, 13, 5), (3, 7, 5)], ids=str
)
def test_the_type_that_goes_in_comes_out(kind, dtype, shape):
    for content in ("normal", "sparse", "constant", "zero"):
        keeps_the_law(codec_of(kind), tensor_of(content, shape).astype(dtype))


@EVERY
def test_short_types_survive_at_their_ends(kind):
    """The largest and the smallest of a type: what is decoded beyond its end becomes the end."""
    for dtype in TYPES[1:]:
        info = ml_dtypes.finfo(dtype)
        ends = (
            np.array([info.max, info.tiny, -info.max, 0], np.float32) / 2**40 if dtype == TYPES[2] else None
        )
        values = ends if ends is not None else np.array([info.max, info.tiny, -info.max, 0], np.float32)
        keeps_the_law(codec_of(kind), np.tile(values, 12).reshape(2, 2, 4, 3).astype(dtype))


WITH_HEADERS = {name: case for name, case in EVERY_SWITCH.items() if "header_dtype" in case[1]}
SCOPES = [None, "channel", "plane"]


@pytest.mark.parametrize(("kind", "switch"), WITH_HEADERS.values(), ids=WITH_HEADERS)
@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("scale", [1e-43, 1e-40, 1e-30], ids=str)
def test_groups_of_denormals_beside_others(kind, switch, scope, scale):
    """A figure of a header that is denormal has no inverse in float32."""
    tensor = tensor_of("normal", (3, 4, 5, 6))
    tensor[:, 1] *= np.float32(scale)
    tensor[2] *= np.float32(scale)
    keeps_the_law(codec_of(kind, **switch, **({"scope": scope} if scope else {})), tensor)


@EVERY
@pytest.mark.parametrize("shape", [(), (1,), (7,), (2, 3, 2, 3, 2), (1,) * 8], ids=str)
def test_other_shapes_are_taken_or_refused_in_words(kind, shape):
    taken_or_refused(kind, tensor_of("normal", shape), "up/d017: ")


@pytest.mark.matrix
@SWITCHED
@pytest.mark.parametrize("shape", [(), (1,), (7,), (0,), (0, 3), (3, 0)], ids=str)
@pytest.mark.parametrize("named", [False, True])
def test_a_number_a_row_and_nothing_keep_their_shape_or_are_refused_in_words(kind, switch, shape, named):
    """Whether or not their samples are named: fewer than two dimensions are one sample."""
    codec, tensor = codec_of(kind, **switch), tensor_of("normal", shape)
    ids = np.arange(shape[0] if len(shape) > 1 else 1) if named else None
    for training in (True, False):
        body = body_or_refusal(codec, tensor, ids, training)
        if isinstance(body, str):
            assert body.startswith("up/d017: expected ")
            continue
        arrived = codec.receiver().decode(body)
        assert (arrived.shape, arrived.dtype, arrived.flags.writeable) == (shape, np.float32, True)


@EVERY
@pytest.mark.parametrize("ids", [[0, 1, 2], [0], [1, 1], [-1, 0], [0, 2**32]], ids=str)
def test_ids_that_do_not_name_the_samples_are_refused_or_not_needed(kind, ids):
    found = body_or_refusal(codec_of(kind), tensor_of("normal", (2, 3, 4, 4)), np.array(ids))
    wanted = "up/d017: expected 2 different sample ids within 0..4294967295 (got "
    assert isinstance(found, bytes) or found.startswith(wanted)


def body_or_refusal(codec, tensor, ids, training=True):
    try:
        return codec.sender("up/d017").encode(tensor, ids, training).body
    except BadTensor as refusal:
        return str(refusal)


@EVERY
def test_the_largest_float32_is_taken_or_refused_in_words(kind):
    tensor = tensor_of("normal", (2, 2, 3, 3))
    tensor *= np.finfo(np.float32).max / np.abs(tensor).max() * np.float32(1 - 2e-7)
    taken_or_refused(kind, tensor, "up/d017: expected magnitudes up to ")


def taken_or_refused(kind, tensor, words):
    refused = None
    try:
        encoded(codec_of(kind), tensor)
    except BadTensor as error:
        refused = str(error)
    if refused is None:
        keeps_the_law(codec_of(kind), tensor)
    else:
        assert refused.startswith(words)


@EVERY
def test_a_decoded_tensor_can_be_written_to(kind):
    sender, receiver = ends_of(kind)
    receiver.decode(sender.encode(tensor_of("normal", (2, 2, 4, 4))).body)[0] = 1.0


@EVERY
def test_memory_order_does_not_matter(kind):
    for shape in ((4, 3, 5, 6), (4, 5, 6), (4, 6)):
        tensor = tensor_of("normal", shape)
        crooked = np.asfortranarray(tensor)
        sliced = np.repeat(tensor, 2, axis=-1)[..., ::2]
        reverse = np.ascontiguousarray(tensor[::-1])[::-1]
        bodies = {encoded(codec_of(kind), each).body for each in (tensor, crooked, sliced, reverse)}
        assert len(bodies) == 1


@EVERY
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_nan_and_infinity_are_refused_with_stream_and_place(kind, bad):
    tensor = tensor_of("normal", (2, 3, 4, 5))
    tensor[1, 2, 0, 3] = bad
    for dtype in TYPES:
        with pytest.raises(BadTensor) as caught:
            encoded(codec_of(kind), tensor.astype(dtype))
        assert str(caught.value) == (
            "up/d017: only finite values can be encoded "
            f"(got {bad} at [1, 2, 0, 3] of a tensor of shape [2, 3, 4, 5])"
        )


@EVERY
def test_other_types_and_empty_tensors_are_refused(kind):
    with pytest.raises(BadTensor, match=r"^up/d017: expected a float32 tensor \(got float64\)$"):
        ends_of(kind)[0].encode(np.zeros((1, 1, 2, 2)))
    with pytest.raises(BadTensor, match=r"^up/d017: expected a tensor of float32, .*\(got int8\)$"):
        encoded(codec_of(kind), np.zeros((1, 1, 2, 2), np.int8))
    with pytest.raises(BadTensor, match=r"^up/d017: expected .*\(got shape \[0, 1, 2, 2\]\)$"):
        ends_of(kind)[0].encode(np.zeros((0, 1, 2, 2), np.float32))


@EVERY
def test_the_body_of_another_codec_is_refused(kind):
    other = next(name for name in KINDS if name != kind)
    body = ends_of(other)[0].encode(tensor_of("normal", (1, 1, 3, 3))).body
    with pytest.raises(BadBody, match=f"made by codec '{other}', expected '{kind}'"):
        ends_of(kind)[1].decode(body)


@SWITCHED
def test_costs_and_label_are_declared(kind, switch):
    codec = codec_of(kind, **switch)
    assert 0 < codec.encode_flops_per_value < 1e6
    assert 0 < codec.decode_flops_per_value < 1e6
    assert codec.label.isprintable()


@EVERY
def test_an_exception_from_never_worse_than_zeros_gives_its_reason(kind):
    reason = codec_of(kind).may_lose_to_zeros
    assert reason == "" or len(reason) > 20


# --- unbiasedness ----------------------------------------------------------------------------------------

MESSAGES = 300


def largest_deviation(codec, tensor):
    """Return the largest |mean - x| over all values, in standard errors of the mean of all messages.

    What happens once in that many messages may not have happened: the largest error seen, once, is allowed.
    """
    sender, receiver = codec.sender("up/d017"), codec.receiver()
    sent = [receiver.decode(sender.encode(tensor, ids_of(tensor)).body) for _ in range(MESSAGES)]
    draws = np.stack(sent).astype(np.float64)
    errors = draws.std(axis=0) / np.sqrt(MESSAGES) + np.abs(draws - tensor).max() / MESSAGES + 1e-9
    return float((np.abs(draws.mean(axis=0) - tensor) / errors).max())


UNBIASED = {name: case for name, case in EVERY_SWITCH.items() if declares_unbiased(*case)}
UNBIASED["terngrad, unclipped"] = ("terngrad", {"clip": 0.0})


@pytest.mark.parametrize(("kind", "switch"), UNBIASED.values(), ids=UNBIASED)
def test_declared_unbiasedness(kind, switch):
    for content in ("normal", "constant"):
        assert largest_deviation(codec_of(kind, **switch), tensor_of(content, (2, 3, 3, 4))) < 5.0


def test_the_test_of_unbiasedness_can_tell():
    assert {"qsgd", "terngrad, unclipped", "uniform-rounding=stochastic"} <= set(UNBIASED)
    tensor = tensor_of("normal", (2, 3, 3, 4))
    assert largest_deviation(codec_of("uniform", bits=3), tensor) > 20.0
    assert largest_deviation(codec_of("terngrad", clip=1.0), tensor) > 20.0


@pytest.mark.parametrize(("kind", "switch"), UNBIASED.values(), ids=UNBIASED)
def test_draws_differ_between_messages_and_streams_and_not_between_runs(kind, switch):
    tensor = tensor_of("normal", (2, 3, 7, 7))
    codec = codec_of(kind, **switch)
    first, again = codec.sender("up/d001"), codec.sender("up/d001")
    bodies = [first.encode(tensor, ids_of(tensor)).body for _ in range(2)]
    assert bodies == [again.encode(tensor, ids_of(tensor)).body for _ in range(2)]
    assert len({*bodies, codec.sender("up/d002").encode(tensor, ids_of(tensor)).body}) == 3


@EVERY
def test_an_example_with_numbers_shows_what_it_does(kind):
    """In the docstring of its module or class: values in; the length of the body and decoded values out."""
    module = importlib.import_module(f"slfac_sim.codecs.{kind}")
    examples = [example for test in doctest.DocTestFinder().find(module) for example in test.examples]
    assert any(re.search(r"\d", example.want) for example in examples)
    assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize("name", [module.name for module in pkgutil.iter_modules(kit.__path__)])
def test_a_module_of_the_kit_has_an_example(name):
    found = doctest.testmod(importlib.import_module(f"slfac_sim.codecs.kit.{name}"))
    assert found.attempted > 0
    assert found.failed == 0


# --- other processes, other times ------------------------------------------------------------------------


DECODE = """
import sys, hashlib, pathlib
from slfac_sim.codecs.kit.bodies import decode
for path in sys.argv[1:]:
    print(hashlib.sha256(decode(pathlib.Path(path).read_bytes()).tobytes()).hexdigest())
assert not {"torch", "simpy"} & set(sys.modules)
"""

SHIPPED = [name for name, (kind, _) in EVERY_SWITCH.items() if ships(kind)]


def test_a_fresh_process_decodes_without_torch(tmp_path):
    expected = []
    for name in SHIPPED:
        kind, switch = EVERY_SWITCH[name]
        codec = codec_of(kind, **switch)
        body = encoded(codec, tensor_of("smooth", (3, 4, 7, 7))).body
        (tmp_path / name).write_bytes(body)
        expected.append(hashlib.sha256(decoded(codec, body).tobytes()).hexdigest())
    assert fresh(DECODE, *(str(tmp_path / name) for name in SHIPPED)) == expected


ENCODE = """
import hashlib
from codec_cases import EVERY_SWITCH, codec_of, decoded, encoded, ships
from codec_oracles import tensor_of
cases = {name: codec_of(kind, **switch) for name, (kind, switch) in EVERY_SWITCH.items() if ships(kind)}
plain = {name: codec for name, codec in cases.items() if "-" not in name}
many = {"fedlite-many": codec_of("fedlite", length=1024, centroids=300, iterations=2)}
work = [(cases, (1, 2, 112, 112)), (cases, (1, 24, 7, 7)), (many, (64, 64, 14, 14))]
work += [(plain, shape) for shape in [(1, 2, 31, 200), (2, 1, 256, 256), (20, 3000), (4, 128, 14, 14)]]
for codecs, shape in work:
    for content in ("normal", "smooth"):
        tensor = tensor_of(content, shape)
        for name, codec in codecs.items():
            body = encoded(codec, tensor).body
            print(name, shape, content, hashlib.sha256(body + decoded(codec, body).tobytes()).hexdigest())
"""


@pytest.mark.parametrize("blas", BLAS)
def test_bytes_do_not_depend_on_the_number_of_threads(blas):
    """Neither of a body nor of the tensor in it: maps of all sizes, single samples, long features."""
    once = fresh(ENCODE, threads="1", **BLAS[blas])
    for threads in ("2", "3"):
        assert fresh(ENCODE, threads=threads, **BLAS[blas]) == once


@pytest.mark.parametrize("kind", [kind for kind in KINDS if ships(kind)])
def test_a_shipped_codec_has_golden_bodies(kind):
    how = f"run `PYTHONPATH=.:tests python tools/write_golden_bodies.py {kind}` and look at what it wrote"
    assert golden_path(kind).exists(), f"{kind} has no golden bodies of this version: {how}"
    stored = {json.dumps(case["settings"]) for case in json.loads(golden_path(kind).read_text())}
    missing = [
        switch for one, switch in EVERY_SWITCH.values() if one == kind and json.dumps(switch) not in stored
    ]
    assert not missing, f"{kind} has no golden body for {missing}: {how}"


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.json")), ids=lambda path: path.stem)
def test_golden_bodies_decode_for_ever(path):
    """Encoders may improve; bodies once written must stay readable, so only decoding is compared.

    Values are stored in six digits, and sums differ between processors in their last bits, which moves a
    value of a short type by a whole step of it.
    """
    for case in json.loads(path.read_text(encoding="utf-8")):
        arrived = decode(bytes.fromhex(case["body"]))
        assert (arrived.dtype.name, list(arrived.shape)) == (case["dtype"], case["shape"])
        wanted = np.array(case["values"])
        one_step = float(ml_dtypes.finfo(arrived.dtype).eps) * np.abs(wanted)
        off = np.abs(arrived.reshape(-1).astype(np.float64) - wanted)
        assert (off <= 1e-5 * np.abs(wanted).max() + one_step).all()
