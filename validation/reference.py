"""Make the reference numbers: compile the ns-3 programs, run every case, store what came out.

    python validation/reference.py [FAMILY ...]

It wants g++ and an interpreter that has the package `ns3` (its wheel carries headers and libraries; nothing
of its Python bindings is used). It writes validation/reference/FAMILY.json, with all that made the numbers.
"""

import argparse
import dataclasses
import hashlib
import importlib.metadata
import importlib.util
import json
import platform
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cases import FAMILIES, WifiCase
from handover import HandoverCase
from wired import WiredCase

HERE = Path(__file__).resolve().parent
STORED = HERE / "reference"
BUILD = HERE.parent / "build" / "validation"
LTE_MODULES = ("lte", "buildings", "virtual-net-device")
MODULES = (
    "applications",
    "internet",
    "point-to-point",
    "traffic-control",
    "wifi",
    "spectrum",
    "antenna",
    "energy",
    "propagation",
    "mobility",
    "bridge",
    "network",
    "stats",
    "core",
)


def source(program: str) -> Path:
    """Return the source of an ns-3 program."""
    return HERE / "programs" / f"{program}.cc"


def fingerprint(program: str) -> str:
    """Return the SHA-256 of that source: stored numbers say which text made them."""
    return hashlib.sha256(source(program).read_bytes()).hexdigest()


def compiled(program: str) -> Path:
    """Compile `program` against the installed wheel and return the executable."""
    spec = importlib.util.find_spec("ns3")
    if spec is None or not spec.submodule_search_locations:
        sys.exit("reference.py: this interpreter has no package 'ns3'; `make validation` installs one")
    root = Path(next(iter(spec.submodule_search_locations)))
    core = next(root.glob("lib*/libns3.*-core.so"))
    prefix = core.name.removeprefix("lib").removesuffix("core.so")
    BUILD.mkdir(parents=True, exist_ok=True)
    command = ["g++", "-std=c++20", "-O2", f"-I{root / 'include'}", str(source(program))]
    command += ["-o", str(BUILD / program), f"-L{core.parent}"]
    command += [f"-Wl,-rpath,{core.parent}", f"-Wl,-rpath-link,{core.parent}"]
    modules = MODULES
    if program == HandoverCase.program:
        command += ["-Wl,--unresolved-symbols=ignore-in-shared-libs"]  # what comes with LTE would have GTK
        modules = (*LTE_MODULES, *MODULES)
    subprocess.run([*command, *(f"-l{prefix}{module}" for module in modules)], check=True)
    return BUILD / program


def run_case(executable: Path, case: WifiCase | WiredCase | HandoverCase) -> dict[str, Any]:
    """Return the case with its parameters, its command lines and one row for each replication."""
    rows = []
    for run in range(1, case.replications + 1):
        command = [str(executable), *case.arguments(run)]
        answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        rows.append(_row(json.loads(answer), case))
        print(f"  {case.name}: run {run} of {case.replications}, {rows[-1]['host_cpu_s']:.3f} s", flush=True)
    parameters = dataclasses.asdict(case)
    return {**parameters, "program": case.program, "arguments": case.arguments(1), "runs": rows}


def _row(answer: dict[str, Any], case: WifiCase | WiredCase | HandoverCase) -> dict[str, Any]:
    """Return what one run gave, as columns. Raises when not all came, or something was dropped."""
    if isinstance(case, HandoverCase):
        return answer
    may_drop = isinstance(case, WiredCase) and case.fifo_packets > 0
    flows = answer.pop("stations", None) or answer.pop("flows")
    columns = {key: [flow[key] for flow in flows] for key in flows[0]}
    if min(columns["end_s"]) < 0.0 or (answer["drops"] and not may_drop):
        raise RuntimeError(f"{answer['drops']} drops, ends {columns['end_s']}")
    digits = 9 if case.program == "wired" else 7
    columns["end_s"] = [round(end_s, digits) for end_s in columns["end_s"]]
    del columns["received_bytes"]
    return {**answer, "host_cpu_s": round(answer["host_cpu_s"], 5), **columns}


def machine() -> dict[str, str]:
    """Return what the host times depend on."""
    version = subprocess.run(["g++", "-dumpfullversion"], check=True, capture_output=True, text=True)
    cpus = [x for x in Path("/proc/cpuinfo").read_text().splitlines() if x.startswith("model name")]
    return {
        "processor": cpus[0].split(": ", 1)[1] if cpus else platform.machine(),
        "g++": version.stdout.strip(),
    }


def text(document: dict[str, Any]) -> str:
    """Return JSON with one line for each run."""
    runs = {}
    for number, case in enumerate(document["cases"]):
        for index, row in enumerate(case["runs"]):
            key = f"@{number}.{index}@"
            runs[f'"{key}"'] = json.dumps(row)
            case["runs"][index] = key
    whole = json.dumps(document, indent=1)
    for key, line in runs.items():
        whole = whole.replace(key, line)
    return whole + "\n"


def main(argv: Sequence[str] | None = None) -> None:
    """Run the families that `argv` names, all if it names none, each into its file."""
    parser = argparse.ArgumentParser(description="Run the reference cases in ns-3 and store the numbers.")
    parser.add_argument("family", nargs="*", help=f"of {', '.join(FAMILIES)}")
    names = parser.parse_args(argv).family or list(FAMILIES)
    unknown = sorted(set(names) - set(FAMILIES))
    if unknown:
        parser.error(f"no such family: {', '.join(unknown)}")
    STORED.mkdir(exist_ok=True)
    executables = {program: compiled(program) for program in {FAMILIES[name][0].program for name in names}}
    for name in names:
        print(name, flush=True)
        program = FAMILIES[name][0].program
        document = {
            "simulator": f"ns-3, PyPI ns3 {importlib.metadata.version('ns3')}",
            "source": f"validation/programs/{program}.cc",
            "source_sha256": fingerprint(program),
            "seconds": "end_s from the start of the measurement (Wi-Fi) or of the simulation (wired);"
            " handovers are time_s, device, source, target",
            "machine": machine(),
            "cases": [run_case(executables[program], case) for case in FAMILIES[name]],
        }
        (STORED / f"{name}.json").write_text(text(document), encoding="utf-8")


if __name__ == "__main__":
    main()
