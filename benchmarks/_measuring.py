"""What benchmarks share: CPU seconds, here and in processes of their own, and which machine it is."""

import argparse
import gc
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

import torch

T = TypeVar("T")


def parser(
    description: str | None, smoke: str = "a tiny size, to see that it runs"
) -> argparse.ArgumentParser:
    """Return the parser of a benchmark's command line, with its `--smoke`."""
    raw = argparse.RawDescriptionHelpFormatter
    found = argparse.ArgumentParser(description=description, formatter_class=raw)
    found.add_argument("--smoke", action="store_true", help=smoke)
    return found


def show(lines: Iterable[str]) -> None:
    """Print each of `lines` as soon as it is there."""
    for line in lines:
        print(line, flush=True)


def last_of(overrides: Iterable[str]) -> list[str]:
    """Return `overrides` with the last one for each key: those of a size give way to those of the user."""
    return list({override.partition("=")[0]: override for override in overrides}.values())


def spent(work: Callable[[], T]) -> tuple[T, float]:
    """Return what `work` returns, and the CPU seconds that it took."""
    gc.collect()
    before_s = time.process_time()
    result = work()
    return result, time.process_time() - before_s


def command_s(command: Sequence[str]) -> float:
    """Return the CPU seconds of the Python process ``python *command``; its output is dropped."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *command], check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def machine() -> str:
    """Return in one line what the figures of this process depend on."""
    names = [
        line.split(":", 1)[1].strip()
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        if line.startswith("model name")
    ]
    held = os.environ.get("ONEDNN_MAX_CPU_ISA")
    isa = torch.backends.cpu.get_cpu_capability() + (f", oneDNN held to {held}" if held else "")
    threads, python = torch.get_num_threads(), platform.python_version()
    return (
        f"machine: {names[0]}, {len(names)} cores; {isa}; threads: {threads};"
        f" Python {python}, torch {torch.__version__}"
    )


def spelled(words: Sequence[str]) -> list[str]:
    """Return a codec's kind and settings (``slfac``, ``theta=0.9``) as the overrides that choose it."""
    kind, *settings = words
    return [f"codec={kind}", *(f"codec.{setting}" for setting in settings)]
