"""What hosts of a study drew energy for, averaged over seeds; undrawn."""

from collections.abc import Mapping

from slfac_sim.analysis.format import quantity, share
from slfac_sim.analysis.studies.answers import means
from slfac_sim.analysis.studies.study import Combination, StudyPoints, spread
from slfac_sim.analysis.studies.tables import Table, filled, finished, place_cells

USES = {
    "computing": "compute_j",
    "codec": "codec_j",
    "sending": "transmit_j",
    "receiving": "receive_j",
    "idling": "idle_j",
}
_MOST_LINES = 8


def devices_j(study: StudyPoints, place: Combination) -> dict[str, float]:
    """Return the joules of all devices by use; empty where points do not tell of each."""
    drawn = means(study, place, "energy")
    if any(f"devices.{name}" not in drawn for name in USES.values()):
        return {}
    uses = {use: drawn[f"devices.{name}"] for use, name in USES.items()}
    return uses | {"computing": uses["computing"] - uses["codec"]}


def at_ends(study: StudyPoints) -> dict[str, Mapping[str, float]]:
    """Return those of each line at the lowest and the highest x of the first panel, by their names."""
    named = {}
    for line in spread(study.lines, _MOST_LINES):
        for x in dict.fromkeys((study.xs[0], study.xs[-1])):
            name = ", ".join(filter(None, (study.short_label(line), study.x_label(x))))
            named[name] = devices_j(study, study.at(study.panels[0], line, x))
    return {name: uses for name, uses in named.items() if uses}


def energy_table(study: StudyPoints) -> Table:
    """Return what devices and servers drew in a whole run, and what devices drew it for."""
    rows = []
    for place in finished(study):
        drawn, uses = means(study, place, "energy"), devices_j(study, place)
        whole = {"devices": "devices.total_j", "servers": "server.total_j"}
        cells = {who: quantity(drawn[name], "J") for who, name in whole.items() if name in drawn}
        parts = {
            f"devices, {use}": share(joules / sum(uses.values()), 3) for use, joules in uses.items() if joules
        }
        if cells:
            rows.append({**place_cells(study, place), **cells, **parts})
    return filled(rows)
