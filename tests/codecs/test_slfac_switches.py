"""SL-FAC's entropy stage, its ablations of the split, and tensors that are no images."""

import numpy as np
import pytest
from codec_oracles import tensor_of

from slfac_sim.codecs._slfac_maps import map_shape, maps_of
from slfac_sim.codecs._slfac_maps import tensor_of as back
from slfac_sim.codecs._slfac_wire import Form, read_header
from slfac_sim.codecs._wire import Sections, unseal
from slfac_sim.codecs.slfac import SlFac, decode


def send(tensor, **settings):
    return SlFac(**settings).sender("up").encode(tensor)


def splits(payload, groups, coefficients):
    frame = unseal(payload.body)
    form = Form.from_bytes(frame.settings)
    return read_header(Sections(frame.content), form, groups, coefficients).last_low


@pytest.mark.parametrize("scope", ["plane", "channel"])
@pytest.mark.parametrize("entropy", ["zstd", "ans"])
def test_an_entropy_stage_changes_bytes_and_no_value(scope, entropy):
    tensor = tensor_of("smooth", (16, 8, 14, 14))
    plain, coded = send(tensor, scope=scope), send(tensor, scope=scope, entropy=entropy)
    assert np.array_equal(decode(plain.body), decode(coded.body))
    assert sum(coded.parts.values()) == coded.nbytes < plain.nbytes
    assert 0 < coded.notes["entropy_bound_bytes"] <= plain.parts["symbols"]


def test_ans_comes_near_the_bound():
    payload = send(tensor_of("smooth", (32, 16, 14, 14)), entropy="ans")
    assert payload.parts["symbols"] < 1.05 * payload.notes["entropy_bound_bytes"] + 200


@pytest.mark.parametrize("selection", ["magnitude", "std"])
def test_ablations_split_where_their_own_measure_reaches_theta(selection):
    from scipy.fft import dctn

    from slfac_sim.codecs._dct import zigzag

    tensor = tensor_of("smooth", (6, 3, 7, 7))
    found = splits(send(tensor, selection=selection), 18, 49).reshape(6, 3)
    spectra = dctn(tensor.astype(np.float64), axes=(2, 3), norm="ortho").reshape(6, 3, 49)[..., zigzag(7, 7)]
    measure = (
        np.abs(spectra) if selection == "magnitude" else np.broadcast_to(spectra.std(axis=0), (6, 3, 49))
    )
    ratio = np.cumsum(measure, axis=2) / measure.sum(axis=2, keepdims=True)
    at = np.take_along_axis(ratio, found[..., None], axis=2)
    before = np.take_along_axis(ratio, np.maximum(found[..., None] - 1, 0), axis=2)
    assert (at >= 0.9 - 1e-6).all()
    assert ((before < 0.9 + 1e-6) | (found[..., None] == 0)).all()
    assert (found != splits(send(tensor), 18, 49).reshape(6, 3)).any()


@pytest.mark.parametrize(
    ("shape", "maps"),
    [
        ((7,), (1, 1, 1, 7)),
        ((4, 9), (4, 1, 1, 9)),
        ((4, 512), (4, 1, 2, 256)),
        ((3, 10, 5), (3, 5, 10, 1)),
        ((2, 3, 4, 5, 6), (2, 3, 20, 6)),
    ],
)
def test_every_shape_has_maps_and_comes_back(shape, maps):
    tensor = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    assert map_shape(shape) == maps == maps_of(tensor).shape
    assert np.array_equal(back(maps_of(tensor), shape), tensor)
    arrived = decode(send(tensor, b_min=8).body)
    assert arrived.shape == shape
    assert np.abs(arrived - tensor).max() < 0.05 * tensor.max()


def test_the_dct_of_tokens_runs_along_the_tokens():
    tokens = np.cos(np.pi * (np.arange(32) + 0.5) * 3 / 32)[None, :, None] * np.ones((2, 1, 5))
    assert (splits(send(tokens.astype(np.float32)), 10, 32) == 3).all()
