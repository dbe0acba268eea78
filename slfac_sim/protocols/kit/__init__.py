"""What protocols are written with: who takes part, how models travel, one mini-batch and those of a round."""
