"""Learning: the two halves of a model, their data and their averages; no clock, no network, no bytes."""
