"""What would help where a target was not reached, and accuracy still rose when training ended."""

from slfac_sim.analysis.told import scenario_tree
from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.targets import ACCURACY
from slfac_sim.ledger.folder import Run

_LAST = 4  # accuracy rises still if its best is in the last fourth of the evaluations


def advice(run: Run) -> str:
    """Return settings that may bring a finished run to its targets; empty where more rounds would not."""
    missed = any(at_s is None and target.metric == ACCURACY for target, at_s in run.times_s.items())
    summary = run.summary
    if summary["status"] != "finished" or summary.get("stopped") or "replay_of" in summary:
        return ""
    if not missed or not _rises(run):
        return ""
    rounds = _rounds(run)
    more = f"protocol.rounds={2 * rounds}" if rounds else "protocol.rounds"
    return f"accuracy still rose at the end: more rounds ({more}), or lower targets (evaluation.targets)"


def _rises(run: Run) -> bool:
    try:
        accuracy = run.curve().accuracy
    except BadInput:  # a damaged ledger, which others tell of
        return False
    last = max(len(accuracy) // _LAST, 1)
    return len(accuracy) > last and bool(accuracy[-last:].max() > accuracy[:-last].max())


def _rounds(run: Run) -> int | None:
    try:
        found = scenario_tree(run)["protocol"]["rounds"]
    except (BadInput, LookupError, TypeError):
        return None
    return found if isinstance(found, int) else None
