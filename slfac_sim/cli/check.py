"""`check`: say what a scenario or a study would run, without training."""

import argparse
import json
import math
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from slfac_sim.analysis.format import count
from slfac_sim.cli._common import about, add_scenario_arguments, print_table, read_scenario
from slfac_sim.foundation.errors import BadInput

if TYPE_CHECKING:
    from slfac_sim.forecast.forecast import Forecast
    from slfac_sim.network import Survey
    from slfac_sim.scenario.schema import Scenario


@dataclass(frozen=True)
class Host:
    """What a run takes of this host: seconds by what they are for, on so many threads."""

    threads: int
    parts_s: Mapping[str, float]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the scenario and the form of the answer."""
    add_scenario_arguments(parser)
    parser.add_argument(
        "--figures", type=Path, metavar="DIR", help="draw the map and the links' rates into this folder"
    )
    parser.add_argument(
        "--cuts", action="store_true", help="tell of every cut of the model what a round would take with it"
    )
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")


def main(arguments: argparse.Namespace) -> int:
    """Print the forecast."""
    from slfac_sim.runs.starting import import_torch, set_threads
    from slfac_sim.studies.files import is_study

    os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # threads that wait busily would double its CPU time
    if is_study(arguments.scenario):
        from slfac_sim.cli._study import tell_study

        import_torch()
        tell_study(arguments)
        return 0
    scenario = read_scenario(arguments)
    import_torch()
    from slfac_sim.forecast.forecast import forecast
    from slfac_sim.forecast.host import host_seconds
    from slfac_sim.runs.opening import ready
    from slfac_sim.simulation.simulate import check_air

    threads = set_threads(None)
    if arguments.cuts:
        from slfac_sim.cli._cuts import tell_cuts

        check_air(scenario)
        tell_cuts(scenario, arguments.figures, arguments.json)
        return 0
    world, survey = ready(scenario)
    scenario = world.scenario
    figures = forecast(world, survey)
    host = Host(threads, host_seconds(world))
    if arguments.json:
        more = {
            "round_s": figures.round.seconds,
            "bottleneck": figures.bottleneck,
            "host_s": host.parts_s,
            "threads": threads,
        }
        print(json.dumps(_finite({**asdict(figures), **more}), indent=2))
    else:
        _print(scenario, figures, host)
    if arguments.figures is not None:
        _draw(scenario, figures.survey, arguments.figures, sys.stderr if arguments.json else sys.stdout)
    return 0


def _draw(scenario: "Scenario", survey: "Survey", folder: Path, report: TextIO) -> None:
    """Draw what can be seen of the air before a run, and tell the pictures on `report`."""
    from slfac_sim.analysis.draw import draw_air
    from slfac_sim.simulation.simulate import air_rows

    try:
        files = draw_air(scenario.name, air_rows(survey), folder)
    except OSError as error:
        raise BadInput(f"--figures {folder}: cannot be written ({error.strerror})") from error
    for path in files:
        if path.suffix == ".png":
            print(f"figure: {path}", file=report)


def _print(scenario: "Scenario", figures: "Forecast", host: Host) -> None:
    parts = _learning(scenario, figures), _traffic(scenario, figures), _air(figures), _host(figures, host)
    print_table(f"{scenario.name}: what will run", [line for part in parts for line in part], "ll")
    for remark in figures.remarks:
        print(f"note: {remark}")


def _learning(scenario: "Scenario", figures: "Forecast") -> Iterator[tuple[str, str]]:
    from slfac_sim.foundation.plugins import kind_of

    batch = scenario.learning.batch
    yield "data", f"{kind_of(scenario.data)}: {figures.samples:,} samples, {kind_of(scenario.partition)}"
    yield "samples a device", _counts(figures.samples_per_device)
    yield "classes a device", _counts(figures.classes_per_device)
    yield "devices", f"{figures.devices}, batch {batch}, {figures.steps_per_round:g} steps a round"
    yield "rounds", f"{scenario.protocol.rounds}, {kind_of(scenario.protocol)}"
    yield "speeds, GFLOP/s", _three([speed / 1e9 for speed in figures.speeds])
    yield "model", f"{kind_of(scenario.model)}, {_cut(scenario, figures)}"
    yield (
        "parameters",
        f"{figures.device_parameters:,} on a device, {figures.server_parameters:,} on the server",
    )
    work = f"{figures.device_flops / 1e6:,.1f} on a device, {figures.server_flops / 1e6:,.1f} on the server"
    yield "MFLOP per sample", work
    memory = figures.device_memory
    parts = ", ".join(f"{part} {nbytes / 1e6:,.3g}" for part, nbytes in memory.items() if part != "total")
    if parts:
        yield "memory on a device, MB", f"{memory['total'] / 1e6:,.3g} ({parts})"


def _cut(scenario: "Scenario", figures: "Forecast") -> str:
    if not figures.smashed_shape:
        return "whole"
    from slfac_sim.forecast.cuts import in_words

    return f"cut after {in_words(scenario.cut)}: {' x '.join(map(str, figures.smashed_shape))} smashed"


def _traffic(scenario: "Scenario", figures: "Forecast") -> Iterator[tuple[str, str]]:
    raw, sent = figures.uncompressed, figures.compressed
    if raw.up:
        yield from _crossing(scenario, figures)
    if raw.labels:
        yield "labels", f"leave the devices: {raw.labels} bytes a device-step, readable by the server"
    else:
        yield (
            "labels",
            "stay on the devices" if figures.device_parameters else "lie on the server, as all data",
        )
    if raw.model:
        part = "device half" if raw.up else "model"
        each = f"{sent.model:,} bytes up a device and round, {sent.model_down:,} down"
        same = (sent.model, sent.model_down) == (raw.model, raw.model_down)
        yield part, each if same else f"{each} by the codec; {raw.model:,} uncompressed"


def _crossing(scenario: "Scenario", figures: "Forecast") -> Iterator[tuple[str, str]]:
    from slfac_sim.ledger.summary import codec_label

    raw, sent = figures.uncompressed, figures.compressed
    up, down = raw.smashed_up + raw.middle_up, raw.smashed_down + raw.middle_down
    yield "codec", codec_label(scenario.codec)
    yield "bytes per device-step", f"{up:,} up, {down:,} down, uncompressed"
    up, down = sent.smashed_up + sent.middle_up, sent.smashed_down + sent.middle_down
    yield "", f"{up:,} up, {down:,} down by the codec (first batch, initial weights)"
    labels = ", labels included" if raw.labels else ""
    yield "bytes per cohort step", f"{figures.devices * (raw.up + raw.down):,} uncompressed{labels}"


def _air(figures: "Forecast") -> Iterator[tuple[str, str]]:
    from slfac_sim.forecast.forecast import link_figures

    names = {
        "distance_m": ("distance, m", 1.0),
        "up_snr_db": ("SNR up, dB", 1.0),
        "down_snr_db": ("SNR down, dB", 1.0),
        "up_rate_bps": ("rate up alone, Mbit/s", 1e-6),
        "down_rate_bps": ("rate down alone, Mbit/s", 1e-6),
    }
    survey = figures.survey
    yield "medium", f"{survey.medium}, {_duplex(survey)}"
    shares = {"up_rate_bps": survey.up_share, "down_rate_bps": survey.down_share}
    for name, levels in link_figures(survey.links).items():
        title, scale = names[name]
        yield title, _three([level * scale * shares.get(name, 1.0) for level in levels])
    sent = figures.compressed.up or figures.compressed.model
    for way, one in figures.together.items() if sent else ():
        yield f"rate {way} all at once, Mbit/s", _three([rate / 1e6 for rate in one.rates_bps])
        what = "a mini-batch" if figures.uncompressed.up else "a model"
        yield "", f"{what} {way} of every device: {_seconds(one.through_s)}"
    if figures.survey.redraws:
        yield "positions redrawn", f"{figures.survey.redraws} had no coverage"
    yield from _round(figures)


def _round(figures: "Forecast") -> Iterator[tuple[str, str]]:
    """Say what is foretold of a round: its time and what that is for, or why it is not."""
    foretold, without = figures.round, figures.round_uncompressed
    if foretold.parts_s is None:
        yield "a round", f"{'never ends' if foretold.endless else 'no forecast'}: {foretold.reason}"
        return
    uncompressed = "" if without.seconds is None else f" (uncompressed {_seconds(without.seconds)})"
    yield "a round", f"about {_seconds(foretold.seconds or 0.0)}{uncompressed}"
    told = sorted(foretold.parts_s.items(), key=lambda of: -of[1])
    parts = ", ".join(f"{part} {_seconds(seconds)}" for part, seconds in told if seconds > 0.0)
    yield "bottleneck", f"{figures.bottleneck} (of the round: {parts})"


def _duplex(survey: "Survey") -> str:
    if survey.duplex == "half":
        return "half duplex: one band for both ways"
    up, down = f"{100 * survey.up_share:.3g} % of the time up", f"{100 * survey.down_share:.3g} % down"
    return f"{survey.duplex}: {up}, {down}"


def _host(figures: "Forecast", host: Host) -> Iterator[tuple[str, str]]:
    yield "work on this host", f"{figures.total_flops / 1e12:,.2f} TFLOP, evaluations included"
    yield "time on this host", f"about {about(sum(host.parts_s.values()))} on {count(host.threads, 'thread')}"
    yield "", ", ".join(f"{part} {about(seconds)}" for part, seconds in host.parts_s.items())
    yield "memory on this host", f"about {figures.memory_bytes / 1e9:.2f} GB at the peak"


def _counts(values: Sequence[int]) -> str:
    from slfac_sim.forecast.forecast import spread

    return "min {:,.0f}, median {:,.0f}, max {:,.0f}".format(*spread(values))


def _seconds(seconds: float) -> str:
    return f"{seconds:,.2f} s" if math.isfinite(seconds) else "for ever: a device has no coverage"


def _three(values: Sequence[float]) -> str:
    from slfac_sim.forecast.forecast import spread

    return "min {:,.2f}, median {:,.2f}, max {:,.2f}".format(*spread(values))


def _finite(value: Any) -> Any:
    """Return `value` with infinities (the SNR of an ideal link) as null, since JSON has none."""
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
