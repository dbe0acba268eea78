"""Starts the command line of the analysis; knows nothing else. See `slfac_sim.analysis.cli`."""

from slfac_sim.analysis.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
