"""What the codec tests share: tensors of every sort, and independent readings of the definitions."""

import numpy as np
from hypothesis import strategies as st
from scipy.fft import dctn
from scipy.ndimage import gaussian_filter

from slfac_sim.codecs.kit.wire import Sections, unseal
from slfac_sim.codecs.slfac import Form, Header, read_header

CONTENTS = (
    "normal", "sparse", "constant", "zero", "some planes zero", "smooth", "one spike", "wide range", "two",
)  # fmt: skip


def zigzag_walk(height, width):
    """Walk the diagonals as JPEG does: the first step goes right, even diagonals run upwards."""
    walk = []
    for diagonal in range(height + width - 1):
        cells = [(r, diagonal - r) for r in range(height) if 0 <= diagonal - r < width]
        walk += [r * width + c for r, c in (cells if diagonal % 2 else reversed(cells))]
    return walk


def tensor_of(content, shape, scale=1.0, seed=0):
    rng = np.random.default_rng(seed)
    values = rng.standard_normal(shape)
    if content == "sparse":
        values = np.maximum(values - 1.0, 0.0)
    elif content == "constant":
        values = np.full(shape, 0.7)
    elif content == "zero":
        values = np.zeros(shape)
    elif content == "some planes zero":
        values *= rng.integers(0, 2, (*shape[:2], *(1 for _ in shape[2:])))
    elif content == "smooth":
        values = smooth(shape, rng)
    elif content == "one spike":
        values = np.zeros(shape)
        values.flat[rng.integers(values.size)] = -3.0
    elif content == "wide range":
        values *= 10.0 ** rng.uniform(-25, 0, shape)
    elif content == "two":
        values = np.where(values > 1.0, 3.0, -1e-3)
    return (values * scale).astype(np.float32)


def smooth(shape, rng):
    """Look like activations of about 4 rms: smooth maps, half of each cut to zero by a ReLU."""
    maps = gaussian_filter(rng.standard_normal(shape), sigma=[float(axis > 1) for axis in range(len(shape))])
    return np.maximum(14.0 * maps, 0.0)


FORMS = {"maps": (4, 4, 11, 11), "tokens": (4, 9, 17), "features": (5, 40)}


@st.composite
def tensors(draw, forms=("maps",), exponents=(-12, 12)):
    shape = tuple(draw(st.integers(1, most)) for most in FORMS[draw(st.sampled_from(forms))])
    scale = 10.0 ** draw(st.integers(*exponents))
    return tensor_of(draw(st.sampled_from(CONTENTS)), shape, scale, draw(st.integers(0, 99)))


def spectra_of(tensor, scope):
    """Return the coefficients in zig-zag order, float64: [samples, groups, K]."""
    batch, _, height, width = tensor.shape
    spectra = dctn(tensor.astype(np.float64), axes=(2, 3), norm="ortho")
    samples = batch if scope == "channel" else 1
    return spectra.reshape(samples, -1, height * width)[:, :, zigzag_walk(height, width)]


def header_of(body):
    """Return (form, header) of an SL-FAC body; the ends are in the units of the tensor."""
    frame = unseal(body, "slfac")
    form = Form.from_bytes(frame.settings)
    _, groups, coefficients = form.arrange(frame.shape)
    header = read_header(Sections(frame.content), form, groups, coefficients)
    ends = header.ends.astype(np.float64) * 2.0**-form.exponent
    return form, Header(header.last_low, header.bits, ends)
