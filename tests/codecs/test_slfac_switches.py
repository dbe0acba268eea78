"""SL-FAC's entropy stage, its ablations of split and quantiser, and tensors that are no images."""

import numpy as np
import pytest
from codec_oracles import tensor_of

from slfac_sim.codecs import BadBody
from slfac_sim.codecs.kit.bodies import decode
from slfac_sim.codecs.kit.dct import zigzag
from slfac_sim.codecs.kit.maps import folded_shape, maps_of
from slfac_sim.codecs.kit.wire import Sections, seal, unseal
from slfac_sim.codecs.slfac import Form, SlFac, read_header
from slfac_sim.codecs.slfac import tensor_of as back


def send(tensor, **settings):
    return SlFac(**settings).sender("up").encode(tensor)


def splits(payload, groups, coefficients):
    frame = unseal(payload.body)
    form = Form.from_bytes(frame.settings)
    return read_header(Sections(frame.content), form, groups, coefficients).last_low


def spectra_of(maps):
    """Return the coefficients in zig-zag order ([B, C, K], float64), by scipy."""
    from scipy.fft import dctn

    coefficients = dctn(maps.astype(np.float64), axes=(2, 3), norm="ortho").reshape(*maps.shape[:2], -1)
    return coefficients[..., zigzag(*maps.shape[2:])]


@pytest.mark.parametrize("quantiser", ["fqc", "powerquant", "easyquant"])
@pytest.mark.parametrize("scope", ["plane", "channel"])
@pytest.mark.parametrize("entropy", ["zstd", "ans"])
def test_an_entropy_stage_changes_bytes_and_no_value(scope, entropy, quantiser):
    tensor = tensor_of("smooth", (16, 8, 14, 14))
    plain, coded = (send(tensor, scope=scope, quantiser=quantiser, entropy=e) for e in ("none", entropy))
    assert np.array_equal(decode(plain.body), decode(coded.body))
    assert sum(coded.parts.values()) == coded.nbytes < plain.nbytes
    assert 0 < coded.notes["entropy_bound_bytes"] <= plain.parts["symbols"]


def test_ans_comes_near_the_bound():
    payload = send(tensor_of("smooth", (32, 16, 14, 14)), entropy="ans")
    assert payload.parts["symbols"] < 1.05 * payload.notes["entropy_bound_bytes"] + 200


@pytest.mark.parametrize("selection", ["magnitude", "std"])
def test_ablations_split_where_their_own_measure_reaches_theta(selection):
    tensor = tensor_of("smooth", (6, 3, 7, 7))
    found = splits(send(tensor, selection=selection), 18, 49).reshape(6, 3)
    spectra = spectra_of(tensor)
    measure = (
        np.abs(spectra) if selection == "magnitude" else np.broadcast_to(spectra.std(axis=0), (6, 3, 49))
    )
    ratio = np.cumsum(measure, axis=2) / measure.sum(axis=2, keepdims=True)
    at = np.take_along_axis(ratio, found[..., None], axis=2)
    before = np.take_along_axis(ratio, np.maximum(found[..., None] - 1, 0), axis=2)
    assert (at >= 0.9 - 1e-6).all()
    assert ((before < 0.9 + 1e-6) | (found[..., None] == 0)).all()
    assert (found != splits(send(tensor), 18, 49).reshape(6, 3)).any()


RIVALS = pytest.mark.parametrize("quantiser", ["powerquant", "easyquant"])


def bands_of(tensor, payload, scope):
    """Yield a band at a time: its coefficients, those that arrived, and its figure, all in true units."""
    frame = unseal(payload.body)
    form = Form.from_bytes(frame.settings)
    sections = Sections(frame.content)
    sent, arrived = spectra_of(tensor), spectra_of(decode(payload.body))
    if scope == "plane":
        sent, arrived = (each.reshape(1, -1, sent.shape[2]) for each in (sent, arrived))
    header = read_header(sections, form, sent.shape[1], sent.shape[2])
    for group, last_low in enumerate(header.last_low):
        for band, places in enumerate((slice(0, last_low + 1), slice(last_low + 1, None))):
            figure = float(header.ends[group, band, 0]) * 2.0**-form.exponent
            yield sent[:, group, places], arrived[:, group, places], figure, sections.rest


@pytest.mark.parametrize("scope", ["plane", "channel"])
@pytest.mark.parametrize("content", ["smooth", "normal"])
def test_powerquant_in_the_place_of_fqc_keeps_its_formula_in_every_band(scope, content):
    tensor = tensor_of(content, (6, 3, 7, 7))
    for sent, arrived, figure, rest in bands_of(
        tensor, send(tensor, scope=scope, quantiser="powerquant"), scope
    ):
        if not sent.size:
            continue
        largest, levels, power = abs(figure), 15 if figure < 0 else 31, rest[0] / 200
        assert (sent.min() < -1e-6 * largest) <= (figure < 0)
        assert np.abs(sent).max() <= largest * (1 + 1e-5) <= np.abs(sent).max() * 1.002
        steps = levels * (np.abs(sent) / largest) ** power
        wanted = np.sign(sent) * largest * (np.round(steps) / levels) ** (1 / power)
        clear = np.abs(steps % 1 - 0.5) > 1e-3
        assert np.abs(arrived - wanted)[clear].max(initial=0) < 1e-5 * np.abs(tensor).max()


