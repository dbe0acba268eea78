"""Reading: YAML text and overrides become settings, and every fault is reported with its place.

It knows how a tree of settings is written, not what any of them means.
"""
