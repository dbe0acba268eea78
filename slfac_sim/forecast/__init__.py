"""What a scenario asks of devices, server and air, before anything is trained: sizes, work, times, cuts."""
