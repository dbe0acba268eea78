"""`check`: say what a scenario would run, without training."""

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

from slfac_sim.cli._common import add_scenario_arguments, read_scenario

if TYPE_CHECKING:
    from slfac_sim.forecast import Forecast
    from slfac_sim.scenario import Scenario


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the scenario and the form of the answer."""
    add_scenario_arguments(parser)
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")


def main(arguments: argparse.Namespace) -> int:
    """Print the forecast."""
    scenario = read_scenario(arguments)
    from slfac_sim.forecast import forecast
    from slfac_sim.names import SERVER, device_names
    from slfac_sim.run import set_threads

    survey = scenario.network.survey(device_names(scenario.devices.count), SERVER, scenario.seed.air)
    set_threads(None)
    from slfac_sim.build import build

    figures = forecast(build(scenario), survey)
    if arguments.json:
        print(json.dumps({**asdict(figures), "bottleneck": figures.bottleneck}, indent=2))
    else:
        _print(scenario, figures)
    return 0


def _print(scenario: "Scenario", figures: "Forecast") -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"{scenario.name}: what will run", title_justify="left", show_header=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    for name, value in [*_learning(scenario, figures), *_air(figures), *_host(figures)]:
        table.add_row(name, value)
    console = Console()
    console.print(table)
    for remark in figures.survey.remarks:
        console.print(f"note: {remark}", highlight=False)


def _learning(scenario: "Scenario", figures: "Forecast") -> Iterator[tuple[str, str]]:
    from slfac_sim.foundation.plugins import kind_of
    from slfac_sim.summary import codec_label

    batch, shape = scenario.learning.batch, " x ".join(map(str, figures.smashed_shape))
    raw, sent = figures.uncompressed, figures.compressed
    yield "data", f"{kind_of(scenario.data)}: {figures.samples:,} samples, {kind_of(scenario.partition)}"
    yield "devices", f"{figures.devices}, batch {batch}, {figures.steps_per_round:g} steps a round"
    yield "speeds, GFLOP/s", _three([speed / 1e9 for speed in figures.speeds])
    yield "model", f"{kind_of(scenario.model)}, cut after {scenario.cut}: {shape} smashed"
    yield (
        "parameters",
        f"{figures.device_parameters:,} on a device, {figures.server_parameters:,} on the server",
    )
    work = f"{figures.device_flops / 1e6:,.1f} on a device, {figures.server_flops / 1e6:,.1f} on the server"
    yield "MFLOP per sample", work
    both = raw.smashed_up + raw.smashed_down
    cohort = figures.devices * (both + raw.labels)
    yield (
        "bytes per step, uncompressed",
        f"{raw.smashed_up:,} up + {raw.smashed_down:,} down a device; {cohort:,} the cohort",
    )
    yield (
        f"bytes per step, {codec_label(scenario)}",
        f"{sent.smashed_up:,} up + {sent.smashed_down:,} down a device (first batch, initial weights)",
    )
    yield "labels leave the devices", f"{sent.labels} bytes a device and step, not encrypted or hidden"
    yield "device half, model exchange", f"{sent.model:,} bytes each way"


def _air(figures: "Forecast") -> Iterator[tuple[str, str]]:
    from slfac_sim.forecast import link_figures

    names = {
        "distance_m": ("distance, m", 1.0),
        "up_snr_db": ("SNR up, dB", 1.0),
        "down_snr_db": ("SNR down, dB", 1.0),
        "up_rate_bps": ("rate up, Mbit/s", 1e-6),
        "down_rate_bps": ("rate down, Mbit/s", 1e-6),
    }
    for name, (low, middle, high) in link_figures(figures.survey.links).items():
        title, scale = names[name]
        yield title, _three([low * scale, middle * scale, high * scale])
    if figures.survey.redraws:
        yield "positions redrawn", f"{figures.survey.redraws} had no coverage"
    for part, seconds in figures.round_s.items():
        yield (
            f"a round's {part}",
            f"{seconds:,.2f} s (uncompressed {figures.round_s_uncompressed[part]:,.2f} s)",
        )
    bound_s = figures.round_s[figures.bottleneck]
    yield "bottleneck", f"{figures.bottleneck}: no round can be shorter than {bound_s:,.2f} s"


def _host(figures: "Forecast") -> Iterator[tuple[str, str]]:
    yield "work on this host", f"{figures.total_flops / 1e12:,.2f} TFLOP, evaluations included"
    yield "memory on this host", f"about {figures.memory_bytes / 1e9:.2f} GB at the peak"


def _three(values: "list[float]") -> str:
    from slfac_sim.forecast import spread

    return "min {:,.2f}, median {:,.2f}, max {:,.2f}".format(*spread(values))
