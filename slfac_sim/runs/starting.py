"""The start of torch in a process: imported once, on so many threads, and with errors in place of luck."""

import gc
import os
import sys

from slfac_sim.foundation.host import no_collection, threads_for


def import_torch() -> None:
    """Import torch, if nobody has, without looking for garbage among the million objects that stay.

    It saves a seventh of the time, and later searches leave these objects out.
    """
    if "torch" in sys.modules:
        return
    with no_collection():
        import torch  # noqa: F401

        gc.freeze()


def set_threads(threads: int | None) -> int:
    """Let torch use `threads` host threads (None: the usual number) and return how many these are.

    From now on it raises an error for every operation whose result would depend on luck.
    """
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # products on CUDA are refused without it
    import torch

    torch.set_num_threads(threads_for(threads))
    # nothing of ours reads memory that it did not write
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.set_deterministic_debug_mode("error")  # use_deterministic_algorithms would import the compiler
    return torch.get_num_threads()
