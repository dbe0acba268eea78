"""The hosts of a scenario: how fast they compute, when they are slow or away, and what power they draw."""
