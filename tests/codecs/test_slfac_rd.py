"""`slfac_rd`: rate control, layers, domains, and that it never does worse than zeros."""

import struct
import zlib
from dataclasses import replace

import numpy as np
import pytest
from codec_cases import BLAS, fresh
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from slfac_sim.codecs import BadBody
from slfac_sim.codecs.kit.wire import unseal
from slfac_sim.codecs.slfac import SlFac
from slfac_sim.codecs.slfac_rd import Attempt, SlFacRd, choose, quantise, seal

RECEIVER = SlFacRd().receiver()


def smashed(shape=(16, 32, 14, 14), seed=0):
    """Rectified mixtures of a few smooth maps: what a convolution makes of images."""
    rng = np.random.default_rng(seed)
    batch, channels, height, width = shape
    sources = np.cumsum(np.cumsum(rng.standard_normal((batch, 6, height, width)), axis=2), axis=3) / 10
    mixed = np.einsum("cs,bshw->bchw", rng.standard_normal((channels, 6)), sources)
    return np.maximum(mixed + 0.2 * rng.standard_normal(shape), 0).astype(np.float32)


def sparse(shape=(16, 32, 14, 14), seed=0):
    """Few values, as in the gradient behind a pool."""
    rng = np.random.default_rng(seed)
    values = rng.laplace(size=shape) * (rng.random(shape) < 0.1) * rng.lognormal(0, 2, (shape[0], 1, 1, 1))
    return (1e-5 * values).astype(np.float32)


def send(tensor, **settings):
    return SlFacRd(**settings).sender("up").encode(tensor)


def error(tensor, decoded):
    wide = tensor.astype(np.float64)
    return float(((wide - decoded) ** 2).sum() / (wide**2).sum())


TENSORS = {
    "activation": smashed(),
    "gradient": sparse(),
    "tokens": np.ascontiguousarray(smashed((16, 24, 40, 1))[..., 0].transpose(0, 2, 1)),
    "features": smashed((256, 64, 1, 1))[..., 0, 0],
}
EACH = pytest.mark.parametrize("name", TENSORS)


@EACH
@pytest.mark.parametrize("target", [0.01, 0.05, 0.2])
def test_a_target_error_is_met_within_three_per_cent(name, target):
    body = send(TENSORS[name], target_error=target).body
    assert error(TENSORS[name], RECEIVER.decode(body)) == pytest.approx(target, rel=0.03)


@EACH
@pytest.mark.parametrize("target", [0.5, 0.9, 1.5])
def test_target_bits_are_met_within_three_per_cent_of_the_whole_body(name, target):
    payload = send(TENSORS[name], target_bits_per_value=target)
    assert 8 * payload.nbytes / payload.values == pytest.approx(target, rel=0.03)


@EACH
def test_target_bytes_are_met_within_three_per_cent(name):
    target = TENSORS[name].size // 8
    assert send(TENSORS[name], target_bytes=target).nbytes == pytest.approx(target, rel=0.03)


@pytest.mark.parametrize("target", [0.28, 0.3, 0.32])
def test_a_target_error_is_met_where_the_first_basis_loses_more_than_that(target):
    """One strong direction of the channels and twenty weak ones: those not in the basis are a third."""
    rng = np.random.default_rng(0)
    basis = np.linalg.qr(rng.standard_normal((32, 32)))[0]
    strong, weak = (rng.standard_normal((32, count, 7, 7)) for count in (1, 20))
    tensor = 0.64**0.5 * np.einsum("cs,bshw->bchw", basis[:, :1], strong)
    tensor = (tensor + 0.018**0.5 * np.einsum("cs,bshw->bchw", basis[:, :20], weak)).astype(np.float32)
    assert error(tensor, RECEIVER.decode(send(tensor, target_error=target).body)) == pytest.approx(
        target, rel=0.03
    )


def test_rate_control_is_charged_for_its_attempts():
    plain = SlFacRd().encode_flops_per_value
    for target in ({"target_error": 0.1}, {"target_bits_per_value": 1.0}, {"target_bytes": 20_000}):
        assert SlFacRd(**target).encode_flops_per_value > 2 * plain


def test_two_targets_are_refused():
    with pytest.raises(ValueError, match=r"at most one target can be set \(got target_error, target_bytes\)"):
        SlFacRd(target_error=0.1, target_bytes=100)


