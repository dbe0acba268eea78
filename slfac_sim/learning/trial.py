"""Parts of a model on trial: copies that a few samples go through, to count what they do and keep.

On the processor: torch's "meta" device, which would do without arithmetic, imports torch's compiler, and so
does every dispatch mode that does not ask it to stay away. That costs as much CPU as torch itself.
"""

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

_CPU = torch.device("cpu")

Seen = Callable[[Any, Sequence[Any], dict[str, Any], Any], None]


@contextmanager
def on_trial(*parts: nn.Module, host: torch.device = _CPU) -> Iterator[list[nn.Module]]:
    """Yield copies of `parts` in training mode; what they draw at random is drawn again afterwards."""
    with torch.random.fork_rng(devices=[]):
        yield [copy.deepcopy(part).to(host).train() for part in parts]


class Watching(TorchDispatchMode):
    """While it is active, `seen` is told of every tensor operation: its function, arguments and result."""

    def __init__(self, seen: Seen) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._seen = seen

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # torch would import the compiler in order to keep it away from here

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Perform the operation, and tell of it."""
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        self._seen(func, args, kwargs, result)
        return result
