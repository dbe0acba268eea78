"""The forecast of a round over what the second round of a run then takes, for every protocol and medium.

    python benchmarks/forecasts.py [--smoke]

Prints the table of docs/compute.md ("How long a round takes"); nothing fades and everybody is there. Half a
minute on one core; `--smoke` has two protocols.
"""

from pathlib import Path

from _measuring import parser

from slfac_sim.forecast.demands import compressed_sizes
from slfac_sim.forecast.round_time import round_time
from slfac_sim.foundation.plugins import find, kinds
from slfac_sim.ledger.store import MemoryLedger
from slfac_sim.runs.opening import build
from slfac_sim.runs.starting import set_threads
from slfac_sim.scenario.files import load
from slfac_sim.simulation.simulate import simulate, survey_of

SMALL = Path(__file__).resolve().parent.parent / "tests" / "tiny.yaml"
PLAIN = ("codec=raw", "partition={kind: dirichlet, alpha: 1.0}")
CELL = "kind: cell, bandwidth: 5 MHz"
NETWORKS = {
    **{medium: f"{{{CELL}, medium: {medium}}}" for medium in kinds("slfac_sim.network.media")},
    "csma": "{kind: wifi, medium: csma}",
    "dcf": "{kind: wifi, medium: dcf}",
    "`ideal`": "{kind: ideal, up_rate: 3 Mbit/s, down_rate: 5 Mbit/s}",
    "`multi_cell`": "{kind: multi_cell, bandwidth: 5 MHz, stations: 3}",
}


def hosts_and_network(kind: str, network: str) -> list[str]:
    """Return the overrides for a protocol: `network`, or one such at each of two edges under a cloud."""
    if find("slfac_sim.protocols", kind).servers == "one":
        return [f"network={network}"]
    wires = {"a": "near, edge1", "b": "far, edge2", "c": "edge1, cloud", "d": "edge2, cloud"}
    if "multi_cell" in network:
        wires |= {
            f"{at}{i}": f"{at}/s{i}, edge{n}" for n, at in enumerate(("near", "far"), 1) for i in range(3)
        }
        del wires["a"], wires["b"]
    links = ", ".join(
        f"{name}: {{between: [{ends}], capacity: 1 Gbit/s, latency: 1 ms}}" for name, ends in wires.items()
    )
    access = ", ".join(
        f"{name}: {{network: {network}, devices: {devices}, server: {edge}}}"
        for name, devices, edge in (("near", 3, "edge1"), ("far", 2, "edge2"))
    )
    servers = "{edge1: 1 GFLOP/s, edge2: 1 GFLOP/s, cloud: 1 GFLOP/s}"
    topology = f"network={{kind: topology, access: {{{access}}}, links: {{{links}}}}}"
    return ["server=null", f"servers={servers}", topology]


def ratio(kind: str, network: str) -> float:
    """Return the forecast over the run."""
    protocol = f"protocol={{kind: {kind}, rounds: 2, steps: 2}}"
    scenario = load(SMALL, [*PLAIN, *hosts_and_network(kind, network), protocol])
    world, rows = build(scenario), MemoryLedger()
    schedule = scenario.protocol.schedule
    foretold_s = round_time(world, survey_of(scenario), schedule, compressed_sizes(world)).seconds
    assert foretold_s is not None
    whole_s = simulate(scenario, scenario.protocol.run(build(scenario)), rows)
    first_s, second_s = (row["at_s"] for row in rows.rows("rounds"))
    return foretold_s / (whole_s / 2 if schedule.models == "mixed" else second_s - first_s)


def main() -> None:
    """Print the table."""
    smoke = parser(__doc__, "two protocols").parse_args().smoke
    set_threads(1)
    print(f"| protocol | {' | '.join(NETWORKS)} |")
    print("|---" + "|---:" * len(NETWORKS) + "|")
    for kind in kinds("slfac_sim.protocols")[: 2 if smoke else None]:
        print(f"| `{kind}` | {' | '.join(f'{ratio(kind, network):.3f}' for network in NETWORKS.values())} |")


if __name__ == "__main__":
    main()
