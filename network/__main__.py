"""Starts the command line of the network; knows nothing else. See `slfac_sim.network.case.command`."""

from slfac_sim.network.case.command import main

if __name__ == "__main__":
    raise SystemExit(main())
