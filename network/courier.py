"""An opened network: transfers become flows, flows become deliveries. It knows no radio, only an `Air`."""

from collections.abc import Callable, Sequence
from math import floor
from typing import Protocol

import simpy

from slfac_sim.network.contract import Transfer
from slfac_sim.network.engine import Engine, FluidShare, Share
from slfac_sim.network.engine.clockwork import Call
from slfac_sim.network.transfers import FluidTransfer, Path


class Air(Protocol):
    """What lies between the server and the devices; rates change on one grid of blocks, if at all."""

    @property
    def coherence_s(self) -> float | None:
        """The length of a block, or None."""
        ...

    @property
    def latency_s(self) -> float:
        """The time from the last bit on the air to the bytes in the receiver's hands."""
        ...

    def path(self, src: str, dsts: tuple[str, ...], multicast: bool) -> Path:
        """Return the path from `src` to all of `dsts`. Raises `KeyError` for an unknown host."""
        ...

    def capacity(self, lane: str) -> float:
        """Return the part of the time that `lane` has."""
        ...

    def rate_bps(self, path: Path, block: int) -> float:
        """Return the rate on `path`, alone on its lane, in the coherence block number `block`."""
        ...


class Courier:
    """A `Network` over any `Air`. `wire_bytes` adds the headers to the payload."""

    def __init__(self, env: simpy.Environment, air: Air, wire_bytes: Callable[[int], int]) -> None:
        self._env = env
        self._air = air
        self._wire_bytes = wire_bytes
        self._engine = Engine(env)
        self._lanes: dict[str, Share] = {}
        self._under_way: dict[FluidTransfer, None] = {}
        self._on_air: dict[FluidTransfer, None] = {}
        self._grid_armed = False

    def transfer(self, src: str, dst: str | tuple[str, ...], nbytes: int) -> Transfer:
        """Start to send `nbytes` now from `src` to `dst`; a tuple is one multicast transmission.

        A multicast goes at the slowest receiver's rate. Raises `KeyError` for a host that is not on
        this network and for a pair without the server, `ValueError` for a negative size.
        """
        if nbytes < 0:
            raise ValueError(f"{src} -> {dst}: {nbytes} bytes to send")
        multicast = isinstance(dst, tuple)
        path = self._air.path(src, dst if isinstance(dst, tuple) else (dst,), multicast)
        transfer = FluidTransfer(
            self._env,
            src,
            "*" if isinstance(dst, tuple) else dst,
            path,
            nbytes,
            self._wire_bytes(nbytes),
            self._air.rate_bps(path, self._block()),
            self._give_up,
        )
        self._under_way[transfer] = None
        if nbytes == 0:
            self._last_bit_left(transfer)
        else:
            self._send(transfer)
        return transfer

    def stalled(self) -> Sequence[Transfer]:
        """Return the transfers that are under way, in the order of their start."""
        return tuple(self._under_way)

    def _send(self, transfer: FluidTransfer) -> None:
        lane = transfer.path.lane
        if lane not in self._lanes:
            self._lanes[lane] = FluidShare(self._air.capacity(lane))
        self._on_air[transfer] = None
        self._engine.start(self._lanes[lane], transfer.flow, lambda _: self._last_bit_left(transfer))
        if self._air.coherence_s is not None and not (self._grid_armed or transfer.path.hopeless):
            self._arm_grid(self._air.coherence_s, self._block() + 1)

    def _last_bit_left(self, transfer: FluidTransfer) -> None:
        """Take the transfer off the air, and have the receiver hold the bytes after the latency."""
        transfer.last_bit_s = self._env.now
        self._on_air.pop(transfer, None)
        Call(self._env, self._env.now + self._air.latency_s, lambda _: self._arrive(transfer))

    def _arrive(self, transfer: FluidTransfer) -> None:
        if transfer in self._under_way:  # otherwise it was given up after its last bit
            del self._under_way[transfer]
            transfer.succeed(transfer.delivery(delivered=True))

    def _give_up(self, transfer: FluidTransfer) -> None:
        if transfer not in self._under_way:
            raise RuntimeError(f"{transfer.src} -> {transfer.dst}: this transfer has ended")
        del self._under_way[transfer]
        if transfer in self._on_air:
            del self._on_air[transfer]
            self._engine.cancel(transfer.flow)

    def _block(self) -> int:
        """Return the number of the coherence block [k T, (k + 1) T) that holds the present."""
        length_s = self._air.coherence_s
        if length_s is None:
            return 0
        block = floor(self._env.now / length_s)
        return block + ((block + 1) * length_s <= self._env.now) - (block * length_s > self._env.now)

    def _arm_grid(self, length_s: float, block: int) -> None:
        self._grid_armed = True
        Call(self._env, block * length_s, self._new_block)

    def _new_block(self, _: simpy.Event) -> None:
        """Give the flows on the air their rates in the block that begins; with none, let the grid rest."""
        self._grid_armed = False
        block = self._block()
        hopeful = [transfer for transfer in self._on_air if not transfer.path.hopeless]
        if hopeful and self._air.coherence_s is not None:
            self._engine.set_rates([(t.flow, self._air.rate_bps(t.path, block)) for t in hopeful])
            self._arm_grid(self._air.coherence_s, block + 1)
