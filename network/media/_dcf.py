"""The share behind `dcf`: whose exchange is next, when it ends, and what it brings. It draws nothing."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil, inf

from slfac_sim.network.engine import Flow
from slfac_sim.network.wifi.backoff import Backoff
from slfac_sim.network.wifi.timing import SLOT_S, Access, Exchanges


@dataclass
class _Exchange:
    """What is on the air from `start_s` to `end_s`: one frame and its answer, or frames that collide.

    `idle_slots` come before it; None once it is on the air.
    """

    idle_slots: int | None
    start_s: float
    end_s: float
    free_s: float
    frames: list[tuple[Flow, Access]]


class DcfShare:
    """A share (see `Share`) of one 802.11 channel.

    Times within are the channel's own, which runs at `capacity` times the speed of the clock. The next
    exchange is planned; until it starts, a newcomer can still come before it or into it. `free_s` is
    when the channel was, or will be, free for idle slots. Each success is given the time since the last one,
    collisions and idle slots included, but none from before its flow came (`Flow.key`). `_asking` are the
    senders whose next frame is a BlockAckReq for what became of a flow's A-MPDU.
    """

    def __init__(self, exchanges: Exchanges, backoff: Backoff, capacity: float = 1.0) -> None:
        self.due_s = inf
        self.backoff = backoff
        self._exchanges = exchanges
        self._capacity = capacity
        self._clock_s = self._now_s = self._free_s = self._last_success_s = 0.0
        self._queues: dict[str, list[Flow]] = {}
        self._next: _Exchange | None = None
        self._next_due_s = inf
        self._through: list[Flow] = []
        self._asking: dict[str, Flow] = {}

    def start(self, now_s: float, flow: Flow) -> None:
        """Let `flow` take part from now on."""
        self._advance(now_s)
        flow.radiated_s = 0.0
        if flow.left_bits <= 0.0:
            self._through.append(flow)
        elif flow.rate_bps > 0.0:
            self._enter(flow)
        self._look_ahead()

    def cancel(self, now_s: float, flow: Flow) -> None:
        """Take `flow` out. A frame of it that is on the air is lost, and holds the channel to its end."""
        self._advance(now_s)
        if flow in self._through:
            self._through.remove(flow)
        else:
            self._leave(flow)
        self._look_ahead()

    def set_rates(self, now_s: float, rates_bps: Iterable[tuple[Flow, float]]) -> None:
        """Give flows that take part new rates. A flow of rate 0 leaves the channel to the others."""
        self._advance(now_s)
        for flow, rate_bps in rates_bps:
            if flow not in self._through:
                flow.rate_bps = rate_bps
                if rate_bps <= 0.0:
                    self._leave(flow)
                elif flow not in self._queues.get(flow.src, ()):
                    self._enter(flow)
        self._look_ahead()

    def set_capacity(self, now_s: float, capacity: float, link: str = "") -> None:
        """Change the part of the time that the channel has; at 0 everything stands still."""
        self._advance(now_s)
        self._capacity = capacity
        for queue in self._queues.values():
            for flow in queue:
                self._serve(flow)
        self._look_ahead()

    def finish(self, now_s: float) -> list[Flow]:
        """Take out the flows that are through by now, in the order of completion, then of start."""
        self._advance(now_s)
        through, self._through = self._through, []
        self._look_ahead()
        return through

    def _enter(self, flow: Flow) -> None:
        if not self._queues:  # nobody counted the idle slots
            self._free_s = max(self._free_s, self._clock_s)
            self._last_success_s = max(self._last_success_s, self._clock_s)
        self._serve(flow)
        flow.key = self._clock_s
        if flow.src in self._queues:
            self._queues[flow.src].append(flow)
        else:
            self._queues[flow.src] = [flow]
            self.backoff.join(flow.src)

    def _serve(self, flow: Flow) -> None:
        if self._capacity > 0.0 and flow.start_s is None:
            flow.start_s = self._now_s

    def _leave(self, flow: Flow) -> None:
        queue = self._queues.get(flow.src, [])
        if flow in queue:
            queue.remove(flow)
            if not queue:
                del self._queues[flow.src]
                self.backoff.leave(flow.src)

    def _advance(self, now_s: float) -> None:
        """Bring the channel to `now_s`; an exchange that is not on the air by then is open again."""
        over, self._now_s, had_s = now_s >= self._next_due_s, now_s, now_s - self._now_s
        if self._next is None:
            self._clock_s += had_s * self._capacity
            return
        self._clock_s = self._next.end_s if over else self._clock_s + had_s * self._capacity
        if self._next.idle_slots is not None:
            self._count_down(self._next)
        if over:
            self._settle(self._next)
        if over or self._next.idle_slots is not None:
            self._next = None

    def _count_down(self, exchange: _Exchange) -> None:
        """Let the idle slots pass that have begun: all of them once the exchange is on the air."""
        idle_slots = exchange.idle_slots or 0
        if self._clock_s > exchange.start_s:
            self.backoff.count_down(idle_slots)
            exchange.idle_slots = None
        elif self._clock_s > self._free_s:  # a newcomer counts from the next slot
            begun = min(idle_slots, ceil((self._clock_s - self._free_s) / SLOT_S))
            self.backoff.count_down(begun)
            self._free_s += begun * SLOT_S

    def _settle(self, exchange: _Exchange) -> None:
        self._free_s = exchange.free_s
        collided = len(exchange.frames) > 1
        for flow, access in exchange.frames:
            flow.radiated_s = (flow.radiated_s or 0.0) + (access.collided_s if collided else access.sent_s)
            if flow not in self._queues.get(flow.src, ()):  # given up while its frame was on the air
                if flow.src in self._queues:
                    self.backoff.succeed(flow.src)  # the sender goes on with its next flow
            elif collided:
                self.backoff.fail(flow.src, retries=flow.dst != "*")
                if access.asks_after:
                    self._asking[flow.src] = flow
            else:
                self._deliver(flow, access, exchange.end_s)

    def _deliver(self, flow: Flow, access: Access, end_s: float) -> None:
        flow.left_bits -= access.payload_bits
        flow.airtime_s += end_s - max(self._last_success_s, flow.key)
        self._last_success_s = end_s
        self.backoff.succeed(flow.src)
        if self._asking.get(flow.src) is flow:
            del self._asking[flow.src]
            return  # the next frame is the A-MPDU once more
        queue = self._queues[flow.src]
        queue.append(queue.pop(0))
        if flow.left_bits <= 0.0:
            flow.left_bits = 0.0
            self._leave(flow)
            self._through.append(flow)

    def _look_ahead(self) -> None:
        if self._next is None and self._queues:
            self._next = self._next_exchange()
        self._next_due_s = inf
        if self._next is not None and self._capacity > 0.0:
            ahead_s = max(0.0, self._next.end_s - self._clock_s)
            self._next_due_s = self._now_s + ahead_s / self._capacity
        self.due_s = self._now_s if self._through else self._next_due_s

    def _next_exchange(self) -> _Exchange:
        idle = self.backoff.idle_slots()
        start_s = self._free_s + idle * SLOT_S
        frames = [self._frame(name) for name in self.backoff.first()]
        if len(frames) == 1:
            _, access = frames[0]
            free_s = start_s + access.success_s
            return _Exchange(idle, start_s, start_s + access.exchange_s, free_s, frames)
        free_s = start_s + max(access.collision_s for _, access in frames)
        end_s = start_s + max(access.collided_s for _, access in frames)
        return _Exchange(idle, start_s, end_s, free_s, frames)

    def _frame(self, name: str) -> tuple[Flow, Access]:
        flow = self._queues[name][0]
        if self._asking.get(name) is flow:
            return flow, self._exchanges.request(flow.rate_bps)
        return flow, self._exchanges.access(flow.left_bits / 8.0, flow.rate_bps, flow.dst == "*")
