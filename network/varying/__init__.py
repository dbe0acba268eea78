"""What changes with time by itself: rates, losses, places, traffic of others. It knows no kind of change."""
