"""The parts of `slfac_rd`."""
