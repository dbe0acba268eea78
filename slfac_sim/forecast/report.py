"""A forecast, and the cuts of a model, as `check` prints them. It computes nothing."""

import math
from collections.abc import Iterable, Iterator, Sequence
from statistics import median
from typing import Any

from slfac_sim.analysis.bottleneck import WIRES
from slfac_sim.analysis.format import about, count, fixed_percent, listed, share
from slfac_sim.forecast.cuts import Cut, Mixture, in_words
from slfac_sim.forecast.forecast import Forecast
from slfac_sim.forecast.host import HostTime
from slfac_sim.forecast.wires import (
    air_before,
    capacities,
    graph_lines,
    limit_lines,
    limiting_wires,
    route_lines,
)
from slfac_sim.foundation.json_values import json_value
from slfac_sim.foundation.plugins import kind_of
from slfac_sim.ledger.summary import codec_label
from slfac_sim.network import Survey
from slfac_sim.scenario.schema import Scenario

Line = tuple[str, str]
_RATE_UNITS = {"Mbit/s": 1e6, "kbit/s": 1e3, "bit/s": 1.0}


def facts_of(figures: Forecast, host: HostTime, threads: int) -> Any:
    """Return the forecast, and the time that a run takes of this host on so many `threads`, for JSON."""
    facts = json_value(figures)
    survey = facts["survey"]
    for link in survey["links"] if not figures.survey.wires else ():  # there is one server, and one latency
        del link["server"], link["latency_s"]
    survey["latency_s"] = figures.survey.latency_s
    if figures.survey.wires:
        air_bps = air_before(figures.survey)
        facts["wires"] = [
            {"link": link, "capacity_bps": capacity_bps, "air_bps": air_bps.get(link, 0.0)}
            for link, capacity_bps in capacities(figures.survey).items()
        ]
    more = {"round_s": figures.round.seconds, "bottleneck": figures.bottleneck}
    of_host = {"host_s": host.parts_s, "host_cpu_s": host.cpu_s}
    return json_value({**facts, **more, **of_host, "threads": threads})


def lines_of(scenario: Scenario, figures: Forecast, host: HostTime, threads: int) -> Iterator[Line]:
    """Yield what will run, what it sends, over which air, and what it takes of this host."""
    yield from _learning(scenario, figures)
    yield from _traffic(scenario, figures)
    yield from _air(figures)
    yield from _round(figures)
    yield "work on this host", f"{figures.total_flops / 1e12:,.2f} TFLOP, evaluations included"
    of_cpu = f", {about(host.cpu_s)} of CPU" if threads > 1 else ""
    yield "time on this host", f"about {about(host.seconds)} on {count(threads, 'thread')}{of_cpu}"
    yield "", ", ".join(f"{part} {about(seconds)}" for part, seconds in host.parts_s.items())
    yield "memory on this host", f"about {figures.memory_bytes / 1e9:.2f} GB at the peak"


def _learning(scenario: Scenario, figures: Forecast) -> Iterator[Line]:
    batch = scenario.learning.batch
    held_out = f", {figures.held_out:,} held out" if figures.held_out else ""
    yield (
        "data",
        f"{kind_of(scenario.data)}: {figures.samples:,} samples{held_out}, {kind_of(scenario.partition)}",
    )
    yield "samples a device", _spread(figures.samples_per_device, decimals=0)
    yield "classes a device", _spread(figures.classes_per_device, decimals=0)
    yield "devices", f"{figures.devices}, batch {batch}, {figures.steps_per_round:g} steps a round"
    until = scenario.learning.until
    rounds, ending = str(scenario.protocol.rounds), ""
    if until is not None:
        rounds, ending = f"at most {rounds}", f"; until {until.in_words()}"
    yield "rounds", f"{rounds}, {kind_of(scenario.protocol)}{ending}"
    yield "speeds, GFLOP/s", _spread([speed / 1e9 for speed in figures.speeds])
    yield "model", f"{kind_of(scenario.model)}, {_cut(scenario, figures)}"
    yield "parameters", _both(f"{figures.device_parameters:,}", f"{figures.server_parameters:,}")
    flops = figures.device_flops, figures.server_flops
    yield "MFLOP per sample", _both(*(f"{each / 1e6:,.1f}" for each in flops))
    memory = figures.device_memory
    parts = ", ".join(f"{part} {nbytes / 1e6:,.3g}" for part, nbytes in memory.items() if part != "total")
    if parts:
        yield "memory on a device, MB", f"{memory['total'] / 1e6:,.3g} ({parts})"


def _both(on_device: str, on_server: str) -> str:
    return f"{on_device} on a device, {on_server} on the server"


