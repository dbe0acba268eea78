"""One wireless cell: devices around a station share its air. There is no interference.

By default each transfer under way has an equal part of its direction's time, on the whole band and at full
power, uplink and downlink in a fixed ratio; other media and duplexes are a setting away.
"""

from slfac_sim.foundation.plugins import settings
from slfac_sim.network.air import Air
from slfac_sim.network.contract import Hosts, Station
from slfac_sim.network.kinds._cellular import Cellular
from slfac_sim.network.varying.changing import motions_of


@settings
class Cell(Cellular):
    """The defaults are a 5G micro cell at 3.5 GHz, band n78.

    Devices are of power class 3, 23 dBm (TS 38.101-1), and a station has the gain of one antenna element of
    TR 38.901; its 44 dBm in 20 MHz and the noise figures are usual in 3GPP's evaluations.
    """

    def air(self, hosts: Hosts, seed: int) -> Air:
        """Return the air of the one station, which is the server's."""
        motions = motions_of(self.change or {}, hosts.devices, seed, self.radius)
        return self._air((Station(hosts.server, 0.0, 0.0),), hosts, seed, motions=motions)