@EACH
@pytest.mark.parametrize("domain", ["auto", "space", "frequency", "components", "component_frequency"])
def test_prefixes_get_better_layer_by_layer(name, domain):
    tensor = TENSORS[name]
    body = send(tensor, domain=domain, step=0.7).body
    ends = RECEIVER.boundaries(body)
    errors = [error(tensor, RECEIVER.decode(body[:end], partial=True)) for end in ends]
    assert len(ends) > 1
    assert errors == sorted(errors, reverse=True)
    assert errors[0] < 1
    assert errors[-1] < errors[0]
    assert np.array_equal(RECEIVER.decode(body[: ends[-1]], partial=True), RECEIVER.decode(body))
    assert np.array_equal(RECEIVER.decode(body, partial=True), RECEIVER.decode(body))


def test_a_cut_anywhere_else_is_refused():
    body = send(smashed((4, 16, 8, 8))).body
    ends = RECEIVER.boundaries(body)
    for size in set(range(len(body))) - set(ends):
        with pytest.raises(BadBody):
            RECEIVER.decode(body[:size], partial=True)
    for end in ends:
        with pytest.raises(BadBody):
            RECEIVER.decode(body[:end])


@pytest.mark.parametrize(
    ("name", "settings"), [("activation", {}), ("gradient", {}), ("tokens", {"step": 3.0})]
)
def test_what_is_sent_costs_a_fraction_of_sl_fac(name, settings):
    tensor = TENSORS[name]
    literal = SlFac(header_dtype="float32").sender("up").encode(smashed()).nbytes / smashed().size
    payload = send(tensor, **settings)
    assert payload.nbytes / payload.values < literal / 5
    assert sum(payload.parts.values()) == payload.nbytes


def test_the_domain_follows_the_data():
    rng = np.random.default_rng(1)
    waves = np.cos(np.pi * np.outer(np.arange(16) + 0.5, [2, 5]) / 16)
    smooth = np.einsum("bcs,hs,ws->bchw", rng.standard_normal((64, 8, 2)), waves, waves).astype(np.float32)
    assert send(smooth).notes["in_frequency"] == 1
    assert send(sparse()).notes | {"in_frequency": 0, "components": 0} == send(sparse()).notes
    shared = np.einsum("cs,bshw->bchw", rng.standard_normal((32, 2)), rng.standard_normal((32, 2, 8, 8)))
    assert send(shared.astype(np.float32)).notes["components"] > 0


@examples(max_examples=60)
@given(
    shape=st.lists(st.integers(1, 7), min_size=1, max_size=5),
    scale=st.sampled_from([1e-42, 1e-30, 1e-5, 1.0, 1e20, 1e37]),
    offset=st.sampled_from([0.0, 0.5, -3.0]),
    step=st.sampled_from([0.01, 0.5, 1.0, 3.0]),
    domain=st.sampled_from(["auto", "space", "frequency", "components", "component_frequency"]),
    seed=st.integers(0, 9),
)
def test_it_never_does_worse_than_zeros(shape, scale, offset, step, domain, seed):
    values = np.random.default_rng(seed).standard_t(2, shape).clip(-5, 5) + offset
    tensor = (values * scale).astype(np.float32)
    decoded = RECEIVER.decode(send(tensor, step=step, domain=domain).body)
    wide = tensor.astype(np.float64)
    assert decoded.shape == tensor.shape
    assert ((wide - decoded) ** 2).sum() <= (wide**2).sum() * (1 + 1e-6)


def test_finer_steps_approach_the_tensor():
    tensor = smashed((8, 16, 7, 7))
    errors = [error(tensor, RECEIVER.decode(send(tensor, step=step).body)) for step in (1.0, 0.1, 0.01, 1e-4)]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 1e-8


def test_constant_channels_and_zeros_cost_almost_nothing():
    levels = np.broadcast_to(np.arange(16.0, dtype=np.float32)[:, None, None], (64, 16, 8, 8)).copy()
    payload = send(levels)
    assert payload.nbytes < 700
    assert error(levels, RECEIVER.decode(payload.body)) < 0.01
    zeros = np.zeros((64, 16, 8, 8), np.float32)
    assert send(zeros).nbytes < 100
    assert not RECEIVER.decode(send(zeros).body).any()


SUMS = """
import numpy as np
from slfac_sim.codecs.slfac_rd import channel_means, energy_of
from slfac_sim.codecs.c3_sl import key_spectrum
rng = np.random.default_rng(0)
for shape in [(3, 64, 14, 14), (2, 3, 112, 112), (8, 2, 100, 50), (64, 64, 7, 7)] * 5:
    maps = (rng.standard_normal(shape) * rng.lognormal(0, 2, shape)).astype(np.float32)
    print(energy_of(maps).hex(), channel_means(maps).tobytes().hex()[:256])
for place in range(4):
    print(key_spectrum(0, 200_704, place).tobytes().hex()[:256])
"""


