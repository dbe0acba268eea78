"""Players perform the effects that a protocol yields; each gives the same protocol another kind of time."""
