"""Studies: what their runs say together, in tables, words and figures."""
