"""Packets that are lost in bursts: Gilbert's and Elliott's channel of two states."""

from typing import Annotated, ClassVar

from pydantic import Field

from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import Part
from slfac_sim.network.change import Effect, Target, Targeted
from slfac_sim.network.transfers import Bursts

_Chance = Annotated[float, Field(gt=0.0, le=1.0)]
_MOST = 0.99


@settings
class GilbertElliott(Targeted):
    """For a `transport` with packets. A link is good or bad, and may change with each packet.

    The part to_bad / (to_bad + to_good) of the packets meet the bad state, in runs of 1 / to_good in the
    mean. A message begins as it is at any time, and so does each round of packets that are sent again.
    """

    references: ClassVar[tuple[str, ...]] = ("gilbert1960capacity", "elliott1963estimates")

    to_bad: _Chance = 0.01
    """Probability that a good state has turned bad at the next packet."""
    to_good: _Chance = 0.1
    """Probability that a bad state has turned good at the next packet."""
    loss_good: Part = 0.0
    """Part of the packets that are lost in the good state."""
    loss_bad: Part = 1.0
    """Part of the packets that are lost in the bad state."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self._bursts.mean > _MOST:
            lost = f"{100.0 * self._bursts.mean:.3g} % of the packets are lost"
            raise ValueError(f"{lost}, of which 99 % is the most that can be simulated")

    @property
    def _bursts(self) -> Bursts:
        return Bursts(self.to_bad, self.to_good, self.loss_good, self.loss_bad)

    @property
    def loses_packets(self) -> bool:
        """Whether it loses any."""
        return self.loss_good > 0.0 or self.loss_bad > 0.0

    @property
    def only_loses(self) -> bool:
        """Yes."""
        return True

    def effect(self, target: Target, seed: int) -> Effect:
        """Return the bursts, which transports draw."""
        return Effect(bursts=self._bursts)
