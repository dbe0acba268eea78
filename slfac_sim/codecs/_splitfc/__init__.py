"""The parts of `splitfc`."""
