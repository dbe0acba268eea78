"""Networks to choose from by `kind:`, one file each."""