def _cut(scenario: Scenario, figures: Forecast) -> str:
    if not figures.smashed_shape:
        return "whole"
    return f"cut after {in_words(scenario.cut)}: {_shape(figures.smashed_shape)} smashed"


def _shape(shape: Sequence[int]) -> str:
    return " x ".join(map(str, shape))


def _traffic(scenario: Scenario, figures: Forecast) -> Iterator[Line]:
    raw, sent = figures.uncompressed, figures.compressed
    if raw.up:
        yield from _crossing(scenario, figures)
    if raw.labels:
        yield "labels", f"leave the devices: {raw.labels} bytes a device-step, readable by the server"
    else:
        on_devices = figures.device_parameters
        yield "labels", "stay on the devices" if on_devices else "lie on the server, as all data"
    if raw.model:
        part = "device half" if raw.up else "model"
        each = f"{sent.model:,} bytes up a device and round, {sent.model_down:,} down"
        same = (sent.model, sent.model_down) == (raw.model, raw.model_down)
        yield part, each if same else f"{each} by the codec; {raw.model:,} uncompressed"
    if raw.edge_up:
        yield "model of an edge", f"{sent.edge_up:,} bytes up to the cloud, {sent.edge_down:,} down"


def _crossing(scenario: Scenario, figures: Forecast) -> Iterator[Line]:
    raw, sent = figures.uncompressed, figures.compressed
    up, down = raw.smashed_up + raw.middle_up, raw.smashed_down + raw.middle_down
    yield "codec", codec_label(scenario.codec)
    yield "bytes per device-step", f"{up:,} up, {down:,} down, uncompressed"
    up, down = sent.smashed_up + sent.middle_up, sent.smashed_down + sent.middle_down
    yield "", f"{up:,} up, {down:,} down by the codec (first batch, initial weights)"
    labels = ", labels included" if raw.labels else ""
    yield "bytes per cohort step", f"{figures.devices * (raw.up + raw.down):,} uncompressed{labels}"


def _air(figures: Forecast) -> Iterator[Line]:
    survey, links = figures.survey, figures.survey.links
    yield from _titled("medium", _media(survey))
    if any(link.distance_m for link in links):  # there are places
        yield "distance, m", _spread([link.distance_m for link in links])
    for way, snrs_db in (
        ("up", [link.up_snr_db for link in links]),
        ("down", [link.down_snr_db for link in links]),
    ):
        if any(map(math.isfinite, snrs_db)):
            yield f"SNR {way}, dB", _spread(snrs_db)
    networks = list(survey.access.values()) or [survey]
    shares = {link.device: (one.up_share, one.down_share) for one in networks for link in one.links}
    up_bps = [link.up_rate_bps * shares[link.device][0] for link in links]
    down_bps = [link.down_rate_bps * shares[link.device][1] for link in links]
    yield _rates("rate up alone", up_bps)
    yield _rates("rate down alone", down_bps)
    sizes = figures.compressed
    sent = {"up": sizes.up or sizes.model, "down": sizes.down or sizes.model_down}
    for way, rush in figures.together.items():
        if not sent[way]:
            continue
        yield _rates(f"rate {way} all at once", rush.rates_bps)
        payload = "a mini-batch" if figures.uncompressed.up else "a model"
        yield "", f"{payload} {way} of every device: {_seconds(rush.through_s)}"
        if rush.lost:
            yield "", f"of these {len(rush.rates_bps)} transfers {rush.lost} lost, by one draw"
    if survey.redraws:
        yield "positions redrawn", f"{survey.redraws} had no coverage"
    if survey.wires:
        yield from _titled("graph", graph_lines(survey))
        yield from _titled("routes", route_lines(survey))
        yield from _titled("limits all at once", limit_lines(survey, figures.together))


def _titled(title: str, lines: Iterable[str]) -> Iterator[Line]:
    """Yield `lines` with the title before the first."""
    for number, line in enumerate(lines):
        yield "" if number else title, line


def _media(survey: Survey) -> Iterator[str]:
    """Yield the media, each once with the access networks that have it, where there are several."""
    if not survey.access:
        yield f"{survey.medium}, {_duplex(survey)}"
    names: dict[str, list[str]] = {}
    for name, one in survey.access.items():
        names.setdefault(f"{one.medium}, {_duplex(one)}", []).append(name)
    for medium, alike in names.items():
        yield f"{listed(alike)}: {medium}"


def _duplex(survey: Survey) -> str:
    if survey.duplex == "half":
        return "half duplex: one band for both ways"
    up, down = f"{share(survey.up_share, 3)} of the time up", f"{share(survey.down_share, 3)} down"
    return f"{survey.duplex}: {up}, {down}"


