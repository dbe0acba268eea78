"""The start of torch in a process: imported once, on so many threads, and with errors in place of luck.

What is set is the process's. A command leaves it so; where others use the process as well, `torch_lent` gives
it back.
"""

import gc
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.host import environment_kept, no_collection, threads_for

_CUBLAS = "CUBLAS_WORKSPACE_CONFIG"
_LENT = threading.Lock()


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
    count = threads_for(threads)
    os.environ.setdefault(_CUBLAS, ":4096:8")  # products on CUDA are refused without it
    import torch

    torch.set_num_threads(count)
    # nothing of ours reads memory that it did not write
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.set_deterministic_debug_mode("error")  # use_deterministic_algorithms would import the compiler
    return torch.get_num_threads()


@contextmanager
def torch_lent() -> Iterator[None]:
    """Lend torch's settings, which are the whole process's, to one user; they are then as they were found.

    Raises `BadInput` while another one has them.
    """
    if not _LENT.acquire(blocking=False):
        raise BadInput(
            "another run goes on in this process, and torch's threads and settings are the process's: wait"
            " for it, or start a process for each (as `sweep` does)"
        )
    try:
        with environment_kept(_CUBLAS), _settings_kept():
            yield
    finally:
        _LENT.release()


@contextmanager
def _settings_kept() -> Iterator[None]:
    """Begin with what torch does by itself (float32, on the processor, gradients); leave all as it is now."""
    import torch

    backends: Any = torch.backends
    memory, products = torch.utils.deterministic, (backends.mkldnn.matmul, backends.cuda.matmul)
    threads, luck = torch.get_num_threads(), torch.get_deterministic_debug_mode()
    filled = memory.fill_uninitialized_memory  # type: ignore[attr-defined]
    dtype, device, draws = torch.get_default_dtype(), torch.get_default_device(), torch.get_rng_state()
    cuda_draws = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else []
    precisions = [product.fp32_precision for product in products]
    try:
        torch.set_default_dtype(torch.float32)
        _set_device(None)
        for product in products:
            product.fp32_precision = "ieee"
        with torch.inference_mode(False), torch.enable_grad():
            yield
    finally:
        torch.set_num_threads(threads)
        torch.set_deterministic_debug_mode(luck)
        memory.fill_uninitialized_memory = filled  # type: ignore[attr-defined]
        torch.set_default_dtype(dtype)
        _set_device(device)
        torch.set_rng_state(draws)
        torch.cuda.set_rng_state_all(cuda_draws)
        for product, precision in zip(products, precisions, strict=True):
            product.fp32_precision = precision


def _set_device(device: Any) -> None:
    """Have torch make tensors on `device`; None is its own choice, the processor."""
    import torch

    if torch.get_default_device() != torch.device(device or "cpu"):
        torch.set_default_device(device)
