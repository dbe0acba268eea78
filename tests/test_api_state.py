"""What the Python API leaves of the process: everything as it was found, whatever ends a call."""

import gc
import os
import random
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pytest
import torch

import slfac_sim as sf

TINY = Path(__file__).with_name("tiny.yaml")
ONE = "protocol.rounds=1"
QUIET: dict[str, Any] = {"progress": False}


def state() -> dict[str, Any]:
    """Return what a process has that a library should leave alone."""
    memory: Any = torch.utils.deterministic
    backends: Any = torch.backends
    return {
        "threads": torch.get_num_threads(),
        "luck": torch.get_deterministic_debug_mode(),
        "memory": memory.fill_uninitialized_memory,
        "draws of torch": torch.get_rng_state().tolist(),
        "type": torch.get_default_dtype(),
        "device": torch.get_default_device(),
        "gradients": (torch.is_grad_enabled(), torch.is_inference_mode_enabled()),
        "precision": (backends.mkldnn.matmul.fp32_precision, backends.cuda.matmul.fp32_precision),
        "environment": dict(os.environ),
        "folder": os.getcwd(),
        "collector": (gc.isenabled(), gc.get_freeze_count(), gc.get_threshold()),
        "signals": [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)],
        "draws of numpy": np.random.get_state()[1].tolist(),  # type: ignore[index, union-attr]
        "errors of numpy": np.geterr(),
        "draws of Python": random.getstate(),
        "matplotlib": dict(matplotlib.rcParams),
        "backend": matplotlib.get_backend(),
    }


@pytest.fixture(autouse=True)
def unusual(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Settings that are not the usual ones, as a notebook may have them; back to the usual afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    memory: Any = torch.utils.deterministic
    backends: Any = torch.backends
    was = state()
    torch.set_num_threads(3)
    torch.set_deterministic_debug_mode("warn")
    memory.fill_uninitialized_memory = True
    torch.manual_seed(11)
    torch.set_default_dtype(torch.float64)
    torch.set_default_device("meta")
    backends.mkldnn.matmul.fp32_precision = "bf16"
    random.seed(5)
    np.random.seed(7)
    with matplotlib.rc_context({"font.size": 31.0, "svg.hashsalt": "mine"}):
        yield
    torch.set_num_threads(was["threads"])
    torch.set_deterministic_debug_mode(was["luck"])
    memory.fill_uninitialized_memory = was["memory"]
    torch.set_default_dtype(was["type"])
    torch.set_default_device(None)
    backends.mkldnn.matmul.fp32_precision = was["precision"][0]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> sf.analysis.RunResult:
    return sf.run(TINY, out=tmp_path_factory.mktemp("state") / "run", **QUIET)


def drawn(run: sf.analysis.RunResult) -> None:
    for name in run.figures:
        with suppress(sf.BadInput):  # where there is nothing to be drawn
            run.figure(name).savefig("figure.svg")


CALLS: dict[str, Callable[[sf.analysis.RunResult], object]] = {
    "load": lambda run: sf.load(TINY, "codec=raw"),
    "check": lambda run: sf.check(TINY),
    "run": lambda run: sf.run(TINY, ONE, threads=1, **QUIET),
    "run strictly": lambda run: sf.run(TINY, ONE, strict=True, checkpoint_every=1, **QUIET),
    "replay": lambda run: sf.replay(run, "network.bandwidth=2 MHz", **QUIET),
    "resume": lambda run: sf.resume(run, **QUIET),
    "sweep": lambda run: sf.sweep(TINY, ONE, axes={"codec": ["raw"]}, seeds=1, workers=1, **QUIET),
    "ask": lambda run: sf.ask(TINY, "simulated_s <= 0.4 s", ONE, vary="network.bandwidth", **QUIET),
    "evaluate": lambda run: sf.evaluate(run, "codec=raw"),
    "model": sf.model,
    "schema": lambda run: sf.schema(),
    "load a run": lambda run: sf.analysis.load(run.folder)._repr_html_(),
    "figures": drawn,
    "report": lambda run: sf.report([run, run.folder], "compared.html"),
    "report of one": lambda run: run.report("page.html"),
    "figure of several": lambda run: sf.analysis.figure("time_to_accuracy", [run, run]),
}


@pytest.mark.parametrize("name", CALLS)
def test_all_is_as_it_was_found(name: str, run: sf.analysis.RunResult) -> None:
    before = state()
    CALLS[name](run)
    assert state() == before


def test_every_function_is_among_them() -> None:
    named = {name for name in sf.__all__ if callable(getattr(sf, name)) and name.islower()}
    assert named <= CALLS.keys()


@pytest.mark.parametrize("error", [RuntimeError("codec"), KeyboardInterrupt(), SystemExit(3), MemoryError()])
@pytest.mark.parametrize("where", ["slfac_sim.runs.opening.World", "slfac_sim.codecs.slfac.SlFac.encode"])
def test_all_is_as_it_was_found_after_an_error(
    error: BaseException, where: str, run: sf.analysis.RunResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*arguments: Any) -> Any:
        raise error

    before = state()
    with monkeypatch.context() as patched:
        patched.setattr(where, failing)
        with pytest.raises(
            sf.RunFailed if "encode" in where and isinstance(error, Exception) else type(error)
        ):
            sf.run(TINY, ONE, out="failing", **QUIET)
    assert state() == before
    assert sf.run(TINY, ONE, out="next", **QUIET).status == "finished"  # and nothing is held


def test_the_settings_of_a_notebook_do_not_reach_a_run(run: sf.analysis.RunResult) -> None:
    """In float64 on another device, without gradients: what is learnt is as alone."""
    with torch.inference_mode():
        again = sf.run(TINY, out="again", **QUIET)
    assert again.summary["digest"] == run.summary["digest"]


def test_a_figure_is_known_to_nobody_else(run: sf.analysis.RunResult) -> None:
    """pyplot shows what it knows at the end of a cell, and holds it."""
    import matplotlib.pyplot as plt

    figure = run.figure("time_to_accuracy")
    assert plt.get_fignums() == []
    assert figure.get_size_inches()[0] == pytest.approx(88 / 25.4)
