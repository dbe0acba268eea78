"""Where the simulated time of a run went, and what replays of it without a limit take."""

from collections.abc import Mapping
from dataclasses import replace

from slfac_sim.analysis.explanation import Explanation, explained, reached
from slfac_sim.hosts.speeds.fixed import Fixed
from slfac_sim.ledger.folder import Run
from slfac_sim.ledger.store import MemoryLedger
from slfac_sim.runs.replay import Record, replayed_scenario, retime
from slfac_sim.runs.without_limit import NO_LIMIT, without_limit
from slfac_sim.scenario.hosts import with_servers


def explain(run: Run, replayed: bool = False) -> Explanation:
    """Return where the time of `run` went; `replayed` without its limits as well. Raises `BadInput`."""
    explanation = explained(run)
    return replace(explanation, replays_s=_replays(run, reached(run))) if replayed else explanation


def _replays(run: Run, instants: Mapping[str, float]) -> dict[str, list[float | None]]:
    """Return what replays without a limit take to the same evaluations, and to the end. Raises `BadInput`."""
    record = Record.load(run.folder)
    recorded = replayed_scenario(record, [])
    no_limit = {"speed": NO_LIMIT, "codec_speed": NO_LIMIT}
    devices = replace(recorded.devices, speed=Fixed(speed=NO_LIMIT), codec_speed=NO_LIMIT)
    without = {
        "infinite bandwidth": replace(recorded, network=without_limit(recorded)),
        "zero compute": replace(with_servers(recorded, **no_limit), devices=devices),
    }
    evals = run.table("evals")
    round_at = dict(zip(evals["at_s"], evals["round"], strict=True))
    replays_s: dict[str, list[float | None]] = {}
    for name, scenario in without.items():
        rows = MemoryLedger()
        end_s = retime(record, scenario, rows)
        at_s = {row["round"]: row["at_s"] for row in rows.rows("evals")}
        replays_s[name] = [*(at_s[round_at[instant_s]] for instant_s in instants.values()), end_s]
    return replays_s
