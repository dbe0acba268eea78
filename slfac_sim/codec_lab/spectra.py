"""Spectra of captured smashed data: where energy lies, in space and in frequency, and where AFD cuts.

It computes with SL-FAC's own transform and split, and draws; it reads no file.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from slfac_sim.analysis.style import FAINT, house_style, look, save, stacked_canvas
from slfac_sim.analysis.text_tables import write_csv
from slfac_sim.analysis.ticks import log_axis
from slfac_sim.codecs import Tensor
from slfac_sim.codecs._slfac.bands import split
from slfac_sim.codecs.kit.dct import forward
from slfac_sim.foundation.errors import BadInput

Floats = NDArray[np.float64]
_LEVELS = (0.1, 0.5, 0.9)  # quantiles over the planes


@dataclass(frozen=True)
class Spectrum:
    """One tensor [batch, channels, h, w] of `step` and `direction`; K = h w, planes without energy left out.

    `mean_energy` [K]: share of the tensor's energy in coefficient k (zig-zag order). `cumulative` [3, K]: 10,
    50 and 90 % quantile over planes of R(k). `cuts` [planes]: k* at `theta`. `kept` [3, 101]: share of the
    energy in the largest 0, 1 ... 100 % of values: in space, in frequency, and of Gaussian noise.
    """

    step: int
    direction: str
    theta: float
    mean_energy: Floats
    cumulative: Floats
    cuts: NDArray[np.int64]
    kept: Floats


def spectrum_of(tensor: Tensor, step: int, direction: str, theta: float) -> Spectrum:
    """Return the spectrum of `tensor`. Raises `BadInput` for anything but small maps with energy."""
    if tensor.ndim != 4 or max(tensor.shape[2:], default=0) > 256 or not np.isfinite(tensor).all():
        raise BadInput(
            f"step {step}, {direction}: expected finite [batch, channels, h, w] (got {list(tensor.shape)})"
        )
    largest = float(np.abs(tensor).max())
    if largest == 0.0:
        raise BadInput(f"step {step}, {direction}: all zeros, which have no spectrum")
    maps = (tensor / np.float32(largest)).reshape(-1, *tensor.shape[2:])
    coefficients = forward(maps)
    energy = np.square(coefficients, dtype=np.float64)
    total = energy.sum(axis=1)
    some = total > 0.0
    ratio = np.cumsum(energy[some], axis=1) / total[some, None]
    cuts = split(coefficients[None, some], theta).last_low
    noise = np.random.default_rng(0).standard_normal(min(tensor.size, 100_000))
    kept = np.stack([_kept(maps), _kept(coefficients), _kept(noise)])
    mean = energy.sum(axis=0) / energy.sum()
    return Spectrum(step, direction, theta, mean, np.quantile(ratio, _LEVELS, axis=0), cuts, kept)


def _kept(values: NDArray[np.floating[Any]]) -> Floats:
    """Return the share of the energy in the largest 0, 1 ... 100 % of `values`."""
    energy = np.sort(np.square(values, dtype=np.float64).reshape(-1))[::-1]
    running = np.concatenate([[0.0], np.cumsum(energy)])
    places = np.rint(np.linspace(0.0, energy.size, 101)).astype(np.int64)
    shares: Floats = running[places] / running[-1]
    return shares


def draw(spectra: Sequence[Spectrum], title: str, out: Path) -> list[Path]:
    """Draw ``spectra`` and ``compaction`` into `out`, each with its table; return the files."""
    files: list[Path] = []
    with house_style():
        for name, figure in (
            ("spectra", spectra_figure(spectra, title)),
            ("compaction", compaction_figure(spectra, title)),
        ):
            files += save(figure, out, name)
    files.append(write_csv(_spectrum_rows(spectra), out / "spectra.csv"))
    return [*files, write_csv(_kept_rows(spectra), out / "compaction.csv")]


def _spectrum_rows(spectra: Sequence[Spectrum]) -> Iterator[dict[str, Any]]:
    for spectrum in spectra:
        cut_at = np.bincount(spectrum.cuts, minlength=spectrum.mean_energy.size)
        for k, energy in enumerate(spectrum.mean_energy):
            quantiles = {
                f"cumulative_{100 * q:.0f}": float(r)
                for q, r in zip(_LEVELS, spectrum.cumulative[:, k], strict=True)
            }
            place = {"step": spectrum.step, "direction": spectrum.direction, "k": k}
            yield {**place, "energy_share": float(energy), **quantiles, "planes_cut_here": int(cut_at[k])}


def _kept_rows(spectra: Sequence[Spectrum]) -> Iterator[dict[str, Any]]:
    for spectrum in spectra:
        for percent, shares in enumerate(spectrum.kept.T):
            names = ("in_space", "in_frequency", "gaussian")
            kept = {name: float(share) for name, share in zip(names, shares, strict=True)}
            yield {"step": spectrum.step, "direction": spectrum.direction, "largest_percent": percent, **kept}


def _of(spectra: Sequence[Spectrum], direction: str) -> list[Spectrum]:
    return [spectrum for spectrum in spectra if spectrum.direction == direction]


_WORDS = {"up": "activations, up", "down": "gradients, down"}


def spectra_figure(spectra: Sequence[Spectrum], title: str) -> Figure:
    """Return the figure of cumulative energies and cuts; it is called inside `house_style`."""
    ways = [way for way in _WORDS if _of(spectra, way)]
    figure, panels = stacked_canvas(2 * len(ways), 32.0, legend_rows=4)
    for way, (above, below) in zip(ways, zip(panels[::2], panels[1::2], strict=True), strict=True):
        for index, spectrum in enumerate(_of(spectra, way)):
            _cumulative(above, spectrum, index)
            _cuts(below, spectrum, index)
        above.axhline(spectra[0].theta, color="black", linewidth=0.6, linestyle=":")
        above.set_title(f"{_WORDS[way]}: cumulative energy R(k)", loc="left", fontsize=7.0)
        theta = f"theta {spectra[0].theta:g}"
        below.set_title(f"{_WORDS[way]}: where AFD cuts at {theta}", loc="left", fontsize=7.0)
        above.set_ylabel("of the energy")
        below.set_ylabel("planes (%)")
        below.set_xlabel("k, zig-zag order")
        above.set_ylim(0.0, 1.02)
    handles, labels = panels[0].get_legend_handles_labels()
    heading = f"{title}\nlines and marks: medians of planes; bands: 10 to 90 %"
    figure.legend(handles, labels, loc="outside upper left", ncols=3, title=heading, alignment="left")
    return figure


def _cumulative(axes: Axes, spectrum: Spectrum, index: int) -> None:
    low, middle, high = spectrum.cumulative
    k, style = np.arange(middle.size), look(index)
    axes.fill_between(k, low, high, color=style.colour, alpha=0.18, linewidth=0.0)
    axes.plot(k, middle, color=style.colour, linestyle=style.dashes, label=f"step {spectrum.step}")
    axes.grid(linewidth=0.4, color=FAINT)


def _cuts(axes: Axes, spectrum: Spectrum, index: int) -> None:
    counts = np.bincount(spectrum.cuts, minlength=spectrum.mean_energy.size)
    share = 100.0 * counts / max(spectrum.cuts.size, 1)
    style = look(index)
    axes.step(
        np.arange(share.size), share, where="mid", color=style.colour, linestyle=style.dashes, linewidth=1.0
    )
    axes.plot(
        float(np.median(spectrum.cuts)), 0.0, style.marker, color=style.colour, clip_on=False, markersize=4.0
    )
    axes.set_ylim(bottom=0.0)


def compaction_figure(spectra: Sequence[Spectrum], title: str) -> Figure:
    """Return the figure of the energy in the largest values; it is called inside `house_style`."""
    ways = [way for way in _WORDS if _of(spectra, way)]
    figure, panels = stacked_canvas(len(ways), 44.0, legend_rows=4)
    percent = np.arange(101)
    for way, axes in zip(ways, panels, strict=True):
        for index, spectrum in enumerate(_of(spectra, way)):
            space, frequency, _ = spectrum.kept
            colour = look(index).colour
            step = f"step {spectrum.step}"
            axes.plot(percent, 1.0 - space, color=colour, label=f"{step}, in space")
            axes.plot(percent, 1.0 - frequency, "--", color=colour, label=f"{step}, in frequency")
        axes.plot(percent, 1.0 - _of(spectra, way)[0].kept[2], ":", color="black", label="Gaussian noise")
        log_axis(axes.yaxis)
        axes.set_ylim(1e-4, 1.0)
        axes.set_title(_WORDS[way], loc="left", fontsize=7.0)
        axes.set_ylabel("energy lost")
        axes.set_xlabel("largest values kept (%)")
        axes.grid(linewidth=0.4, color=FAINT)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper left", ncols=2, title=title, alignment="left")
    return figure
