"""The law of codecs: what every file of the family must keep, whoever wrote it."""

import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from codec_oracles import tensor_of, tensors
from hypothesis import given
from hypothesis import settings as examples

from slfac_sim import codecs
from slfac_sim.codecs import BadBody, BadTensor
from slfac_sim.foundation import plugins

KINDS = plugins.kinds("slfac_sim.codecs")
EVERY = pytest.mark.parametrize("kind", KINDS)
ROOT = Path(__file__).parent.parent


def ends_of(kind):
    codec = plugins.find("slfac_sim.codecs", kind)()
    return codec.sender("up/d017"), codec.receiver()


def test_the_family_has_its_first_two_members():
    assert {"raw", "slfac"} <= set(KINDS)


@EVERY
@examples(max_examples=60)
@given(tensor=tensors())
def test_shape_type_and_finiteness_survive_and_bytes_repeat(kind, tensor):
    before = tensor.copy()
    sender, receiver = ends_of(kind)
    payload = sender.encode(tensor, np.arange(len(tensor)), training=False)
    decoded = receiver.decode(payload.body)
    assert np.array_equal(tensor, before)
    assert (decoded.shape, decoded.dtype, payload.values) == (tensor.shape, np.float32, tensor.size)
    assert np.isfinite(decoded).all()
    assert ends_of(kind)[0].encode(tensor).body == payload.body
    assert np.array_equal(codecs.decode(payload.body), decoded)
    assert all(np.isfinite(note) for note in payload.notes.values())


@EVERY
def test_a_decoded_tensor_can_be_written_to(kind):
    sender, receiver = ends_of(kind)
    receiver.decode(sender.encode(tensor_of("normal", (2, 2, 4, 4))).body)[0] = 1.0


@EVERY
def test_memory_order_does_not_matter(kind):
    tensor = tensor_of("normal", (4, 3, 5, 6))
    crooked = np.asfortranarray(tensor)
    sliced = np.repeat(tensor, 2, axis=3)[..., ::2]
    bodies = {ends_of(kind)[0].encode(each).body for each in (tensor, crooked, sliced)}
    assert len(bodies) == 1


@EVERY
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_nan_and_infinity_are_refused_with_stream_and_place(kind, bad):
    tensor = tensor_of("normal", (2, 3, 4, 5))
    tensor[1, 2, 0, 3] = bad
    with pytest.raises(BadTensor) as caught:
        ends_of(kind)[0].encode(tensor)
    assert str(caught.value) == (
        "up/d017: only finite values can be encoded "
        f"(got {bad} at [1, 2, 0, 3] of a tensor of shape [2, 3, 4, 5])"
    )


@EVERY
def test_other_types_and_empty_tensors_are_refused(kind):
    with pytest.raises(BadTensor, match=r"^up/d017: expected a float32 tensor \(got float64\)$"):
        ends_of(kind)[0].encode(np.zeros((1, 1, 2, 2)))
    with pytest.raises(BadTensor, match=r"^up/d017: expected .*\(got shape \[0, 1, 2, 2\]\)$"):
        ends_of(kind)[0].encode(np.zeros((0, 1, 2, 2), np.float32))


@EVERY
def test_the_body_of_another_codec_is_refused(kind):
    other = next(name for name in KINDS if name != kind)
    body = ends_of(other)[0].encode(tensor_of("normal", (1, 1, 3, 3))).body
    with pytest.raises(BadBody, match=f"made by codec '{other}', expected '{kind}'"):
        ends_of(kind)[1].decode(body)


@EVERY
def test_costs_are_declared(kind):
    codec = plugins.find("slfac_sim.codecs", kind)()
    assert codec.encode_flops_per_value > 0
    assert codec.decode_flops_per_value > 0


def python(program, *arguments, threads="1"):
    environment = {"OMP_NUM_THREADS": threads, "PYTHONPATH": str(ROOT), "PATH": ""}
    run = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return run.stdout.split()


DECODE = """
import sys, hashlib, pathlib
from slfac_sim import codecs
for path in sys.argv[1:]:
    print(hashlib.sha256(codecs.decode(pathlib.Path(path).read_bytes()).tobytes()).hexdigest())
assert not {"torch", "simpy"} & set(sys.modules)
"""


def test_a_fresh_process_decodes_without_torch(tmp_path):
    expected = []
    for kind in KINDS:
        sender, receiver = ends_of(kind)
        body = sender.encode(tensor_of("smooth", (3, 4, 7, 7))).body
        (tmp_path / kind).write_bytes(body)
        expected.append(hashlib.sha256(receiver.decode(body).tobytes()).hexdigest())
    assert python(DECODE, *(str(tmp_path / kind) for kind in KINDS)) == expected


ENCODE = """
import sys, hashlib, numpy as np
from slfac_sim import codecs
from slfac_sim.foundation import plugins
rng = np.random.default_rng(0)
for shape in (16, 64, 7, 7), (8, 64, 14, 14), (8, 8, 28, 28), (1, 8, 112, 112):
    tensor = rng.standard_normal(shape, dtype=np.float32)
    for kind in sys.argv[1:]:
        body = plugins.find("slfac_sim.codecs", kind)().sender("up").encode(tensor).body
        print(hashlib.sha256(body + codecs.decode(body).tobytes()).hexdigest())
"""


def test_bytes_do_not_depend_on_the_number_of_threads():
    assert python(ENCODE, *KINDS, threads="1") == python(ENCODE, *KINDS, threads="2")
