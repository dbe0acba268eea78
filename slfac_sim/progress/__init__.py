"""How far something is, while it goes on: for commands and for the Python API alike."""
