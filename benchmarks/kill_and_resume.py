"""Kills runs with SIGKILL at random moments, resumes them, and compares their digests with undisturbed ones.

    python benchmarks/kill_and_resume.py --kills 20 --protocols parallel,splitfed_v1,u_shaped

Moments are uniform over the time that the undisturbed run took, start and end included; every second resumed
run is killed once more. Prints a line for each and exits with 1 if a digest is another.
"""

import argparse
import multiprocessing
import random
import tempfile
import time
from pathlib import Path
from typing import Any

from slfac_sim.runs.resume import finished, prepare_resume, resume
from slfac_sim.runs.run import prepare, run
from slfac_sim.scenario.files import load, read
from slfac_sim.scenario.schema import Scenario

# Two seconds of learning, with all that a checkpoint must hold: moments, batch-norm, codecs with memory.
TEXT = """
name: killed
data: {kind: synthetic, train_samples: 600, test_samples: 200, size: 12, classes: 4}
partition: iid
model: {kind: small_cnn, width: 8}
cut: conv1
learning: {batch: 16, optimiser: {kind: adam, learning_rate: 0.005}}
protocol: {kind: parallel, rounds: 8}
devices: {count: 6, speed: {kind: log_normal, median: 0.1 GFLOP/s, sigma: 0.8}}
server: {speed: 1 GFLOP/s}
codec: {uplink: {kind: aq_sgd}, downlink: {kind: uniform}}
network: {kind: cell, bandwidth: 5 MHz}
"""
_FORK = multiprocessing.get_context("fork")  # torch is loaded once; the child is killed all the same


def undisturbed(scenario: Scenario, folder: Path) -> tuple[str, float]:
    """Return the digest of a run, and how long it took."""
    began_s = time.monotonic()
    summary = run(prepare(scenario, folder, threads=1), checkpoint_every=1)
    assert summary["status"] == "finished", summary["reason"]
    return summary["digest"], time.monotonic() - began_s


def live(scenario: Scenario, folder: Path) -> None:
    """Run, in a process that may be killed."""
    run(prepare(scenario, folder, threads=1), checkpoint_every=1)


def go_on(folder: Path) -> None:
    """Resume, in a process that may be killed."""
    resume(prepare_resume(folder))


def killed_after(seconds: float, target: Any, *arguments: Any) -> bool:
    """Run `target` in a process and kill it after so many seconds; return whether it was still alive."""
    process = _FORK.Process(target=target, args=arguments)
    process.start()
    process.join(seconds)
    alive = process.is_alive()
    process.kill()
    process.join()
    return alive


def one(scenario: Scenario, folder: Path, draws: random.Random, took_s: float, twice: bool) -> str:
    """Kill a run, resume it, perhaps killing that too, and return what its digest then is."""
    moment_s = draws.uniform(0.0, took_s)
    alive = killed_after(moment_s, live, scenario, folder)
    told = f"killed after {moment_s:.2f} s" if alive else "not killed in time"
    if twice and (folder / "checkpoints" / "begun.json").exists() and not finished(folder):
        moment_s = draws.uniform(0.0, took_s)
        killed_after(moment_s, go_on, folder)
        told += f", resumed and killed after {moment_s:.2f} s"
    if not (folder / "scenario.yaml").exists():  # killed before there was anything to resume
        print(f"{told}: nothing was there yet", end="")
        return str(run(prepare(scenario, folder / "fresh", threads=1))["digest"])
    if finished(folder):
        print(f"{told}: finished", end="")
        return str(load_digest(folder))
    resumable = prepare_resume(folder)
    print(f"{told}: resumed after round {resumable.rounds}", end="")
    return str(resume(resumable)["digest"])


def load_digest(folder: Path) -> str:
    """Return the digest of a finished run."""
    from slfac_sim.ledger.folder import load as load_run

    return str(load_run(folder).summary["digest"])


def main() -> int:
    """Kill as often as asked, in turn over the protocols; return the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--protocols", default="parallel")
    parser.add_argument("--scenario", help="a scenario file instead of the one in this file")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--smoke", action="store_true", help="one kill of a short run, to see that it runs")
    arguments = parser.parse_args()
    kills, rounds = (1, 2) if arguments.smoke else (arguments.kills, 8)
    draws, wrong = random.Random(arguments.seed), 0
    with tempfile.TemporaryDirectory() as name:
        base, known = Path(name), {}
        for protocol in arguments.protocols.split(","):
            overrides = [f"protocol={{kind: {protocol}, rounds: {rounds}}}"]
            source = arguments.scenario
            scenario = load(source, overrides) if source else read(TEXT, "killed", overrides)
            known[protocol] = scenario, *undisturbed(scenario, base / protocol)
            print(f"{protocol}: {known[protocol][1][:16]} in {known[protocol][2]:.2f} s")
        for number in range(kills):
            protocol = list(known)[number % len(known)]
            scenario, digest, took_s = known[protocol]
            print(f"{number + 1:3d} {protocol}: ", end="")
            found = one(scenario, base / str(number), draws, took_s, number % 2 == 1)
            print(f", {'the same digest' if found == digest else f'ANOTHER DIGEST {found[:16]}'}", flush=True)
            wrong += found != digest
    print(f"{kills} kills, {wrong} with another digest")
    return int(wrong > 0)


if __name__ == "__main__":
    raise SystemExit(main())