def _round(figures: Forecast) -> Iterator[Line]:
    """Yield the time of a round and what it is for, or why there is no forecast of it."""
    coded, uncompressed = figures.round, figures.round_uncompressed
    if coded.parts_s is None:
        yield "a round", f"{'never ends' if coded.endless else 'no forecast'}: {coded.reason}"
        return
    without = "" if uncompressed.seconds is None else f" (uncompressed {_seconds(uncompressed.seconds)})"
    yield "a round", f"about {_seconds(coded.seconds or 0.0)}{without}"
    longest_first = sorted(coded.parts_s.items(), key=lambda part: -part[1])
    parts = ", ".join(f"{part} {_seconds(seconds)}" for part, seconds in longest_first if seconds > 0.0)
    yield "bottleneck", f"{figures.bottleneck}{_which(figures)} (of the round: {parts})"


def _which(figures: Forecast) -> str:
    """Return which wires limit while all devices send at once, where wires are the bottleneck."""
    told = limiting_wires(figures.survey, figures.together) if figures.bottleneck == WIRES else ""
    return f": {told}" if told else ""


def _spread(values: Sequence[float], decimals: int = 2) -> str:
    least, middle, most = (f"{v:,.{decimals}f}" for v in (min(values), median(values), max(values)))
    return f"min {least}, median {middle}, max {most}"


def _rates(title: str, rates_bps: Sequence[float]) -> Line:
    """Return a line of rates, in Mbit/s unless the least would be 0.00 and a smaller unit holds the most."""
    least, most = min((bps for bps in rates_bps if bps > 0.0), default=math.inf), max(rates_bps)
    fitting = (unit for unit, bps in _RATE_UNITS.items() if least >= bps / 100 or most >= 100 * bps)
    unit = next(fitting, "bit/s")
    return f"{title}, {unit}", _spread([bps / _RATE_UNITS[unit] for bps in rates_bps])


def _seconds(seconds: float) -> str:
    return f"{seconds:,.2f} s" if math.isfinite(seconds) else "for ever: a device has no coverage"


def cut_facts(cuts: Sequence[Cut], best: Cut, mixed: Mixture | None) -> dict[str, Any]:
    """Return every cut, the best one, and the best mixture where devices may differ, for JSON."""
    per_device = mixed and {"cut_of": mixed.cut_of, "round_s": mixed.round_s}
    return {"best": best.block, "cuts": [_cut_facts(cut) for cut in cuts], "per_device": per_device}


def _cut_facts(cut: Cut) -> dict[str, Any]:
    figures = json_value(cut)
    for name in ("actors", "time", "asked"):
        del figures[name]
    more = {"parts_s": dict(cut.parts_s), "round_s": cut.round_s, "bottleneck": cut.bottleneck}
    return {**figures, **json_value(more)}


CUT_COLUMNS = ("cut after", "smashed", "MFLOP", "memory, MB", "up, kB", "down, kB", "round, s", "most of it")


def cut_row(cut: Cut) -> list[str]:
    """Return the cells of `cut` below `CUT_COLUMNS`."""
    if cut.refused or not cut.parts_s:
        why = "not possible" if cut.refused else cut.time.reason if cut.time is not None else ""
        return [cut.block, why, *[""] * 6]
    return [
        cut.block,
        _shape(cut.smashed_shape),
        f"{cut.device_flops / 1e6:,.3g}",
        f"{cut.memory_bytes / 1e6:,.3g}",
        f"{cut.up_bytes / 1e3:,.4g}",
        f"{cut.down_bytes / 1e3:,.4g}",
        f"{cut.round_s:,.4g}",
        f"{cut.bottleneck}, {fixed_percent(cut.parts_s[cut.bottleneck] / cut.round_s)}",
    ]


def cut_notes(cuts: Sequence[Cut], best: Cut, mixed: Mixture | None) -> Iterator[str]:
    """Yield why cuts are refused, what the columns mean, and what cuts that differ would gain."""
    yield from (f"{cut.block}: {cut.refused}" for cut in cuts if cut.refused)
    sizes = "kB a mini-batch (first one, initial weights)"
    yield f"MFLOP a sample (codec included) and memory on a device; {sizes}"
    if mixed is None:
        yield "all devices have one cut; they may differ only with protocol splitfed_v1 (cut: per_device)"
    elif mixed.round_s >= best.round_s:
        yield "no different cuts for different devices are predicted to be faster"
    else:
        blocks, round_s = in_words(mixed.cut_of), f"{mixed.round_s:,.3g} s"
        yield f"with {blocks} a round would take about {round_s} (cut: per_device)"
