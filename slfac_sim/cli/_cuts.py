"""`check --cuts`: a table, or JSON, of every cut of the model, and a figure."""

import json
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from slfac_sim.foundation.errors import BadInput

if TYPE_CHECKING:
    from slfac_sim.forecast.cuts import Cut, Mixture
    from slfac_sim.scenario.schema import Scenario


def tell_cuts(scenario: "Scenario", folder: Path | None, as_json: bool) -> None:
    """Print the cuts of `scenario`, and draw them into `folder`. Raises `BadInput`."""
    from slfac_sim.forecast.cuts import best_of, cuts_of, mixture_of

    cuts = cuts_of(scenario, scenario.data.load())
    best = best_of(cuts)
    mixed = mixture_of(scenario, cuts) if scenario.protocol.cuts_may_differ else None
    if as_json:
        told = [_told(cut) for cut in cuts]
        per_device = mixed and {"cut_of": mixed.cut_of, "round_s": mixed.round_s}
        print(json.dumps({"best": best.block, "cuts": told, "per_device": per_device}, indent=2))
    else:
        _print(scenario, cuts, best, mixed)
    if folder is not None:
        png = _draw(cuts, best, folder)
        print(f"figure: {png}", file=sys.stderr if as_json else sys.stdout)


def _told(cut: "Cut") -> dict[str, object]:
    figures = asdict(replace(cut, actors={}, time=None, asked=frozenset()))
    for name in ("actors", "time", "asked"):
        figures.pop(name)
    return _finite(
        {**figures, "parts_s": dict(cut.parts_s), "round_s": cut.round_s, "bottleneck": cut.bottleneck}
    )


def _print(scenario: "Scenario", cuts: "list[Cut]", best: "Cut", mixed: "Mixture | None") -> None:
    from slfac_sim.cli._common import print_table
    from slfac_sim.foundation.plugins import kind_of

    title = f"{scenario.name}: cuts of {kind_of(scenario.model)}, by predicted round"
    head = ["cut after", "smashed", "MFLOP", "memory, MB", "up, kB", "down, kB", "round, s", "most of it"]
    print_table(title, [head, *map(_row, cuts)], "llrrrrrl")
    notes = [f"{cut.block}: {cut.refused}" for cut in cuts if cut.refused]
    notes += [
        "MFLOP a sample (codec included) and memory on a device; kB a mini-batch (first one, initial weights)"
    ]
    notes += [_apart(best, mixed)]
    for note in notes:
        print(f"note: {note}")
    print(f"best: cut after {best.block}, a round of about {best.round_s:,.3g} s")


def _row(cut: "Cut") -> list[str]:
    if cut.refused:
        return [cut.block, "not possible", "", "", "", "", "", ""]
    if not cut.parts_s:
        return [cut.block, cut.time.reason if cut.time is not None else "", "", "", "", "", "", ""]
    share = 100 * cut.parts_s[cut.bottleneck] / cut.round_s
    return [
        cut.block,
        " x ".join(map(str, cut.smashed_shape)),
        f"{cut.device_flops / 1e6:,.3g}",
        f"{cut.memory_bytes / 1e6:,.3g}",
        f"{cut.up_bytes / 1e3:,.4g}",
        f"{cut.down_bytes / 1e3:,.4g}",
        f"{cut.round_s:,.4g}",
        f"{cut.bottleneck}, {share:.0f} %",
    ]


def _apart(best: "Cut", mixed: "Mixture | None") -> str:
    """Say what devices with different cuts would gain, if they may have them."""
    from slfac_sim.forecast.cuts import in_words

    if mixed is None:
        return "all devices have one cut; they may differ only with protocol splitfed_v1 (cut: per_device)"
    if mixed.round_s >= best.round_s:
        return "no different cuts for different devices are predicted to be faster"
    words = in_words(mixed.cut_of)
    return f"with {words} a round would take about {mixed.round_s:,.3g} s (cut: per_device)"


def _draw(cuts: "list[Cut]", best: "Cut", folder: Path) -> Path:
    from slfac_sim.analysis.cuts_figure import Bar, draw
    from slfac_sim.analysis.style import house_style, save

    bars = [Bar(cut.block, cut.parts_s, cut is best, bool(cut.refused)) for cut in cuts]
    try:
        with house_style():
            return save(draw(bars), folder, "cuts")[0]
    except OSError as error:
        raise BadInput(f"--figures {folder}: cannot be written ({error.strerror})") from error


def _finite(told: dict[str, object]) -> dict[str, object]:
    """Return `told` with infinities as null, since JSON has none."""
    return {name: None if value == float("inf") else value for name, value in told.items()}
