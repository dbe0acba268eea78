"""The sections of the report of what `ask` or `crossover` found, one a file."""

ORDER = ("answer", "curve", "seeds", "scenario", "reproduce")