@pytest.mark.parametrize("scope", ["plane", "channel"])
def test_easyquant_in_the_place_of_fqc_keeps_outliers_and_half_a_step(scope):
    tensor = tensor_of("smooth", (24, 3, 14, 14))
    outliers = 0
    for sent, arrived, step, _ in bands_of(tensor, send(tensor, scope=scope, quantiser="easyquant"), scope):
        if not sent.size:
            continue
        away = np.abs(sent - sent.mean()) - 3 * sent.std()
        noise = 1e-5 * np.abs(tensor).max()
        error = np.abs(arrived - sent)
        apart, inside = away > noise, (away < -noise) & (np.abs(sent) <= 15.4 * step)
        assert (error[apart] <= np.abs(sent[apart]) / 2048 + noise).all()
        assert (error[inside] <= step / 2 + noise).all()
        assert np.abs(arrived[away < -noise]).max(initial=0) <= 15 * step + noise
        outliers += apart.sum()
    assert outliers > 20


@RIVALS
def test_a_rival_of_fqc_has_one_width_and_the_same_split(quantiser):
    tensor = tensor_of("normal", (6, 3, 7, 7))
    payload = send(tensor, quantiser=quantiser, b_min=3, b_max=6)
    assert splits(payload, 18, 49).tolist() == splits(send(tensor), 18, 49).tolist()
    assert payload.notes["bits_low"] == payload.notes["bits_high"] == 4
    assert payload.parts["widths"] == 0
    assert 0 <= payload.parts["symbols"] - tensor.size / 2 < 0.02 * tensor.size
    assert "Quant 4 bit for FQC" in SlFac(quantiser=quantiser, b_min=3, b_max=6).label
    with pytest.raises(ValueError, match="needs b_min \\+ b_max of at least 4"):
        SlFac(quantiser=quantiser, b_min=1, b_max=2)


@RIVALS
@pytest.mark.parametrize("header_dtype", ["float16", "float32"])
def test_bands_too_weak_for_their_header_are_zeros(quantiser, header_dtype):
    tensor = tensor_of("normal", (2, 3, 4, 4))
    tensor[:, 1] *= np.float32(1e-42)
    arrived = decode(send(tensor, quantiser=quantiser, header_dtype=header_dtype).body)
    assert not arrived[:, 1].any()
    assert arrived[:, 0].any()


@RIVALS
@pytest.mark.parametrize("b_max", [2, 3, 12, 16])
def test_a_rival_is_never_worse_than_zeros_at_any_width(quantiser, b_max):
    for content in ("normal", "smooth", "sparse"):
        tensor = tensor_of(content, (4, 3, 5, 6))
        tensor[:, 0] *= 1000
        arrived = decode(send(tensor, quantiser=quantiser, b_min=2, b_max=b_max).body)
        assert ((arrived - tensor) ** 2).sum() <= (tensor**2).sum()


@pytest.mark.parametrize("settings", ["30", "10", "14", "20"])
def test_unknown_quantisers_and_two_widths_of_a_rival_are_refused(settings):
    """Flags: quantiser 3; PowerQuant, plain or with ANS; EasyQuant. Widths 2..8, legal with FQC alone."""
    body = seal("slfac", (1, 1, 2, 2), bytes([int(settings, 16), 0x71, 0]), [np.zeros(20, np.uint8)])
    with pytest.raises(BadBody, match="are not SL-FAC's"):
        decode(body)


@pytest.mark.parametrize(
    ("shape", "maps"),
    [
        ((7,), (1, 1, 1, 7)),
        ((4, 9), (4, 1, 1, 9)),
        ((4, 512), (4, 1, 2, 256)),
        ((3, 257), (3, 1, 2, 129)),
        ((1009,), (1, 1, 4, 253)),
        ((3, 10, 5), (3, 5, 10, 1)),
        ((2, 3, 4, 5, 6), (2, 3, 20, 6)),
    ],
)
def test_every_shape_has_maps_and_comes_back(shape, maps):
    tensor = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    assert folded_shape(shape) == maps == maps_of(tensor, maps).shape
    assert maps_of(tensor, maps).sum(dtype=np.float64) == tensor.sum(dtype=np.float64)
    assert np.array_equal(back(maps_of(tensor, maps), shape), tensor)
    arrived = decode(send(tensor, b_min=8).body)
    assert arrived.shape == shape
    assert np.abs(arrived - tensor).max() < 0.05 * tensor.max()


def test_the_dct_of_tokens_runs_along_the_tokens():
    tokens = np.cos(np.pi * (np.arange(32) + 0.5) * 3 / 32)[None, :, None] * np.ones((2, 1, 5))
    assert (splits(send(tokens.astype(np.float32)), 10, 32) == 3).all()
