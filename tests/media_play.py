"""Transfers on media, played by hand, for the tests of media."""

from math import inf

import pytest

from slfac_sim.foundation.plugins import find, kinds
from slfac_sim.network.engine import Flow
from slfac_sim.network.media.tdma import Tdma

FAMILY = "slfac_sim.network.media"
MEDIA = {kind: find(FAMILY, kind)() for kind in kinds(FAMILY)} | {"round robin": Tdma(work_conserving=True)}
EVERY = pytest.mark.parametrize("medium", [pytest.param(medium, id=name) for name, medium in MEDIA.items()])
GOLDEN = (5**0.5 - 1) / 2
FRAME_S = 5e-3  # no medium lets a user of three wait longer than this


def flow(user=0, bits=2.4e6, rate_bps=54e6, **more):
    return Flow(bits, rate_bps, src=f"device {user}", dst="server", **more)


def play(share, flows_at, changes=(), looks=()):
    """Start flows at their times, apply changes (time, callable), look in; return finish times by flow."""
    todo = sorted(
        [(at_s, 2, i, one) for i, (at_s, one) in enumerate(flows_at)]
        + [(at_s, 0, i, change) for i, (at_s, change) in enumerate(changes)]
        + [(at_s, 1, i, None) for i, at_s in enumerate(looks)],
        key=lambda entry: entry[:3],
    )
    ends: dict[Flow, float] = {}
    while todo or share.due_s < inf:
        now_s = min(share.due_s, todo[0][0] if todo else inf)
        while todo and todo[0][0] == now_s and todo[0][1] == 0:
            todo.pop(0)[3](share, now_s)
        for one in share.finish(now_s):
            assert one not in ends
            ends[one] = now_s
        while todo and todo[0][0] == now_s and todo[0][1] > 0:
            what = todo.pop(0)
            if what[1] == 2:
                share.start(now_s, what[3])
    return ends


def three():
    """Return three users' flows of unequal size and rate, and when they start."""
    return [(0.0, flow(0)), (0.01, flow(1, 6e5, 24e6)), (0.02, flow(2, 1.2e6, 54e6))]
