"""The frame: what is refused, word for word, golden bytes, and thousands of mutated bodies."""

import re
import tracemalloc

import numpy as np
import pytest
from codec_cases import mutants, resealed
from codec_oracles import header_of, tensor_of

from slfac_sim.codecs import BadBody, BadTensor
from slfac_sim.codecs.kit import bodies
from slfac_sim.codecs.kit.packing import packed_bytes
from slfac_sim.codecs.kit.wire import seal, unseal
from slfac_sim.codecs.raw import Raw
from slfac_sim.codecs.slfac import Form, Header, SlFac, write_header

SENDERS = {
    "raw": Raw().sender("up"),
    "plane": SlFac().sender("up"),
    "channel": SlFac(scope="channel", header_dtype="float32", b_max=11).sender("up"),
}
NOTHING: list[np.ndarray] = []


def body_of(name, shape=(2, 3, 5, 4)):
    return SENDERS[name].encode(tensor_of("smooth", shape)).body


def test_a_frame_gives_back_what_was_sealed():
    content = [np.arange(3, dtype=np.uint8), np.arange(2, dtype=np.uint8)]
    frame = unseal(seal("their_pkg.codec", (300, 1, 70_000), b"\x01\x02", content), "their_pkg.codec")
    assert (frame.kind, frame.shape, frame.settings) == ("their_pkg.codec", (300, 1, 70_000), b"\x01\x02")
    assert bytes(frame.content) == bytes([0, 1, 2, 0, 1])


def test_the_frame_of_a_slfac_message_is_22_bytes():
    assert len(seal("slfac", (64, 64, 14, 14), b"abc", NOTHING)) == 22


def test_the_type_of_the_values_is_four_bits_of_the_frame_and_no_more():
    """Bodies of equal values differ in half of the form and in the checksum only."""
    tensor = tensor_of("smooth", (2, 3, 5, 4)).astype(np.float16)
    sender = bodies.TypedSender(SlFac(), "up")
    half, single = sender.encode(tensor).body, sender.encode(tensor.astype(np.float32)).body
    assert (single[3], half[3]) == (0x04, 0x14)
    assert (single[:3], single[4:-4]) == (half[:3], half[4:-4])
    assert bodies.decode(half).dtype == np.float16
    assert SlFac().receiver().decode(half).dtype == np.float32
    assert np.array_equal(SlFac().receiver().decode(half), bodies.decode(single))


RAMP = [[0, 1, 2, 3], [1, 2, 3, 5], [2, 3, 4, 9]]
GOLDEN = {
    "raw": "5fac010203726177010200000080bf0000c03fba490485",
    "plane": "5fac010405736c6661630102030403007109020d00c0e90e6da9e16563"
    "0000000000000000bc03b1037f0003d316a084",
    "channel": "5fac010405736c666163020203040303a209041700a2f837c577a8a145f30435c488c038440000000000000000"
    "00000000000000002f50ba66997886ff00618dead0d0b76c5543510559abc896",
}


def golden_tensor(name):
    ramp = np.array([[RAMP, np.zeros((3, 4))]], np.float32)
    return {
        "raw": np.array([[-1.0, 1.5]], np.float32),
        "plane": ramp,
        "channel": np.concatenate([ramp, ramp * np.float32(-0.25)]),
    }[name]


@pytest.mark.parametrize("name", GOLDEN)
def test_golden_bytes_decode_for_ever(name):
    """Encoders may improve; bodies of version 1 must stay readable, so only decoding is compared."""
    tensor = golden_tensor(name)
    decoded = bodies.decode(bytes.fromhex(GOLDEN[name]))
    assert decoded.shape == tensor.shape
    assert np.abs(decoded - tensor).max() < 0.2
    corner = {"raw": [-1.0, 1.5], "plane": [0.079, 0.858, 2.175], "channel": [0.014, 1.032, 1.930]}[name]
    assert decoded.reshape(-1)[: len(corner)].tolist() == pytest.approx(corner, abs=6e-4)


def test_golden_lengths_by_hand():
    """Frame 22; k* 2 x 4 bits, widths 4 x 3, ends 8 x 16; 9 symbols of 3 bits, 3 of 7; the rest is zero."""
    assert len(bytes.fromhex(GOLDEN["raw"])) == 5 + 3 + 2 + 1 + 2 * 4 + 4
    assert len(bytes.fromhex(GOLDEN["plane"])) == 22 + 1 + 2 + 16 + 4 + 3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda body: b"", "0 bytes are too few for a frame"),
        (lambda body: body[:9], "9 bytes are too few for a frame"),
        (lambda body: b"PK" + body[2:], "begins with 504b, a frame with 5fac"),
        (lambda body: body[:2] + b"\x02" + body[3:], "version 2 is unknown (this is version 1)"),
        (lambda body: body[:-1], "the checksum is wrong; it is damaged, cut or lengthened"),
        (lambda body: body + b"\0", "the checksum is wrong; it is damaged, cut or lengthened"),
        (lambda body: resealed(body[:3] + b"\x34" + body[4:]), "type 3 with 4 dimensions is unknown"),
        (lambda body: resealed(body[:3] + b"\x09" + body[4:]), "type 0 with 9 dimensions is unknown"),
        (lambda body: resealed(body[:4] + b"\xff" + body[5:]), "content ends early (255 bytes wanted"),
        (lambda body: resealed(body[:-9] + body[-4:]), "content needs"),
        (lambda body: resealed(body[:-4] + b"\0" + body[-4:]), "content needs"),
    ],
)
def test_refusals_word_for_word(change, message):
    with pytest.raises(BadBody, match="^body: " + re.escape(message)):
        bodies.decode(change(body_of("plane")))


