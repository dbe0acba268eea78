"""FedProx: federated averaging in which devices are held back from straying too far from the server's model.

Li et al. (2020, arXiv:1812.06127, algorithm 2): each device adds (mu/2) ||w - w_server||^2 to its own loss.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import Count, NotNegative
from slfac_sim.protocols import Broadcast, InitialModel, Participation
from slfac_sim.protocols.fedavg import WholeModels


@settings
class FedProx(WholeModels):
    """As `fedavg`, with a term that holds devices near the model that the round began with.

    The losses in the tables are without that term. Every device does all of its work: the paper's partial
    work of slow devices is a `deadline` here, which drops them.
    """

    references: ClassVar[tuple[str, ...]] = ("li2020federated",)

    mu: NotNegative = 0.01
    """mu of the paper, half of which is the weight of the squared distance to the model that the round began
    with; 0 is `fedavg`.
    """
    rounds: Count = 8
    steps: Count | None = None
    local_epochs: Count = 1
    send: Literal["model", "difference"] = "model"
    model_broadcast: Broadcast = "multicast"
    initial_model: InitialModel = "seed"
    participation: Participation = Participation()
