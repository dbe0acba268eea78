"""Runs: from a scenario to a run folder, and from a run folder on: resume, verify, replay, compare."""
