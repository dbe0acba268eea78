"""Networks to choose from by `kind:`, one file each."""

from slfac_sim.foundation.plugins import Family
from slfac_sim.network.contract import NetworkSettings

FAMILY = Family(
    NetworkSettings,
    shared=(
        "bandwidth",
        "duplex",
        "uplink_share",
        "outage",
        "shadowing",
        "packet_bytes",
        "header_bytes",
        "transport",
        "change",
        "jitter",
        "grant",
        "up_latency",
    ),
)
