"""One wireless cell: devices around a station share its air. There is no interference.

By default each transfer under way has an equal part of its direction's time, on the whole band and at full
power, uplink and downlink in a fixed ratio; other media and duplexes are a setting away.
"""

from slfac_sim.foundation.plugins import settings
from slfac_sim.network.contract import Hosts, Station
from slfac_sim.network.fluid_network import Air
from slfac_sim.network.kinds._cellular import Cellular


@settings
class Cell(Cellular):
    """A 5G cell at 3.5 GHz, by default. `station_power` is that of each 20 MHz, `device_power` of any part.

    Devices are placed uniformly between `min_distance` and `radius`, unless `positions` ([x, y] in
    metres around the station, one for each device) are given. `medium` is how transfers share the air;
    `duplex: tdd` gives the uplink `uplink_share` of the time, `fdd` each direction the whole band, `half`
    one band to both together. `small_scale: rician` gives devices in line of sight the path loss model's
    Rician factor. Each `packet_bytes` of payload, or a part of them, cost `header_bytes` more: 20 IP, 32 TCP
    with timestamps and 8 for the radio layers; 0 switches that off. The latency is one way.
    """

    def air(self, hosts: Hosts, seed: int) -> Air:
        """Return the air of the one station, which is the server's."""
        return self._air((Station(hosts.server, 0.0, 0.0),), hosts, seed)
