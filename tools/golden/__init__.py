"""Golden runs: commands as data, their player, and the comparison of what they leave."""
