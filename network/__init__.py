"""The network: bytes in, seconds and joules out. It knows lengths, never tensors, and no torch.

Usable on its own: open a network on a SimPy environment and call `transfer`.
"""

from slfac_sim.network.contract import (
    Delivery,
    Hosts,
    Link,
    Lost,
    Network,
    NetworkSettings,
    Sharing,
    Station,
    Survey,
    Transfer,
)

__all__ = [
    "Delivery",
    "Hosts",
    "Link",
    "Lost",
    "Network",
    "NetworkSettings",
    "Sharing",
    "Station",
    "Survey",
    "Transfer",
]
