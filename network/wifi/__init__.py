"""802.11: how long its frames last and how its senders contend. It knows no flows, no radio and no clock."""
