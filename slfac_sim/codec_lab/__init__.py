"""Codecs tried on single tensors, in files, without a simulation. It knows no clock."""