def test_a_body_cannot_choose_what_is_imported():
    with pytest.raises(BadBody, match=r"^body: made by codec 'os\.path', which is not one of ours$"):
        bodies.decode(seal("os.path", (1,), b"", NOTHING))


def peak_bytes(body):
    tracemalloc.start()
    try:
        bodies.decode(body)
    except BadBody:
        pass
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    return peak


@pytest.mark.parametrize("shape", [(2**27, 1, 1, 1), (1, 2048, 256, 256), (2**33, 2**33, 7, 7), (0, 1, 2, 2)])
@pytest.mark.parametrize("kind", ["raw", "slfac"])
def test_a_claim_that_the_length_cannot_justify_allocates_nothing(kind, shape):
    settings = Form("plane", "float16", 2, 8, 0).to_bytes() if kind == "slfac" else b""
    body = seal(kind, shape, settings, [np.zeros(1000, np.uint8)])
    bodies.decode(body_of("plane"))  # caches and imports are not the body's doing
    with pytest.raises(BadBody):
        bodies.decode(body)
    assert peak_bytes(body) < 100_000


def test_a_channel_cannot_claim_more_than_a_million_values():
    """A valid header of one constant channel over 2^25 samples, in 34 bytes."""
    settings = Form("channel", "float16", 2, 8, 0).to_bytes()
    header = np.zeros(packed_bytes(2, 3) + 8, np.uint8)  # k* of K = 1 takes no bit
    body = seal("slfac", (2**25, 1, 1, 1), settings, [header])
    with pytest.raises(BadBody, match="a channel of 33554432 values, at most 1048576 are legal"):
        bodies.decode(body)
    assert peak_bytes(body) < 100_000
    assert bodies.decode(seal("slfac", (2**20, 1, 1, 1), settings, [header])).shape == (2**20, 1, 1, 1)
    with pytest.raises(BadTensor, match="use scope plane"):
        SlFac(scope="channel").sender("s").encode(np.zeros((2**20 + 1, 1, 1, 1), np.float32))


@pytest.mark.parametrize("exponent", [-128, -91, 127])
def test_an_exponent_that_no_encoder_writes_is_refused(exponent):
    settings = Form("plane", "float16", 2, 8, exponent).to_bytes()
    with pytest.raises(BadBody, match="are not SL-FAC's"):
        bodies.decode(seal("slfac", (1, 1, 2, 2), settings, [np.zeros(100, np.uint8)]))


@pytest.mark.parametrize("name", SENDERS)
def test_mutants_are_refused_or_decode_to_a_tensor_of_the_claimed_shape(name):
    decoded = refused = 0
    messages = set()
    for mutant in mutants(body_of(name), 1500):
        try:
            tensor = bodies.decode(mutant)
        except BadBody as error:
            refused += 1
            messages.add(str(error))
        else:
            decoded += 1
            assert tensor.dtype.name == ("float32", "float16", "bfloat16")[unseal(mutant).type_code]
            assert tensor.shape == unseal(mutant).shape
            assert name == "raw" or np.isfinite(tensor.astype(np.float32)).all()
    assert all(message.startswith("body: ") and "\n" not in message for message in messages)
    assert decoded > 40
    assert refused > 500


@pytest.mark.parametrize("name", SENDERS)
def test_every_cut_and_every_flipped_bit_is_refused(name):
    body = body_of(name, (1, 2, 3, 3))
    for size in range(len(body)):
        with pytest.raises(BadBody):
            bodies.decode(body[:size])
    for bit in range(8 * len(body)):
        flipped = bytearray(body)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(BadBody):
            bodies.decode(bytes(flipped))


def test_memory_of_mutants_is_bounded_by_their_length():
    for mutant in mutants(body_of("plane", (4, 8, 7, 7)), 200):
        assert peak_bytes(mutant) < 100_000 + 40_000 * len(mutant)


@pytest.mark.parametrize(("block", "value"), [("k*", 20), ("width", 7)])
def test_header_fields_out_of_range_are_refused(block, value):
    tensor = tensor_of("normal", (1, 1, 5, 4))
    body = SENDERS["plane"].encode(tensor).body
    form, header = header_of(body)
    last_low = np.full_like(header.last_low, value if block == "k*" else 3)
    bits = np.full_like(header.bits, form.b_min + value if block == "width" else 4)
    wrong = Header(last_low, bits, header.ends)
    content = write_header(wrong, form, 20)
    with pytest.raises(BadBody, match="a band's end or width is out of range"):
        bodies.decode(seal("slfac", tensor.shape, form.to_bytes(), content))


@pytest.mark.parametrize("ends", [[np.nan, 0.0], [0.0, np.inf], [1.0, 0.5]])
def test_ends_that_are_not_finite_or_not_ordered_are_refused(ends):
    form = Form("plane", "float16", 2, 8, 0)
    header = Header(np.zeros(1, np.int64), np.full((1, 2), 2, np.uint8), np.array([[ends, [0.0, 0.0]]]))
    content = write_header(header, form, 4)
    with pytest.raises(BadBody, match="a band's minimum and maximum are not finite, ordered and in range"):
        bodies.decode(seal("slfac", (1, 1, 2, 2), form.to_bytes(), content))
