"""The parts of `slfac`."""
