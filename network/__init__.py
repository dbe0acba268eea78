"""The network: bytes in, seconds and joules out. It knows lengths, never tensors, and no torch.

Usable on its own: open a network on a SimPy environment and call `transfer`.
"""

from slfac_sim.network.contract import (
    Delivery,
    Handover,
    Hosts,
    Link,
    LinkUse,
    Lost,
    Network,
    NetworkSettings,
    Route,
    Sharing,
    Sighting,
    Station,
    Survey,
    Transfer,
    Wire,
)

__all__ = [
    "Delivery",
    "Handover",
    "Hosts",
    "Link",
    "LinkUse",
    "Lost",
    "Network",
    "NetworkSettings",
    "Route",
    "Sharing",
    "Sighting",
    "Station",
    "Survey",
    "Transfer",
    "Wire",
]
