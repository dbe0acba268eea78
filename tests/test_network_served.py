"""What is found for many flows at once is, to the last bit, what it is for each alone."""

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from media_play import flow, play

from slfac_sim.foundation.first_draws import first_draws
from slfac_sim.foundation.streams import stream
from slfac_sim.network import Hosts
from slfac_sim.network.engine import Entry, Flow, FluidShare
from slfac_sim.network.engine.served import Served
from slfac_sim.network.kinds.cell import Cell
from slfac_sim.network.media.fair import Fair
from slfac_sim.network.media.fdma import Fdma
from slfac_sim.network.media.ofdma import Ofdma
from slfac_sim.network.media.proportional_fair import ProportionalFair
from slfac_sim.network.radio.budget import PowerControl
from slfac_sim.network.radio.fading import Fading
from slfac_sim.network.radio.fading.block import Block
from slfac_sim.network.radio.fading.ergodic import Ergodic
from slfac_sim.network.radio.fading.jakes import Jakes
from slfac_sim.network.radio.rates.nr_mcs import NrMcs
from slfac_sim.network.radio.rates.truncated_shannon import TruncatedShannon

NAMES = [f"d{i}" for i in range(12)]


@given(st.integers(0, 2**40), st.integers(0, 10**6))
def test_first_draws_are_those_of_each_stream(seed, first):
    purposes, indices = ["fading/d0", "fading/d17", "x"], range(first, first + 40)
    gains, turns = first_draws(seed, purposes, indices)
    for row, purpose in enumerate(purposes):
        for column, index in enumerate(indices):
            rng = stream(seed, purpose, index)
            assert gains[row, column] == rng.standard_exponential()
            assert turns[row, column] == rng.random()


@pytest.mark.parametrize("fading", [Block(coherence=0.01), Jakes(doppler=30.0).tuned(1e9)])
def test_gains_drawn_together_are_those_drawn_alone(fading: Fading):
    k = np.array([0.0, 2.0, 0.0, 7.5])
    blocks = range(16, 16 + fading.ahead)
    together = fading.gains(3, NAMES[:4], blocks, k)
    alone = [
        [fading.gain(3, name, block, one) for block in blocks] for name, one in zip(NAMES, k, strict=False)
    ]
    assert together.tolist() == alone


@pytest.mark.parametrize("fading", [Ergodic(), Block(coherence=0.01)])
@pytest.mark.parametrize("medium", [Ofdma(), Fair()])
@pytest.mark.parametrize("rate", [NrMcs(), TruncatedShannon()])
@pytest.mark.parametrize("control", [None, PowerControl()])
def test_rates_found_together_are_those_found_alone(fading, medium, rate, control):
    cell = Cell(
        fading=fading, medium=medium, rate=rate, power_control=control, small_scale="rician", radius=120.0
    )
    hosts = Hosts(NAMES, ("server",))
    air = cell.air(hosts, 2)
    ways = [("d3", ("server",)), ("d0", ("server",)), ("server", ("d3",)), ("server", tuple(NAMES[2:7]))]
    others = [cell.air(hosts, 2) for _ in ways]
    for block in (0, 9):
        together = air.rates_bps([air.paths(*way)[0] for way in ways], block, {})
        for (rate_bps, among), other, way in zip(together, others, ways, strict=True):
            alone_bps, alone = other.rate_bps(other.paths(*way)[0], block, {})
            assert rate_bps == alone_bps
            assert (among is None) == (alone is None)
            if among is not None and alone is not None:
                assert [among(n) for n in (1, 2, 7, 60)] == [alone(n) for n in (1, 2, 7, 60)]


@pytest.mark.parametrize("medium", [Ofdma(), Ofdma(resource_blocks=3), Fdma(), ProportionalFair()])
@pytest.mark.parametrize("seed", range(4))
def test_a_medium_looks_up_tables_as_it_asks_functions(medium, seed):
    """Some flows have a table in common, some one of their own, some none; columns come and go."""

    def played(look_up):
        rng, flows = Random(seed), []
        rows = np.array([rng.uniform(1e6, 2e6) for _ in range(40)])
        powers = np.array([rng.uniform(0.2, 1.0) for _ in range(40)])
        tables = [(lambda n, p=p: rows * n**p, lambda n, p=p: powers / n**p) for p in (0.1, 0.3)]
        for i in range(40):
            rate, power = tables[i % 2]
            kind = rng.randrange(4)
            among = Entry(rate, i) if look_up else lambda n, rate=rate, i=i: float(rate(n)[i])
            spent = Entry(power, i) if look_up else lambda n, power=power, i=i: float(power(n)[i])
            if kind == 0:
                among = None
            elif kind == 1:
                spent = None
            flows.append(flow(i, rng.uniform(1e5, 1e6), rows[i], among=among, power_among=spent))
        starts = [(rng.uniform(0.0, 1.0), one) for one in flows]
        ends = play(medium.share(40, 0.7), starts)
        return [(ends[one], one.airtime_s, one.radiated_s) for one in flows]

    assert played(look_up=True) == played(look_up=False)


def test_tables_that_nobody_looks_at_are_forgotten_and_others_are_not():
    served, flows = Served(), [Flow(1.0, 1.0) for _ in range(20)]
    for i, one in enumerate(flows):
        one.among = Entry(lambda n, i=i: np.array([i + n]), 0)
        served.append(one)
    for i in range(40):  # as with every block of fading
        flows[3].among = Entry(lambda n, i=i: np.array([100.0 + i + n]), 0)
        served.renew(3)
    served.drop(0)
    assert served.among(1).tolist() == [20.0, 2.0, 3.0, 140.0, *(1.0 + i for i in range(4, 19))]
    assert len(served._among._tables) < 40


@given(st.integers(0, 1000))
def test_new_rates_of_many_are_new_rates_of_each(seed):
    """As `set_rates` of one flow after the other, in one instant, and through it."""

    def played(together):
        rng, share, ends = Random(seed), FluidShare(0.5), []
        flows = [Flow(rng.uniform(0.1, 3.0), 1.0) for _ in range(10)]
        for one in flows[:7]:
            share.start(0.0, one)
        for step in range(1, 30):
            now_s = 0.1 * step
            while share.due_s <= now_s:
                at_s = share.due_s
                ends += [(at_s, flows.index(one)) for one in share.finish(at_s)]
            through = {number for _, number in ends}
            new = [(one, rng.choice([0.0, 0.5, 1.0, 2.0])) for one in flows[:7]]
            new = [(one, rate) for one, rate in new if flows.index(one) not in through]
            for pairs in [new] if together else [[pair] for pair in new]:
                share.set_rates(now_s, pairs)
        return ends, [(one.left_bits, one.airtime_s) for one in flows]

    (ends, states), (other_ends, other_states) = played(together=True), played(together=False)
    assert [number for _, number in ends] == [number for _, number in other_ends]
    assert [at_s for at_s, _ in ends] == pytest.approx([at_s for at_s, _ in other_ends], rel=1e-12)
    for one, other in zip(states, other_states, strict=True):
        assert one == pytest.approx(other, rel=1e-9, abs=1e-12)
