"""Data sets of IDX files: what these are, where they may lie, and how they are fetched, read and verified."""
