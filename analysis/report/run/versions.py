"""With what it was made: the host, versions, threads, and digests of what came in and of what came out."""

from collections.abc import Iterator

from slfac_sim import __version__
from slfac_sim.analysis.format import about, fixed_percent, quantity
from slfac_sim.analysis.report.blocks import Block, Facts
from slfac_sim.analysis.told import about as told
from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.version import commit
from slfac_sim.ledger.folder import Run

TITLE = "Versions and host"
_UNKNOWN = "not recorded"


def blocks(run: Run) -> Iterator[Block]:
    """Yield versions, what the host spent, and the digests."""
    host = run.summary.get("host", {})
    yield Facts(
        [
            ("slfac_sim", _ours(run)),
            *((name, host.get(name) or _UNKNOWN) for name in ("python", "torch", "numpy", "simpy")),
            ("this page, slfac_sim", f"{__version__}, commit {commit() or _UNKNOWN}"),
        ]
    )
    if host:
        yield Facts(list(_spent(run)))
    yield Facts(list(_digests(run)))


def _ours(run: Run) -> str:
    """Return the version that ran it, as far as it is on record, and its commit."""
    try:
        said = told(run)
    except BadInput:  # the scenario's part says so
        said = None
    version = "version not recorded" if said is None else said.version
    return f"{version}, commit {run.summary.get('host', {}).get('commit') or _UNKNOWN}"


def _spent(run: Run) -> Iterator[tuple[str, str]]:
    host = run.summary["host"]
    yield "host time", f"{about(host['wall_s'])} wall, {about(host['cpu_s'])} CPU"
    yield "threads", str(host["threads"])
    if host.get("peak_rss_bytes") is not None:
        yield "memory, peak", quantity(host["peak_rss_bytes"], "B")
    simulated_s = run.summary["simulated_s"]
    if host["wall_s"]:
        yield "simulated s a second of the host", f"{simulated_s / host['wall_s']:.3g}"


def _digests(run: Run) -> Iterator[tuple[str, str]]:
    yield "run", run.summary.get("digest", _UNKNOWN)
    if "replay_of" in run.summary:
        yield "it is a replay of", run.summary["replay_of"]
    yield "data", run.summary["data"].get("sha256", _UNKNOWN)
    for name, kept in run.summary.get("weights", {}).items():
        of = f"round {kept['round']}, {fixed_percent(kept['accuracy'], 2)}"
        yield f"weights, {name} ({of})", kept["sha256"]