@pytest.mark.parametrize("blas", BLAS)
def test_sums_behind_the_choices_do_not_depend_on_the_number_of_threads(blas):
    """Means and energies decide on levels, steps and domains: a last bit of them can change a body."""
    assert fresh(SUMS, threads="1", **BLAS[blas]) == fresh(SUMS, threads="2", **BLAS[blas])


def resealed(body, content):
    """Return `body` with another `content` and right checksums, those of the layers included."""
    frame = unseal(body)
    head = bytes(body[: len(body) - 4 - len(frame.content)])
    whole = head + content
    return whole + zlib.crc32(whole).to_bytes(4, "little")


def relayered(body, layer, change):
    """Return `body` with the block of `layer` changed, every checksum right again."""
    frame = unseal(body)
    checksum = zlib.crc32(frame.settings, zlib.crc32(np.asarray(frame.shape, "<i8").tobytes()))
    rest, content, number = bytes(frame.content), b"", 0
    while rest:
        size = struct.unpack_from("<I", rest)[0]
        block = rest[4 : 4 + size]
        block = change(block) if number == layer else block
        length = struct.pack("<I", len(block))
        checksum = zlib.crc32(block, zlib.crc32(length, checksum))
        content += length + block + struct.pack("<I", checksum)
        rest, number = rest[8 + size :], number + 1
    return resealed(body, content)


@pytest.mark.parametrize("channels", [None, 3])  # beside 3, one only fills up the quad
@pytest.mark.parametrize("name", ["activation", "gradient"])
def test_hostile_bytes_with_right_checksums_are_refused_or_decoded(name, channels):
    tensor = TENSORS[name][:4, :channels, :8, :8]
    body = send(np.ascontiguousarray(tensor)).body
    rng = np.random.default_rng(0)
    assert relayered(body, -1, bytes) == body
    for trial in range(150):

        def change(block, trial=trial):
            noise = bytearray(block)
            for place in rng.integers(0, len(noise), 1 + trial % 8):
                noise[place] = rng.integers(256)
            return bytes(noise[: len(noise) - trial % 3])

        hostile = relayered(body, trial % len(RECEIVER.boundaries(body)), change)
        try:
            decoded = RECEIVER.decode(hostile)
        except BadBody:
            continue
        assert decoded.shape == tensor.shape
        assert np.isfinite(decoded).all()


@pytest.mark.parametrize("domain", ["space", "frequency", "components", "component_frequency"])
def test_the_largest_step_and_magnitudes_stay_finite_and_a_larger_step_is_refused(domain):
    """Every value 4.1 million steps, channels at their largest level: more than an encoder ever writes."""
    shape, small = (4, 8, 14, 14), 2.0**-10
    rng = np.random.default_rng(0)
    axes = choose(rng.standard_normal(shape).astype(np.float32), small, 0.65, domain)
    axes = replace(axes, levels=np.full(8, 127, np.int8))
    sent = 8 if axes.codes is None else axes.codes.shape[1]
    coefficients = np.full((4, sent, 14, 14), 4.1e6 * small, np.float32)
    levels = quantise(coefficients, small, 0.65)
    body = seal(Attempt(shape, 0, False, axes, coefficients, levels, 0.65), 1).body
    place = len(body) - 4 - len(unseal(body).content) - 7  # of the step, in eleven bytes of settings
    for step in (2.0**90, 2.0**91):
        hostile = bytearray(body)
        hostile[place : place + 4] = struct.pack("<f", step)
        hostile = hostile[:-4] + zlib.crc32(hostile[:-4]).to_bytes(4, "little")
        hostile = relayered(bytes(hostile), -1, bytes)
        if step == 2.0**90:
            assert np.isfinite(RECEIVER.decode(hostile)).all()
            continue
        with pytest.raises(BadBody, match="are not those of slfac_rd"):
            RECEIVER.decode(hostile)


def test_a_short_body_cannot_ask_for_a_large_tensor():
    body = bytearray(send(np.zeros((1, 1, 16, 16), np.float32)).body)
    place = bytes(body).index(b"slfac_rd") + len("slfac_rd")
    assert body[place : place + 4] == bytes([1, 1, 16, 16])
    body[place + 2 : place + 4] = b"\x80\x80\x01\x80\x80\x01"[:6]  # 2^14 by 2^14
    whole = bytes(body[:-4])
    with pytest.raises(BadBody):
        RECEIVER.decode(whole + zlib.crc32(whole).to_bytes(4, "little"))
