"""The workbench: codecs tried on single tensors, in files, without a simulation. It knows no clock."""
