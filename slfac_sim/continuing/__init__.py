"""Going on with runs and doing them again: checkpoints, resumption, verification."""
